"""The one seam between objreg and storage: whole, small, immutable objects under string keys.

A store holds objects under keys that are ``/``-separated ASCII paths relative to the registry's root, without a leading
slash (``fraud/clf.model/log/999999999999.json``). Objects are at most a few tens of MiB, so every operation is one
request. Backends differ by data (``ordered``), never by ``isinstance``; wrappers have the same protocol.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

__all__ = ["ObjectInfo", "Piece", "Store"]

Piece = bytes | memoryview
"""Some bytes: of their own, or a view of memory that is used again when whoever got the view is done with it."""


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """What a store says of an object without reading it.

    Attributes:
        key: relative to the store's root.
        size: in bytes.
        modified: the store's own time of the object, in UTC, or None where the store does not say.
    """

    key: str
    size: int
    modified: datetime | None = None


@runtime_checkable
class Store(Protocol):
    """Whole small objects under keys.

    What every backend guarantees, each line held by a test of the contract suite (``tests/contract``):

    - a created object is visible at once, whole, to every reader and listing (strong consistency);
    - of any number of concurrent creates of one key, at most one returns True, and its bytes are what is stored;
    - one call is one request on the wire (a listing: one for each page of up to 1,000 keys);
    - nothing is cached: what another process wrote a moment ago is seen;
    - errors are of objreg's own tree; the foreign exception is its ``__cause__``, and no message holds a secret.

    Safe for use by many threads at once. Every method may raise ``StoreUnavailable`` (no clear answer: for ``create``
    this means *unknown*, the object may be there), ``AccessDenied`` (401, 403) or ``StoreError`` (the bucket does not
    exist, the disk is full, the file system is read-only).
    """

    url: str
    """Where the root is, for people: never holds credentials."""

    identity: str
    """Which storage this is, for what a machine remembers of it: the URL and the endpoint, and no other option."""

    ordered: bool
    """True where the store lists keys in byte order and can cap a listing, so that ``first`` is one cheap request."""

    def get(self, key: str) -> bytes | None:
        """Return the object's bytes, or None if there is none."""
        ...

    def get_range(self, key: str, start: int, length: int) -> bytes | None:
        """Return ``length`` bytes (at least 1) from offset ``start``, fewer at the object's end, or None."""
        ...

    def create(self, key: str, data: Piece) -> bool:
        """Create an object if none is there: one conditional request. The data are not used after the call.

        Returns:
            True if this call created it. False if there is an object at the key: it may be another writer's, or this
            call's own from an attempt whose answer was lost and which a client library repeated, so the caller must
            read it to know.
        """
        ...

    def first(self, prefix: str) -> ObjectInfo | None:
        """Return the object whose key is first in byte order among those that start with ``prefix``, or None.

        Only where ``ordered``; elsewhere it raises ``StoreError``.
        """
        ...

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yield every object whose key starts with ``prefix``, at any depth, in no particular order.

        ``prefix`` is empty or ends with ``/``.
        """
        ...

    def folders(self, prefix: str) -> tuple[str, ...]:
        """Return the sorted names, without slashes, of the folders directly below ``prefix`` (as for ``list``)."""
        ...

    def head(self, key: str) -> ObjectInfo | None:
        """Return what the store says of an object, or None if there is none."""
        ...

    def delete(self, key: str) -> None:
        """Delete an object; deleting what is not there succeeds."""
        ...

    def close(self) -> None:
        """Release connections; the store is not used afterwards."""
        ...
