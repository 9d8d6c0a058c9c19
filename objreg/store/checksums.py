"""SHA-256 checksums that a store keeps of its objects: how S3 spells them, and who can be asked for one.

What a store tells of an object is what it was told at the upload, and not every store looked: ``objreg doctor`` tries
that, and a verification uses the answer only where somebody said so.
"""

import base64
from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from objreg.core.digest import hex_of
from objreg.errors import InvalidInput
from objreg.store.base import Store

__all__ = ["RecordsChecksums", "digest_of_answer", "header_of", "recorded_sha256"]

_DIGEST_SIZE = 32


@runtime_checkable
class RecordsChecksums(Protocol):
    """A store that can say what SHA-256 was recorded of an object, beside what every ``Store`` can."""

    def recorded_sha256(self, key: str) -> str | None:
        """Return the digest that the store has of a whole object, or None where it has none, or no object."""
        ...


def recorded_sha256(store: Store, key: str) -> str | None:
    """Ask a store, or what it is wrapped in, for the digest that it has of a whole object: one request.

    Raises:
        InvalidInput: this kind of storage keeps no SHA-256.
        MissingDependency: the package that can ask for it is not installed.
    """
    if not store.url.startswith("s3://") or not isinstance(store, RecordsChecksums):
        raise InvalidInput(f"{store.url} keeps no SHA-256 checksums: only S3 does; let blobs be read", url=store.url)
    return store.recorded_sha256(key)


def header_of(digest: str) -> str:
    """Return a digest as S3's headers have it.

    >>> header_of("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='
    """
    return base64.b64encode(bytes.fromhex(hex_of(digest))).decode()


def digest_of_answer(answer: Mapping[str, object]) -> str | None:
    """Return the digest that S3's answer to a HEAD holds, or None.

    A composite checksum is one over the checksums of an upload's parts, and says nothing that a record could be held
    against (https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html).
    """
    if answer.get("ChecksumType") == "COMPOSITE":
        return None
    try:
        found = base64.b64decode(str(answer.get("ChecksumSHA256", "")), validate=True)
    except ValueError:  # what it holds is no base64, as of a composite ("…-3") from a server that names no type
        return None
    return f"sha256:{found.hex()}" if len(found) == _DIGEST_SIZE else None
