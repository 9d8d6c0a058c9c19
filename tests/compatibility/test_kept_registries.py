"""Registries that earlier releases wrote: every release reads each of them as the release that wrote it did."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import objreg
from tests.compatibility import keep_registry
from tests.compatibility.account import account_of
from tests.compatibility.everything import MODEL
from tests.core.test_schemas import problems

FOLDER = Path(__file__).parent
KEPT = sorted(FOLDER.glob("registry-*"))
MOST_BYTES = 300_000


def test_the_first_release_is_kept() -> None:
    """The registry that 0.1.0 wrote is among them, for ever."""
    assert "registry-0.1.0" in {root.name for root in KEPT}


@pytest.mark.parametrize("root", KEPT, ids=lambda root: root.name)
def test_it_says_what_it_said(root: Path) -> None:
    """States, versions, files, experiments, deployments, catalogs, history: all as on the day when it was written."""
    version = root.name.removeprefix("registry-")
    expected = json.loads((FOLDER / f"expected-{version}.json").read_bytes())
    assert_holds(account_of(objreg.open(root)), expected)


def assert_holds(found: Any, expected: Any, place: str = "") -> None:
    """See to it that everything expected is there; a later release may say more, in fields that it added."""
    if isinstance(expected, dict):
        assert isinstance(found, dict), place
        for key, value in expected.items():
            assert key in found, f"{place}.{key}"
            assert_holds(found[key], value, f"{place}.{key}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), place
        for index, (item, value) in enumerate(zip(found, expected, strict=True)):
            assert_holds(item, value, f"{place}[{index}]")
    else:
        assert found == expected, place


@pytest.mark.parametrize("root", KEPT, ids=lambda root: root.name)
def test_its_objects_obey_the_schemas(root: Path) -> None:
    """A field that the schemas demand today and that an older release did not write is a mistake in the schemas."""
    assert problems(root) == []


@pytest.mark.parametrize("root", KEPT, ids=lambda root: root.name)
def test_it_can_be_gone_on_with(root: Path, tmp_path: Path) -> None:
    """This release pushes to a copy of it, and what was there before is still there."""
    shutil.copytree(root, tmp_path / "registry")
    registry = objreg.open(tmp_path / "registry", actor="successor")
    before = registry.versions(MODEL)
    (tmp_path / "new.txt").write_text("new")
    pushed = registry.push(MODEL, tmp_path / "new.txt")
    registry.set_state(pushed, "production", message="a new age")
    assert registry.versions(MODEL)[1:] == tuple(
        item if "production" not in item.states else _without_production(item) for item in before
    )
    assert registry.resolve(f"{MODEL}@production").digest == pushed.digest
    assert next(registry.history(MODEL)).changes[0].before == tuple(
        item.version for item in before if "production" in item.states
    )


def _without_production(item: objreg.VersionSummary) -> objreg.VersionSummary:
    return replace(item, states=tuple(name for name in item.states if name != "production"))


@pytest.mark.parametrize("root", KEPT, ids=lambda root: root.name)
def test_it_is_small(root: Path) -> None:
    """What is kept for ever costs every clone."""
    assert sum(path.stat().st_size for path in root.rglob("*") if path.is_file()) < MOST_BYTES


def test_a_kept_registry_is_never_written_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Asked to write one that exists, the command refuses and touches nothing."""
    root = KEPT[0]
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    monkeypatch.setattr(objreg, "__version__", root.name.removeprefix("registry-"))
    assert keep_registry.main() == 1
    assert "never written again" in capsys.readouterr().err
    assert before == {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
