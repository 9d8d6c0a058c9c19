"""Read values and sources from arguments: ``key=value`` pairs, files of values, ``NAME=PATH``."""

import json
from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import Any

import click

from objreg.errors import InvalidInput

__all__ = ["FiniteRange", "json_or_text", "merged", "sources"]


class FiniteRange(click.FloatRange):
    """Numbers in a range, of which ``nan`` and ``inf`` are none: to compare with them is to decide nothing."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number."""
        found: float = super().convert(value, param, ctx)
        if not isfinite(found):
            self.fail(f"{value!r} is not a finite number", param, ctx)
        return found


def json_or_text(value: str) -> Any:
    """Return what a value says as JSON (``3``, ``true``, ``[1,2]``), or itself where it is none: ``adam``."""
    try:
        return json.loads(value)
    except (ValueError, RecursionError):  # ValueError: also a number of 5,000 digits
        return value


def merged(what: str, file: Path | None, pairs: Mapping[str, str]) -> dict[str, Any]:
    """Return the values of a file together with those of the command line.

    Args:
        what: how to call them in a message.
        file: TOML, JSON or YAML, or None.
        pairs: from repeated ``key=value`` options.

    Raises:
        InvalidInput: the file is not a document, or both say something of the same name.
    """
    from objreg.catalog.files import read_document

    found = {} if file is None else read_document(file)
    both = sorted(found.keys() & pairs.keys())
    if both:
        raise InvalidInput(f"{what} {', '.join(both)} is given on the command line and in {file}: keep one of them")
    return found | {name: json_or_text(value) for name, value in pairs.items()}


def sources(texts: tuple[str, ...]) -> str | dict[str, str]:
    """Return what to push: one path as it is; else artifacts by name.

    Args:
        texts: each a path, or ``NAME=PATH``. Of several paths each is an artifact of its own, named by its file's name
            without the ending. A path that exists is taken as a path, even with a ``=`` in it.

    Raises:
        InvalidInput: two artifacts have the same name.
    """
    if len(texts) == 1 and _is_path(texts[0]):
        return texts[0]
    found: dict[str, str] = {}
    for text in texts:
        name, path = (_stem(text), text) if _is_path(text) else tuple(text.split("=", 1))
        if name in found:
            raise InvalidInput(
                f"{found[name]} and {path} would both be the artifact {name!r}: name them, like first={found[name]}"
            )
        found[name] = path
    return found


def _stem(text: str) -> str:
    """Return the name of a path without its ending; that of the folder it leads to for ``.`` and ``..``."""
    from objreg.local.config import absolute

    return absolute(Path(text)).stem


def _is_path(text: str) -> bool:
    try:
        return "=" not in text or Path(text).exists()
    except OSError:  # no name of a file, like one that is too long
        return False
