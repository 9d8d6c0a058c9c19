"""``objreg remove``."""

import click

from objreg.cli.completers import complete_models
from objreg.cli.help import Command
from objreg.cli.invocation import Invocation, registry_options
from objreg.cli.workspace import project_registry, tell_changes

__all__ = ["command"]


@click.command(cls=Command)
@click.argument("model", shell_complete=complete_models)
@click.option("--group", metavar="NAME", default="default", help="From a group, instead of from what all uses need.")
@registry_options
@click.pass_obj
def command(invocation: Invocation, model: str, group: str) -> None:
    """Remove a model from objreg.toml, and from the lock file if nobody else asks for it.

    The registry and what was fetched stay as they are.

    Examples:
      objreg remove fraud/clf
      objreg remove nlp/vocab --group train
    """
    from objreg.lock.changing import remove
    from objreg.lock.workspace import open_workspace

    workspace = open_workspace()
    lock = remove(workspace, project_registry(invocation, workspace), model, group)
    tell_changes(invocation, workspace, lock)
