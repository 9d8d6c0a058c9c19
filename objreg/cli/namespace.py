"""``objreg namespace``."""

import click

from objreg.cli.completers import complete_namespaces
from objreg.cli.help import Group
from objreg.cli.invocation import Invocation, message_option, registry_options
from objreg.cli.output import Fields, Table

__all__ = ["command"]


@click.group(cls=Group)
def command() -> None:
    """Say what a namespace is.

    Examples:
      objreg namespace put fraud --owner fraud@example.com
      objreg namespace ls
    """


@command.command("put")
@click.argument("namespace", shell_complete=complete_namespaces)
@click.option("-d", "--description", help="For people.")
@click.option("--owner", help="Who answers for it.")
@click.option("--url", "page", metavar="URL", help="Of its page.")
@message_option
@registry_options
@click.pass_obj
def put(
    invocation: Invocation, namespace: str, description: str | None, owner: str | None, page: str | None, message: str
) -> None:
    """Say what a namespace is; it needs no other act to exist.

    What is left out stays as it is; "" takes it away.

    Examples:
      objreg namespace put abc_corp/claim --owner alice@example.com -d "claims handling"
    """
    registry = invocation.changing_registry()
    found = registry.put_namespace(namespace, description=description, owner=owner, url=page, message=message)
    invocation.changed(found, found.namespace)


@command.command("show")
@click.argument("namespace", shell_complete=complete_namespaces)
@registry_options
@click.pass_obj
def show(invocation: Invocation, namespace: str) -> None:
    """Show what a namespace says of itself.

    Examples:
      objreg namespace show fraud
    """
    found = invocation.registry().namespace(namespace)
    fields = ("namespace", "description", "owner", "url", "created_at", "created_by")
    invocation.output.result(found, Fields([(name, str(getattr(found, name))) for name in fields]))


@command.command("ls")
@registry_options
@click.pass_obj
def ls(invocation: Invocation) -> None:
    """List all namespaces: those that hold a model, or say something of themselves.

    Examples:
      objreg namespace ls
    """
    found = invocation.registry().namespaces()
    invocation.output.result(
        [{"namespace": name} for name in found], Table(("namespace",), [(name,) for name in found])
    )
