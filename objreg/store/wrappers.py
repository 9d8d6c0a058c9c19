"""Stores round a store: one that counts, one that refuses to write, and one that stands in for it and refuses all."""

import threading
from collections import Counter
from collections.abc import Iterator

from objreg.errors import NotFound, StoreError
from objreg.store.base import ObjectInfo, Piece, Store
from objreg.store.checksums import recorded_sha256
from objreg.store.pieces import pieces_of

__all__ = ["CountingStore", "OfflineStore", "ReadOnlyStore"]


class CountingStore:
    """Counts the calls and the bytes that pass; for budgets and tests.

    Attributes:
        counts: calls by method name, and ``bytes_read`` and ``bytes_written``.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self.counts: Counter[str] = Counter()
        self.url = store.url
        self.identity = store.identity
        self.ordered = store.ordered

    @property
    def requests(self) -> int:
        """All calls together; a listing counts as one."""
        with self._lock:
            return sum(count for name, count in self.counts.items() if not name.startswith("bytes_"))

    def reset(self) -> None:
        """Start again from zero."""
        with self._lock:
            self.counts.clear()

    def _count(self, name: str, *, read: int = 0, written: int = 0) -> None:
        with self._lock:
            self.counts[name] += 1
            if read:
                self.counts["bytes_read"] += read
            if written:
                self.counts["bytes_written"] += written

    def get(self, key: str) -> bytes | None:
        data = self._store.get(key)
        self._count("get", read=len(data or b""))
        return data

    def get_range(self, key: str, start: int, length: int) -> bytes | None:
        data = self._store.get_range(key, start, length)
        self._count("get_range", read=len(data or b""))
        return data

    def create(self, key: str, data: Piece) -> bool:
        self._count("create", written=len(data))
        return self._store.create(key, data)

    def first(self, prefix: str) -> ObjectInfo | None:
        self._count("first")
        return self._store.first(prefix)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        self._count("list")
        return self._store.list(prefix)

    def folders(self, prefix: str) -> tuple[str, ...]:
        self._count("folders")
        return self._store.folders(prefix)

    def head(self, key: str) -> ObjectInfo | None:
        self._count("head")
        return self._store.head(key)

    def recorded_sha256(self, key: str) -> str | None:
        self._count("recorded_sha256")
        return recorded_sha256(self._store, key)

    def delete(self, key: str) -> None:
        self._count("delete")
        self._store.delete(key)

    def close(self) -> None:
        self._store.close()


class ReadOnlyStore:
    """Passes reads on and refuses writes, whatever the credentials allow."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.url = store.url
        self.identity = store.identity
        self.ordered = store.ordered

    def get(self, key: str) -> bytes | None:
        return self._store.get(key)

    def pieces(self, key: str) -> Iterator[Piece] | None:
        return pieces_of(self._store, key)

    def get_range(self, key: str, start: int, length: int) -> bytes | None:
        return self._store.get_range(key, start, length)

    def create(self, key: str, data: Piece) -> bool:
        del data
        raise self._refusal(f"create {key}")

    def first(self, prefix: str) -> ObjectInfo | None:
        return self._store.first(prefix)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        return self._store.list(prefix)

    def folders(self, prefix: str) -> tuple[str, ...]:
        return self._store.folders(prefix)

    def head(self, key: str) -> ObjectInfo | None:
        return self._store.head(key)

    def recorded_sha256(self, key: str) -> str | None:
        return recorded_sha256(self._store, key)

    def delete(self, key: str) -> None:
        raise self._refusal(f"delete {key}")

    def close(self) -> None:
        self._store.close()

    def _refusal(self, action: str) -> StoreError:
        return StoreError(f"{self.url} was opened read-only, so it cannot {action}; open it for writing", url=self.url)


class OfflineStore:
    """Stands in for a store that is not to be asked: whoever needs an object learns that the machine has not seen it.

    Args:
        url: of the store that it stands in for.
        identity: of that store.
        ordered: as that store.
    """

    def __init__(self, url: str, identity: str, *, ordered: bool) -> None:
        self.url = url
        self.identity = identity
        self.ordered = ordered

    def get(self, key: str) -> bytes | None:
        raise self._refusal(key)

    def get_range(self, key: str, start: int, length: int) -> bytes | None:
        del start, length
        raise self._refusal(key)

    def create(self, key: str, data: Piece) -> bool:
        del data
        raise self._refusal(key)

    def first(self, prefix: str) -> ObjectInfo | None:
        raise self._refusal(prefix)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        raise self._refusal(prefix)

    def folders(self, prefix: str) -> tuple[str, ...]:
        raise self._refusal(prefix)

    def head(self, key: str) -> ObjectInfo | None:
        raise self._refusal(key)

    def delete(self, key: str) -> None:
        raise self._refusal(key)

    def close(self) -> None:
        """Do nothing: there is no connection."""

    def _refusal(self, key: str) -> NotFound:
        return NotFound(
            f"{self.url} is not to be asked (offline), and this machine has not kept {key or 'what is in it'}", key=key
        )
