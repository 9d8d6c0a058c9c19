"""``objreg retain``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from objreg.cli.completers import complete_models, complete_namespaces
from objreg.cli.help import Group
from objreg.cli.invocation import Invocation, message_option, registry_options
from objreg.cli.output import Table, plain

if TYPE_CHECKING:  # imported by the command when it opens the registry
    from objreg.core.records import RetentionPolicy
    from objreg.core.retention import RetentionLine

__all__ = ["command"]


class _PlanByDefault(Group):
    """A group whose command is ``plan`` where none of its commands is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put ``plan`` before what is not a command."""
        if not args or args[0] not in {*self.commands, *ctx.help_option_names}:
            args = ["plan", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_PlanByDefault)
def command() -> None:
    """Retire versions by a retention policy.

    A policy says for each state how many days versions and experiments' artifacts are kept. What is deployed, or in a
    state without a rule, is kept. Without the name of a command, this is 'objreg retain plan'.

    Examples:
      objreg retain set retention.toml
      objreg retain
      objreg retain fraud/clf --apply
    """


@command.command("plan")
@click.argument("models", nargs=-1, metavar="[MODEL]...", shell_complete=complete_models)
@click.option("--apply/--dry-run", default=False, help="Do what the plan shows; without it nothing is changed.")
@click.option("--all", "kept", is_flag=True, help="Show also what is kept, and why.")
@registry_options
@click.pass_obj
def plan(invocation: Invocation, models: tuple[str, ...], apply: bool, kept: bool) -> None:
    """Show which versions are due to be retired and which artifacts expire, each with its reason; --apply does it.

    With --apply, each model is changed in one commit, and a version that came to be used meanwhile is left. Their files
    are deleted by 'objreg gc'. Without MODEL, all models are looked at.

    Examples:
      objreg retain plan
      objreg retain plan fraud/clf --all
      objreg retain plan --apply
    """
    from objreg.maintenance import apply_retention, plan_retention

    registry = invocation.registry()
    documents, rows = [], []
    for item in plan_retention(registry, *models):
        done = apply_retention(registry, item) if apply else ()
        shown = item.lines if kept else done if apply else item.due
        rows += [_row(item.model, line) for line in shown]
        policy = None if item.policy is None else item.policy.namespace
        documents.append({"model": item.model, "policy": policy, "lines": plain(item.lines), "applied": plain(done)})
        if item.policy is None:
            invocation.output.note(f"no retention policy holds for {item.model}: all is kept")
    if not apply and any(row[0] != "keep" for row in rows):
        invocation.output.note("nothing was changed: --apply does it")
    invocation.output.result(documents, Table(("action", "spec", "experiment", "reason"), rows))


def _row(model: str, line: "RetentionLine") -> tuple[str, str, str, str]:
    return line.action, f"{model}:{line.version}", line.experiment, line.reason


@command.command("set")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--namespace", default="", shell_complete=complete_namespaces, help="Where it holds; else everywhere.")
@message_option
@registry_options
@click.pass_obj
def set_(invocation: Invocation, file: Path, namespace: str, message: str) -> None:
    """Make the rules in a TOML file the retention policy.

    A table [retention.<state>] holds 'models' and 'runs', both in days, and 'keep_last', how many of the newest are
    kept in any case (1, unless it says otherwise). What is left out is kept for ever. [retention.none] is for versions
    that are in no state. Nothing is retired by setting a policy.

    Examples:
      objreg retain set retention.toml -m "agreed with legal"
      objreg retain set retention.toml --namespace fraud
    """
    from objreg.maintenance import put_policy, read_policy_file

    rules, registry = read_policy_file(file), invocation.changing_registry()
    found = put_policy(registry, rules, namespace=namespace.removesuffix("/"), message=message)
    invocation.changed(found, _table(found))


@command.command("show")
@click.argument("path", required=False, default="", shell_complete=complete_namespaces)
@registry_options
@click.pass_obj
def show(invocation: Invocation, path: str) -> None:
    """Show the retention policy that holds for a namespace or a model: the nearest one, and only that.

    Examples:
      objreg retain show
      objreg retain show fraud/clf
    """
    from objreg.maintenance import retention_policy

    found = retention_policy(invocation.registry(), path.removesuffix("/"))
    if found is None:
        invocation.output.note(f"no retention policy holds for {path or 'the registry'}: all is kept")
    invocation.output.result(found, _table(found))


def _table(policy: "RetentionPolicy | None") -> Table:
    rules: dict[str, Any] = {} if policy is None else dict(policy.rules)
    rows = [
        (state, *("for ever" if days is None else f"{days} days" for days in (rule.models, rule.runs)), rule.keep_last)
        for state, rule in sorted(rules.items())
    ]
    return Table(("state", "models", "runs", "keep_last"), rows)
