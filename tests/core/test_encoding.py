"""JSON as it is stored: what goes in comes out, and hostile bytes end in an error of the tree."""

import json
import math
from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from objreg.core.encoding import decode, decode_json, decode_record, encode, is_canonical, json_value
from objreg.core.entries import Entry, Snapshot
from objreg.core.provenance import Dataset, Environment, VersionReference
from objreg.core.records import Experiment, Marker, Namespace
from objreg.errors import FormatError, InvalidInput

TIME = "2026-03-01T12:00:00.000Z"
DIGEST = "sha256:" + "ab" * 32

text = st.text(st.characters(codec="utf-8"), max_size=12)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | text
)
json_values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4), max_leaves=12
)
json_objects = st.dictionaries(text, json_values, max_size=5)


class Scalar:
    """A number as NumPy hands one out: it has ``item`` and no dimensions."""

    ndim = 0

    def __init__(self, value: object) -> None:
        self._value = value

    def item(self) -> object:
        return self._value


def experiment(**fields) -> Experiment:
    values = {
        "created_at": TIME,
        "created_by": "ci@acme",
        "version": VersionReference(model="fraud/clf", version="1.0", record=DIGEST),
        "name": "holdout",
        "environment": Environment(python="3.11", platform="linux", dependencies={"numpy": "2.0"}),
    }
    return Experiment(**(values | fields))


# Writing


@given(json_objects)
def test_plain_json_comes_back_as_it_went_in(value: dict) -> None:
    """Any JSON object survives encoding, and another reader sees the same."""
    data = encode(value)
    assert decode_json(data, "x") == value
    assert json.loads(data) == value


@given(json_objects)
def test_bytes_are_compact_and_sorted_by_code_point(value: dict) -> None:
    """Equal values have equal bytes: keys in code point order at every depth, no white space between."""

    def check(pairs: list[tuple[str, object]]) -> dict:
        keys = [key for key, _ in pairs]
        assert keys == sorted(keys)
        return dict(pairs)

    data = encode(value)
    json.loads(data, object_pairs_hook=check)
    assert encode(dict(reversed(value.items()))) == data


def test_keys_beyond_the_basic_plane_are_sorted_by_code_point() -> None:
    """U+10000 sorts after U+FFFF, as in UTF-8 and unlike in UTF-16."""
    assert encode({"\U00010000": 1, "\uffff": 2}) == '{"\uffff":2,"\U00010000":1}'.encode()


@given(
    metrics=st.dictionaries(text, st.floats(allow_nan=False, allow_infinity=False), max_size=4), parameters=json_objects
)
def test_a_record_comes_back_as_it_went_in(metrics: dict, parameters: dict) -> None:
    """A record survives a round trip, with its kind."""
    record = experiment(metrics=metrics, parameters=parameters)
    assert decode_record(encode(record), "x") == record


def test_every_field_is_written() -> None:
    """Defaults stand in the bytes, so that a reader needs no table of them."""
    found = json.loads(encode(experiment()))
    assert set(found) == {"kind", *Experiment.__struct_fields__}
    assert found["kind"] == "experiment"


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_nan_and_infinity_are_not_written(number: float) -> None:
    """What JSON has no word for is refused instead of becoming null."""
    for value in (
        {"a": number},
        {"a": [{"b": number}]},
        experiment(metrics={"auc": number}),
        experiment(duration_seconds=number),
    ):
        with pytest.raises(InvalidInput, match="cannot be stored"):
            encode(value)


@pytest.mark.parametrize(
    "value",
    [
        experiment(created_at="yesterday"),
        experiment(created_by=""),
        experiment(status="perhaps"),
        experiment(duration_seconds=-1.0),
        experiment(seed="7"),
        experiment(description="\ud800"),
        Dataset(name="x", digest="sha256:AB"),
        {"a": object()},
        {"a": "\udfff"},
        {1: "a"},
    ],
    ids=lambda value: repr(value)[:24],
)
def test_what_breaks_its_type_is_not_written(value: object) -> None:
    """Constraints that constructors do not hold are held before anything is stored, and the error is ours."""
    with pytest.raises(InvalidInput, match="cannot be stored"):
        encode(value)


@given(json_objects)
def test_what_is_written_is_canonical(value: dict) -> None:
    """And what says the same in other bytes is not."""
    data = encode(value)
    assert is_canonical(data)
    assert not is_canonical(data + b"\n")
    assert not is_canonical(b" " + data)


@pytest.mark.parametrize("data", [b'{"b":1,"a":2}', b'{"a": 1}', b'{"a":1,"a":2}', b"{", b"\xff", b'{"a":1e999}'])
def test_what_is_not_canonical_is_told(data: bytes) -> None:
    """Keys in another order or twice, white space, and what is no JSON at all."""
    assert not is_canonical(data)


# Reading


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """Nothing but FormatError comes out of reading."""
    for read in (decode_json, decode_record, lambda data, name: decode(data, Entry, name)):
        with suppress(FormatError):
            read(data, "entry 7 of fraud/clf.model")


@given(st.data())
def test_a_truncated_record_is_refused(data: st.DataObject) -> None:
    """A record cut anywhere is no record."""
    whole = encode(experiment(parameters={"text": "Größe"}))
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(FormatError, match="is not JSON"):
        decode_record(whole[:cut], "record x")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe",
        b'{"a":"\xff"}',
        b"{} {}",
        b"NaN",
        b'{"a":Infinity}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"\xef\xbb\xbf{}",
        b"{'a': 1}",
    ],
    ids=lambda data: repr(data[:12]),
)
def test_what_is_not_json_is_refused(data: bytes) -> None:
    """Truncated, badly encoded, too deep or in another dialect: the error says that it is not JSON."""
    with pytest.raises(FormatError, match="x is not JSON"):
        decode_json(data, "x")


def test_a_newer_format_asks_for_an_upgrade() -> None:
    """An object of format 2 is told apart from a broken one, whatever else it holds."""
    for kind in (Entry, Snapshot):
        with pytest.raises(FormatError, match=r"x is of format 2, and this release of objreg reads format 1: upgrade"):
            decode(b'{"format":2,"new":{}}', kind, "x")
    data = encode(experiment()).replace(b'"format":1', b'"format":2')
    with pytest.raises(FormatError, match="upgrade objreg"):
        decode_record(data, "x")


def test_a_broken_object_of_this_format_is_called_that() -> None:
    """The message says what is wrong and where."""
    with pytest.raises(FormatError, match=r"x is not what format 1 promises:.*created_at"):
        decode(b'{"format":1,"id":"' + b"a" * 32 + b'","created_at":"now"}', Marker, "x")


def test_a_record_of_an_unknown_kind_is_refused() -> None:
    """A kind that this release does not know is no record that it can use."""
    with pytest.raises(FormatError, match="poem"):
        decode_record(b'{"kind":"poem","format":1}', "x")


def test_unknown_fields_are_passed_over() -> None:
    """A later release of the same format may add fields; an older one reads the rest."""
    record = Namespace(created_at=TIME, created_by="x", namespace="fraud")
    data = encode(msgspec.to_builtins(record) | {"colour": "red"})
    assert decode_record(data, "x") == record


# What callers give


@given(json_values)
def test_json_stays_json(value: object) -> None:
    """Plain JSON passes unchanged."""
    assert json_value(value, "metadata") == value


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        ((1, (2, "a")), [1, [2, "a"]]),
        ({"a": ()}, {"a": []}),
        (Scalar(3), 3),
        (Scalar(0.5), 0.5),
        ({"a": [Scalar(True)]}, {"a": [True]}),
        (2**53 - 1, 2**53 - 1),
        (-(2**53) + 1, -(2**53) + 1),
    ],
)
def test_tuples_and_scalars_become_json(value: object, plain: object) -> None:
    """Tuples become lists, and a scalar becomes the number that it holds."""
    found = json_value(value, "metadata")
    assert found == plain
    assert json.loads(json.dumps(found)) == plain


def test_scalars_of_numpy_become_numbers() -> None:
    """float32, int64 and bool_ of the real NumPy are numbers; an array is not."""
    import numpy as np

    found = json_value({"a": np.float32(0.5), "b": np.int64(7), "c": np.bool_(True)}, "metrics")
    assert found == {"a": 0.5, "b": 7, "c": True}
    assert [type(number) for number in found.values()] == [float, int, bool]
    with pytest.raises(InvalidInput, match=r"metrics\.a is a ndarray"):
        json_value({"a": np.zeros(3)}, "metrics")
    with pytest.raises(InvalidInput, match=r"metrics\.a is nan"):
        json_value({"a": np.float64("nan")}, "metrics")


@pytest.mark.parametrize(
    ("value", "where"),
    [
        ({"layers": [1, {"rate": math.nan}]}, r"metadata\.layers\[1\]\.rate is nan"),
        ({"a": math.inf}, r"metadata\.a is inf"),
        ({"a": 2**53}, r"metadata\.a is 9007199254740992: integers beyond"),
        ({"a": -(2**70)}, "integers beyond"),
        ({"a": {1: 2}}, r"metadata\.a has the key 1: a key must be text"),
        ({"a": {1, 2}}, r"metadata\.a is a set"),
        ({"a": b"x"}, r"metadata\.a is a bytes"),
        ({"a": object()}, r"metadata\.a is a object"),
        ({"a": 1j}, r"metadata\.a is a complex"),
    ],
)
def test_what_json_cannot_hold_is_refused_with_its_place(value: object, where: str) -> None:
    """The message has the path of the first value that does not fit."""
    with pytest.raises(InvalidInput, match=where):
        json_value(value, "metadata")


def test_depth_is_bounded() -> None:
    """Sixty-four levels pass, one more is refused, and a list that holds itself ends in the same refusal."""
    value: object = 1
    for _ in range(64):
        value = [value]
    assert json_value(value, "x") == value
    with pytest.raises(InvalidInput, match="nested more than 64 deep"):
        json_value([value], "x")
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(InvalidInput, match="nested more than 64 deep"):
        json_value(endless, "x")
