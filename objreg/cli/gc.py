"""``objreg gc``."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from objreg.cli.completers import complete_models
from objreg.cli.help import Command
from objreg.cli.invocation import Invocation, registry_options
from objreg.cli.output import Table, plain
from objreg.cli.values import FiniteRange

if TYPE_CHECKING:  # imported by the command when it opens the registry
    from objreg.maintenance import Collected, CollectionPlan

__all__ = ["command"]


@click.command(cls=Command)
@click.argument("models", nargs=-1, metavar="[MODEL]...", shell_complete=complete_models)
@click.option("--apply/--dry-run", default=False, help="Delete what the plan shows; without it nothing is changed.")
@click.option(
    "--grace",
    metavar="DAYS",
    type=FiniteRange(min=0, max=36500),
    default=7.0,
    show_default=True,
    help="Leave blobs that are younger, and versions that were retired more recently.",
)
@registry_options
@click.pass_obj
def command(invocation: Invocation, models: tuple[str, ...], apply: bool, grace: float) -> None:
    """Delete the blobs that nothing needs any more.

    That is what crashed pushes left, what only retired versions have, and artifacts of experiments that expired. The
    plan shows each blob with its size and why it may go. Records and history stay for ever. It is safe beside any
    number of pushes, pulls and other collections, whatever the grace; a collection that crashed is finished first.
    Without MODEL, all models are looked at.

    Examples:
      objreg gc
      objreg gc fraud/clf --apply
      objreg gc --grace 30 --apply
    """
    from objreg.maintenance import collect, plan_collection

    registry = invocation.registry()
    plans = plan_collection(registry, *models, grace=timedelta(days=grace))
    done = {plan.model: collect(registry, plan) for plan in plans if apply and (plan.garbage or plan.unfinished)}
    rows = [
        (item.key, item.size, item.reason)
        for plan in plans
        for item in (plan.garbage if not apply else done[plan.model].deleted if plan.model in done else ())
    ]
    for plan in plans:
        for note in _notes(plan, done.get(plan.model), grace):
            invocation.output.note(f"{plan.model}: {note}")
    invocation.output.note(_summary(rows, apply))
    invocation.output.result([_document(plan, done.get(plan.model)) for plan in plans], Table(_COLUMNS, rows))


_COLUMNS = ("blob", "size", "reason")


def _notes(plan: "CollectionPlan", done: "Collected | None", grace: float) -> list[str]:
    from objreg.maintenance import counted

    notes = []
    if plan.unfinished:
        said = "finished it" if done else "--apply finishes it"
        notes.append(f"a collection of {counted(len(plan.unfinished))} was left unfinished; {said}")
    if done and done.kept:
        notes.append(f"{counted(len(done.kept))} came to be needed meanwhile, or another collection took them")
    if plan.spared:
        notes.append(f"{counted(plan.spared)} younger, or retired more recently, than {grace:g} days: left")
    if plan.foreign:
        notes.append(f"objects among the blobs that are none: left {len(plan.foreign)}, like {plan.foreign[0]}")
    return notes


def _summary(rows: list[tuple[str, int, str]], apply: bool) -> str:
    from objreg.maintenance import counted

    found = f"{counted(len(rows))}, {sum(size for _, size, _ in rows)} bytes"
    if apply:
        return f"deleted {found}"
    return f"{found}, would be deleted; nothing was changed: --apply does it" if rows else "there is nothing to delete"


def _document(plan: "CollectionPlan", done: "Collected | None") -> dict[str, Any]:
    found: dict[str, Any] = {
        "model": plan.model,
        "garbage": plain(plan.garbage),
        "unfinished": plan.unfinished,
        "spared": plan.spared,
        "foreign": plan.foreign,
        "applied": done is not None,
    }
    if done is not None:
        found |= {"deleted": plain(done.deleted), "kept": done.kept, "finished": done.finished}
    return found
