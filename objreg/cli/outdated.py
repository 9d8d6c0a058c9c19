"""``objreg outdated``."""

import click

from objreg.cli.help import Command
from objreg.cli.invocation import Invocation, registry_options
from objreg.cli.output import Table
from objreg.cli.workspace import project_registry

__all__ = ["command"]

_COLUMNS = ("model", "requested", "locked", "now", "why")


@click.command(cls=Command)
@registry_options
@click.pass_obj
def command(invocation: Invocation) -> None:
    """List the locked models that an upgrade would change.

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
    rows = [(item.name, item.requested, item.locked, item.now, item.reason) for item in found]
    invocation.output.note(
        "'objreg lock --upgrade' changes these" if found else f"an upgrade would change nothing in {len(lock.assets)}"
    )
    invocation.output.result(found, Table(_COLUMNS, rows))
