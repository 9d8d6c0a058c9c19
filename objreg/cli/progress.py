"""A progress bar on stderr for whoever watches; nothing in a pipe."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["progress_bar"]


def _ignore(_: int) -> None:
    """Nobody watches."""


@contextmanager
def progress_bar(label: str, total: int | None, *, quiet: bool = False) -> Iterator[Callable[[int], None]]:
    """Show how far a transfer is, where stderr is a terminal.

    Args:
        label: what is transferred.
        total: bytes, or None where that is not known.
        quiet: show nothing in any case.

    Yields:
        What to call with the number of bytes dealt with.
    """
    if quiet or sys.stderr is None or not sys.stderr.isatty():
        yield _ignore
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as bar:
        task = bar.add_task(label, total=total)
        yield lambda size: bar.advance(task, size)
        # What is in the cache, or comes with another model, is not told as fetched, and is there all the same.
        bar.update(task, completed=total)
