"""``objreg namespace``."""

from typing import TYPE_CHECKING

import click

from objreg.cli.completers import complete_namespaces
from objreg.cli.help import Group
from objreg.cli.invocation import Invocation, registry_options
from objreg.cli.output import Fields, Table
from objreg.errors import NotFound

if TYPE_CHECKING:  # imported by the commands when they open the registry
    from objreg.core.records import Namespace
    from objreg.registry.registry import Registry

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
@click.option("-m", "--message", default="", help="Why, for the history.")
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
    registry = invocation.registry()
    said = _said(registry, namespace)
    found = registry.put_namespace(
        namespace,
        description=description if description is not None else said.description if said else "",
        owner=owner if owner is not None else said.owner if said else "",
        url=page if page is not None else said.url if said else "",
        message=message,
    )
    invocation.output.result(found, found.namespace)


def _said(registry: "Registry", namespace: str) -> "Namespace | None":
    try:
        return registry.namespace(namespace)
    except NotFound:
        return None


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
