"""``objreg state``."""

import click

from objreg.cli.completers import complete_namespaces, complete_specs, complete_states
from objreg.cli.help import Group
from objreg.cli.invocation import Invocation, description_option, message_option, registry_options
from objreg.cli.output import Table

__all__ = ["command"]


@click.group(cls=Group)
def command() -> None:
    """Define states, and move versions into them.

    Examples:
      objreg state define production --exclusive
      objreg state set fraud/clf:1.2 production
    """


@command.command("define")
@click.argument("name")
@click.option("--exclusive", is_flag=True, help="At most one version of a model is in it; setting it moves it.")
@click.option("--namespace", shell_complete=complete_namespaces, help="Where it holds; else the whole registry.")
@description_option
@message_option
@registry_options
@click.pass_obj
def define(
    invocation: Invocation, name: str, exclusive: bool, namespace: str | None, description: str, message: str
) -> None:
    """Define a state that versions may be moved into.

    Examples:
      objreg state define production --exclusive
      objreg state define shadow --namespace fraud -d "answers, and nobody listens"
    """
    found = invocation.changing_registry().define_state(
        name, exclusive=exclusive, namespace=namespace, description=description, message=message
    )
    invocation.changed(found, found.name)


@command.command("set")
@click.argument("spec", shell_complete=complete_specs)
@click.argument("state", shell_complete=complete_states)
@click.option("--expect", metavar="VERSION", help='The version you saw in the state ("" for none), else refuse.')
@message_option
@registry_options
@click.pass_obj
def set_(invocation: Invocation, spec: str, state: str, expect: str | None, message: str) -> None:
    """Move a version into a state.

    In an exclusive state it takes the place of the version that was in it. Prints the version.

    Examples:
      objreg state set fraud/clf:1.2 production --expect 1.1 -m "auc 0.93 on the holdout"
      objreg state set fraud/clf staging
    """
    _move(invocation, spec, state, expect, message, into=True)


@command.command("unset")
@click.argument("spec", shell_complete=complete_specs)
@click.argument("state", shell_complete=complete_states)
@click.option("--expect", metavar="VERSION", help="The version you saw in the state, else refuse.")
@message_option
@registry_options
@click.pass_obj
def unset(invocation: Invocation, spec: str, state: str, expect: str | None, message: str) -> None:
    """Take a version out of a state.

    Examples:
      objreg state unset fraud/clf:1.2 production -m "rolled back"
    """
    _move(invocation, spec, state, expect, message, into=False)


def _move(invocation: Invocation, spec: str, state: str, expect: str | None, message: str, *, into: bool) -> None:
    registry = invocation.registry()
    move = registry.set_state if into else registry.unset_state
    change = move(spec, state, expect=expect, message=message)
    was, now = (", ".join(versions) or "none" for versions in (change.before, change.after))
    invocation.output.note(f"state {state} of {change.model}: {was} -> {now}" if change.changed else "nothing changed")
    document = {
        "model": change.model,
        "state": change.state,
        "version": change.version,
        "before": change.before,
        "after": change.after,
        "changed": change.changed,
    }
    invocation.output.result(document, f"{change.model}:{change.version}")


@command.command("ls")
@click.argument("namespace", required=False, default="", shell_complete=complete_namespaces)
@registry_options
@click.pass_obj
def ls(invocation: Invocation, namespace: str) -> None:
    """List the states that versions in a namespace may be moved into.

    Examples:
      objreg state ls
      objreg state ls fraud
    """
    found = invocation.registry().states(namespace.removesuffix("/"))
    rows = [
        (item.name, "exclusive" if item.exclusive else "shared", item.namespace, item.description) for item in found
    ]
    invocation.output.result(found, Table(("state", "rule", "namespace", "description"), rows))
