"""Add and remove one wish in the text of a configuration file, and leave every other character as it is.

Lines are edited, not the document: comments, order and formatting are the person's own. The result is parsed, and is
refused unless it says exactly what the file said before, and the one change: so no edit can go wrong unseen.
"""

import json
import re
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from objreg.core.wants import DEFAULT_GROUP
from objreg.errors import InvalidInput

__all__ = ["with_request"]

_HEADER = re.compile(r"\s*\[{1,2}([^\[\]]*)\]{1,2}\s*(#.*)?")
_KEY = re.compile(r"""\s*(?:"(?P<double>[^"\\]*)"|'(?P<single>[^']*)'|(?P<plain>[A-Za-z0-9_-]+))\s*=\s*""")
_VALUE = re.compile(r"""("(?:[^"\\]|\\.)*"|'[^']*')""")


def with_request(text: str, config: Path, name: str, request: str | None, group: str = DEFAULT_GROUP) -> str:
    """Return the text of a configuration file with one request added, changed or removed.

    A new line goes where the order of names wants it, if the lines are in order, so that branches which add different
    models merge.

    Args:
        text: of the file; ``""`` for a new one.
        config: its path; in ``pyproject.toml`` the tables are below ``[tool.objreg]``.
        name: the model.
        request: for it; None removes it.
        group: whose.

    Raises:
        InvalidInput: the file is written in a way that cannot be edited by lines: the message has what to write.
    """
    table = ("assets",) if group == DEFAULT_GROUP else ("groups", group)
    if config.name == "pyproject.toml":
        table = ("tool", "objreg", *table)
    lines = text.removesuffix("\n").split("\n") if text else []
    edited = _removed(lines, table, name) if request is None else _put(lines, table, name, request)
    result = "".join(f"{line}\n" for line in edited)
    if _parsed(result) != _expected(text, table, name, request):
        wish = f"{json.dumps(name)} = {json.dumps(request)}" if request is not None else f"no {name}"
        raise InvalidInput(
            f"{config} is written in a way that objreg does not edit: write it yourself, in a table"
            f" [{'.'.join(table)}]: {wish}"
        )
    return result


def _expected(text: str, table: tuple[str, ...], name: str, request: str | None) -> Any:
    import tomllib

    document = deepcopy(tomllib.loads(text))
    found: Any = document
    for part in table:
        found = found.setdefault(part, {}) if isinstance(found, dict) else {}
    if request is None:
        found.pop(name, None)
    else:
        found[name] = request
    return document


def _parsed(text: str) -> Mapping[str, Any] | None:
    import tomllib

    try:
        return tomllib.loads(text)
    except ValueError:
        return None


def _put(lines: list[str], table: tuple[str, ...], name: str, request: str) -> list[str]:
    start, end = _region(lines, table)
    ending = "\r" if lines and lines[0].endswith("\r") else ""
    line = f"{json.dumps(name)} = {json.dumps(request)}{ending}"
    if start is None:
        gap = [ending] if lines and lines[-1].strip() else []
        return [*lines, *gap, f"[{'.'.join(table)}]{ending}", line]
    keys = _keys(lines, start, end)
    if name in keys:
        index = keys[name]
        match = _KEY.match(lines[index])
        assert match is not None
        changed = match[0] + _VALUE.sub(lambda _: json.dumps(request), lines[index][match.end() :], count=1)
        return [*lines[:index], changed, *lines[index + 1 :]]
    index = _place(lines, start, keys, name)
    return [*lines[:index], line, *lines[index:]]


def _place(lines: list[str], start: int, keys: Mapping[str, int], name: str) -> int:
    """Return before which line a new one goes."""
    later = [index for key, index in keys.items() if key > name]
    if not later or list(keys) != sorted(keys):
        return max(keys.values(), default=start) + 1
    index = min(later)
    while index - 1 > start and lines[index - 1].lstrip().startswith("#"):  # a comment belongs to what is below it
        index -= 1
    return index


def _removed(lines: list[str], table: tuple[str, ...], name: str) -> list[str]:
    start, end = _region(lines, table)
    index = _keys(lines, start, end).get(name) if start is not None else None
    return lines if index is None else [*lines[:index], *lines[index + 1 :]]


def _region(lines: list[str], table: tuple[str, ...]) -> tuple[int | None, int]:
    """Return the line of a table's header, and the one after its last."""
    start: int | None = None
    for index, line in enumerate(lines):
        match = _HEADER.fullmatch(line)
        if match is None:
            continue
        if start is not None:
            return start, index
        if tuple(part.strip().strip("\"'") for part in match[1].split(".")) == table:
            start = index
    return start, len(lines)


def _keys(lines: list[str], start: int, end: int) -> dict[str, int]:
    found: dict[str, int] = {}
    for index in range(start + 1, end):
        if match := _KEY.match(lines[index]):
            found[match["double"] or match["single"] or match["plain"] or ""] = index
    return found
