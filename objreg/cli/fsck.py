"""``objreg fsck``."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from objreg.cli.completers import complete_models
from objreg.cli.help import Command
from objreg.cli.invocation import Invocation, registry_options
from objreg.cli.output import Table, plain

if TYPE_CHECKING:  # imported by the command when it opens the registry
    from objreg.core.audit.findings import Finding
    from objreg.maintenance.fsck import FsckReport

__all__ = ["FOUND", "command"]

FOUND = 1
"""The exit code where a promise is broken; no error of objreg is raised with it."""


@click.command(cls=Command)
@click.argument("path", metavar="[SPEC]", default="", shell_complete=complete_models)
@click.option("--deep", is_flag=True, help="Read and hash every blob, and whatever nothing names.")
@click.option(
    "--stored-checksums",
    is_flag=True,
    help="With --deep, do not read blobs of which the store itself keeps the right SHA-256; see objreg doctor.",
)
@click.option("--since", is_flag=True, help="Replay only what came after the last entry that was verified here.")
@click.option(
    "--since-entry",
    metavar="NUMBER",
    type=click.IntRange(min=0),
    help="Take a model's entries up to this one on trust, and replay only later ones.",
)
@registry_options
@click.pass_context
def command(
    ctx: click.Context, path: str, deep: bool, stored_checksums: bool, since: bool, since_entry: int | None
) -> None:
    """Verify a registry: every entry, record, snapshot, pointer and rule.

    Walks each log from its first entry, and looks at every object in the folder. Blobs must be there with the right
    size; --deep reads them, and with --stored-checksums takes the store's word where it has one. All findings are
    reported, with what each means; nothing is repaired. SPEC is a model or a namespace; left out, everything. Ends with
    1 if there is an error; warnings and notes end with 0.

    Examples:
      objreg fsck
      objreg fsck fraud/clf --deep
      objreg fsck --since --json | jq -r '.findings[] | [.severity, .code, .key] | @tsv'
    """
    from objreg.maintenance.fsck import fsck

    invocation = ctx.ensure_object(Invocation)
    registry = invocation.registry()
    with _counter(quiet=invocation.json) as progress:
        report = fsck(
            registry,
            path,
            deep=deep,
            stored_checksums=stored_checksums,
            since=since,
            since_entry=since_entry,
            progress=progress,
        )
    for text in _meanings(report.findings):
        invocation.output.note(text)
    if stored_checksums:
        taken = f"{report.blobs_vouched} of {report.blobs} blobs were taken at the store's word"
        invocation.output.note(f"{taken}, and {report.blobs_read} read")
    invocation.output.note(_summary(report))
    rows = [(found.severity, found.code, found.key, found.message) for found in report.findings]
    counts = {name: value for name, value in plain(report).items() if name not in {"url", "findings"}}
    document = {"url": report.url, "ok": report.ok, **counts, "findings": report.findings}
    invocation.output.result(document, Table(("severity", "finding", "key", "what"), rows))
    if not report.ok:
        ctx.exit(FOUND)


def _meanings(findings: tuple["Finding", ...]) -> Iterator[str]:
    """Yield what each kind of finding means, once, in the order of the findings."""
    for code, meaning in {found.code: found.meaning for found in findings}.items():
        yield f"{code}: {meaning}"


def _summary(report: "FsckReport") -> str:
    looked = f"{report.entries} entries, {report.records} records and {report.blobs} blobs of {report.domains} logs"
    counts = {"errors": report.count("error"), "warnings": report.count("warning"), "notes": report.count("note")}
    found = ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "nothing wrong"
    return f"{looked}: {found}"


@contextmanager
def _counter(*, quiet: bool) -> Iterator[Callable[[int], None]]:
    """Count the objects that were read on stderr, where that is a terminal."""
    if quiet or sys.stderr is None or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("verify {task.completed:.0f} objects"), TimeElapsedColumn())
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as bar:
        task = bar.add_task("verify", total=None)
        yield lambda count: bar.advance(task, count)
