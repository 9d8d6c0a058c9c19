"""``objreg diff``."""

import json
from typing import TYPE_CHECKING

import click

from objreg.cli.completers import complete_specs
from objreg.cli.help import Command
from objreg.cli.invocation import Invocation, registry_options
from objreg.cli.output import Table, plain

if TYPE_CHECKING:  # imported by the command when it opens the registry
    from objreg.core.diff import VersionDiff

__all__ = ["command"]

_VALUES = ("description", "metadata", "environment", "code", "metrics", "catalog")


@click.command(cls=Command)
@click.argument("before", metavar="A", shell_complete=complete_specs)
@click.argument("after", metavar="B", shell_complete=complete_specs)
@registry_options
@click.pass_obj
def command(invocation: Invocation, before: str, after: str) -> None:
    """Compare two versions.

    Files, description, metadata, environment, code and metrics, and the catalogs that stood when they were pushed. Each
    line is what it is about, its name, what became of it, and its value in A and in B.

    Examples:
      objreg diff fraud/clf:1.0 fraud/clf:1.1
      objreg diff fraud/clf@production fraud/clf --json
    """
    found = invocation.registry().diff(before, after)
    if found.is_same:
        invocation.output.note(f"{found.before} and {found.after} are the same")
    columns = ("part", "name", "what", found.before, found.after)
    invocation.output.result(plain(found) | {"same": found.is_same}, Table(columns, _rows(found)))


def _rows(found: "VersionDiff") -> list[tuple[str, str, str, str, str]]:
    changed = (file for file in found.files if file.status != "same")
    rows: list[tuple[str, str, str, str, str]] = [
        ("file", file.path, file.status, file.before, file.after) for file in changed
    ]
    for part in _VALUES:
        for item in getattr(found, part):
            old = "" if item.status == "added" else json.dumps(item.before)
            new = "" if item.status == "removed" else json.dumps(item.after)
            rows.append((part, item.name, item.status, old, new))
    return rows
