"""Keys: where each object stands below a registry's root. The only place that spells them.

>>> log_key("fraud/clf.model", 42)
'fraud/clf.model/log/999999999957.json'
"""

import re

from objreg.core.digest import hex_of
from objreg.core.names import check_namespace, check_path
from objreg.errors import FormatError, InvalidInput

__all__ = [
    "MARKER",
    "REGISTRY_DOMAIN",
    "blob_key",
    "blob_prefix",
    "domain_of",
    "log_key",
    "log_prefix",
    "model_domain",
    "namespace_domain",
    "parse_blob_name",
    "record_key",
    "seq_of",
    "snapshot_key",
]

MARKER = "objreg.json"
REGISTRY_DOMAIN = "_registry"
_LAST = 10**12 - 1
_LOG_NAME = re.compile(r"([0-9]{12})\.json")
_SUFFIXES = {"": "", "zstd": ".zst"}
_BLOB_NAME = re.compile(r"([0-9a-f]{64})(?:\.([1-9][0-9]{0,15}))?(?:\.(zst))?")


def model_domain(model: str) -> str:
    """Return the folder of a model, which is also the name of its domain."""
    return f"{check_path(model)}.model"


def namespace_domain(namespace: str) -> str:
    """Return the folder of a namespace's manifest; of the registry's own for ``""``."""
    return f"{check_namespace(namespace)}/_namespace" if namespace else REGISTRY_DOMAIN


def domain_of(path: str, *, model: bool) -> str:
    """Return the domain of a model or of a namespace."""
    return model_domain(path) if model else namespace_domain(path)


def log_prefix(domain: str) -> str:
    """Return the folder of a domain's entries, with its slash."""
    return f"{domain}/log/"


def log_key(domain: str, seq: int) -> str:
    """Return the key of entry ``seq``: counted down, so that the newest is listed first.

    Raises:
        InvalidInput: there is no such slot.
    """
    if not 0 <= seq <= _LAST:
        raise InvalidInput(f"entry {seq} cannot exist: entries are numbered from 0 to {_LAST}")
    return f"{log_prefix(domain)}{_LAST - seq:012d}.json"


def seq_of(key: str) -> int:
    """Return the number of the entry at a key.

    Raises:
        FormatError: the key is not one of an entry.
    """
    match = _LOG_NAME.fullmatch(key.rsplit("/", 1)[-1])
    if match is None:
        raise FormatError(
            f"{key!r} stands among the entries of a manifest and is none: remove what put it there", key=key
        )
    return _LAST - int(match[1])


def record_key(domain: str, digest: str) -> str:
    """Return the key of a record."""
    return f"{domain}/records/{hex_of(digest)}.json"


def snapshot_key(domain: str, digest: str) -> str:
    """Return the key of a snapshot."""
    return f"{domain}/snapshots/{hex_of(digest)}.json"


def blob_key(domain: str, digest: str, incarnation: int, encoding: str) -> str:
    """Return the key of a blob: ``blobs/<hex>[.<incarnation>][.zst]``."""
    middle = f".{incarnation}" if incarnation else ""
    return f"{domain}/blobs/{hex_of(digest)}{middle}{_SUFFIXES[encoding]}"


def blob_prefix(domain: str) -> str:
    """Return the folder of a domain's blobs, with its slash."""
    return f"{domain}/blobs/"


def parse_blob_name(name: str) -> tuple[str, int, str] | None:
    """Return the hex digits, the incarnation and the encoding that a blob's name says, or None for another name.

    >>> parse_blob_name("0" * 64 + ".2.zst") == ("0" * 64, 2, "zstd")
    True
    """
    match = _BLOB_NAME.fullmatch(name)
    return None if match is None else (match[1], int(match[2] or 0), "zstd" if match[3] else "")
