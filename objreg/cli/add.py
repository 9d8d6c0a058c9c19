"""``objreg add``."""

import click

from objreg.cli.completers import complete_specs
from objreg.cli.help import Command
from objreg.cli.invocation import Invocation, registry_options
from objreg.cli.workspace import project_registry, tell_changes

__all__ = ["command"]


@click.command(cls=Command)
@click.argument("spec", shell_complete=complete_specs)
@click.option("--group", metavar="NAME", default="default", help="For a group, like train, instead of all uses.")
@registry_options
@click.pass_obj
def command(invocation: Invocation, spec: str, group: str) -> None:
    """Add a model to objreg.toml, and lock it.

    What stands behind the model's name is what is asked for, now and at each upgrade: a version, a part of one, a
    state; with the name alone the latest. A model that is there is asked for anew. Nothing is fetched: objreg sync
    does that.

    Examples:
      objreg add fraud/clf@production
      objreg add nlp/vocab:1 --group train
    """
    from objreg.core.specs import parse_spec
    from objreg.lock.changing import add
    from objreg.lock.workspace import open_workspace

    workspace = open_workspace()
    parsed = parse_spec(spec)
    lock = add(workspace, project_registry(invocation, workspace), parsed, group)
    tell_changes(invocation, workspace, lock)
