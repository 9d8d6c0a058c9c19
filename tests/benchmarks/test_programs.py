"""Each benchmark can be started: it tells its options, and what is not for the page is refused before anything is measured."""

import re
import sys
from importlib import import_module

import pytest

from benchmarks import latency, startup, transfers, writers
from benchmarks.harness import line
from benchmarks.harness.measure import CLIENTS
from benchmarks.harness.peers import REQUIREMENTS, TOP
from benchmarks.harness.tables import PAGE

PROGRAMS = sorted(path.stem for path in (TOP / "benchmarks").glob("[a-z]*.py"))
TRANSFERRED = {f"{section}-{case.name}" for section in ("transfers", "line") for case in transfers.CASES}
SECTIONS = TRANSFERRED | set(PROGRAMS) - {"transfers"}


def ended(program: str, arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> object:
    """Run a benchmark with arguments that end it at once, and return its exit code."""
    monkeypatch.setattr(sys, "argv", [f"{program}.py", *arguments])
    with pytest.raises(SystemExit) as stop:
        import_module(f"benchmarks.{program}").main()
    return stop.value.code


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_docstring_names_the_options(program, monkeypatch, capsys):
    """``--help`` works, and each option that it knows stands in the module's docstring."""
    assert ended(program, ["--help"], monkeypatch) == 0
    usage = capsys.readouterr().out.partition("\n\n")[0]
    options = set(re.findall(r"--[a-z]+", usage))
    assert "--write" in options
    assert options <= set(re.findall(r"--[a-z]+", import_module(f"benchmarks.{program}").__doc__ or ""))


@pytest.mark.parametrize("program", [program for program in PROGRAMS if program != "dedup"])
def test_a_quick_run_is_not_for_the_page(program, monkeypatch, capsys):
    """Whoever asks for both learns that one excludes the other, and nothing is started."""
    assert ended(program, ["--quick", "--write"], monkeypatch) == 2
    assert "--write: not allowed with argument --quick" in capsys.readouterr().err


def test_a_look_at_the_budget_is_not_for_the_page(monkeypatch, capsys):
    """The table of start-up has all programs, or is not written."""
    assert ended("startup", ["--budget", "--write"], monkeypatch) == 2
    assert "leave --budget or --write out" in capsys.readouterr().err


def test_the_page_has_a_place_for_each_section():
    """Nobody measures for an hour and learns then that the page has no marks; and the page has no others."""
    page = PAGE.read_text("utf-8")
    assert set(re.findall(r"^<!-- (\S+): begin -->$", page, re.MULTILINE)) == SECTIONS
    for name in SECTIONS:
        assert page.count(f"<!-- {name}: begin -->") == page.count(f"<!-- {name}: end -->") == 1


def test_each_client_has_its_script_and_its_packages():
    """What a benchmark names is there: a script to run, and the list of what is installed for it."""
    scripts = {*transfers.CLIENTS, *(f"{client}_registry" for client in latency.CLIENTS), "engine", "writers"}
    peers = {*transfers.CLIENTS, *latency.CLIENTS, *startup.PEERS, *writers.PEERS.values(), "engines"}
    assert {path.stem.removeprefix("with_") for path in CLIENTS.glob("with_*.py")} == scripts
    assert {path.stem for path in REQUIREMENTS.glob("*.txt")} == peers


def test_a_missing_program_is_named(monkeypatch):
    """Where a limited line cannot be made, one sentence says what to install, before anything is changed."""
    monkeypatch.setattr(line, "_PACKAGES", {"not-there": "its-package"})
    with pytest.raises(line.NoLine, match="needs the program 'not-there': apt-get install its-package"):
        line.enter_own_network()
