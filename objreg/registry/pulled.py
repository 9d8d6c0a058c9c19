"""The folders in the cache that hold pulled files: those of a whole version, or chosen ones of it."""

import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from objreg.core.artifacts import File
from objreg.core.selection import selection_digest
from objreg.errors import InvalidInput, StoreError
from objreg.registry.sending import Progress
from objreg.registry.session import Session
from objreg.registry.trees import build_folder
from objreg.registry.values import Version

__all__ = ["copy_files", "pulled_file", "pulled_folder"]


def pulled_folder(
    session: Session,
    version: Version,
    files: Mapping[str, File],
    chosen: Mapping[str, File],
    *,
    exact: bool,
    progress: Progress | None,
) -> Path:
    """Return a complete, read-only folder in the cache; what it lacks is fetched.

    Args:
        session: the registry.
        version: whose files.
        files: all of them.
        chosen: those that are wanted.
        exact: whether the folder must hold the chosen files alone; else it may be that of the whole version.
        progress: is told how many bytes were fetched.

    Raises:
        NotFound: the version was retired and its files were collected.
        IntegrityError: the bucket holds other bytes than the record promises; nothing is kept.
        StoreError: the store gave no answer, or the folder cannot be written.
    """
    is_all = len(chosen) == len(files)
    folder = session.cache.tree(version.digest) if is_all or not exact else None
    if folder is not None:
        return folder
    name = version.digest if is_all else selection_digest(version.digest, chosen)
    folder = session.cache.tree(name)
    if folder is not None:
        return folder
    return build_folder(session, version, name, chosen, whole=is_all, received=progress or _ignore)


def pulled_file(session: Session, version: Version, path: str, file: File) -> Path | None:
    """Return where the cache has one file of a version, or None: no request is made."""
    for name in (version.digest, selection_digest(version.digest, [path])):
        folder = session.cache.tree(name)
        if folder is not None:
            return folder.joinpath(*path.split("/"))
    return session.cache.files.find(file.digest, file.size)


def copy_files(folder: Path, paths: Iterable[str], destination: Path) -> Path:
    """Copy files out of the cache, all of them or nothing; the copies may be changed.

    Args:
        folder: in the cache.
        paths: inside it.
        destination: does not exist, or is an empty folder.
    """
    if destination.exists() and (not destination.is_dir() or any(destination.iterdir())):
        raise InvalidInput(f"{destination} exists and is not an empty folder: choose another destination")
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=destination.parent, prefix=f".{destination.name}.") as scratch:
            copied = Path(scratch, "copy")
            copied.mkdir(mode=0o755)
            for path in paths:
                target = copied.joinpath(*path.split("/"))
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(folder.joinpath(*path.split("/")), target)
            copied.replace(destination)
    except ValueError as error:
        raise InvalidInput(f"{str(destination)!r} cannot be a path on this machine: {error}") from error
    except OSError as error:
        raise StoreError(f"cannot copy to {destination}: {error.strerror or error}; nothing was left there") from error
    return destination


def _ignore(_: int) -> None:
    """Nobody watches."""
