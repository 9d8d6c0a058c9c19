"""How a run that failed ends: one sentence on stderr, or one JSON object; an exit code; no traceback unasked."""

import traceback
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from objreg.cli.output import dump, plain, visible
from objreg.errors import ObjregError

if TYPE_CHECKING:
    from objreg.cli.invocation import Invocation

__all__ = ["BUG", "IO_FAILED", "report"]

BUG = 70
IO_FAILED = 74
"""As in BSD's ``sysexits.h``."""
_MOST_READ = 4_000


def report(error: Exception, invocation: "Invocation") -> int:
    """Tell of an error.

    Returns:
        The exit code.
    """
    kind, message, facts, code = _explained(error)
    with suppress(OSError):  # where stderr is full or nobody reads it any more, the exit code still tells
        if invocation.debug:
            click.echo("".join(traceback.format_exception(error)).rstrip(), err=True)
        if invocation.json:
            click.echo(dump({"error": {"type": kind, "message": message, "facts": facts}}), err=True)
        elif isinstance(error, click.exceptions.NoArgsIsHelpError):
            error.show()
        else:
            _tell(error, message)
    return code


def _tell(error: Exception, message: str) -> None:
    if isinstance(error, click.UsageError) and error.ctx is not None:
        click.echo(error.ctx.get_usage(), err=True)
        click.echo(f"Try '{error.ctx.command_path} --help' for help.\n", err=True)
    click.echo(f"objreg: error: {visible(_readable(message))}", err=True)


def _readable(message: str) -> str:
    """Cut what is wrong with a text of megabytes to what a person reads; with ``--json`` it is there whole."""
    return message if len(message) <= _MOST_READ else f"{message[: _MOST_READ // 2]} […] {message[-_MOST_READ // 2 :]}"


def _explained(error: Exception) -> tuple[str, str, dict[str, Any], int]:
    name = type(error).__name__
    if isinstance(error, ObjregError):
        return name, error.message, plain(error.facts), error.exit_code
    if isinstance(error, click.ClickException):
        return "UsageError", " ".join(error.format_message().split()), {}, 2
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return "OSError", f"{where}{error.strerror or name}", {"errno": error.errno}, IO_FAILED
    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{place.name} (line {place.lineno} of {place.filename})"
    message = f"this is a bug in objreg, please report it: {name} in {where}; objreg --debug shows more"
    return "Bug", message, {"exception": name}, BUG
