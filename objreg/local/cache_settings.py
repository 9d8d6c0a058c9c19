"""How this machine's cache is set up: from the environment, else from ``[cache]`` of the nearest configuration file."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from objreg.errors import InvalidInput, StoreError
from objreg.local.cache import Cache
from objreg.local.cache_links import AUTO, LINKS
from objreg.local.config import absolute, folder_tables, process_environment, start_folder

__all__ = ["CacheSettings", "byte_size", "load_cache_settings"]

_KEYS = ("layers", "link", "max_size")
_MOST_BYTES = 2.0**80
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?", re.IGNORECASE)


@dataclass(frozen=True)
class CacheSettings:
    """How the cache is set up.

    Attributes:
        folder: where it is; absolute.
        layers: read-only caches below it.
        link: how files are put into the folder of a version.
        max_size: what ``objreg cache prune`` makes it fit into, in bytes; None where nobody said.
    """

    folder: Path
    layers: tuple[Path, ...] = ()
    link: str = AUTO
    max_size: int | None = None

    def open(self) -> Cache:
        """Return the cache.

        Raises:
            StoreError: something else is where its folder should be.
        """
        if self.folder.exists() and not self.folder.is_dir():
            raise StoreError(f"the cache {self.folder} is not a folder: remove it, or name another in OBJREG_CACHE_DIR")
        return Cache(self.folder, self.layers, self.link)


def load_cache_settings(
    folder: Path, *, start: Path | None = None, environ: Mapping[str, str] | None = None
) -> CacheSettings:
    """Find out how the cache is to be used.

    ``OBJREG_CACHE_LAYERS`` (folders with ``:`` between, on Windows ``;``), ``OBJREG_CACHE_LINK`` and
    ``OBJREG_CACHE_MAX_SIZE`` count; where one is not set, ``layers``, ``link`` and ``max_size`` in ``[cache]`` of the
    nearest ``objreg.toml`` (or ``[tool.objreg.cache]`` of a ``pyproject.toml``) that has such a table.

    Args:
        folder: of the cache, as ``load_settings`` finds it.
        start: where the search for a file begins; the working directory by default.
        environ: environment variables; those of this process by default.

    Raises:
        InvalidInput: a variable, or a file that was reached by the search, is not what it should be.
    """
    environ = process_environment() if environ is None else environ
    place, table = _table(start)
    link, source = _chosen(environ.get("OBJREG_CACHE_LINK"), "OBJREG_CACHE_LINK", table.get("link", AUTO), place)
    if link not in LINKS:
        raise InvalidInput(f"link {link!r} (from {source}) is unknown; use one of {', '.join(LINKS)}")
    size, source = _chosen(environ.get("OBJREG_CACHE_MAX_SIZE"), "OBJREG_CACHE_MAX_SIZE", table.get("max_size"), place)
    return CacheSettings(
        folder=folder,
        layers=_layers(environ, table, place),
        link=str(link),
        max_size=None if size is None else byte_size(size, source),
    )


def _chosen(value: str | None, variable: str, configured: object, place: str) -> tuple[object, str]:
    """Return what counts, and where it is from."""
    return (value, variable) if value else (configured, place)


def byte_size(text: object, place: str) -> int:
    """Return a size in bytes: ``20GB`` is 20 * 10^9, ``20GiB`` 20 * 2^30, a number is bytes.

    Raises:
        InvalidInput: it is no size; the message names the place it came from.
    """
    found = None if isinstance(text, bool) else _SIZE.fullmatch(str(text).strip())
    if found is None:
        raise InvalidInput(f"size {text!r} (from {place}) is none; write 20GB, 500MiB or a number of bytes")
    power = " kmgt".index(found[2].lower() or " ")
    number = float(found[1]) * (1024 if found[3] else 1000) ** power
    if number > _MOST_BYTES:
        raise InvalidInput(f"size {str(text)[:20]}… (from {place}) is more than any disk holds")
    return int(number)


def _layers(environ: Mapping[str, str], table: Mapping[str, object], place: str) -> tuple[Path, ...]:
    variable = environ.get("OBJREG_CACHE_LAYERS")
    if variable:
        return tuple(absolute(Path(folder)) for folder in variable.split(os.pathsep) if folder)
    named = table.get("layers", [])
    if not isinstance(named, list) or not all(isinstance(folder, str) and folder for folder in named):
        raise InvalidInput(f"layers in [cache] of {place} must be a list of folders")
    return tuple(absolute(Path(place).parent / os.path.expanduser(folder)) for folder in named)  # noqa: PTH111  # does not raise


def _table(start: Path | None) -> tuple[str, Mapping[str, object]]:
    try:
        start = start_folder(start)
    except InvalidInput:
        return "", {}  # the working directory was removed
    for folder in (start, *start.parents):
        for path, table in folder_tables(folder):
            if "cache" in table:
                return str(path), _checked(path, table["cache"])
    return "", {}


def _checked(path: Path, table: object) -> Mapping[str, object]:
    if not isinstance(table, dict):
        raise InvalidInput(f"cache in {path} must be a table, not {type(table).__name__}")
    for key in table.keys() - set(_KEYS):
        raise InvalidInput(f"unknown key {key!r} in [cache] of {path}; known keys are {', '.join(_KEYS)}", key=key)
    return table
