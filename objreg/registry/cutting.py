"""How a file is cut into pieces: by what is in it, so that the next version of it shares most of them.

A file of at most one part is one piece, which any tool can read. A longer one is cut at its tensors if it is a
safetensors file. Any other is cut by content where the extra ``chunking`` is installed, so that bytes that come in or
go move only the cuts beside them; else at fixed offsets (``docs/decisions/0016-parts-follow-content.md``).
"""

from collections.abc import Callable, Iterable, Iterator
from importlib.util import find_spec
from typing import BinaryIO

from objreg.core.safetensors import header_size, tensor_sizes
from objreg.store.base import Piece

__all__ = ["read_pieces"]

_AVERAGE = 8
_LEAST = 32
_MOST = 2
"""Pieces that are cut by content are an eighth of a part on average, and from 1/32 to 1/2 of it: 4, 1 and 16 MiB."""
_SMALLEST_AVERAGE = 256
"""In bytes: the chunker takes no less."""
_LONGEST_BY_CONTENT = 4096
"""In average pieces (16 GiB): the record of a longer file would name too many, so it has parts of fixed size."""


def read_pieces(
    file: BinaryIO, size: int, part_size: int, read: Callable[[int], Piece] | None = None
) -> Iterator[Piece]:
    """Yield a file in pieces; together they are its first ``size`` bytes, or all it has where it became shorter.

    Args:
        file: at its beginning; it can seek.
        size: in bytes.
        part_size: the longest piece, in bytes.
        read: reads so many bytes of it, or up to its end, in a way of its own.
    """
    read = read or file.read
    if size <= part_size:
        return _by_sizes(read, [size] if size else [])
    sizes = _safetensors(file, size, part_size)
    file.seek(0)
    if sizes is not None:
        return _by_sizes(read, sizes)
    average = part_size // _AVERAGE
    if average >= _SMALLEST_AVERAGE and size <= average * _LONGEST_BY_CONTENT and find_spec("pyfastcdc") is not None:
        return _by_content(file, size, part_size)
    return _by_sizes(read, _fixed(size, part_size))


def _by_sizes(read: Callable[[int], Piece], sizes: Iterable[int]) -> Iterator[Piece]:
    for size in sizes:
        if data := read(size):
            yield data


def _fixed(size: int, part_size: int) -> Iterator[int]:
    for position in range(0, size, part_size):
        yield min(part_size, size - position)


def _safetensors(file: BinaryIO, size: int, part_size: int) -> list[int] | None:
    """Return the sizes of a safetensors file's pieces, the header being the first; None if it is another file."""
    start = file.read(9)
    before = header_size(start)
    if before is None or not before <= min(size, part_size):
        return None
    header = start[8:] + file.read(before - len(start))
    sizes = tensor_sizes(header, size - before, part_size)
    return None if sizes is None else [before, *sizes]


def _by_content(file: BinaryIO, size: int, part_size: int) -> Iterator[bytes]:
    from pyfastcdc import FastCDC

    most = part_size // _MOST
    chunker = FastCDC(avg_size=part_size // _AVERAGE, min_size=part_size // _LEAST, max_size=most)
    rest, unread = b"", size
    while True:
        read = file.read(min(part_size, unread))
        unread -= len(read)
        data = memoryview(rest + read)
        is_end = not read or not unread
        position = 0
        # Where a piece ends depends on no more than the longest piece's bytes behind its beginning.
        while position < len(data) and (is_end or len(data) - position >= most):
            length = next(iter(chunker.cut_buf(data[position:]))).length
            yield bytes(data[position : position + length])
            position += length
        if is_end:
            return
        rest = bytes(data[position:])
