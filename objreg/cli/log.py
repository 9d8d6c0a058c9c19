"""``objreg log``."""

import sys
from itertools import islice
from typing import TYPE_CHECKING

import click

from objreg.cli.completers import complete_models, complete_namespaces
from objreg.cli.help import Command
from objreg.cli.invocation import Invocation, registry_options
from objreg.cli.output import Table, plain

if TYPE_CHECKING:  # imported by the command when it opens the registry
    from objreg.core.state import Change

__all__ = ["command"]

_COLUMNS = ("entry", "time", "by", "what", "why", "digest")
_WORDS = {
    "version": "version {version}",
    "experiment": "experiment {name} of {version}",
    "state_change": "state {name}: {before} -> {after}",
    "state_definition": "state {name} defined",
    "deployment": "deployment {name} of {version}: {after}",
    "deployment_status": "deployment {name} of {version}: {before} -> {after}",
    "retirement": "version {version} retired",
    "expiry": "artifacts of experiment {name} of {version} expired",
    "condemned": "blobs condemned",
    "swept": "blobs deleted",
}


@click.command(cls=Command)
@click.argument("model", required=False, shell_complete=complete_models)
@click.option("--namespace", shell_complete=complete_namespaces, help="The history of a namespace's own record.")
@click.option("-n", "--limit", type=click.IntRange(min=1), help="At most so many commits, the newest first.")
@registry_options
@click.pass_obj
def command(invocation: Invocation, model: str | None, namespace: str | None, limit: int | None) -> None:
    """Show the history of a model: who, when, why, from what to what.

    The newest commit comes first, and the chain of digests is verified on the way. Without MODEL, the history of the
    registry's own settings and state definitions.

    Examples:
      objreg log fraud/clf
      objreg log fraud/clf -n 1 --json
      objreg log --namespace fraud
    """
    if model and namespace:
        raise click.UsageError("name a model or a namespace, not both")
    registry = invocation.registry()
    history = registry.history(model) if model else registry.scope_history(namespace or "")
    items = tuple(islice(history, limit and min(limit, sys.maxsize)))
    rows = (
        (item.seq, plain(item.time), item.actor, "; ".join(map(describe, item.changes)), item.message, item.digest)
        for item in items
    )
    invocation.output.result(items, Table(_COLUMNS, rows))


def describe(change: "Change") -> str:
    """Return what a commit did in words."""
    before, after = ", ".join(change.before), ", ".join(change.after)
    words = _WORDS.get(change.kind)
    if words is None:  # a kind of a later release; it comes from the bucket, so it is text and no pattern
        return change.kind.replace("_", " ")
    return words.format(name=change.name, version=change.version, before=before or "none", after=after or "none")
