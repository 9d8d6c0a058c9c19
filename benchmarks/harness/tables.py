"""Tables in Markdown, and where they go: between two marks in docs/performance.md."""

import os
import platform
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

__all__ = ["DASH", "PAGE", "machine", "publish", "rounds_in_turn", "table", "write_section"]

DASH = "\N{EN DASH}"
PAGE = Path(__file__).parent.parent.parent / "docs" / "performance.md"


def table(header: Sequence[str], rows: Iterable[Sequence[str]], *, left: int = 1) -> str:
    """Return a table; the first ``left`` columns are text, the others are numbers and stand to the right."""
    lines = [header, ["---"] * left + ["--:"] * (len(header) - left), *rows]
    drawn = [f"| {' | '.join(line)} |" for line in lines]
    drawn[1] = drawn[1].replace(" ", "")
    return "\n".join(drawn)


def machine() -> str:
    """Return when and on what a measurement is made, for the sentence below a table."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {_processor()}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()},"
        f" Python {platform.python_version()}"
    )


def rounds_in_turn(rounds: int) -> str:
    """Return how often something was measured, and what stands in the cells, for the sentence below a table."""
    return "One round" if rounds == 1 else f"{rounds} rounds in turn, median (least{DASH}most)"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def publish(name: str, text: str, *, write: bool) -> None:
    """Print what was measured, and put it into the page's section of that name if that is asked for."""
    print(text, end="\n\n")
    if write:
        write_section(name, text)


def write_section(name: str, text: str) -> None:
    """Replace what stands between the marks of that name in the page.

    Raises:
        ValueError: the page has no such marks.
    """
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    page = PAGE.read_text()
    before, begun, rest = page.partition(begin)
    _, ended, after = rest.partition(end)
    if not begun or not ended:
        raise ValueError(f"{PAGE} has no {begin} with {end} after it; write them where the table belongs")
    PAGE.write_text(f"{before}{begin}\n{text.strip()}\n{end}{after}")
