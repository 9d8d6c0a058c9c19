"""Where a safetensors file is best cut: at the boundaries of its tensors.

A file is eight bytes with the length of a JSON header, the header, and the tensors' bytes one after another
(https://github.com/huggingface/safetensors). Positions here count from the end of the header, so a header that got
longer moves no cut, and a tensor that stayed the same gives the same parts in every file that has it.
"""

from itertools import pairwise

import msgspec

__all__ = ["header_size", "tensor_sizes"]

_LENGTH_BYTES = 8
_LONGEST_HEADER = 32 * 1024 * 1024
_GROUP = 4
"""Small tensors go together up to a quarter of a part: a change inside a group sends the group."""
_LAYER = 32
"""A layer of at least this fraction of a part has groups of its own, for layers are what is frozen or retrained."""


class _Tensor(msgspec.Struct):
    """What the header says of a tensor; ``__metadata__``, which is none, has no offsets."""

    data_offsets: tuple[int, int] | None = None


def header_size(start: bytes) -> int | None:
    """Return how many bytes stand before the tensors, or None if a file cannot be a safetensors file.

    Args:
        start: its first nine bytes at least.
    """
    size = int.from_bytes(start[:_LENGTH_BYTES], "little")
    is_header = start[_LENGTH_BYTES : _LENGTH_BYTES + 1] == b"{" and size <= _LONGEST_HEADER
    return _LENGTH_BYTES + size if is_header else None


def tensor_sizes(header: bytes, size: int, part_size: int) -> tuple[int, ...] | None:
    """Return the sizes of the pieces that the bytes behind a header are cut into.

    A piece is a tensor, several small ones, or a slice of a long one. It depends on nothing but its own tensors and on
    how many of their layer stand before it, so a tensor that comes in or goes moves few cuts.

    Args:
        header: the JSON, without the length in front of it.
        size: of all tensors, in bytes.
        part_size: the longest piece, in bytes.

    Returns:
        None if the header is not one, or leaves bytes undescribed: such a file is cut like any other.
    """
    try:
        tensors = msgspec.json.decode(header, type=dict[str, _Tensor])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    spans = sorted((tensor.data_offsets, name) for name, tensor in tensors.items() if tensor.data_offsets)
    ends = [0, *(end for (_, end), _ in spans)]
    begins = [*(begin for (begin, _), _ in spans), size]
    if begins != ends or any(before > after for before, after in pairwise(ends)):
        return None
    return _grouped([(_layer(name), end - begin) for (begin, end), name in spans], part_size)


def _grouped(tensors: list[tuple[str, int]], part_size: int) -> tuple[int, ...]:
    pieces: list[int] = []
    group, group_layer = 0, ""
    for layer, length in tensors:
        is_other_layer = layer != group_layer and group >= part_size // _LAYER
        if group and (is_other_layer or group + length > part_size // _GROUP):
            pieces += _sliced(group, part_size)
            group = 0
        group += length
        group_layer = layer
    return (*pieces, *_sliced(group, part_size))


def _sliced(length: int, part_size: int) -> list[int]:
    whole, rest = divmod(length, part_size)
    return [part_size] * whole + [rest] * bool(rest)


def _layer(name: str) -> str:
    """Return a name up to its first number: ``model.layers.3`` of ``model.layers.3.mlp.weight``; "" without one."""
    parts = name.split(".")
    return next((".".join(parts[: index + 1]) for index, part in enumerate(parts) if part.isdigit()), "")
