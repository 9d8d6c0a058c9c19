"""``objreg deployment``."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from objreg.cli.completers import complete_models, complete_specs
from objreg.cli.help import Group
from objreg.cli.invocation import Invocation, description_option, key_values, message_option, registry_options
from objreg.cli.output import Table

if TYPE_CHECKING:  # imported by the commands when they open the registry
    from objreg.core.records import Deployment

__all__ = ["command", "deployment_table"]


@click.group(cls=Group)
def command() -> None:
    """Record where versions are deployed.

    Examples:
      objreg deployment record fraud/clf@production --endpoint https://fraud.example.com
      objreg deployment ls fraud/clf
    """


@command.command("record")
@click.argument("spec", shell_complete=complete_specs)
@click.option("--endpoint", required=True, help="Where it answers.")
@click.option("--env", "environment", metavar="NAME=VALUE", multiple=True, callback=key_values, help="A variable.")
@click.option("--method", default="", help="How it runs, like ecs, sagemaker or lambda.")
@click.option("--rolling-strategy", default="", help="Like blue-green or canary.")
@click.option("--status", default="active", show_default=True, help="Where it stands.")
@description_option
@click.option("--expect", metavar="NUMBER", help='The last deployment you saw ("" for none), else refuse.')
@message_option
@registry_options
@click.pass_obj
def record(invocation: Invocation, /, spec: str, **given: Any) -> None:
    """Record that a version is put at an endpoint, under the model's next number.

    Nothing is deployed. A variable that looks like a secret is refused: name where the secret is kept instead. Prints
    the number.

    Examples:
      objreg deployment record fraud/clf:1.2 --endpoint https://fraud.example.com --method ecs --env THRESHOLD=0.4
    """
    found = invocation.registry().record_deployment(spec, **given)
    invocation.output.note(f"deployment {found.number} of {found.version.model} is version {found.version.version}")
    invocation.output.result(found, str(found.number))


@command.command("ls")
@click.argument("model", shell_complete=complete_models)
@registry_options
@click.pass_obj
def ls(invocation: Invocation, model: str) -> None:
    """List the deployments of a model, each with its present status.

    Examples:
      objreg deployment ls fraud/clf
    """
    found = invocation.registry().deployments(model)
    invocation.output.result(found, deployment_table(found))


@command.command("status")
@click.argument("model", shell_complete=complete_models)
@click.argument("number", type=click.IntRange(min=1))
@click.argument("status")
@click.option("--expect", metavar="STATUS", help="The status that you saw, else refuse.")
@message_option
@registry_options
@click.pass_obj
def status_(invocation: Invocation, model: str, number: int, status: str, expect: str | None, message: str) -> None:
    """Say what became of a deployment.

    Examples:
      objreg deployment status fraud/clf 3 ended -m "replaced by 4"
    """
    registry = invocation.changing_registry()
    found = registry.set_deployment_status(model, number, status, expect=expect, message=message)
    invocation.changed(found, Table(("number", "status"), [(found.number, found.status)]))


def deployment_table(deployments: "Sequence[Deployment]") -> Table:
    """Return deployments, one a line."""
    rows = [
        (
            item.number,
            f"{item.version.model}:{item.version.version}",
            item.status,
            item.endpoint,
            item.method,
            item.rolling_strategy,
            item.created_at,
            item.created_by,
        )
        for item in deployments
    ]
    return Table(("number", "version", "status", "endpoint", "method", "rolling", "created", "by"), rows)
