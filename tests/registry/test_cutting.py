"""Where files are cut: pieces are the file, and a change moves only the cuts beside it."""

import io
import json
import random
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from objreg.registry import cutting
from objreg.registry.cutting import read_pieces

KIB = 1024
PART = 32 * KIB
"""A thousandth of the real one: pieces cut by content are of 4 KiB on average, from 1 to 16."""


def pieces_of(content: bytes, part_size: int = PART) -> list[bytes]:
    return list(read_pieces(io.BytesIO(content), len(content), part_size))


def noise(size: int, seed: int = 0) -> bytes:
    return random.Random(seed).randbytes(size)


def new_bytes(before: bytes, after: bytes) -> int:
    """Return how many bytes of ``after`` are in pieces that ``before`` has not."""
    return sum(map(len, set(pieces_of(after)) - set(pieces_of(before))))


def safetensors(tensors: dict[str, bytes], note: str = "") -> bytes:
    header: dict[str, object] = {"__metadata__": {"note": note}}
    position = 0
    for name, data in tensors.items():
        header[name] = {"dtype": "U8", "shape": [len(data)], "data_offsets": [position, position + len(data)]}
        position += len(data)
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + b"".join(tensors.values())


def test_a_file_of_up_to_one_part_is_one_piece() -> None:
    """It is stored as it is, so any tool can read it; an empty file has none."""
    assert pieces_of(b"") == []
    assert list(map(len, pieces_of(noise(PART)))) == [PART]
    assert len(pieces_of(noise(PART + 1))) > 1


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10 * PART),
    st.sampled_from([PART, 1000, 300_000]),
    st.booleans(),
)
def test_the_pieces_are_the_file(size: int, part_size: int, zeros: bool) -> None:
    """Whatever the length, the sizes and the content; none is longer than a part."""
    content = bytes(size) if zeros else noise(size)
    found = pieces_of(content, part_size)
    assert b"".join(found) == content
    assert all(0 < len(piece) <= part_size for piece in found)


def test_the_cuts_are_those_of_this_format_of_pieces() -> None:
    """A release that cuts elsewhere shares nothing with what was pushed before: whoever changes this does it on purpose."""
    content = noise(300 * KIB)
    found = pieces_of(content)
    assert [len(piece) for piece in found[:6]] == [4715, 9271, 3445, 4880, 1222, 5305]
    assert len(found) == 67


def test_without_the_chunker_cuts_are_at_fixed_offsets(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is no dependency: what it would cut by content is cut where each part is full, tensors as ever."""
    monkeypatch.setattr(cutting, "find_spec", lambda name: None)
    content = noise(3 * PART + 5)
    assert [len(piece) for piece in pieces_of(content)] == [PART, PART, PART, 5]
    tensors = safetensors({"a": noise(PART), "b": noise(PART, 1)})
    assert [len(piece) for piece in pieces_of(tensors)][1:] == [PART, PART]


def test_how_it_is_read_moves_no_cut() -> None:
    """Cutting by windows gives what cutting all at once gives."""
    from pyfastcdc import FastCDC

    content = noise(20 * PART) + bytes(5 * PART) + noise(3 * PART, 1)
    whole = FastCDC(avg_size=PART // 8, min_size=PART // 32, max_size=PART // 2).cut_buf(content)
    assert [chunk.length for chunk in whole] == [len(piece) for piece in pieces_of(content)]


def test_bytes_at_the_beginning_cost_little() -> None:
    """The cuts behind them stay where they are in the content."""
    content = noise(30 * PART)
    assert new_bytes(content, b"five!" + content) <= PART


def test_bytes_at_the_end_cost_little() -> None:
    """The last piece of before, and what is new."""
    content = noise(30 * PART)
    assert new_bytes(content, content + noise(100, 1)) <= PART // 2 + 100


def test_bytes_changed_in_the_middle_cost_little() -> None:
    """One piece, or two."""
    content = noise(30 * PART)
    changed = content[: 15 * PART] + b"five!" + content[15 * PART + 5 :]
    assert new_bytes(content, changed) <= PART


def test_a_very_long_file_has_parts_of_fixed_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """A record names each part, so there must not be too many."""
    monkeypatch.setattr(cutting, "_LONGEST_BY_CONTENT", 20)
    assert list(map(len, pieces_of(noise(3 * PART + 5)))) == [PART, PART, PART, 5]


def test_frozen_layers_are_the_same_pieces_behind_any_header() -> None:
    """A fine-tuned checkpoint shares every piece but those of the retrained layers, and the header, its own piece."""
    layers = {f"h.{number}.{name}": noise(7 * KIB, number) for number in range(10) for name in "ab"}
    before = safetensors(layers)
    layers["h.4.a"] = noise(7 * KIB, 100)
    after = safetensors(layers, note="fine-tuned with a header of another length")
    changed = set(pieces_of(after)) - set(pieces_of(before))
    assert sum(map(len, changed)) == 7 * KIB + after.index(layers["h.0.a"])
    assert pieces_of(after)[0] == after[: after.index(layers["h.0.a"])]


@pytest.mark.parametrize("damage", ["longer", "shorter", "header"])
def test_what_only_looks_like_safetensors_is_cut_by_content(damage: str) -> None:
    """All of it, and nothing is lost."""
    good = safetensors({f"h.{number}": noise(7 * KIB, number) for number in range(10)})
    bad = {"longer": good + b"1", "shorter": good[:-1], "header": good[:20] + b"\xff" + good[21:]}[damage]
    assert b"".join(pieces_of(bad)) == bad
    assert all(len(piece) <= PART // 2 for piece in pieces_of(bad))


def test_a_file_that_became_shorter_gives_what_it_has() -> None:
    """Whoever reads it sees that it is not what it was."""
    content = noise(5 * PART)
    for claimed in (5 * PART + 1, 50 * PART, 20_000 * PART):
        assert b"".join(read_pieces(io.BytesIO(content), claimed, PART)) == content


def test_a_file_that_became_longer_is_not_read_further() -> None:
    """One that grows for ever has no end."""
    content = noise(5 * PART)
    assert sum(map(len, read_pieces(io.BytesIO(content), 3 * PART, PART))) == 3 * PART


def test_cuts_are_the_same_on_every_machine() -> None:
    """The real sizes, on a file that has nothing random."""
    content = b"".join(sha256(b"%d" % number).digest() for number in range(36 * KIB * KIB // 32))
    assert [len(piece) for piece in pieces_of(content, 32 * KIB * KIB)] == [
        6579052,
        6367356,
        3995895,
        3677257,
        6171870,
        2812344,
        4241541,
        2377085,
        1526336,
    ]
