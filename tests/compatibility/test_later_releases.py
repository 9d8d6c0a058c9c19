"""What a later release of format 1 may add, this one carries and shows; what it does not know of format 2, it refuses."""

import json
from pathlib import Path

import pytest

import objreg
from objreg.core.decisions import Decision
from objreg.core.digest import digest_of, hex_of
from objreg.core.state import Change
from objreg.registry.committing import commit_to_model
from objreg.registry.registry import Registry
from tests.compatibility.everything import small_sizes
from tests.compatibility.test_reader import assert_agrees

DOMAIN = "fraud/clf.model"
FUTURE = {"future": {"a": [1, None], "b": 1.5}, "versions": {"1.0": {"colour": "red"}}}
CHANGE = Change(kind="painting", name="colour", version="1.0", before=("none",), after=("red",))


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """A registry with one version, on which a later release has done something unheard of."""
    found = objreg.open(tmp_path / "registry", create=True, actor="today")
    (tmp_path / "model.bin").write_bytes(b"x")
    found.push("fraud/clf", tmp_path / "model.bin")
    manifest = found.session.manifest(DOMAIN)
    commit_to_model(found.session, manifest, lambda: Decision(value=None, patch=FUTURE, changes=(CHANGE,)), "future")
    return found


def test_its_state_is_carried_through_tails_and_snapshots(registry: Registry, tmp_path: Path) -> None:
    """Keys of the state that this release does not know are in every later state, and in the snapshots between."""
    with small_sizes():
        for number in range(12):
            (tmp_path / "model.bin").write_bytes(b"%d" % number)
            objreg.open(tmp_path / "registry", actor="today").push("fraud/clf", tmp_path / "model.bin")
    found = assert_agrees(tmp_path / "registry", objreg.open(tmp_path / "registry"), DOMAIN)
    assert found["snapshots"] > 0
    assert found["state"]["future"] == FUTURE["future"]
    assert found["state"]["versions"]["1.0"]["colour"] == "red"


def test_its_changes_are_shown(registry: Registry) -> None:
    """The history shows a change of a kind that this release does not know."""
    assert next(objreg.open(registry.url).history("fraud/clf")).changes == (CHANGE,)


def test_its_fields_are_passed_over(registry: Registry, tmp_path: Path) -> None:
    """A version whose record has a field more can be resolved and pulled."""
    folder = tmp_path / "registry" / DOMAIN
    record = json.loads((folder / "records" / f"{hex_of(registry.resolve('fraud/clf').digest)}.json").read_bytes())
    data = json.dumps(record | {"version": "1.1", "licence": {"spdx": "MIT"}}).encode()
    digest = digest_of(data)
    (folder / "records" / f"{hex_of(digest)}.json").write_bytes(data)
    item = registry.session.manifest(DOMAIN).state()["versions"]["1.0"] | {"record": digest, "order": 2}
    decision = Decision(value=None, patch={"versions": {"1.1": item}}, changes=(Change(kind="version", version="1.1"),))
    commit_to_model(registry.session, registry.session.manifest(DOMAIN), lambda: decision, "future")
    later = objreg.open(registry.url)
    assert later.resolve("fraud/clf").digest == digest
    assert later.read("fraud/clf:1.1/model.bin").__next__() == b"x"


@pytest.mark.parametrize("key", ["objreg.json", f"{DOMAIN}/log/999999999997.json"])
def test_a_newer_format_is_refused(registry: Registry, tmp_path: Path, key: str) -> None:
    """A marker or an entry of format 2 is not guessed at: the error says which format it is, and to upgrade."""
    path = tmp_path / "registry" / key
    source = path if path.exists() else path.with_name("999999999998.json")
    value = json.loads(source.read_bytes()) | {"format": 2}
    path.unlink(missing_ok=True)
    path.write_text(json.dumps(value))
    with pytest.raises(objreg.FormatError, match=r"format 2.*upgrade objreg"):
        objreg.open(tmp_path / "registry").resolve("fraud/clf")
