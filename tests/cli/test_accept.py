"""``objreg accept``: a registry that was restored on purpose is used again, and only then."""

import shutil
from pathlib import Path

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
