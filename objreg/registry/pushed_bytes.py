"""The bytes of a push that wait to be sent: bounded in number, the longest in memory that is used again."""

import threading
from io import BufferedIOBase

from objreg.registry.blobs import PART_SIZE
from objreg.store.base import Piece

__all__ = ["PushedBytes"]

_USED_AGAIN_FROM = PART_SIZE // 2
"""Memory for shorter pieces is used again by the C library."""


class PushedBytes:
    """Memory for pieces between being read and being sent. Safe for threads.

    Memory that is new to the process is cleared by the system first, which takes nearly as long as hashing it.

    Args:
        most: how many bytes may wait.
    """

    def __init__(self, most: int) -> None:
        self._free = most
        self._condition = threading.Condition()
        self._spare: list[bytearray] = []

    def read(self, file: BufferedIOBase, size: int) -> Piece:
        """Return the next ``size`` bytes of a file, fewer at its end; the caller gives them back."""
        if not _USED_AGAIN_FROM <= size <= PART_SIZE:
            return file.read(size)
        with self._condition:
            buffer = self._spare.pop() if self._spare else bytearray(PART_SIZE)
        piece = memoryview(buffer)[:size]
        return piece[: file.readinto(piece)]

    def wait_for(self, size: int) -> None:
        """Wait until so many bytes may wait to be sent, too."""
        with self._condition:
            self._condition.wait_for(lambda: self._free >= size)
            self._free -= size

    def give_back(self, piece: Piece) -> None:
        """Say that a piece was sent: its memory may be used for another."""
        with self._condition:
            if isinstance(piece, memoryview) and isinstance(piece.obj, bytearray):
                self._spare.append(piece.obj)
            self._free += len(piece)
            self._condition.notify_all()
