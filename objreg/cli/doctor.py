"""``objreg doctor``."""

import click

from objreg.cli.help import Command
from objreg.cli.invocation import Invocation, registry_options
from objreg.cli.output import Table

__all__ = ["command"]


@click.command(cls=Command)
@click.argument("location", metavar="[URL]", required=False)
@click.option(
    "--racers", default=32, show_default=True, type=click.IntRange(2, 256), help="Creates of one key at once."
)
@registry_options
@click.pass_context
def command(ctx: click.Context, location: str | None, racers: int) -> None:
    """Examine a store before it is trusted.

    Creates a few tiny objects below _registry/probe/, races for them over separate connections, lists and deletes them,
    and asks for the settings of the bucket. Says what works, what does not, and what to do. URL need not hold a
    registry; left out, the configured one. Ends with 1 if a check failed; warnings and unknowns end with 0.

    Examples:
      objreg doctor s3://models/registry
      objreg doctor ./registry --json | jq '.checks[] | select(.outcome != "ok")'
    """
    from objreg.local.config import load_settings
    from objreg.maintenance.checks import Outcome
    from objreg.maintenance.doctor import diagnose

    invocation = ctx.ensure_object(Invocation)
    if location and invocation.url and location != invocation.url:
        raise click.UsageError(f"the argument says {location} and --registry says {invocation.url}: give one of them")
    settings = load_settings(location or invocation.url, storage_options=invocation.options, engine=invocation.engine)
    found = diagnose(
        settings.url, storage_options=settings.storage_options or None, engine=settings.engine, racers=racers
    )
    document = {"url": found.url, "outcome": found.outcome, "checks": found.checks}
    rows = [(check.outcome, check.name, check.found, check.expected, check.remedy) for check in found.checks]
    invocation.output.result(document, Table(("outcome", "check", "found", "expected", "remedy"), rows))
    if found.outcome is Outcome.FAILED:
        ctx.exit(1)
