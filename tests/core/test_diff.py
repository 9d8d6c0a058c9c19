"""What is different between two versions, as a pure function of their records."""

from dataclasses import replace

import msgspec
import pytest

from objreg.core.artifacts import Artifact, File
from objreg.core.diff import Side, catalog_at, diff_versions
from objreg.core.provenance import CodeState, Environment, VersionReference
from objreg.core.records import Catalog, Experiment, Inference, Interface, VersionRecord
from objreg.core.state import Change

STAMP = {"created_at": "2026-03-01T12:00:00.000Z", "created_by": "alice"}


def digest(letter: str) -> str:
    return "sha256:" + letter * 64


def file(path: str, letter: str, size: int = 3) -> File:
    return File(path=path, digest=digest(letter), size=size, media_type="text/plain", parts=())


def record(version: str = "1.0", files: tuple[File, ...] = (), folder: str = "", **fields: object) -> VersionRecord:
    artifact = Artifact(name="model", folder=folder, digest=digest("0"), size=0, files=files)
    environment = fields.pop("environment", Environment(python="3.11", platform="linux", dependencies={}))
    return VersionRecord(
        model="fraud/clf", version=version, artifacts=(artifact,), environment=environment, **STAMP, **fields
    )


def side(version: VersionRecord, **fields: object) -> Side:
    return Side(version, digest("a"), **fields)


def experiment(name: str, **metrics: float) -> Experiment:
    reference = VersionReference(model="fraud/clf", version="1.0", record=digest("a"))
    environment = Environment(python="3.11", platform="linux", dependencies={})
    return Experiment(version=reference, name=name, metrics=metrics, environment=environment, **STAMP)


def names(differences: tuple) -> list[tuple[str, str, object, object]]:
    return [(found.name, found.status, found.before, found.after) for found in differences]


def test_a_version_is_the_same_as_itself():
    """Nothing differs between a version and itself, and its files are listed as the same."""
    one = side(record(files=(file("a.txt", "1"),), metadata={"x": {"y": [1]}}), experiments=(experiment("e", auc=0.9),))
    found = diff_versions(one, one)
    assert found.is_same
    assert [(item.path, item.status) for item in found.files] == [("a.txt", "same")]


def test_files_are_compared_by_their_path_in_a_pulled_version():
    """Each file is added, removed, changed or the same, with the digests and sizes of both sides."""
    before = side(record(files=(file("a", "1"), file("b", "2", 20), file("c", "3")), folder="weights"))
    after = side(record("1.1", files=(file("b", "4", 40), file("c", "3"), file("d", "5")), folder="weights"))
    found = diff_versions(before, after)
    assert [(item.path, item.status) for item in found.files] == [
        ("weights/a", "removed"),
        ("weights/b", "changed"),
        ("weights/c", "same"),
        ("weights/d", "added"),
    ]
    changed = found.files[1]
    assert (changed.before, changed.after, changed.size_before, changed.size_after) == (
        digest("2"),
        digest("4"),
        20,
        40,
    )
    assert (found.before, found.after) == ("fraud/clf:1.0", "fraud/clf:1.1")
    assert not found.is_same


def test_an_empty_file_is_a_file():
    """An empty file that appears is added, although its size is 0 on both sides."""
    found = diff_versions(side(record()), side(record("1.1", files=(file("empty", "e", 0),))))
    assert [(item.path, item.status, item.size_after) for item in found.files] == [("empty", "added", 0)]


def test_metadata_is_compared_by_dotted_name():
    """Nested values are named by their place; null is a value, a list is one value, and 1 is not true."""
    before = record(metadata={"a": {"b": 1, "c": [1, 2]}, "n": None, "same": "x", "t": 1, "empty": {}})
    after = record(metadata={"a": {"b": 2, "c": [1]}, "new": None, "same": "x", "t": True, "empty": {"k": 1}})
    assert names(diff_versions(side(before), side(after)).metadata) == [
        ("a.b", "changed", 1, 2),
        ("a.c", "changed", [1, 2], [1]),
        ("empty", "removed", {}, None),
        ("empty.k", "added", None, 1),
        ("n", "removed", None, None),
        ("new", "added", None, None),
        ("t", "changed", 1, True),
    ]


def test_dependencies_description_and_code_are_compared():
    """What a version was made from and with shows by name."""
    one = Environment(python="3.11.1", platform="linux", dependencies={"numpy": "1.26", "six": "1"})
    two = Environment(python="3.11.1", platform="linux", dependencies={"numpy": "2.0"})
    code = CodeState(remote="r", commit="c1", branch="main", dirty=False)
    before = record(environment=one, description="old", framework="scikit-learn")
    after = record(environment=two, framework="scikit-learn", code=code)
    found = diff_versions(side(before), side(after))
    assert names(found.environment) == [
        ("dependencies.numpy", "changed", "1.26", "2.0"),
        ("dependencies.six", "removed", "1", None),
    ]
    assert names(found.description) == [("description", "removed", "old", None)]
    assert ("commit", "added", None, "c1") in names(found.code)


def test_metrics_are_compared_by_experiment():
    """A metric is named by its experiment; an experiment of one side only shows as added."""
    before = side(record(), experiments=(experiment("holdout", auc=0.9, f1=0.5),))
    after = side(record("1.1"), experiments=(experiment("holdout", auc=0.93, f1=0.5), experiment("stress", p99=3.0)))
    assert names(diff_versions(before, after).metrics) == [
        ("holdout.auc", "changed", 0.9, 0.93),
        ("stress.p99", "added", None, 3.0),
        ("stress.status", "added", None, "finished"),
    ]


def test_catalogs_are_compared_by_what_they_say():
    """A schema that changed shows by its place; who wrote the catalog when does not."""
    one = Catalog(
        model="fraud/clf", owner="a", inference=Inference(input=Interface(schema={"type": "object"})), **STAMP
    )
    two = msgspec.structs.replace(
        one, created_by="bob", inference=Inference(input=Interface(schema={"type": "array"})), tags=("x",)
    )
    found = diff_versions(side(record(), catalog=one), side(record("1.1"), catalog=two))
    assert names(found.catalog) == [
        ("inference.input.schema.type", "changed", "object", "array"),
        ("tags", "changed", (), ("x",)),
    ]
    assert diff_versions(side(record()), replace(side(record()), catalog=one)).catalog


def commit(kind: str, version: str = "", before: str = "") -> tuple[Change, ...]:
    return (Change(kind=kind, version=version, before=(before,) if before else ()),)


@pytest.mark.parametrize(("version", "expected"), [("1.2", digest("c")), ("1.1", digest("b")), ("1.0", ""), ("9", "")])
def test_the_catalog_of_a_version_is_the_one_it_was_pushed_under(version: str, expected: str):
    """Walking back from the present catalog, each change of it leads to the one before."""
    newest_first = [
        commit("version", "1.2"),
        commit("catalog", before=digest("b")),
        commit("version", "1.1"),
        commit("catalog"),
        commit("version", "1.0"),
    ]
    assert catalog_at(newest_first, digest("c"), version) == expected
