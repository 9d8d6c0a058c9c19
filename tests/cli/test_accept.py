"""``objreg accept``: a registry that was restored on purpose is used again, and only then."""

import shutil
import subprocess
from pathlib import Path

import pytest

import objreg
from objreg.cli.program import run


def test_a_restored_registry_is_refused_until_it_is_accepted(tmp_path: Path, capsys) -> None:
    """An older copy put back is a rollback (exit 6); after ``accept`` its history is read as it is."""
    place, copy, file = tmp_path / "registry", tmp_path / "copy", tmp_path / "model.bin"
    file.write_bytes(b"1")
    objreg.open(place, create=True).push("fraud/clf", file)
    shutil.copytree(place, copy)
    file.write_bytes(b"2")
    objreg.open(place).push("fraud/clf", file)
    shutil.rmtree(place)
    shutil.copytree(copy, place)

    assert run(["resolve", "fraud/clf", "--registry", str(place)]) == objreg.RollbackDetected.exit_code
    assert "objreg accept" in capsys.readouterr().err
    assert run(["accept", "--registry", str(place)]) == 0
    assert capsys.readouterr().out.split("\t")[:2] == ["fraud/clf", "0"]
    assert run(["resolve", "fraud/clf", "--registry", str(place)]) == 0
    assert "fraud/clf:1.0" in capsys.readouterr().out


def test_what_cannot_be_forgotten_is_told(
    tmp_path: Path,
    tiny_disk: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In a cache that cannot be written the registry would be refused as before, so the command fails."""
    monkeypatch.setenv("OBJREG_CACHE_DIR", str(tiny_disk))
    place, file = tmp_path / "registry", tmp_path / "model.bin"
    file.write_bytes(b"1")
    objreg.open(place, create=True).push("fraud/clf", file)
    subprocess.run(["mount", "-o", "remount,ro", tiny_disk], check=True)
    assert run(["accept", "--registry", str(place)]) == objreg.StoreError.exit_code
    assert "cannot be written, so what was seen of fraud/clf.model is not forgotten" in capsys.readouterr().err
