"""The program: its table of commands, its start-up, and how each run ends."""

import json
import os
import shlex
import subprocess
import sys
import warnings
from collections.abc import Iterator

import click
import pytest

from objreg import errors
from objreg.cli import failures
from objreg.cli.invocation import Invocation
from objreg.cli.output import visible
from objreg.cli.program import COMMANDS, program, run

HEAVY = ("msgspec", "obstore", "rich", "fsspec", "zstandard", "filelock", "platformdirs", "yaml", "asyncio")


def every_command() -> Iterator[tuple[str, click.Command]]:
    context = click.Context(program, info_name="objreg", **program.context_settings)
    for name in program.list_commands(context):
        command = program.get_command(context, name)
        yield name, command
        for child, sub in getattr(command, "commands", {}).items():
            yield f"{name} {child}", sub


EVERY = dict(every_command())
LEAVES = {name: command for name, command in EVERY.items() if not isinstance(command, click.Group)}


def python(code: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **environ}, capture_output=True, text=True, check=True
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_says_what_each_command_says_of_itself(name: str):
    """The short help that is shown without importing a command is the command's own."""
    assert EVERY[name].get_short_help_str(limit=200) == COMMANDS[name]


def test_help_imports_nothing_heavy():
    """``objreg --help`` loads click, and neither the registry nor what it rests on."""
    code = (
        "import sys; from objreg.cli.program import run; code = run(['--help']);"
        f" print('heavy:', [name for name in {HEAVY} if name in sys.modules],"
        " [name for name in sys.modules if name.startswith(('objreg.core', 'objreg.registry', 'objreg.store'))])"
    )
    assert "heavy: [] []" in python(code).stdout


def test_a_command_s_file_imports_nothing_heavy():
    """Importing every command, as completion does, does not load the registry's dependencies."""
    modules = ", ".join(f"objreg.cli.{name}" for name in COMMANDS)
    code = f"import sys; import {modules}; print([name for name in {HEAVY} if name in sys.modules])"
    assert python(code).stdout.strip() == "[]"


@pytest.mark.parametrize("name", LEAVES)
def test_every_command_has_the_options_that_all_have(name: str):
    """Each answers in JSON and, if it uses a registry, lets one be named, with options for its storage."""
    options = {option for parameter in LEAVES[name].params for option in parameter.opts}
    assert "--json" in options
    if name not in {"completion", "catalog validate", "floating"} and not name.startswith("cache "):
        assert {"--registry", "--option", "--engine"} <= options


@pytest.mark.parametrize("name", EVERY)
def test_every_help_has_examples_that_parse(name: str):
    """Each command shows at least one example, and its arguments and options exist."""
    context = click.Context(program, info_name="objreg", **program.context_settings)
    text = EVERY[name].get_help(context)
    examples = [
        line.strip() for line in text.partition("Examples:")[2].partition("\n\n")[0].splitlines() if line.strip()
    ]
    assert examples
    for example in examples:
        line = example.removeprefix('eval "$(').removesuffix(')"').partition(" | ")[0].partition(" > ")[0]
        words = shlex.split(line)
        assert words[0] == "objreg", example
        parse(words[1:])


def parse(words: list[str]) -> None:
    context: click.Context = program.make_context("objreg", words, obj=Invocation())
    command: click.Command = program
    while isinstance(command, click.Group):
        rest = [*context._protected_args, *context.args] if hasattr(context, "_protected_args") else context.args
        name, found, arguments = command.resolve_command(context, rest)
        assert found is not None
        context, command = found.make_context(name, arguments, parent=context), found


@pytest.mark.parametrize("option", ["-h", "--help"])
@pytest.mark.parametrize("name", LEAVES)
def test_help_is_printed_and_succeeds(cli, name: str, option: str):
    """Help goes to stdout with exit code 0, for every command."""
    assert cli(*name.split(), option).out.startswith(f"Usage: objreg {name}")


def test_the_version_is_told(cli):
    """``objreg --version`` names the release."""
    assert cli("--version").out == "objreg 0.1.0\n"


def test_nothing_asked_for_shows_the_help(cli):
    """``objreg`` alone is a mistake that is answered with the help, on stderr."""
    result = cli(code=2)
    assert result.out == ""
    assert "Commands:" in result.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nonsense"], "No such command 'nonsense'."),
        (["pull"], "Missing argument 'SPEC'."),
        (["pull", "x", "--nonsense"], "No such option"),
        (["push", "x", "y", "--metadata", "novalue"], "'novalue' is not key=value"),
        (["push", "x", "y", "--metadata", "a=1", "--metadata", "a=2"], "'a' is given twice"),
        (["ls", "--option", "=x"], "'=x' is not key=value"),
        (["log", "fraud/clf", "--namespace", "fraud"], "not both"),
        (["ls", "--engine", "magic"], "'magic' is not one of"),
        (["policy"], "Missing argument '{s3|gcs|azure}'. Choose from: s3, gcs, azure"),
        (["gc", "--grace", "nan"], "'nan' is not a finite number"),
        (["cache", "prune", "--max-size", "1", "--keep", "inf"], "'inf' is not a finite number"),
        (["accept", ""], "it is empty; leave it out if nothing is meant"),
        (["gc", "fraud/clf", ""], "it is empty"),
        (["pull", "fraud/clf", ""], "it is empty"),
    ],
)
def test_wrong_arguments_end_with_two(cli, arguments: list[str], message: str):
    """A mistake in the arguments is told with the usage, exit code 2, and in JSON where JSON was asked for."""
    result = cli(*arguments, code=2)
    assert message in result.err
    assert result.err.startswith("Usage: objreg")
    if arguments != ["nonsense"]:
        asked = cli(*arguments, "--json", code=2)
        assert asked.error["type"] == "UsageError"
        assert message in asked.error["message"]


LONG = "x" * 70_000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["push", "m", LONG], "cannot be read: File name too long"),
        (["push", "m", "--scheme", LONG, "."], "scheme"),
        (["experiment", "record", "m", "e", "--artifact", LONG], "File name too long"),
        (["experiment", "record", "m", "e", "--dataset", f"a={LONG}"], "File name too long"),
        (["cache", "prune", "--max-size", "9" * 6_000], "more than any disk holds"),
        (["remove", "m", "--group", LONG], "does not want m"),
    ],
)
def test_long_arguments_are_told_in_few_words(empty, arguments: list[str], message: str):
    """Nobody reads 70,000 letters to find what is wrong; in JSON the message is whole."""
    code = 3 if arguments[0] == "remove" else 2
    said = empty(*arguments, code=code).err
    assert message in said
    assert len(said) < 5_000
    assert message in empty(*arguments, "--json", code=code).error["message"]


def all_errors(kind: type[errors.ObjregError]) -> Iterator[type[errors.ObjregError]]:
    yield kind
    for child in kind.__subclasses__():
        if child.__module__ == "objreg.errors":
            yield from all_errors(child)


@pytest.mark.parametrize("kind", list(all_errors(errors.ObjregError)), ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("as_json", [False, True], ids=["text", "json"])
def test_each_error_ends_with_its_own_exit_code(kind: type[errors.ObjregError], as_json: bool, capsys):
    """Every error of the tree is one line, or one JSON object with its facts, and its exit code; no traceback."""
    code = failures.report(kind("it went wrong", spec="fraud/clf", seen=(1, 2)), Invocation(json=as_json))
    captured = capsys.readouterr()
    assert code == kind.exit_code
    assert captured.out == ""
    if as_json:
        assert json.loads(captured.err) == {
            "error": {"type": kind.__name__, "message": "it went wrong", "facts": {"spec": "fraud/clf", "seen": [1, 2]}}
        }
    else:
        assert captured.err == "objreg: error: it went wrong\n"


def broken(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("objreg.open", fail)


def test_an_unexpected_error_is_called_a_bug(cli, monkeypatch: pytest.MonkeyPatch):
    """What nobody foresaw ends with 70, says where it was, and shows no traceback and no value."""
    broken(monkeypatch, KeyError("a secret value"))
    result = cli("ls", code=70)
    assert "this is a bug in objreg" in result.err
    assert "KeyError" in result.err
    assert "a secret value" not in result.err
    assert "Traceback" not in result.err
    assert cli("ls", "--json", code=70).error["type"] == "Bug"


@pytest.mark.parametrize("how", ["option", "variable"])
def test_debug_shows_the_traceback(cli, monkeypatch: pytest.MonkeyPatch, how: str):
    """``--debug`` or OBJREG_DEBUG=1 shows where an error came from, and changes nothing else."""
    broken(monkeypatch, errors.NotFound("nothing there"))
    if how == "variable":
        monkeypatch.setenv("OBJREG_DEBUG", "1")
    result = cli(*(["--debug"] if how == "option" else []), "ls", code=3)
    assert "Traceback (most recent call last)" in result.err
    assert result.err.endswith("objreg: error: nothing there\n")


def test_an_interrupt_ends_quietly(cli, monkeypatch: pytest.MonkeyPatch):
    """Ctrl-C ends with 130 and says nothing."""
    broken(monkeypatch, KeyboardInterrupt())
    result = cli("ls", code=130)
    assert (result.out, result.err) == ("", "")


def test_a_warning_is_one_line(cli, monkeypatch: pytest.MonkeyPatch):
    """Where no registry is configured, one line on stderr says which is used; stdout stays clean, in JSON too."""
    monkeypatch.delenv("OBJREG_URL")
    result = cli("ls")
    assert result.out == ""
    assert result.err.startswith("objreg: warning: no registry is configured")
    assert result.err.count("\n") == 1
    asked = cli("ls", "--json")
    assert asked.json == []
    assert "no registry is configured" in json.loads(asked.err)["warning"]


def test_the_warnings_of_others_are_left_alone():
    """Running the program leaves Python's own handling of warnings as it was."""
    before = warnings.showwarning
    run(["--version"])
    assert warnings.showwarning is before


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, with ünïcödé 模型", "plain, with ünïcödé 模型"),
        ("\x1b[2J", "\\x1b[2J"),
        ("a\tb\nc\r", "a\\tb\\nc\\r"),
        ("\x9b31m", "\\x9b31m"),
        ("\u202etxt.exe", "\\u202etxt.exe"),
        ("\ud800", "\\ud800"),
    ],
)
def test_control_characters_are_shown_as_escapes(text: str, shown: str):
    """Nothing that came from a bucket can move the cursor, reorder text or break a line."""
    assert visible(text) == shown


def test_a_bad_configuration_is_an_error_of_the_tree(cli, tmp_path, monkeypatch: pytest.MonkeyPatch):
    """A broken objreg.toml ends with 2, naming the file."""
    monkeypatch.delenv("OBJREG_URL")
    (tmp_path / "objreg.toml").write_text("url = ")
    assert "objreg.toml is not valid TOML" in cli("ls", code=2).err


@pytest.mark.parametrize(
    "url", ["ftp://x/y", "s3://key:secret@bucket/x"], ids=["unknown scheme", "credentials in the address"]
)
def test_a_wrong_registry_is_refused(cli, url: str):
    """An address that is not one ends with 2, and never repeats a secret."""
    result = cli("ls", "--registry", url, code=2)
    assert "secret@" not in result.err


def test_options_of_the_storage_reach_it(cli):
    """``--option`` is given to the store: a folder has none, and says so."""
    assert "storage_options" in cli("ls", "--option", "region=x", code=2).err
