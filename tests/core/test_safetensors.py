"""Cuts at tensor boundaries: what they depend on, and what is no safetensors file."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from objreg.core.safetensors import header_size, tensor_sizes

PART = 3200
"""Groups are of up to 800 bytes, and a layer of at least 100 has groups of its own."""


def header_of(lengths: dict[str, int], **extra: Any) -> bytes:
    """Return the header of tensors of these lengths, in this order."""
    found: dict[str, Any] = dict(extra)
    position = 0
    for name, length in lengths.items():
        found[name] = {"dtype": "U8", "shape": [length], "data_offsets": [position, position + length]}
        position += length
    return json.dumps(found).encode()


def sizes_of(lengths: dict[str, int], **extra: Any) -> tuple[int, ...] | None:
    return tensor_sizes(header_of(lengths, **extra), sum(lengths.values()), PART)


def test_the_header_says_how_long_it_is() -> None:
    """Its length stands in eight bytes before it; what does not go on with a brace, or is longer than any, is none."""
    assert header_size((5).to_bytes(8, "little") + b'{"a"') == 13
    assert header_size((5).to_bytes(8, "little") + b"[1]") is None
    assert header_size((2**40).to_bytes(8, "little") + b"{") is None
    assert header_size(b"") is header_size(b"\x05") is None


def test_small_tensors_go_together() -> None:
    """Up to a quarter of a part."""
    assert sizes_of({"a": 300, "b": 300, "c": 300, "d": 10}) == (600, 310)
    assert sizes_of({"a": 800, "b": 1}) == (800, 1)


def test_long_tensors_are_cut_from_their_own_beginning() -> None:
    """So that one with rows added at its end shares all but its last piece."""
    assert sizes_of({"a": 10, "b": 7000, "c": 20}) == (10, 3200, 3200, 600, 20)
    assert sizes_of({"a": 10, "b": 7100, "c": 20}) == (10, 3200, 3200, 700, 20)


def test_layers_do_not_share_pieces() -> None:
    """Layers are what is frozen or retrained; tiny ones go together all the same."""
    layer = {"ln": 20, "mlp": 130}
    model = {f"h.{number}.{name}": size for number in range(3) for name, size in layer.items()}
    assert sizes_of(model) == (150, 150, 150)
    assert sizes_of({f"h.{number}.w": 50 for number in range(4)}) == (100, 100)


def test_the_metadata_is_no_tensor_and_moves_no_cut() -> None:
    """Nor does any other length of the header."""
    plain = {"a": 300, "b": 700}
    assert sizes_of(plain) == sizes_of(plain, __metadata__={"format": "pt", "note": "x" * 5000}) == (300, 700)


def test_a_tensor_more_moves_no_cut_of_another_layer() -> None:
    """Only the pieces of its own layer change."""
    model = {f"h.{number}.{name}": 130 for number in range(5) for name in ("a", "c")}
    added = {**{key: model[key] for key in ("h.0.a", "h.0.c")}, "h.0.d": 700, **model}
    assert sizes_of(model) == (260,) * 5
    assert sizes_of(added) == (260, 700, 260, 260, 260, 260)


def test_the_order_is_that_of_the_bytes() -> None:
    """Not that of the JSON, which has none."""
    shuffled = {
        "b": {"data_offsets": [300, 900]},
        "empty": {"data_offsets": [300, 300]},
        "a": {"data_offsets": [0, 300]},
    }
    assert tensor_sizes(json.dumps(shuffled).encode(), 900, PART) == (300, 600)


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"[]",
        b"{}",
        b'{"a":',
        b'{"a":{"data_offsets":[0,99]}}',
        b'{"a":{"data_offsets":[1,100]}}',
        b'{"a":{"data_offsets":[0,60]},"b":{"data_offsets":[50,100]}}',
        b'{"a":{"data_offsets":[0,50]},"b":{"data_offsets":[60,100]}}',
        b'{"a":{"data_offsets":[0,120]},"b":{"data_offsets":[120,100]}}',
        b'{"a":{"data_offsets":[-1,100]}}',
        b'{"a":{"data_offsets":[0.5,100]}}',
        b'{"a":{"data_offsets":["0","100"]}}',
        b'{"a":{"data_offsets":[0,100,1]}}',
        b'{"a":{"data_offsets":[0,' + b"9" * 400 + b"]}}",
        b'{"a":{"shape":' + b"[" * 100_000 + b"}}",
        b'{"\xff":{"data_offsets":[0,100]}}',
    ],
    ids=lambda header: header[:40].decode(errors="replace"),
)
def test_what_does_not_describe_all_bytes_once_is_refused(header: bytes) -> None:
    """It is cut like any other file, whatever it says."""
    assert tensor_sizes(header, 100, PART) is None


@given(st.lists(st.integers(0, 10_000), min_size=1), st.integers(1, 5))
def test_the_pieces_are_all_the_bytes(lengths: list[int], layers: int) -> None:
    """None is empty, or longer than a part."""
    found = sizes_of({f"h.{number * layers // len(lengths)}.{number}": size for number, size in enumerate(lengths)})
    assert found is not None
    assert sum(found) == sum(lengths)
    assert all(0 < size <= PART for size in found)
