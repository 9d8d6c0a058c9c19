"""Any object by its digest or its spec, as it is stored; and two versions side by side."""

import hashlib
import json
from pathlib import Path

import pytest

import objreg
from objreg.errors import IntegrityError, InvalidInput, NotFound


@pytest.fixture
def registry(tmp_path: Path) -> objreg.Registry:
    return objreg.open(tmp_path / "registry", create=True, actor="tester")


@pytest.fixture
def version(registry: objreg.Registry, tmp_path: Path) -> objreg.Version:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "weights.bin").write_bytes(bytes(range(256)))
    (folder / "vocab.txt").write_text("word\n" * 5000)
    return registry.push("fraud/clf", folder)


def digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def test_every_stored_object_is_found_by_its_digest(registry: objreg.Registry, version: objreg.Version, tmp_path: Path):
    """Records, entries and plain blobs of every domain come back byte for byte, wherever they stand."""
    registry.define_state("production", exclusive=True)
    registry.put_namespace("fraud", owner="team")
    registry.set_state(version, "production")
    found = 0
    for path in (tmp_path / "registry").rglob("*"):
        if path.is_file() and path.name != "objreg.json" and path.suffix != ".zst":
            assert registry.object(digest(path.read_bytes())) == path.read_bytes(), path
            found += 1
    assert found == 8


def test_a_compressed_blob_is_handed_out_as_it_is_stored(
    registry: objreg.Registry, version: objreg.Version, tmp_path: Path
):
    """The digest is of the plain bytes, and what comes is the stored object."""
    (stored,) = (tmp_path / "registry").rglob("*.zst")
    data = registry.object(f"sha256:{stored.name.removesuffix('.zst')}")
    assert data == stored.read_bytes()


def test_a_later_upload_of_a_collected_blob_is_found(
    registry: objreg.Registry, version: objreg.Version, tmp_path: Path
):
    """Where the first blob was collected, the next incarnation, which the state tells of, is looked for."""
    from objreg.core.decisions import Decision
    from objreg.registry.commit import Commit

    weights = digest(bytes(range(256))).removeprefix("sha256:")
    manifest = registry._session.model("fraud/clf")
    plan = Decision(value=None, patch={"incarnations": {weights: 1}})
    Commit(manifest, lambda: plan, lambda _: {}, actor="collector", message="").run()
    blob = next((tmp_path / "registry").rglob(weights))
    blob.rename(blob.with_name(f"{weights}.1"))
    assert registry.object(f"sha256:{weights}") == bytes(range(256))


def test_a_spec_gives_the_record_and_a_file_gives_the_file(registry: objreg.Registry, version: objreg.Version):
    """By name, by state, by short and whole digest: the version's record; with a file behind it, that file."""
    raw = registry.object("fraud/clf")
    assert digest(raw) == version.digest
    assert json.loads(raw)["version"] == "1.0"
    for name in ("fraud/clf:1.0", "fraud/clf:1", f"fraud/clf@{version.digest}", f"fraud/clf@{version.digest[:19]}"):
        assert registry.object(name) == raw
    assert registry.object("fraud/clf:1.0/weights.bin") == bytes(range(256))


def test_a_model_narrows_the_search(registry: objreg.Registry, version: objreg.Version, tmp_path: Path):
    """A digest of another model's object is not found in this one."""
    other = registry.push("fraud/other", tmp_path / "model" / "weights.bin", description="other")
    assert registry.object(other.digest)
    with pytest.raises(NotFound, match="no object"):
        registry.object(f"fraud/clf@{other.digest}")


def test_what_is_not_there_is_said_to_be_missing(registry: objreg.Registry, version: objreg.Version):
    """An unknown digest, an unknown model and a digest that is not whole each get an error of the tree."""
    with pytest.raises(NotFound, match="no object"):
        registry.object("sha256:" + "0" * 64)
    with pytest.raises(NotFound, match="no model"):
        registry.object("fraud/none@sha256:" + "0" * 64)
    with pytest.raises(InvalidInput, match="a digest is"):
        registry.object(version.digest[:20])


def test_changed_bytes_are_refused(registry: objreg.Registry, version: objreg.Version, tmp_path: Path):
    """A blob that was altered in the bucket is not handed out."""
    weights = digest(bytes(range(256)))
    blob = next((tmp_path / "registry").rglob(weights.removeprefix("sha256:")))
    blob.chmod(0o644)
    blob.write_bytes(b"other")
    with pytest.raises(IntegrityError, match="expected"):
        registry.object(weights)


def test_two_versions_are_compared_with_the_catalogs_of_their_time(
    registry: objreg.Registry, version: objreg.Version, tmp_path: Path
):
    """Files, metadata, metrics, and the catalog as it stood at each push."""
    registry.put_catalog("fraud/clf", owner="alice")
    registry.record_experiment(version, "holdout", metrics={"auc": 0.9})
    (tmp_path / "model" / "weights.bin").write_bytes(b"new")
    second = registry.push("fraud/clf", tmp_path / "model", metadata={"epochs": 3})
    registry.put_catalog("fraud/clf", owner="bob")
    found = registry.diff("fraud/clf:1.0", second)
    assert (found.before, found.after) == ("fraud/clf:1.0", "fraud/clf:1.1")
    assert {file.path: file.status for file in found.files} == {"vocab.txt": "same", "weights.bin": "changed"}
    assert [item.name for item in found.metadata] == ["epochs"]
    assert [(item.name, item.before) for item in found.metrics] == [
        ("holdout.auc", 0.9),
        ("holdout.status", "finished"),
    ]
    assert ("owner", "added", "alice") in [(item.name, item.status, item.after) for item in found.catalog]
    assert registry.diff(second, second).is_same
    with pytest.raises(NotFound):
        registry.diff("fraud/clf:7.0", second)
