"""JSON as it is stored: compact UTF-8, keys sorted by code point, every field written, no NaN or Infinity.

The digest is of the stored bytes, so nothing is ever verified by encoding it again. What is encoded is decoded at once
and compared, because msgspec writes NaN as ``null`` and its constructors do not check constraints.
"""

import math
import re
from typing import Any, TypeVar

import msgspec

from objreg.core.records import AnyRecord
from objreg.errors import FormatError, InvalidInput

__all__ = ["decode", "decode_json", "decode_record", "encode", "is_canonical", "json_value", "of_kind"]

_ENCODER = msgspec.json.Encoder(order="sorted")
_DEEPEST = 64
_DEEPEST_STORED = 100
"""More than any writer of format 1 makes, and less than what overflows a stack."""
_MOST_INTEGER = 2**53 - 1
_LONGEST_SHOWN = 10**30
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_ONE_KIND = bytes.maketrans(b"{}", b"[]")
_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)

T = TypeVar("T")


def encode(value: Any) -> bytes:
    """Return the bytes to store for a record, an entry, a snapshot or plain JSON.

    Raises:
        InvalidInput: the value breaks a constraint of its type, or holds NaN or Infinity.
    """
    try:
        data = _ENCODER.encode(value)
        same = msgspec.json.decode(data, type=type(value)) == value
    except (msgspec.DecodeError, RecursionError, TypeError, UnicodeEncodeError) as error:
        raise InvalidInput(f"{type(value).__name__} cannot be stored: {error}") from error
    if not same:
        raise InvalidInput(
            f"{type(value).__name__} cannot be stored: it holds NaN, Infinity or a value that JSON has no word for"
        )
    return data


def decode(data: bytes, kind: type[T], name: str) -> T:
    """Return the value that stored bytes hold.

    Args:
        data: as they were read.
        kind: the type that is expected.
        name: what was read, for the message.

    Raises:
        FormatError: the bytes are not JSON of that type, or of a newer format.
    """
    if _too_deep(data):
        raise FormatError(f"{name} is not JSON of format 1: it is nested more than {_DEEPEST_STORED} deep", name=name)
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise FormatError(_explain(data, name, str(error)), name=name) from error


def decode_record(data: bytes, name: str) -> AnyRecord:
    """Return the record that stored bytes hold, of whichever kind it is.

    Raises:
        FormatError: the bytes are not a record.
    """
    union: Any = AnyRecord
    found: AnyRecord = decode(data, union, name)
    return found


def of_kind(record: AnyRecord, kind: type[T], name: str) -> T:
    """Return a record that must be of one kind.

    Raises:
        FormatError: it is of another, so what names it was not written by the format's rules.
    """
    if not isinstance(record, kind):
        raise FormatError(f"{name} is a {type(record).__name__}, and what names it says that it is a {kind.__name__}")
    return record


def decode_json(data: bytes, name: str) -> Any:
    """Return the plain JSON that stored bytes hold.

    Raises:
        FormatError: the bytes are not JSON.
    """
    return decode(data, object, name)


def is_canonical(data: bytes) -> bool:
    """Tell whether JSON bytes are written as the format demands: compact, keys sorted and each once."""
    try:
        return _ENCODER.encode(decode_json(data, "")) == data
    except FormatError:
        return False


def _too_deep(data: bytes) -> bool:
    """Tell whether JSON is nested so deep that code which walks through it would run out of stack.

    Each pass takes away the innermost brackets. Brackets within text can only make it look deeper, so only what looks
    too deep is looked at once more without its text.
    """
    return _stays_nested(data) and _stays_nested(_TEXT.sub(b"", data))


def _stays_nested(data: bytes) -> bool:
    brackets = data.translate(_ONE_KIND, _NOT_BRACKETS)
    for _ in range(_DEEPEST_STORED):
        before, brackets = len(brackets), brackets.replace(b"[]", b"")
        if len(brackets) == before:
            # Nothing, or brackets without their partners, of which decoding complains unless they are all open.
            return brackets.count(b"[") > _DEEPEST_STORED
    return bool(brackets)


def _explain(data: bytes, name: str, problem: str) -> str:
    try:
        found = msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return f"{name} is not JSON: {problem}"
    format_number = found.get("format") if isinstance(found, dict) else None
    if isinstance(format_number, int) and format_number > 1:
        return f"{name} is of format {format_number}, and this release of objreg reads format 1: upgrade objreg"
    return f"{name} is not what format 1 promises: {problem}"


def json_value(value: Any, what: str, *, depth: int = 0) -> Any:
    """Return a caller's value as plain JSON.

    That is: dictionaries with text keys, lists, text, finite numbers, booleans and None.

    Args:
        value: tuples become lists; a scalar of NumPy or alike becomes the number it holds.
        what: how to call the value in a message (``metadata``); it grows to a path (``metadata.layers[3]``).
        depth: how deep ``value`` stands in what the caller gave.

    Raises:
        InvalidInput: with the path of the first value that JSON cannot hold.
    """
    if depth > _DEEPEST:
        raise InvalidInput(f"{what} is nested more than {_DEEPEST} deep")
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise InvalidInput(f"{what} has the key {key!r}: a key must be text, as JSON has no other")
        return {key: json_value(item, f"{what}.{key}", depth=depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [json_value(item, f"{what}[{index}]", depth=depth + 1) for index, item in enumerate(value)]
    return _number(value, what)


def _number(value: Any, what: str) -> int | float:
    scalar = value.item() if hasattr(value, "item") and getattr(value, "ndim", 0) == 0 else value
    if isinstance(scalar, bool):
        return scalar
    if not isinstance(scalar, int | float):
        raise InvalidInput(
            f"{what} is a {type(value).__name__}, which JSON has no word for: convert it to text or numbers"
        )
    if isinstance(scalar, int) and abs(scalar) > _MOST_INTEGER:
        shown = scalar if abs(scalar) < _LONGEST_SHOWN else "very long"
        raise InvalidInput(
            f"{what} is {shown}: integers beyond 2**53 - 1 change in other JSON readers; write it as text"
        )
    if not math.isfinite(scalar):
        raise InvalidInput(f"{what} is {scalar}: JSON has no NaN or Infinity; leave it out, or write it as text")
    return scalar
