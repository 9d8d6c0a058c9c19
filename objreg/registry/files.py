"""Read inside a file of a version without fetching all of it.

A part that is stored as it is, is asked for the bytes that are wanted and no others. A compressed part is fetched
whole, once. What comes whole (a part, or a file that is a slice of a pack) is verified; of some bytes out of the middle
of a part nobody can say whether they are right, because digests are of whole blobs.
"""

import io
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import BinaryIO

from objreg.core.artifacts import File
from objreg.core.digest import verify
from objreg.errors import IntegrityError
from objreg.registry.blobs import PART_SIZE, read_blob, read_blob_range
from objreg.registry.collected import collection_told
from objreg.registry.download import read_file
from objreg.registry.pulled import pulled_file
from objreg.registry.session import Session
from objreg.registry.values import Version

__all__ = ["RemoteFile", "open_file", "read_range", "whole_file"]

_SMALL = 1024 * 1024
"""What is read along at least by who reads on, and the longest part that is always fetched whole, to be verified."""
_BUFFER = 64 * 1024
"""What is read along by who jumps: about as much as arrives while a request is answered."""
_KEPT = 2
"""Pieces that an open file holds; each is at most a part."""


@dataclass(frozen=True)
class _Piece:
    """Bytes of a file.

    Attributes:
        start: where in the file.
        data: at least one byte.
    """

    start: int
    data: memoryview

    @property
    def end(self) -> int:
        """Where the bytes behind it begin."""
        return self.start + len(self.data)


@dataclass(frozen=True)
class RemoteFile:
    """One file of a version, in the store. Holds no connection and no place in the file; safe for threads.

    Attributes:
        session: returns what this process holds of the registry.
        version: that the file belongs to.
        path: inside the version.
        file: what the record says of it.
        verify: whether to fetch whole parts always, so that every byte is verified before it is handed out.
    """

    session: Callable[[], Session]
    version: Version
    path: str
    file: File
    verify: bool = False

    @cached_property
    def _starts(self) -> tuple[int, ...]:
        return (0, *accumulate(part.length for part in self.file.parts))

    def piece(self, position: int, wanted: int) -> _Piece:
        """Return bytes that begin at or before a position, in one request.

        Args:
            position: in the file, before its end.
            wanted: how many bytes from there on, at least 1; fewer come where the part ends, more where it is fetched
                whole.

        Raises:
            NotFound: the version was retired and its files were collected.
            IntegrityError: a blob is missing, too short, or (read whole) holds other bytes than the record says.
        """
        session = self.session()
        place = bisect_right(self._starts, position) - 1
        part, start = self.file.parts[place], self._starts[place]
        is_whole = self.verify or bool(part.encoding) or part.length <= _SMALL
        first, count = (0, part.length) if is_whole else (position - start, min(wanted, start + part.length - position))
        with collection_told(session, self.version):
            domain = session.model(self.version.model).domain
            if part.encoding or (self.verify and part.length < part.blob_size and len(self.file.parts) > 1):
                found = read_blob(session.store, domain, part)[part.offset : part.offset + part.length]
            else:
                found = read_blob_range(session.store, domain, part, part.offset + first, count)
        if len(found) != count:
            raise IntegrityError(f"blob {part.blob} has too few bytes for {self.path} of {self.version.spec}")
        is_verified = count == part.blob_size and part.blob == self.file.digest
        if count == self.file.size and not is_verified:
            verify(found, self.file.digest, f"{self.path} of {self.version.spec}")
        return _Piece(start + first, memoryview(found))

    def read(self, start: int, length: int) -> bytes:
        """Return bytes of the file: one request for each part that they are in, and no byte more than must be fetched.

        Args:
            start: where, in bytes.
            length: how many at most; fewer come at the file's end.

        Raises:
            NotFound: as for ``piece``.
            IntegrityError: as for ``piece``.
        """
        end, position = min(start + length, self.file.size), start
        pieces = []
        while position < end:
            piece = self.piece(position, end - position)
            pieces.append(piece.data[position - piece.start : end - piece.start])
            position = piece.end
        return b"".join(pieces)

    def chunks(self) -> Iterator[bytes]:
        """Yield the whole file, part by part, all of it verified; errors as for ``piece``."""
        session = self.session()
        with collection_told(session, self.version):
            yield from read_file(session.store, session.model(self.version.model).domain, self.path, self.file)


class _Reader(io.RawIOBase):
    """A place in a remote file, and the last pieces that were fetched of it."""

    mode = "rb"

    def __init__(self, remote: RemoteFile) -> None:
        super().__init__()
        self._remote = remote
        self._position = 0
        self._ahead = _SMALL // 2
        self._pieces: deque[_Piece] = deque(maxlen=_KEPT)
        self.name = f"{remote.version.spec}/{remote.path}"

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        self._check_open()
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        self._check_open()
        bases = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._remote.file.size}
        if whence not in bases or bases[whence] + offset < 0:
            raise ValueError(f"cannot seek to {offset} bytes from {whence} in {self.name}")
        self._position = bases[whence] + offset
        return self._position

    def readinto(self, buffer: "memoryview | bytearray", /) -> int:  # type: ignore[override]  # typeshed says Buffer, new in 3.12
        self._check_open()
        target = memoryview(buffer).cast("B")
        if not target or self._position >= self._remote.file.size:
            return 0
        piece = self._piece(len(target))
        found = piece.data[self._position - piece.start :][: len(target)]
        target[: len(found)] = found
        self._position += len(found)
        return len(found)

    def readall(self) -> bytes:
        self._check_open()
        found = self._remote.read(self._position, self._remote.file.size)
        self._position = max(self._position, self._remote.file.size)
        return found

    def _piece(self, wanted: int) -> _Piece:
        position = self._position
        for piece in self._pieces:
            if piece.start <= position < piece.end:
                return piece
        # Who reads on fetches twice as much each time, until whole parts come, which are verified. Who jumps gets what
        # was asked for, and the little more that the buffer around this reader asks for next.
        reads_on = position == (self._pieces[-1].end if self._pieces else 0)
        self._ahead = min(2 * self._ahead, PART_SIZE) if reads_on else _SMALL // 2
        piece = self._remote.piece(position, max(wanted + _BUFFER, self._ahead if reads_on else 0))
        self._pieces.append(piece)
        return piece

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError(f"{self.name} is closed")


def open_file(remote: RemoteFile) -> BinaryIO:
    """Open a file of a version for reading; from the cache where it was pulled, without a request."""
    local = _pulled(remote)
    return local.open("rb") if local else io.BufferedReader(_Reader(remote), _BUFFER)


def read_range(remote: RemoteFile, start: int, length: int) -> bytes:
    """Return bytes of a file of a version, from where ``open_file`` would read them; the whole file is verified."""
    if (start, length) == (0, remote.file.size):
        return b"".join(whole_file(remote))
    local = _pulled(remote)
    if local is None:
        return remote.read(start, length)
    with local.open("rb") as opened:
        opened.seek(start)
        return opened.read(length)


def whole_file(remote: RemoteFile) -> Iterator[bytes]:
    """Yield all of a file of a version: from the cache where it was pulled, else from the store, verified."""
    local = _pulled(remote)
    if local is None:
        yield from remote.chunks()
        return
    with local.open("rb") as opened:
        while chunk := opened.read(_SMALL):
            yield chunk


def _pulled(remote: RemoteFile) -> Path | None:
    return pulled_file(remote.session(), remote.version, remote.path, remote.file)
