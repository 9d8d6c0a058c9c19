"""Every test vector of the format, replayed against objreg: what the files promise to other implementations holds here."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from objreg.core import keys
from objreg.core.digest import combined_digest, digest_of
from objreg.core.encoding import decode_json, decode_record, encode
from objreg.core.entries import Head, fold, read_entry, read_snapshot
from objreg.core.merge import merge
from objreg.core.names import check_file_path, check_part, check_path, check_state, check_version_text
from objreg.core.specs import parse_spec
from objreg.core.state import ModelState, VersionItem
from objreg.core.times import after, format_time, parse_time
from objreg.core.versions import SCHEMES, scheme
from objreg.errors import FormatError, InvalidInput

FOLDER = Path(__file__).parents[2] / "schemas/vectors"

REASONS = {
    "name": "model .*(not allowed|empty part|needs a name|ends in)",
    "incomplete": "not complete",
    "latest": "the latest version is",
    "version": "version .* is not allowed",
    "state": "state (.* is not allowed|cannot be called)",
    "digest": "is not a digest",
    "file": "file path .* is not allowed",
}
CHECKS: dict[str, Callable[[str], str]] = {
    "part": lambda text: check_part(text, "part"),
    "path": check_path,
    "state": check_state,
    "version": check_version_text,
    "file": check_file_path,
}


def vectors(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_bytes())


OBJECTS = vectors("objects")["cases"]
VERSIONS = vectors("versions")["schemes"]


def stored(name: str) -> bytes:
    return (FOLDER / f"objects/{name}.json").read_bytes()


def test_every_file_of_vectors_is_replayed() -> None:
    """A new file of vectors needs a test here."""
    known = {"artifacts", "encoding", "keys", "merge", "names", "objects", "specs", "tail", "times", "versions"}
    assert {path.stem for path in FOLDER.glob("*.json")} == known


@pytest.mark.parametrize("case", OBJECTS, ids=lambda case: case["file"])
def test_objects_have_their_digest_and_are_written_so_again(case: dict[str, str]) -> None:
    """The bytes have the digest that is promised, the key follows from it, and encoding the value gives the same bytes."""
    data = (FOLDER / case["file"]).read_bytes()
    assert digest_of(data) == case["digest"]
    assert encode(decode_json(data, case["file"])) == data
    domain = case["key"].rsplit("/", 2)[0]
    if case["schema"].startswith("record."):
        assert encode(decode_record(data, case["file"])) == data
        assert keys.record_key(domain, case["digest"]) == case["key"]
    if case["schema"] == "snapshot":
        assert keys.snapshot_key(domain, case["digest"]) == case["key"]


def test_entries_follow_each_other_and_fold_to_the_same_state() -> None:
    """The three entries chain; with and without the snapshot the state is the same."""
    domain = "abc_corp/claim/doc_classification.model"
    heads: list[Head] = []
    for seq in range(3):
        previous = heads[-1] if heads else None
        heads.append(read_entry(stored(f"entry.{seq}"), domain, seq, previous=previous))
    reference = heads[2].entry.snapshot
    assert reference is not None
    base = read_snapshot(stored("snapshot.1"), domain, reference)
    assert fold(heads[1], {}) == base
    assert fold(heads[2], base) == merge(fold(heads[1], {}), heads[2].entry.patch)


def test_merge() -> None:
    """Each patch gives the state that is promised, and each forbidden one is refused."""
    found = vectors("merge")
    for case in found["cases"]:
        assert merge(case["state"], case["patch"]) == case["result"], case
    for case in found["refused"]:
        with pytest.raises(FormatError, match="may not remove or reshape"):
            merge(case["state"], case["patch"])


def test_tails() -> None:
    """Patches merged one by one are the tails; any snapshot with the tail from there on gives the same states."""
    for case in vectors("tail")["cases"]:
        tail: dict[str, Any] = {}
        for seq, patch in enumerate(case["patches"]):
            assert tail == case["tails"][seq]
            assert merge(merge({}, tail), patch) == case["states"][seq]
            for snapshot in range(seq):
                since: dict[str, Any] = {}
                for later in case["patches"][snapshot + 1 : seq]:
                    since = merge(since, later)
                assert merge(merge(case["states"][snapshot], since), patch) == case["states"][seq]
            tail = merge(tail, patch)


def test_keys() -> None:
    """Domains, entries, records, snapshots and blobs stand where the vectors say, and nowhere else."""
    found = vectors("keys")
    for case in found["domains"]:
        path, is_model = (case["model"], True) if "model" in case else (case["namespace"], False)
        assert keys.domain_of(path, model=is_model) == case["domain"]
    for case in found["entries"]:
        assert keys.log_key(case["domain"], case["seq"]) == case["key"]
        assert keys.seq_of(case["key"]) == case["seq"]
    for seq in found["refused_entries"]:
        with pytest.raises(InvalidInput, match="cannot exist"):
            keys.log_key("a.model", seq)
    for case in found["records"]:
        assert keys.record_key(case["domain"], case["digest"]) == case["key"]
    for case in found["snapshots"]:
        assert keys.snapshot_key(case["domain"], case["digest"]) == case["key"]
    for case in found["blobs"]:
        assert keys.blob_key(case["domain"], case["digest"], case["incarnation"], case["encoding"]) == case["key"]


@pytest.mark.parametrize("case", vectors("specs")["cases"], ids=lambda case: case["spec"])
def test_specs(case: dict[str, str]) -> None:
    """A spec has the parts that are promised, and its full text names the same."""
    found = parse_spec(case["spec"])
    assert {name: getattr(found, name) for name in ("path", "version", "state", "digest", "file")} == {
        name: case[name] for name in ("path", "version", "state", "digest", "file")
    }
    assert str(found) == case["text"]
    assert parse_spec(case["text"]) == found


@pytest.mark.parametrize("case", vectors("specs")["refused"], ids=lambda case: case["spec"])
def test_refused_specs(case: dict[str, str]) -> None:
    """What is no spec is refused, for the reason that is promised."""
    with pytest.raises(InvalidInput, match=REASONS[case["reason"]]):
        parse_spec(case["spec"])


@pytest.mark.parametrize("kind", CHECKS)
def test_names(kind: str) -> None:
    """Names of each kind are allowed and refused as promised."""
    found = vectors("names")[kind]
    for text in found["allowed"]:
        assert CHECKS[kind](text) == text
    for text in found["refused"]:
        with pytest.raises(InvalidInput):
            CHECKS[kind](text)


def test_every_scheme_has_vectors() -> None:
    """No scheme is without vectors, and none has vectors that does not exist."""
    assert set(VERSIONS) == set(SCHEMES)


@pytest.mark.parametrize("name", SCHEMES)
def test_versions(name: str) -> None:
    """Each scheme allows, refuses, orders, names and continues versions as promised."""
    found, versioning = VERSIONS[name], scheme(name)
    for version in found["allowed"]:
        assert versioning.check(version) == version
    for version in found["refused"]:
        with pytest.raises(InvalidInput):
            versioning.check(version)
    for lower, higher in pairwise(found["ascending"]):
        assert versioning.key(lower) < versioning.key(higher), (lower, higher)
    for case in found["next"]:
        assert versioning.next(case["newest"], case["bump"], date.fromisoformat(case["today"])) == case["version"]


@pytest.mark.parametrize("name", SCHEMES)
def test_which_version_is_meant(name: str) -> None:
    """The latest of some versions, and the one that a part of a version names, are those promised."""
    for case in VERSIONS[name]["latest"]:
        assert state_of(name, case["versions"]).latest() == case["version"]
    for case in VERSIONS[name]["partial"]:
        assert state_of(name, case["versions"]).continuing(case["part"]) == case["version"], case


def state_of(name: str, versions: list[str]) -> ModelState:
    item = {
        "record": digest_of(b""),
        "created_at": "2026-03-01T12:00:00.000Z",
        "created_by": "x",
        "size": 0,
        "files": 0,
    }
    return ModelState(
        scheme=name, versions={version: VersionItem(**item, order=order) for order, version in enumerate(versions, 1)}
    )


@pytest.mark.parametrize("case", vectors("encoding")["cases"], ids=lambda case: case["stored"])
def test_encoding(case: dict[str, Any]) -> None:
    """JSON of any spelling is stored in the one that is promised."""
    assert encode(decode_json(case["input"].encode(), "input")) == case["stored"].encode()


@pytest.mark.parametrize("text", vectors("encoding")["refused"])
def test_refused_json(text: str) -> None:
    """What is not JSON, or a number that no reader can hold, is refused."""
    with pytest.raises(FormatError, match="is not JSON"):
        decode_json(text.encode(), "input")


def test_artifacts() -> None:
    """The digest of an artifact follows from its files' digests in the order of their paths."""
    found = vectors("artifacts")
    for case in found["cases"]:
        order = sorted(case["files"])
        assert order == case.get("order", order)
        assert combined_digest(case["files"][path] for path in order) == case["digest"]
    for case in found["contents"]:
        assert digest_of(case["text"].encode()) == case["digest"]


def test_times() -> None:
    """Times are written as promised, and never go back."""
    found = vectors("times")
    for case in found["cases"]:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=case["milliseconds"])
        assert format_time(moment) == case["text"]
        assert parse_time(case["text"]) == moment
    for case in found["after"]:
        assert after(case["parent"] or "", parse_time(case["now"])) == case["time"]
