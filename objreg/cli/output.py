"""What a command prints: results to stdout, everything else to stderr; as text for people, or as one JSON document.

On a terminal a table has a header and is aligned by ``rich``. In a pipe it is one line for each item, with tabs between
the columns, nothing shortened, no header and no colour. What came from a bucket is never trusted with a terminal:
control characters are shown as escapes.
"""

import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import click

__all__ = ["Fields", "Output", "Table", "View", "dump", "plain", "visible"]

Cell = str | int | float
_SHORT_DIGEST = len("sha256:") + 12
_WHOLE_DIGEST = len("sha256:") + 64
_COLUMN_WIDTH = 9
"""What is left for each column at least, with the space beside it, before another one is shown in one piece."""
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def visible(text: str) -> str:
    """Return text in which whatever could move a cursor, reorder or hide letters is an escape, as Python spells it."""
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape", "surrogatepass").decode("ascii")
        for letter in text
    )


@dataclass(frozen=True)
class Table:
    """Items, one a line.

    Attributes:
        columns: headers, shown on a terminal only. A column called ``size`` holds bytes.
        rows: cells in the order of the columns.
    """

    columns: Sequence[str]
    rows: Iterable[Sequence[Cell]]


@dataclass(frozen=True)
class Fields:
    """One item: a name and a value on each line. A field called ``size`` holds bytes."""

    values: Sequence[tuple[str, Cell]]


View = str | Table | Fields


@dataclass(frozen=True)
class Output:
    """Where a command's results go.

    Attributes:
        json: whether results are one JSON document, and notes and errors JSON too.
    """

    json: bool = False

    def result(self, document: Any, *views: View) -> None:
        """Print a result.

        Args:
            document: for ``--json``: records, values, and containers of them.
            views: for people and pipes, one after another.
        """
        if self.json:
            click.echo(dump(document))
            return
        for view in views:
            if isinstance(view, str):
                click.echo(visible(view))
            elif sys.stdout is not None and sys.stdout.isatty():
                _print_table(view)
            else:
                _print_lines(view)

    def raw(self, chunks: Iterable[bytes]) -> None:
        """Print bytes as they are."""
        if sys.stdout is None:
            return
        sys.stdout.flush()
        for chunk in chunks:
            sys.stdout.buffer.write(chunk)

    def note(self, text: str) -> None:
        """Tell a person something that is not a result; a program sees it in the document."""
        if not self.json:
            click.echo(f"objreg: {visible(text)}", err=True)

    def warning(self, text: str) -> None:
        """Tell of something that was not asked for."""
        click.echo(dump({"warning": text}) if self.json else f"objreg: warning: {visible(text)}", err=True)


def dump(document: Any) -> str:
    """Return a JSON document as text: indented, in ASCII, times as RFC 3339."""
    import json

    return json.dumps(plain(document), indent=2)


def plain(value: Any) -> Any:
    """Return a record or a value of the registry as plain JSON."""
    from dataclasses import fields, is_dataclass
    from datetime import datetime

    if isinstance(value, datetime):
        from objreg.core.times import format_time

        return format_time(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if value is None or isinstance(value, str | int | float):
        return value
    import msgspec

    return plain(msgspec.to_builtins(value)) if isinstance(value, msgspec.Struct) else str(value)


def _print_lines(view: Table | Fields) -> None:
    for row in view.rows if isinstance(view, Table) else view.values:
        click.echo("\t".join(visible(str(cell)) for cell in row))


def _print_table(view: Table | Fields) -> None:
    from shutil import get_terminal_size

    from rich import box
    from rich.console import Console
    from rich.table import Table as RichTable

    # rich would take a terminal that knows no colours for one of 80 columns
    width, height = get_terminal_size()
    console = Console(file=sys.stdout, width=width, height=height, markup=False, highlight=False, emoji=False)
    if isinstance(view, Table):
        table = RichTable(box=box.SIMPLE_HEAD, pad_edge=False)
        names, rows = _filled(view)
    else:
        table = RichTable(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
        names, rows = ["", ""], [[name, _short(name, value)] for name, value in view.values]
    room = console.width - len(names) * _COLUMN_WIDTH
    for index, name in enumerate(names):
        # What a person copies stays in one piece while there is room; a table that is too wide would be cut off.
        widest = max((len(row[index]) for row in rows), default=0) if index == 0 or name == "digest" else 0
        whole = bool(widest) and widest <= room + _COLUMN_WIDTH
        room -= widest if whole else 0
        table.add_column(name, overflow="fold", width=widest if whole else None)
    for row in rows:
        table.add_row(*map(_text, row))
    console.print(table)


def _filled(view: Table) -> tuple[list[str], list[list[str]]]:
    """Return the columns that have a value in any row, and the rows of these."""
    rows = [[_short(name, cell) for name, cell in zip(view.columns, row, strict=True)] for row in view.rows]
    used = [index for index in range(len(view.columns)) if index == 0 or any(row[index] for row in rows)]
    return [view.columns[index] for index in used], [[row[index] for index in used] for row in rows]


def _text(cell: str) -> Any:
    from rich.text import Text

    return Text(visible(cell))


def _short(name: str, cell: Cell) -> str:
    """Return a cell as a person likes to read it; a short digest still names its object."""
    if name == "size" and isinstance(cell, int):
        from rich.filesize import decimal

        return decimal(cell)
    text = str(cell)
    if _TIME.fullmatch(text):
        return f"{text[:10]} {text[11:19]}Z"
    return text[:_SHORT_DIGEST] if text.startswith("sha256:") and len(text) == _WHOLE_DIGEST else text
