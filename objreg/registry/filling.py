"""A file that is being filled, its parts in any order; what an earlier attempt left of it is believed by its digests.

A file of several parts is hashed as a whole while they arrive: in order, from the bytes at hand where they are next,
else from the file, which the system still has in memory.
"""

import errno
import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from io import FileIO
from itertools import accumulate
from pathlib import Path

from objreg.core.artifacts import File
from objreg.errors import IntegrityError, StoreError
from objreg.store.base import Piece

__all__ = ["Filling", "check_file", "new_file"]

_BLOCK = 1024 * 1024


class Filling:
    """One file, on its way to this machine. Safe for threads.

    Args:
        name: inside the version.
        file: what the record says of it.
        path: where it is written.
        kept: whether what is written there outlives this attempt, and an earlier attempt's is used.
    """

    def __init__(self, name: str, file: File, path: Path, *, kept: bool) -> None:
        self.name = name
        self.file = file
        self.path = path
        self._kept = kept
        self._starts = (0, *accumulate(part.length for part in file.parts))
        self._is_made = False
        self._is_resumed = False
        self._whole = None if _is_one_blob(file) else sha256()
        self._lock = threading.Lock()
        self._waiting: set[int] = set()
        self._next = 0
        self._is_hashing = False

    def lacking(self) -> int:
        """Return how many bytes its disk must still take."""
        try:
            return max(0, self.file.size - self.path.stat().st_blocks * 512) if self._kept else self.file.size
        except (OSError, AttributeError):  # not begun, or a system that does not count blocks
            return self.file.size

    def prepare(self) -> None:
        """Make the file at its full size, unless it will be written at once."""
        if self._kept:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as opened:
                self._is_resumed = opened.tell() > 0
                opened.truncate(self.file.size)
        elif len(self.file.parts) != 1:
            with new_file(self.name, self.path) as path, path.open("xb") as opened:
                opened.truncate(self.file.size)
        else:
            return
        self._is_made = True

    @property
    def is_hashed(self) -> bool:
        """Whether the file is hashed as a whole, so that its parts need not be."""
        return self._whole is not None

    def has(self, index: int) -> bool:
        """Tell whether an earlier attempt put a part there: its bytes are hashed, for that attempt may have died."""
        part = self.file.parts[index]
        if not self._is_resumed or (part.offset, part.length) != (0, part.blob_size):
            return False
        with self.path.open("rb", buffering=0) as opened:
            if _is_hole(opened, self._starts[index], part.length) or not self._holds(opened, index):
                return False
        self._arrived(index, None)
        return True

    def _holds(self, opened: FileIO, index: int) -> bool:
        """Tell whether a part that is a whole blob is what it should be."""
        found = sha256()
        for block in self._blocks(opened, index):
            found.update(block)
        return f"sha256:{found.hexdigest()}" == self.file.parts[index].blob

    def put(self, index: int, data: memoryview) -> None:
        """Write a part.

        Raises:
            OSError: the disk does not take all of it.
            StoreError: the file system takes the file's name for that of another.
        """
        self._write(index, (data,))
        self._arrived(index, data)

    def fill(self, index: int, pieces: Iterable[Piece]) -> None:
        """Write a part piece by piece; errors as for ``put``, and those of the pieces."""
        self._write(index, pieces)
        self._arrived(index, None)

    def _write(self, index: int, pieces: Iterable[Piece]) -> None:
        if self._is_made:
            # Buffered, because a bare write may stop half way on a full disk and say so by a number only.
            with self.path.open("r+b") as opened:
                opened.seek(self._starts[index])
                opened.writelines(pieces)
        else:
            with new_file(self.name, self.path) as path, path.open("xb") as made:
                made.writelines(pieces)

    def finish(self) -> None:
        """Verify a file that has all its parts, as a whole.

        Raises:
            IntegrityError: it holds other bytes than its record says; at most its good parts are kept.
        """
        found = f"sha256:{self._whole.hexdigest()}" if self._whole else self.file.digest
        if found == self.file.digest:
            return
        self._check_parts()
        self.path.unlink(missing_ok=True)
        check_file(self.name, self.file, found)

    def _check_parts(self) -> None:
        """Find the part that is to blame for a file that is not what it should be."""
        with self.path.open("rb", buffering=0) as opened:
            for index, part in enumerate(self.file.parts):
                if (part.offset, part.length) == (0, part.blob_size) and not self._holds(opened, index):
                    raise IntegrityError(
                        f"{self.name} holds other bytes than its record says: blob {part.blob} of it is not what its"
                        f" digest promises",
                        digest=part.blob,
                    )

    def _arrived(self, index: int, data: memoryview | None) -> None:
        """Hash what is next, in one thread at a time: others only say what they brought."""
        if self._whole is None:
            return
        with self._lock:
            self._waiting.add(index)
            if self._is_hashing:
                return
            self._is_hashing = True
        while (following := self._following()) is not None:
            if following == index and data is not None:
                self._whole.update(data)
            else:
                with self.path.open("rb", buffering=0) as opened:
                    for block in self._blocks(opened, following):
                        self._whole.update(block)

    def _following(self) -> int | None:
        with self._lock:
            if self._next not in self._waiting:
                self._is_hashing = False
                return None
            self._waiting.remove(self._next)
            self._next += 1
            return self._next - 1

    def _blocks(self, opened: FileIO, index: int) -> Iterator[memoryview]:
        """Yield a part, some at a time; each piece holds until the next is taken."""
        opened.seek(self._starts[index])
        buffer = memoryview(bytearray(_BLOCK))
        left = self.file.parts[index].length
        while left and (count := opened.readinto(buffer[: min(_BLOCK, left)])):
            yield buffer[:count]
            left -= count


def _is_hole(opened: FileIO, start: int, length: int) -> bool:
    """Tell whether nothing was written to a place, where the system says so."""
    seek_data = getattr(os, "SEEK_DATA", None)
    if seek_data is None:
        return False
    try:
        return os.lseek(opened.fileno(), start, seek_data) >= start + length
    except OSError as error:
        return error.errno == errno.ENXIO  # nothing from there to the end


def _is_one_blob(file: File) -> bool:
    """Tell whether a file is all of one blob, and not a slice that only says so."""
    if len(file.parts) != 1:
        return False
    part = file.parts[0]
    return part.blob == file.digest and (part.offset, part.length) == (0, part.blob_size)


def check_file(name: str, file: File, found: str) -> None:
    """See to it that a file's digest is the one that its record says.

    Raises:
        IntegrityError: it is not.
    """
    if found != file.digest:
        raise IntegrityError(f"{name} holds other bytes than its record says: expected {file.digest}, got {found}")


@contextmanager
def new_file(name: str, path: Path) -> Iterator[Path]:
    """Make the folder of a new file; in the block the file is made.

    Raises:
        StoreError: the file system takes its name for that of another file.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield path
    except FileExistsError as error:
        raise StoreError(
            f"file {name!r} cannot stand beside the others: this file system takes its name for another's, by"
            f" letter case or by how Unicode is spelled; nothing was kept: pull on one that tells them apart"
        ) from error
