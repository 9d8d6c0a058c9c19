"""``objreg floating``."""

import os.path
from pathlib import Path

import click

from objreg.cli.help import Command
from objreg.cli.invocation import json_option
from objreg.cli.output import Table
from objreg.errors import InvalidInput

__all__ = ["command"]


@click.command(cls=Command)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False))
@json_option
@click.pass_context
def command(ctx: click.Context, files: tuple[Path, ...]) -> None:
    """Find specs in code that may name another version tomorrow.

    That is a state, a part of a version, or a model's name alone where no lock file says which version it is. In Python
    the calls of pull, resolve, read and open are looked at, elsewhere lines that run objreg pull, resolve or cat. A
    comment "objreg: floating" on the line allows it. Exits with 2 if there is any.

    Examples:
      objreg floating train.py deploy.sh
    """
    from objreg.lock.floating import find_floating

    for file in files:
        if not os.path.lexists(file):  # a link to nowhere is committed as it is, and has no lines
            raise InvalidInput(f"{file} does not exist: there is nothing to find floating specs in")
    found = find_floating(files)
    rows = [(item.file, item.line, item.spec, item.reason) for item in found]
    ctx.obj.output.result(found, *([Table(("file", "line", "spec", "why"), rows)] if found else []))
    if found:
        ctx.obj.output.note("name an exact version, lock the model, or allow it: # objreg: floating")
        ctx.exit(InvalidInput.exit_code)
