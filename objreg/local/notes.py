"""Notes in the cache: sealed lines that processes append, and that are forgotten after a week."""

import time
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from objreg.local.cache import Cache

__all__ = ["Notes"]

_KEPT_SECONDS = 7 * 24 * 3600.0
_MOST_BYTES = 8 * 1024 * 1024


class Notes:
    """The notes of one kind on one thing. Safe for threads and processes.

    They may be lost at any time: what cannot be read or written is passed over, as in all of the cache.

    Args:
        cache: where.
        kind: names their folder.
        names: of what they are about.
    """

    def __init__(self, cache: Cache, kind: str, *names: str) -> None:
        self._cache = cache
        self._kind = kind
        self._name = sha256("\0".join(names).encode(errors="surrogateescape")).hexdigest()

    @property
    def _path(self) -> Path:
        return self._cache.root / self._kind / self._name

    def read(self) -> list[bytes]:
        """Return the notes, oldest first. Damaged ones, like the last of a killed process, are left out."""
        with suppress(OSError):
            found = self._path.stat()
            if time.time() - found.st_mtime > _KEPT_SECONDS or found.st_size > _MOST_BYTES:
                self._path.unlink()
            sealed = (line.partition(b" ") for line in self._path.read_bytes().split(b"\n"))
            return [line for seal, _, line in sealed if seal == _seal(line)]
        return []

    def add(self, line: bytes) -> None:
        """Keep a note, which has no line break."""
        with suppress(OSError):
            self._cache.prepare(self._kind)
            # One write to the end of the file: what several processes add at once stands one behind the other. The
            # line break in front ends what a killed process may have left.
            with self._path.open("ab", buffering=0) as file:
                file.write(b"\n%s %s" % (_seal(line), line))


def _seal(line: bytes) -> bytes:
    return sha256(line).hexdigest().encode()
