"""Compressed bytes that arrive in pieces become the plain ones, however they are cut."""

import os
import random
import tracemalloc

import pytest

from objreg.errors import IntegrityError
from objreg.registry.compression import compressed, decompressed

PLAIN = os.urandom(5000) + b"the quick brown fox\n" * 150_000 + os.urandom(5000)
STORED = compressed(PLAIN, True) or b""


@pytest.mark.parametrize("most", [1, 7, 1000, 10**9])
def test_pieces_of_any_size(most: int) -> None:
    """Of one byte, of none in between, or all at once; plain pieces are at most a MiB."""
    chance = random.Random(most)
    pieces, position = [], 0
    while position < len(STORED):
        size = chance.randint(0, min(most, len(STORED)))
        pieces.append(memoryview(STORED)[position : position + size])
        position += size
    found = list(decompressed(iter(pieces), "sha256:some"))
    assert b"".join(found) == PLAIN
    assert max(map(len, found)) <= 1 << 20


def test_what_is_not_asked_for_is_not_made() -> None:
    """Who stops early has not paid for a quarter of a gigabyte of zeros."""
    bomb = compressed(bytes(1 << 28), True) or b""
    tracemalloc.start()
    try:
        assert next(decompressed(iter([bomb]), "sha256:some")) == bytes(1 << 20)
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


def test_other_bytes_are_told_with_the_blobs_name() -> None:
    """Damage that zstd sees; of any other the digest tells."""
    with pytest.raises(IntegrityError, match="blob sha256:some is not what zstd makes"):
        list(decompressed(iter([b"no zstd", STORED]), "sha256:some"))
