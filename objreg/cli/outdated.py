"""``objreg outdated``."""

import click

from objreg.cli.help import Command
from objreg.cli.invocation import Invocation, registry_options
from objreg.cli.output import Table
from objreg.cli.workspace import project_registry

__all__ = ["command"]

_COLUMNS = ("model", "requested", "locked", "now", "retired", "why")


@click.command(cls=Command)
@registry_options
@click.pass_obj
def command(invocation: Invocation) -> None:
    """List the locked models that an upgrade would change, and those whose version was retired.

    Examples:
      objreg outdated
    """
    from objreg.lock.resolution import outdated
    from objreg.lock.workspace import open_workspace

    workspace = open_workspace()
    lock = workspace.existing_lock()
    registry = project_registry(invocation, workspace)
    workspace.check_registry(registry.url)
    found = outdated(registry.session, lock)
    rows = [
        (item.name, item.requested, item.locked, item.now, "retired" if item.retired else "", item.reason)
        for item in found
    ]
    stale = sum(item.is_stale for item in found)
    invocation.output.note(f"'objreg lock --upgrade' changes {stale or 'none'} of {len(lock.assets)} locked models")
    if pinned := [f"{item.name}:{item.locked}" for item in found if item.retired and not item.is_stale]:
        invocation.output.warning(f"{', '.join(pinned)} was retired and is asked for as such: ask for another version")
    invocation.output.result(found, Table(_COLUMNS, rows))
