"""The JSON Schemas of the format, held to what a registry writes and to the types that objreg decodes with."""

import json
import subprocess
import sys
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

import objreg
from objreg.core.encoding import decode, decode_record, encode
from objreg.core.entries import Entry, Snapshot
from objreg.core.records import RECORD_KINDS, AnyRecord, Marker
from objreg.core.state import ModelState
from objreg.core.times import parse_time
from objreg.errors import FormatError, InvalidInput
from tests.compatibility.everything import fill, small_sizes

SCHEMAS = Path(__file__).parents[2] / "schemas"
VECTORS = json.loads((SCHEMAS / "vectors/objects.json").read_bytes())["cases"]
KINDS: dict[str, Any] = {"marker": Marker, "entry": Entry, "snapshot": Snapshot}


def schema(name: str) -> Draft202012Validator:
    found = json.loads((SCHEMAS / f"{name}.schema.json").read_bytes())
    Draft202012Validator.check_schema(found)
    return Draft202012Validator(found)


def schema_of(path: Path, value: Any) -> str:
    """Tell which schema an object of a registry should obey, by its place."""
    if path.name == "objreg.json":
        return "marker"
    return {"log": "entry", "snapshots": "snapshot", "records": f"record.{value.get('kind')}"}[path.parent.name]


def problems(registry: Path) -> list[str]:
    """Return what the schemas say against the objects of a registry, states folded."""
    validators = {
        path.name.removesuffix(".schema.json"): schema(path.name.removesuffix(".schema.json"))
        for path in SCHEMAS.glob("*.json")
    }
    found = []
    for path in registry.rglob("*.json"):
        value = json.loads(path.read_bytes())
        wanted = [schema_of(path, value)] + (["record"] if path.parent.name == "records" else [])
        found += [f"{path.name}: {error.message}" for name in wanted for error in validators[name].iter_errors(value)]
        for name, part in parts(path, value):
            found += [f"{path.name} {name}: {error.message}" for error in validators[name].iter_errors(part)]
    return found


def parts(path: Path, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield what of an entry or a snapshot has a schema of its own."""
    if path.parent.name == "log":
        yield from (("change", change) for change in value["patch"]["changes"])
    if path.parent.name == "snapshots":
        yield "state.model" if path.parent.parent.name.endswith(".model") else "state.scope", value["state"]


def test_generated_files_are_what_the_code_says() -> None:
    """`schemas/generate.py --check` finds nothing to write."""
    done = subprocess.run(
        [sys.executable, SCHEMAS / "generate.py", "--check"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_every_object_that_a_registry_writes_obeys_its_schema(tmp_path: Path) -> None:
    """A registry with one of everything holds all kinds of objects, and the schemas have nothing against any."""
    with small_sizes():
        fill(objreg.open(tmp_path / "registry", create=True, actor="ci@abc.example"), tmp_path / "files")
    kinds = {json.loads(path.read_bytes())["kind"] for path in tmp_path.glob("registry/**/records/*.json")}
    assert kinds == set(RECORD_KINDS)
    assert list(tmp_path.glob("registry/**/snapshots/*.json"))
    assert problems(tmp_path / "registry") == []


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["file"])
def test_a_missing_or_wrong_field_is_refused(vector: dict[str, str]) -> None:
    """Of each kind of object the schema demands every field, and refuses a value of another type."""
    value = json.loads((SCHEMAS / "vectors" / vector["file"]).read_bytes())
    validator = schema(vector["schema"])
    assert validator.is_valid(value)
    for field in value:
        lacking, wrong = deepcopy(value), deepcopy(value)
        del lacking[field]
        wrong[field] = {"wrong": 1} if not isinstance(value[field], dict) else "wrong"
        assert not validator.is_valid(lacking), field
        assert not validator.is_valid(wrong), field


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["file"])
def test_schema_and_decoder_agree_on_broken_values(vector: dict[str, str]) -> None:
    """Each string, number and digest that is spoiled anywhere in an object is refused by the schema exactly if by objreg."""
    data = (SCHEMAS / "vectors" / vector["file"]).read_bytes()
    validator = schema(vector["schema"])
    kind = KINDS.get(vector["schema"], AnyRecord)
    seen = set()
    for place, spoiled in spoil(json.loads(data)):
        try:
            msgspec.json.decode(msgspec.json.encode(spoiled), type=kind)
        except msgspec.ValidationError:
            accepted = False
        else:
            accepted = True
        assert validator.is_valid(spoiled) == accepted, place
        seen.add(accepted)
    assert False in seen


def spoil(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield copies of a JSON value, each with one value inside replaced by one of another type or size."""
    for place in places(value):
        for other in (None, -1, 1.5, "", "sha256:ab", "x" * 70000, [], [1], True):
            copy = deepcopy(value)
            target = copy
            for step in place[:-1]:
                target = target[step]
            target[place[-1]] = other
            yield f"{'.'.join(map(str, place))} = {str(other)[:20]}", copy


def places(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*above, key)
        yield from places(item, (*above, key))


def test_unknown_fields_are_passed_over() -> None:
    """A field that a later release added harms neither the schema nor the decoder, in any object."""
    for vector in VECTORS:
        value = json.loads((SCHEMAS / "vectors" / vector["file"]).read_bytes()) | {"added_later": [1]}
        assert schema(vector["schema"]).is_valid(value)
        decode(json.dumps(value).encode(), KINDS.get(vector["schema"], AnyRecord), vector["file"])


def test_a_newer_format_is_refused_with_advice() -> None:
    """An object of format 2 is named as such, with the advice to upgrade."""
    for vector in VECTORS:
        value = json.loads((SCHEMAS / "vectors" / vector["file"]).read_bytes()) | {"format": 2}
        if vector["schema"] != "marker":  # the marker's own check is the session's
            assert not schema(vector["schema"]).is_valid(value)
            with pytest.raises(FormatError, match=r"format 2.*upgrade objreg"):
                decode(json.dumps(value).encode(), KINDS.get(vector["schema"], AnyRecord), vector["file"])


def test_a_change_of_an_unknown_kind_does_not_lock_readers_out() -> None:
    """A later release may do new things to a model: this one still reads the state, and shows the change."""
    state = {"changes": [{"kind": "condemned", "name": "", "version": "", "record": "", "before": [], "after": ["x"]}]}
    assert schema("state.model").is_valid(state)
    assert msgspec.convert(state, ModelState).changes[0].kind == "condemned"


@pytest.mark.parametrize("field", ["time", "op", "parent"])
def test_a_newline_behind_a_digest_an_id_or_a_time_is_refused(field: str) -> None:
    """Python's `$` also matches before a last newline; such a value is refused all the same, as other languages do."""
    value = json.loads((SCHEMAS / "vectors/objects/entry.1.json").read_bytes())
    value[field] += "\n"
    with pytest.raises(FormatError):
        decode(json.dumps(value).encode(), Entry, "entry")
    assert not schema("entry").is_valid(value)


def test_text_that_is_not_unicode_is_refused() -> None:
    """A lone surrogate cannot be written as UTF-8: the caller is told so in objreg's own words."""
    with pytest.raises(InvalidInput, match="cannot be stored"):
        encode({"a": "\ud800"})


def test_a_time_that_is_none_is_refused() -> None:
    """The 30th of February has the shape of a time and is none."""
    with pytest.raises(FormatError, match="not a time"):
        parse_time("2026-02-30T00:00:00.000Z")


def test_records_are_found_by_their_kind() -> None:
    """Each record vector is decoded to the type of its kind."""
    for vector in VECTORS:
        if vector["schema"].startswith("record."):
            data = (SCHEMAS / "vectors" / vector["file"]).read_bytes()
            assert type(decode_record(data, vector["file"])) is RECORD_KINDS[vector["schema"].removeprefix("record.")]


def test_a_seed_that_other_readers_would_change_is_refused(tmp_path: Path) -> None:
    """Integers beyond 2**53 - 1 are none in other JSON readers, so a seed may not be one either."""
    registry = objreg.open(tmp_path / "registry", create=True, actor="ci@abc.example")
    (tmp_path / "model.bin").write_bytes(b"x")
    version = registry.push("fraud/clf", tmp_path / "model.bin")
    with pytest.raises(InvalidInput, match=r"seed is 9007199254740992"):
        registry.record_experiment(version, "holdout", seed=2**53)
