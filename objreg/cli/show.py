"""``objreg show``."""

from typing import TYPE_CHECKING

import click

from objreg.cli.completers import complete_specs
from objreg.cli.deployment import deployment_table
from objreg.cli.experiment import experiment_table
from objreg.cli.help import Command
from objreg.cli.invocation import Invocation, offline_option, registry_options
from objreg.cli.output import Fields, Table
from objreg.errors import FormatError

if TYPE_CHECKING:  # imported by the command when it opens the registry
    from objreg.registry.values import Version, VersionSummary

__all__ = ["command"]


@click.command(cls=Command)
@click.argument("spec", shell_complete=complete_specs)
@offline_option
@registry_options
@click.pass_obj
def command(invocation: Invocation, spec: str) -> None:
    """Show all that is known of a version.

    Its record, files, states, experiments and deployments. A model without a version means its latest.

    Examples:
      objreg show fraud/clf
      objreg show fraud/clf@production --json
    """
    registry = invocation.registry()
    version = registry.resolve(spec)
    versions = {found.version: found for found in registry.versions(version.model)}
    if version.version not in versions:
        raise FormatError(f"a pointer of {version.model} names {version.spec}, and its manifest has no such version")
    summary = versions[version.version]
    experiments = registry.experiments(version)
    deployments = [found for found in registry.deployments(version.model) if found.version.version == version.version]
    document = {
        "spec": version.spec,
        "digest": version.digest,
        "states": summary.states,
        "retired": summary.retired,
        "record": version.record,
        "experiments": experiments,
        "deployments": deployments,
    }
    views = [_fields(version, summary), _files(version)]
    if experiments:
        views.append(experiment_table(experiments))
    if deployments:
        views.append(deployment_table(deployments))
    invocation.output.result(document, *views)


def _fields(version: "Version", summary: "VersionSummary") -> Fields | Table:
    import json

    record = version.record
    values: list[tuple[str, str | int]] = [
        ("version", version.spec),
        ("digest", version.digest),
        ("created", record.created_at),
        ("by", record.created_by),
        ("states", ",".join(summary.states)),
        ("size", version.size),
        ("python", record.environment.python),
    ]
    if summary.retired:
        values.append(("retired", "yes"))
    said = {"description": record.description, "framework": record.framework}
    values += [(name, text) for name, text in said.items() if text]
    if record.parent:
        values.append(("parent", f"{record.parent.model}:{record.parent.version}"))
    if record.code:
        values.append(("commit", record.code.commit + (" and changes" if record.code.dirty else "")))
    values += [(f"metadata.{name}", json.dumps(value)) for name, value in sorted(record.metadata.items())]
    return Fields(values)


def _files(version: "Version") -> Fields | Table:
    rows = [
        (f"{artifact.folder}/{file.path}" if artifact.folder else file.path, file.size, file.digest)
        for artifact in version.artifacts
        for file in artifact.files
    ]
    return Table(("file", "size", "digest"), rows)
