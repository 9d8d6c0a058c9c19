"""What stands where: which domain a key belongs to, and what kind of object it should be."""

import re
from collections.abc import Iterable
from typing import Literal

from objreg.core.digest import DIGEST_PATTERN
from objreg.core.keys import MARKER, REGISTRY_DOMAIN, namespace_domain
from objreg.core.names import check_path, parent_namespaces
from objreg.errors import InvalidInput

__all__ = ["Kind", "digests_among", "kind_of", "place_of", "scopes_of"]

Kind = Literal["entry", "record", "snapshot", "blob", "log-foreign", "unknown"]
_PATTERNS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("entry", re.compile(r"log/[0-9]{12}\.json")),
    ("log-foreign", re.compile(r"log/.*", re.DOTALL)),
    ("record", re.compile(r"records/[0-9a-f]{64}\.json")),
    ("snapshot", re.compile(r"snapshots/[0-9a-f]{64}\.json")),
    ("blob", re.compile(r"blobs/[0-9a-f]{64}(?:\.[1-9][0-9]*)?(?:\.zst)?")),
)
_NAMESPACE = "_namespace"


def place_of(key: str) -> tuple[str, str] | None:
    """Return the domain that a key belongs to and the rest of the key; ``("", key)`` for the marker.

    None where the key is in no domain: objreg never wrote it.

    >>> place_of("fraud/clf.model/log/999999999999.json")
    ('fraud/clf.model', 'log/999999999999.json')
    """
    if key == MARKER:
        return "", key
    parts = key.split("/")
    for index, part in enumerate(parts[:-1]):
        is_registry = index == 0 and part == REGISTRY_DOMAIN
        if is_registry or part.endswith(".model") or (part == _NAMESPACE and index):
            domain = "/".join(parts[: index + 1])
            return (domain, key[len(domain) + 1 :]) if is_registry or _is_path(domain) else None
    return None


def _is_path(domain: str) -> bool:
    try:
        check_path(domain.removesuffix(".model").removesuffix(f"/{_NAMESPACE}"))
    except InvalidInput:
        return False
    return True


def kind_of(rest: str, *, has_blobs: bool) -> Kind:
    """Return what kind of object a key inside a domain is.

    Args:
        rest: the key without the domain.
        has_blobs: whether the domain is a model, as others have none.
    """
    for kind, pattern in _PATTERNS:
        if pattern.fullmatch(rest) and (has_blobs or kind != "blob"):
            return kind
    return "unknown"


def digests_among(values: Iterable[object]) -> set[str]:
    """Return those values that are whole digests: what a damaged entry names may be anything."""
    return {value for value in values if isinstance(value, str) and re.fullmatch(DIGEST_PATTERN, value)}


def scopes_of(path: str) -> tuple[str, ...]:
    """Return the domains that hold definitions for a model or a namespace, the widest first."""
    return (REGISTRY_DOMAIN, *(namespace_domain(namespace) for namespace in reversed(parent_namespaces(path))))
