"""The project that a process works in: the file that says what it wants of a registry, and the lock file beside it."""

import os
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from objreg.core.lock_file import LOCK_NAME, REVISION, LockFile, read_lock
from objreg.errors import InvalidInput, StoreError
from objreg.local.config import folder_tables, is_on, process_environment, start_folder

__all__ = ["Project", "find_lock", "find_project", "is_same_place", "load_lock", "read_text", "write_text"]


@dataclass(frozen=True)
class Project:
    """Where a project's wishes and its lock file are.

    Attributes:
        config: the file that holds the wishes, or is to be made.
        table: what it says: all of ``objreg.toml``, or ``[tool.objreg]``.
    """

    config: Path
    table: Mapping[str, Any] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """The project's own."""
        return self.config.parent

    @property
    def lock_path(self) -> Path:
        """Where the lock file is, or will be."""
        return self.folder / LOCK_NAME


def find_project(start: Path | None = None) -> Project:
    """Find the project that a folder is in.

    It is the nearest folder upwards in which a configuration file has ``[assets]`` or ``[groups]``, or that has a lock
    file; else the nearest with a configuration file; else the folder itself.

    Args:
        start: the working directory by default.

    Raises:
        InvalidInput: a configuration file that was reached is not valid.
    """
    start = start_folder(start)
    nearest: Project | None = None
    for folder in (start, *start.parents):
        found = [Project(path, table) for path, table in folder_tables(folder)]
        wishes = next((project for project in found if project.table.keys() & {"assets", "groups"}), None)
        if wishes is not None:
            return wishes
        if (folder / LOCK_NAME).is_file():
            return found[0] if found else Project(folder / "objreg.toml")
        nearest = nearest or (found[0] if found else None)
    return nearest or Project(start / "objreg.toml")


def find_lock(start: Path | None = None, environ: Mapping[str, str] | None = None) -> Path | None:
    """Return the nearest lock file from a folder upwards, or None; None too where ``OBJREG_LOCK`` is 0.

    Args:
        start: the working directory by default.
        environ: environment variables; those of this process by default.
    """
    environ = process_environment() if environ is None else environ
    if not is_on("OBJREG_LOCK", environ, default=True):
        return None
    try:
        start = start_folder(start)
    except InvalidInput:
        return None  # the working directory was removed
    places = (folder / LOCK_NAME for folder in (start, *start.parents))
    return next((path for path in places if path.is_file()), None)


def load_lock(path: Path) -> LockFile | None:
    """Return what a lock file says, or None if there is none.

    A file of a newer revision is read as far as this release knows it, with a warning.

    Raises:
        FormatError: it is of a newer version.
        InvalidInput: it is not what objreg writes.
    """
    text = read_text(path)
    if text is None:
        return None
    lock = read_lock(text, str(path))
    if lock.revision > REVISION:
        warnings.warn(
            f"{path} is of revision {lock.revision}, and this release of objreg writes revision {REVISION}: it is read,"
            f" and what is new in it is passed over",
            stacklevel=2,
        )
    return lock


def is_same_place(registry: str, folder: Path, url: str) -> bool:
    """Tell whether a lock file is for the registry that is in use.

    Args:
        registry: as the lock file has it.
        folder: of the lock file.
        url: of the registry in use.
    """
    return _place(registry, folder) == _place(url, folder)


def _place(url: str, folder: Path) -> str:
    scheme, separator, _ = url.partition("://")
    if not separator:
        return os.path.realpath(folder / os.path.expanduser(url))  # noqa: PTH111  # of nobody's home it says nothing, and raises not
    if scheme == "file":
        return os.path.realpath(unquote(urlsplit(url).path))
    return url.partition("?")[0].rstrip("/")


def read_text(path: Path) -> str | None:
    """Return a project's file, or None if it is not there.

    Raises:
        InvalidInput: it cannot be read, or is not UTF-8.
    """
    try:
        return path.read_bytes().decode()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path} is not UTF-8: save it as UTF-8") from error


def write_text(path: Path, text: str) -> bool:
    """Write a project's file, whole or not at all; return whether it changed. A symbolic link is followed.

    Raises:
        StoreError: the folder does not take it.
    """
    data = text.encode()
    path = Path(os.path.realpath(path))
    try:
        if path.exists() and path.read_bytes() == data:
            return False
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as scratch:
            written = Path(scratch, path.name)
            written.write_bytes(data)
            if path.exists():
                written.chmod(path.stat().st_mode & 0o777)
            written.replace(path)
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror or error}; it is as it was") from error
    return True
