"""The pages of the documentation, and what stands in them."""

import re
from dataclasses import dataclass
from pathlib import Path

__all__ = ["PAGES", "ROOT", "Block", "blocks", "section", "table"]

ROOT = Path(__file__).resolve().parents[2]
PAGES = (ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md")))
_BLOCK = re.compile(r"^```(?P<words>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, a word that says what the tests do with it, and its text."""

    language: str
    purpose: str
    text: str


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page in order."""
    found = []
    for match in _BLOCK.finditer(page.read_text("utf-8")):
        language, _, purpose = match["words"].partition(" ")
        found.append(Block(language, purpose, match["text"]))
    return found


def section(page: Path, title: str) -> str:
    """Return the text under a heading of the second level."""
    text = page.read_text("utf-8")
    assert f"\n## {title}\n" in text, f"{page.name} has no section {title}"
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def table(text: str) -> list[list[str]]:
    """Return the cells of the rows of the first table in a text, without its head."""
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert rows, "there is no table"
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]
