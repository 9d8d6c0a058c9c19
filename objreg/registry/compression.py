"""zstd: where it pays, and back again, never more bytes than a record promises."""

import io
from collections.abc import Iterator

from objreg.errors import IntegrityError
from objreg.store.base import Piece

__all__ = ["compressed", "decompress", "decompressed"]

_SAMPLE = 64 * 1024
_SMALLEST = 4096
_WORTH = 0.9
_LEVEL = 1
"""Higher levels make most weights no smaller, and take up to twice as long
(``docs/decisions/0020-what-compression-costs.md``)."""
_PIECE = 1024 * 1024
"""What is decompressed at a time: it stays in the processor's cache until it is hashed and written."""


def compressed(data: Piece, compress: bool | int | None) -> bytes | None:
    """Return the bytes compressed, or None where that does not pay: weights rarely do, text does.

    Args:
        data: what to compress.
        compress: None to let a sample decide, a level of zstd or True to compress as soon as it saves a byte, False
            not to.
    """
    if compress is False or len(data) < _SMALLEST:
        return None
    import zstandard

    level = _LEVEL if compress is None or compress is True else compress  # 1 is a level, and equals True
    compressor = zstandard.ZstdCompressor(level=level)
    if compress is None:
        middle = max(0, (len(data) - _SAMPLE) // 2)
        sample = data[middle : middle + _SAMPLE]
        if len(compressor.compress(sample)) > _WORTH * len(sample):
            return None
    packed = compressor.compress(data)
    return packed if len(packed) <= (_WORTH * len(data) if compress is None else len(data) - 1) else None


def decompress(stored: bytes, size: int, digest: str) -> bytes:
    """Return the plain bytes of a blob; never more than ``size`` are made, whatever the stored bytes say.

    Raises:
        IntegrityError: they are no ``size`` bytes; ``digest`` names the blob.
    """
    import zstandard

    try:
        with zstandard.ZstdDecompressor().stream_reader(stored) as reader:
            data = reader.read(size + 1)
    except zstandard.ZstdError as error:
        raise _not_zstd(digest, error) from error
    if len(data) != size:
        more = "more" if len(data) > size else str(len(data))
        raise IntegrityError(f"blob {digest} should hold {size} bytes, and it holds {more}", digest=digest)
    return data


def decompressed(stored: Iterator[Piece], digest: str) -> Iterator[bytes]:
    """Yield the plain bytes of a blob while the stored ones arrive, so many at a time that who reads can stop.

    Raises:
        IntegrityError: what arrives is not what zstd makes; ``digest`` names the blob.
    """
    import zstandard

    arriving = io.BufferedReader(_Arriving(stored), _PIECE)
    try:
        with zstandard.ZstdDecompressor().stream_reader(arriving, read_size=_PIECE) as reader:
            while data := reader.read(_PIECE):
                yield data
    except zstandard.ZstdError as error:
        raise _not_zstd(digest, error) from error


class _Arriving(io.RawIOBase):
    """What arrives in pieces, as a file."""

    def __init__(self, pieces: Iterator[Piece]) -> None:
        super().__init__()
        self._pieces = filter(len, pieces)  # an empty one would be taken for the end
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview | bytearray", /) -> int:  # type: ignore[override]  # typeshed says Buffer, new in 3.12
        self._rest = self._rest or memoryview(next(self._pieces, b""))
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


def _not_zstd(digest: str, error: Exception) -> IntegrityError:
    return IntegrityError(f"blob {digest} is not what zstd makes: {error}", digest=digest)
