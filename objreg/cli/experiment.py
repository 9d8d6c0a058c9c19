"""``objreg experiment``."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from objreg.cli.completers import complete_specs
from objreg.cli.help import Group
from objreg.cli.invocation import Invocation, description_option, key_values, message_option, registry_options
from objreg.cli.output import Fields, Table
from objreg.cli.progress import progress_bar
from objreg.cli.values import FiniteRange, merged, sources
from objreg.errors import NotFound

if TYPE_CHECKING:  # imported by the commands when they open the registry
    from objreg.core.records import Experiment

__all__ = ["command", "experiment_table"]


@click.group(cls=Group)
def command() -> None:
    """Record evaluations of a version, and read them.

    Examples:
      objreg experiment record fraud/clf:1.2 holdout --metric auc=0.93
      objreg experiment ls fraud/clf:1.2
    """


@command.command("record")
@click.argument("spec", shell_complete=complete_specs)
@click.argument("name")
@click.option("--metric", "metrics", metavar="NAME=NUMBER", multiple=True, callback=key_values, help="A metric.")
@click.option("--metrics-file", type=click.Path(path_type=Path), help="A TOML, JSON or YAML file of metrics.")
@click.option(
    "--parameter", "parameters", metavar="NAME=VALUE", multiple=True, callback=key_values, help="JSON or text."
)
@click.option("--parameters-file", type=click.Path(path_type=Path), help="A TOML, JSON or YAML file of parameters.")
@click.option("--dataset", "datasets", metavar="NAME=PATH", multiple=True, callback=key_values, help="Path or digest.")
@click.option("--artifact", "artifacts", metavar="PATH", multiple=True, help="A file or folder, or NAME=PATH.")
@click.option("--duration", type=FiniteRange(min=0), help="How long it ran, in seconds.")
@click.option("--status", type=click.Choice(["finished", "passed", "failed"]), default="finished", help="Its verdict.")
@click.option("--seed", type=int, help="Of the random numbers.")
@description_option
@click.option("--expect", metavar="VERSION", help="The version that the spec must name, else refuse.")
@message_option
@registry_options
@click.pass_obj
def record(
    invocation: Invocation,
    /,
    spec: str,
    name: str,
    metrics: dict[str, str],
    metrics_file: Path | None,
    parameters: dict[str, str],
    parameters_file: Path | None,
    artifacts: tuple[str, ...],
    **given: Any,
) -> None:
    """Record an evaluation of a version: once, and never again under that name.

    A data set is a local file or folder, which is hashed, or a digest. Prints the version and the name.

    Examples:
      objreg experiment record fraud/clf:1.2 holdout --metric auc=0.93 --dataset holdout=data/holdout.csv
      objreg experiment record fraud/clf@staging gate --metrics-file metrics.json --status passed --artifact plots/
    """
    with progress_bar(f"record {name}", None, quiet=invocation.json or not artifacts) as sent:
        found = invocation.registry().record_experiment(
            spec,
            name,
            metrics=merged("metric", metrics_file, metrics),
            parameters=merged("parameter", parameters_file, parameters),
            artifacts=sources(artifacts) if artifacts else None,
            progress=sent,
            **given,
        )
    row = (f"{found.version.model}:{found.version.version}", found.name)
    invocation.output.result(found, Table(("version", "experiment"), [row]))


@command.command("ls")
@click.argument("spec", shell_complete=complete_specs)
@registry_options
@click.pass_obj
def ls(invocation: Invocation, spec: str) -> None:
    """List the experiments of a version.

    Examples:
      objreg experiment ls fraud/clf@production
    """
    found = invocation.registry().experiments(spec)
    invocation.output.result(found, experiment_table(found))


@command.command("show")
@click.argument("spec", shell_complete=complete_specs)
@click.argument("name")
@registry_options
@click.pass_obj
def show(invocation: Invocation, spec: str, name: str) -> None:
    """Show one experiment.

    Examples:
      objreg experiment show fraud/clf:1.2 holdout
    """
    experiments = {item.name: item for item in invocation.registry().experiments(spec)}
    if name not in experiments:
        there = f"it has {', '.join(experiments)}" if experiments else "it has none"
        raise NotFound(f"{spec} has no experiment {name}; {there}", name=name)
    found = experiments[name]
    invocation.output.result(found, Fields(_fields(found)))


def experiment_table(experiments: "Sequence[Experiment]") -> Table:
    """Return experiments, one a line."""
    rows = [
        (item.name, item.status, _metrics(item), item.created_at, item.created_by, item.description)
        for item in experiments
    ]
    return Table(("experiment", "status", "metrics", "created", "by", "description"), rows)


def _metrics(experiment: "Experiment") -> str:
    return " ".join(f"{name}={value!r}" for name, value in sorted(experiment.metrics.items()))


def _fields(experiment: "Experiment") -> list[tuple[str, str | int | float]]:
    import json

    values: list[tuple[str, str | int | float]] = [
        ("experiment", experiment.name),
        ("version", f"{experiment.version.model}:{experiment.version.version}"),
        ("status", experiment.status),
        ("created", experiment.created_at),
        ("by", experiment.created_by),
    ]
    if experiment.description:
        values.append(("description", experiment.description))
    for name, value in (("duration_seconds", experiment.duration_seconds), ("seed", experiment.seed)):
        if value is not None:
            values.append((name, value))
    values += [(f"metric.{name}", value) for name, value in sorted(experiment.metrics.items())]
    values += [(f"parameter.{name}", json.dumps(value)) for name, value in sorted(experiment.parameters.items())]
    values += [(f"dataset.{item.name}", item.digest or item.url) for item in experiment.datasets]
    values += [(f"file.{item.name}/{file.path}", file.digest) for item in experiment.artifacts for file in item.files]
    return values
