"""The program ``objreg``: the table of its commands, and how each run ends."""

import os
import sys
import warnings
from collections.abc import Sequence
from io import RawIOBase
from typing import Any, TextIO

import click

from objreg.cli.failures import report
from objreg.cli.help import LazyGroup
from objreg.cli.interrupts import INTERRUPTED
from objreg.cli.invocation import Invocation

__all__ = ["BROKEN_PIPE", "COMMANDS", "program", "run"]

COMMANDS = {
    "init": "Create a registry, unless there is one.",
    "push": "Add a version to a model.",
    "pull": "Fetch the files of a version, or some of them.",
    "ls": "List namespaces and models, or a model's versions.",
    "show": "Show all that is known of a version.",
    "log": "Show the history of a model: who, when, why, from what to what.",
    "resolve": "Print which version a spec names.",
    "diff": "Compare two versions.",
    "cat": "Print an object as it is stored.",
    "add": "Add a model to objreg.toml, and lock it.",
    "remove": "Remove a model from objreg.toml, and from the lock file if nobody else asks for it.",
    "lock": "Lock what objreg.toml asks for: write objreg.lock.",
    "sync": "Fetch the locked versions into the cache.",
    "outdated": "List the locked models that an upgrade would change, and those whose version was retired.",
    "why": "Say why a version is used: who asked for it, what that was, who pushed it and who moved it there.",
    "floating": "Find specs in code that may name another version tomorrow.",
    "cache": "See what this machine keeps of pulled versions, and make it less.",
    "retire": "Retire a version: it is not to be used any more.",
    "state": "Define states, and move versions into them.",
    "experiment": "Record evaluations of a version, and read them.",
    "deployment": "Record where versions are deployed.",
    "catalog": "Say what a model is, by a document in Git.",
    "namespace": "Say what a namespace is.",
    "retain": "Retire versions by a retention policy.",
    "gc": "Delete the blobs that nothing needs any more.",
    "doctor": "Examine a store before it is trusted.",
    "fsck": "Verify a registry: every entry, record, snapshot, pointer and rule.",
    "accept": "Accept the history of a registry that was restored or replaced on purpose.",
    "policy": "Print the least-privilege policy for a role.",
    "completion": "Print a script that completes names in a shell.",
}

_COMPLETION_VARIABLE = "_OBJREG_COMPLETE"
BROKEN_PIPE = 141


def _version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"objreg {version('objreg')}")
        ctx.exit()


@click.group(cls=LazyGroup, lazy=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, envvar="OBJREG_DEBUG", help="Show tracebacks of errors (or OBJREG_DEBUG=1).")
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version.")
@click.pass_obj
def program(invocation: Invocation, debug: bool) -> None:
    """A model registry with no server and no database: the bucket is the registry.

    Examples:
      objreg init s3://models/registry
      objreg push fraud/clf model.joblib
      objreg pull fraud/clf@production
    """
    invocation.debug = debug


def run(arguments: Sequence[str]) -> int:
    """Run the program.

    Args:
        arguments: without the program's name.

    Returns:
        The exit code.
    """
    invocation = Invocation(json=_asks_for_json(arguments))
    instruction = os.environ.get(_COMPLETION_VARIABLE)
    if instruction:
        from click.shell_completion import shell_complete

        return shell_complete(program, {"obj": invocation}, "objreg", _COMPLETION_VARIABLE, instruction)
    _write_all_that_is_printed()
    with warnings.catch_warnings():
        _show_warnings(invocation)
        try:
            code = _invoke(arguments, invocation)
            _flush(sys.stdout)
        except BrokenPipeError:
            code = BROKEN_PIPE
        except KeyboardInterrupt:
            code = INTERRUPTED
        except Exception as error:  # noqa: BLE001  # the outermost place: nobody above could say it better
            code = report(error, invocation)
    _let_go(sys.stdout)
    _let_go(sys.stderr)
    return code


def _invoke(arguments: Sequence[str], invocation: Invocation) -> int:
    """Run a command without click's own handling of errors, which knows neither JSON nor our exit codes."""
    try:
        with program.make_context("objreg", list(arguments), obj=invocation) as ctx:
            program.invoke(ctx)
    except click.exceptions.Exit as done:
        return done.exit_code
    return 0


def _asks_for_json(arguments: Sequence[str]) -> bool:
    """Tell before parsing, so that a mistake in the arguments is answered in JSON too."""
    end = list(arguments).index("--") if "--" in arguments else len(arguments)
    return "--json" in arguments[:end]


def _show_warnings(invocation: Invocation) -> None:
    def show(message: Warning | str, *_: Any) -> None:
        invocation.output.warning(str(message))

    warnings.filterwarnings("always", category=UserWarning)
    warnings.showwarning = show  # type: ignore[assignment]  # takes what the original takes, and passes over most of it


def _write_all_that_is_printed() -> None:
    """Let a letter that the terminal's encoding lacks be an escape, and no write end half way unheard."""
    if isinstance(getattr(sys.stdout, "buffer", None), RawIOBase):
        # PYTHONUNBUFFERED: a bare write to a full disk takes a part and says so by a number, which Python passes over.
        encoding = sys.stdout.encoding
        sys.stdout = open(sys.stdout.fileno(), "w", encoding=encoding, closefd=False)  # noqa: SIM115  # until the end
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _flush(stream: TextIO | None) -> None:
    if stream is not None:
        stream.flush()


def _let_go(stream: TextIO | None) -> None:
    """Let what nobody takes any more, for want of room or of a reader, not fail again at the interpreter's end."""
    try:
        _flush(stream)
    except OSError:
        assert stream is not None
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
