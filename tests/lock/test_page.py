"""docs/lock-file.md says what is true."""

import tomllib
from pathlib import Path

import yaml

from objreg.core.lock_file import read_lock
from objreg.core.wants import read_wants
from tests.cli.conftest import Cli
from tests.docs.pages import ROOT, blocks

PAGE = ROOT / "docs" / "lock-file.md"
EXAMPLES = {block.language: block.text for block in blocks(PAGE)}


def test_the_files_are_real():
    """The wishes are wishes, and the lock file is written as objreg writes it."""
    config, lock = (block.text for block in blocks(PAGE) if block.language == "toml")
    assert list(read_wants(tomllib.loads(config), "objreg.toml")) == [
        "base/bert",
        "data/labels",
        "fraud/clf",
        "nlp/vocab",
    ]
    text = read_lock(lock, "objreg.lock").text()
    assert text.partition("\n")[2] == lock


def test_the_hooks_are_those_that_are_published():
    """By their names."""
    (repository,) = yaml.safe_load(EXAMPLES["yaml"])["repos"]
    manifest = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    assert {hook["id"] for hook in repository["hooks"]} == {hook["id"] for hook in manifest}


def test_the_commands_run(project: Cli):
    """One after another, as they stand."""
    lines = [line.partition("#")[0].removeprefix("$ ").split() for line in EXAMPLES["console"].splitlines()]
    assert len(lines) > 5
    for words in lines:
        project(*words[1:])
    assert "fraud" not in Path("objreg.lock").read_text()


def test_the_python_runs(project: Cli, capsys):
    """In a project that locks the model."""
    project("add", "fraud/clf@production")
    exec(compile(EXAMPLES["python"], str(PAGE), "exec"), {})
    assert "objreg.lock LockFile(" in capsys.readouterr().out
