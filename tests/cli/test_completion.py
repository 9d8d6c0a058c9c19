"""What a shell offers while a person types."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from objreg.cli import completers
from tests.cli.conftest import Cli


@pytest.fixture
def offered(clf: Cli, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Ask as Bash asks, with what was typed so far; the last word is being typed."""

    def ask(line: str) -> list[str]:
        words = line.split(" ")
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", str(len(words) - 1))
        monkeypatch.setenv("_OBJREG_COMPLETE", "bash_complete")
        result = clf()
        assert result.err == ""
        return [item.partition(",")[2] for item in result.out.split()]

    return ask


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("objreg res", ["resolve"]),
        ("objreg state ", ["define", "ls", "set", "unset"]),
        ("objreg pull fr", ["fraud/clf"]),
        ("objreg pull fraud/clf:1.", ["fraud/clf:1.0", "fraud/clf:1.1"]),
        ("objreg show fraud/clf@", ["fraud/clf@production"]),
        ("objreg log fraud", ["fraud/clf"]),
        ("objreg ls fr", ["fraud", "fraud/clf"]),
        ("objreg state set fraud/clf:1.0 p", ["production"]),
        ("objreg state ls ", ["fraud"]),
        ("objreg ls fraud/clf --state ", ["production"]),
        ("objreg completion z", ["zsh"]),
        ("objreg pull nothing", []),
        ("objreg pull fraud/none:", []),
        ("objreg pull not:a:spec", []),
    ],
)
def test_names_are_completed(offered, line: str, expected: list[str]):
    """Commands, namespaces, models, versions and states; nothing, and no error, where there is nothing."""
    assert offered(line) == expected


def test_the_named_registry_is_asked(offered, tmp_path: Path):
    """A --registry on the line counts, and one that is not there offers nothing and says nothing."""
    assert offered(f"objreg pull --registry {tmp_path / 'registry'} fr") == ["fraud/clf"]
    assert offered(f"objreg pull --registry {tmp_path / 'nowhere'} fr") == []
    assert offered("objreg pull --registry ftp://nonsense fr") == []


def test_a_store_that_does_not_answer_is_not_waited_for(offered, monkeypatch: pytest.MonkeyPatch):
    """After the time that a person waits, nothing is offered."""
    monkeypatch.setattr(completers, "LONGEST_SECONDS", 0.1)
    monkeypatch.setattr("objreg.open", lambda *_, **__: time.sleep(2))
    began = time.monotonic()
    assert offered("objreg pull fr") == []
    assert time.monotonic() - began < 1.5


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_its_script(cli: Cli, shell: str):
    """The script asks this program, and in JSON it is a text."""
    script = cli("completion", shell).out
    assert f"_OBJREG_COMPLETE={shell}_complete" in script
    assert cli("completion", shell, "--json").json == {"shell": shell, "script": script[:-1]}
    assert "is not one of" in cli("completion", "csh", code=2).err


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("objreg pull fraud/clf:1.", ["1.0", "1.1"]),
        ("objreg pull fraud/clf@pro", ["production"]),
        ("objreg ls --registry=$REG fra", ["fraud", "fraud/clf"]),
        ("objreg pull ", ["fraud/clf"]),
    ],
)
def test_bash_itself_completes_specs(clf: Cli, tmp_path: Path, line: str, expected: list[str]):
    """In a real Bash, which cuts words at colons, only what follows the colon is answered."""
    script = tmp_path / "completion.sh"
    script.write_text(clf("completion", "bash").out)
    program = tmp_path / "objreg"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m objreg "$@"\n')
    program.chmod(0o755)
    typed = line.replace("$REG", str(tmp_path / "registry"))
    code = (
        f"source {script}; COMP_LINE='{typed}'; COMP_POINT=${{#COMP_LINE}};"
        f' _objreg_completion {program}; printf "%s\\n" "${{COMPREPLY[@]}}"'
    )
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    found = subprocess.run(["bash", "-c", code], env=environ, capture_output=True, text=True, check=True)
    assert found.stderr == ""
    assert found.stdout.split() == expected
