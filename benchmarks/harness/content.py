"""Files to be sent: JSON lines that compress to about a third, or random bytes that do not; the same at every run.

Each MiB of the lines begins with a few random bytes. SeaweedFS looks at the beginning of what it stores, and spends its
processor on gzip where that is text; S3 does not, so a comparison with it as the server should not either.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

__all__ = ["check_digests", "check_sizes", "digests", "write_files"]

MIB = 1024 * 1024
BLOCK = 8 * MIB
NOISE = 128
LINE = b'{"id":"########","x":[0.########,0.########,0.########,0.########],"label":1}\n'


def write_files(folder: Path, count: int, size: int, *, compressible: bool) -> None:
    """Write files with different bytes.

    Args:
        folder: which is made.
        count: of the files.
        size: of each, in bytes.
        compressible: whether zstd makes about a third of them.
    """
    folder.mkdir(parents=True)
    chance = np.random.Generator(np.random.SFC64(count + size))
    blocks = _lines(chance) if compressible else _noise(chance)
    waiting = memoryview(b"")
    for number in range(count):
        with (folder / f"{number:05}.bin").open("wb") as file:
            left = size
            while left:
                waiting = waiting or next(blocks)
                room = min(left, MIB - (size - left) % MIB)
                piece, waiting = waiting[:room], waiting[room:]
                if compressible and (size - left) % MIB == 0:
                    piece = chance.bytes(NOISE) + bytes(piece)[NOISE:]
                file.write(piece)
                left -= len(piece)


def _noise(chance: np.random.Generator) -> Iterator[memoryview]:
    while True:
        yield memoryview(chance.bytes(BLOCK))


def _lines(chance: np.random.Generator) -> Iterator[memoryview]:
    pattern = np.frombuffer(LINE, np.uint8)
    digits = np.flatnonzero(pattern == ord("#"))
    rows = BLOCK // len(LINE)
    while True:
        block = np.tile(pattern, (rows, 1))
        block[:, digits] = chance.integers(ord("0"), ord("9") + 1, (rows, len(digits)), np.uint8)
        yield memoryview(block.tobytes())


def check_sizes(source: Path, pulled: Path) -> None:
    """Compare names and sizes of what came with what was sent.

    Raises:
        ValueError: they differ.
    """
    if _sizes(source) != _sizes(pulled):
        raise ValueError(f"{pulled} has other files than {source}")


def _sizes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in folder.rglob("*") if path.suffix == ".bin" and path.is_file()}


def digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of a folder and the folders in it, by its name."""
    found = {}
    for path in folder.rglob("*.bin"):
        with path.open("rb") as file:
            found[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def check_digests(expected: dict[str, str], pulled: Path) -> None:
    """Compare the bytes of what came with what was sent.

    Raises:
        ValueError: they differ.
    """
    if digests(pulled) != expected:
        raise ValueError(f"{pulled} has other bytes than were sent")
