"""A store in this process's memory: for tests, documentation and trying things out."""

import secrets
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

from objreg.store.base import ObjectInfo, Piece

__all__ = ["MemoryStore"]


class MemoryStore:
    """Objects in a dictionary, safe for threads; they are gone when the store is.

    Args:
        name: stores opened by URL with the same name in one process share their objects.
    """

    ordered = True

    def __init__(self, name: str = "") -> None:
        self.url = f"memory://{name}"
        self.identity = f"{self.url}#{secrets.token_hex(8)}"
        self._objects: dict[str, tuple[bytes, datetime]] = {}
        self._lock = threading.Lock()

    def get(self, key: str) -> bytes | None:
        with self._lock:
            found = self._objects.get(key)
        return None if found is None else found[0]

    def get_range(self, key: str, start: int, length: int) -> bytes | None:
        data = self.get(key)
        return None if data is None else data[start : start + length]

    def create(self, key: str, data: Piece) -> bool:
        with self._lock:
            if key in self._objects:
                return False
            self._objects[key] = (bytes(data), datetime.now(UTC))
            return True

    def first(self, prefix: str) -> ObjectInfo | None:
        with self._lock:
            key = min((key for key in self._objects if key.startswith(prefix)), default=None)
        return None if key is None else self.head(key)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        with self._lock:
            found = [(key, value) for key, value in self._objects.items() if key.startswith(prefix)]
        return (ObjectInfo(key, len(data), modified) for key, (data, modified) in found)

    def folders(self, prefix: str) -> tuple[str, ...]:
        with self._lock:
            rests = [key[len(prefix) :] for key in self._objects if key.startswith(prefix)]
        return tuple(sorted({rest.split("/", 1)[0] for rest in rests if "/" in rest}))

    def head(self, key: str) -> ObjectInfo | None:
        with self._lock:
            found = self._objects.get(key)
        return None if found is None else ObjectInfo(key, len(found[0]), found[1])

    def delete(self, key: str) -> None:
        with self._lock:
            self._objects.pop(key, None)

    def close(self) -> None:
        """Nothing to release: the objects live as long as the store."""
