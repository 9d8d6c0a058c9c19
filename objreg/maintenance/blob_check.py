"""Read a blob and hash it: the bytes as they are stored, and the plain ones."""

import hashlib
import io
from collections.abc import Iterator

from objreg.core.artifacts import Part
from objreg.core.digest import digest_of
from objreg.core.keys import parse_blob_name

__all__ = ["blob_damage", "nameless_damage"]

_CHUNK = 1 << 20
_MOST_PLAIN = 1 << 30
"""What an unreferenced blob may grow to: there is no record that promises its size."""


def blob_damage(stored: bytes, part: Part) -> str:
    """Return how a blob differs from what a record promises of it, or ``""``."""
    if (found := digest_of(stored)) != part.stored_digest:
        return f"expected {part.stored_digest}, found {found}"
    return _plain_damage(stored, part.blob, part.encoding, part.blob_size) if part.encoding else ""


def nameless_damage(name: str, stored: bytes) -> str:
    """Return how a blob differs from what its own name promises, or ``""``."""
    parsed = parse_blob_name(name)
    assert parsed is not None, name
    digits, _, encoding = parsed
    return _plain_damage(stored, f"sha256:{digits}", encoding, _MOST_PLAIN)


def _plain_damage(stored: bytes, digest: str, encoding: str, most: int) -> str:
    import zstandard

    plain, size = hashlib.sha256(), 0
    try:
        for chunk in _plain_chunks(stored, encoding):
            plain.update(chunk)
            size += len(chunk)
            if size > most:
                return f"it holds more than {most} plain bytes"
    except zstandard.ZstdError as error:
        return f"it is not what zstd makes: {error}"
    found = f"sha256:{plain.hexdigest()}"
    return "" if found == digest else f"expected the plain bytes of {digest}, found {found}"


def _plain_chunks(stored: bytes, encoding: str) -> Iterator[bytes]:
    import zstandard

    if not encoding:
        yield stored
        return
    with zstandard.ZstdDecompressor().stream_reader(io.BytesIO(stored)) as reader:
        while chunk := reader.read(_CHUNK):
            yield chunk
