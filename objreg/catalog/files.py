"""Files that people write: TOML, JSON or YAML, read to one object of named fields."""

import json
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

from objreg.errors import InvalidInput, MissingDependency

__all__ = ["read_document"]

_MOST_BYTES = 4 * 1024 * 1024


def read_document(path: Path) -> dict[str, Any]:
    """Return the object that a TOML, JSON or YAML file holds; its name's ending says which it is.

    Raises:
        InvalidInput: the file cannot be read, or is not what its name says.
        MissingDependency: it is YAML, and PyYAML is not installed.
    """
    parse = _PARSERS.get(path.suffix.lower())
    if parse is None:
        raise InvalidInput(f"{path} is not a document: its name must end in {', '.join(_PARSERS)}", path=str(path))
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InvalidInput(f"{path} has more than {_MOST_BYTES} bytes, which no document needs", path=str(path))
        text = path.read_bytes().decode()
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}", path=str(path)) from error
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path} is not UTF-8: save it as UTF-8", path=str(path)) from error
    found = parse(text, str(path))
    if not isinstance(found, dict):
        raise InvalidInput(f"{path} must hold an object of named fields; it holds a {type(found).__name__}")
    return found


def _toml(text: str, name: str) -> Any:
    import tomllib

    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # ValueError: what is no TOML, or a number of 5,000 digits
        raise InvalidInput(f"{name} is not valid TOML: {error}") from error


def _json(text: str, name: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=lambda pairs: _without_repeats(pairs, name))
    except InvalidInput:
        raise
    except (ValueError, RecursionError) as error:  # as above
        raise InvalidInput(f"{name} is not valid JSON: {error}") from error


def _without_repeats(pairs: list[tuple[str, Any]], name: str) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise InvalidInput(f"{name} has the field {twice!r} twice in one object: keep one of them")
    return found


def _refuse_aliases(events: Iterable[object], name: str) -> None:
    if any(type(event).__name__ == "AliasEvent" for event in events):
        raise InvalidInput(
            f"{name} has a YAML alias (*name): write it out, for a few lines of them can stand for gigabytes"
        )


def _yaml(text: str, name: str) -> Any:
    try:
        yaml = import_module("yaml")
    except ImportError as error:
        raise MissingDependency(
            f"{name} is YAML, which needs PyYAML: pip install pyyaml, or write the document as TOML or JSON"
        ) from error
    try:
        _refuse_aliases(yaml.parse(text, Loader=yaml.SafeLoader), name)
        return yaml.safe_load(text)
    except InvalidInput:
        raise
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise InvalidInput(f"{name} is not valid YAML: {' '.join(str(error).split())}") from error


_PARSERS: dict[str, Callable[[str, str], Any]] = {".toml": _toml, ".json": _json, ".yaml": _yaml, ".yml": _yaml}
