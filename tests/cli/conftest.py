"""The command line in this process, against a registry in a folder."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from objreg.cli.program import run


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, Any]:
        return json.loads(self.err)["error"]

    @property
    def rows(self) -> list[list[str]]:
        return [line.split("\t") for line in self.out.splitlines()]


Cli = Callable[..., Result]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run ``objreg`` with some arguments in an empty folder; it must end with ``code``."""
    monkeypatch.setenv("OBJREG_URL", str(tmp_path / "registry"))
    monkeypatch.setenv("OBJREG_ACTOR", "tester")
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str | Path, code: int = 0) -> Result:
        capsys.readouterr()
        found = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        result = Result(found, captured.out, captured.err)
        assert result.code == code, result
        return result

    return call


@pytest.fixture
def empty(cli: Cli) -> Cli:
    """The same, where there is a registry without models."""
    cli("init")
    return cli


@pytest.fixture
def clf(empty: Cli, tmp_path: Path) -> Cli:
    """The same, where fraud/clf has 1.0 and 1.1, and 1.0 is in the exclusive state production."""
    model = tmp_path / "model"
    model.mkdir()
    (model / "weights.bin").write_bytes(b"weights")
    (model / "vocab.txt").write_text("a\nb\n")
    empty("push", "fraud/clf", model, "-d", "the first", "--metadata", "epochs=3", "-m", "start")
    (model / "weights.bin").write_bytes(b"better")
    empty("push", "fraud/clf", model)
    empty("state", "define", "production", "--exclusive")
    empty("state", "set", "fraud/clf:1.0", "production", "-m", "go")
    return empty
