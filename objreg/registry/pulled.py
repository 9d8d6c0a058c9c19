"""The folders in the cache that hold pulled files: those of a whole version, or chosen ones of it."""

import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from objreg.core.records import File
from objreg.core.selection import selection_digest
from objreg.errors import InvalidInput, StoreError
from objreg.registry.collected import collection_told
from objreg.registry.download import download
from objreg.registry.sending import Progress
from objreg.registry.session import Session
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
    whole = session.cache.tree(version.digest)
    if whole is not None and not _has_sizes(whole, chosen):
        whole = None
    if whole is not None and (len(chosen) == len(files) or not exact):
        return whole
    name = version.digest if len(chosen) == len(files) else selection_digest(version.digest, chosen)
    with session.cache.build_tree(name, lambda there: _has_sizes(there, chosen)) as building:
        if building is not None and whole is not None:
            _link(whole, chosen, building)
        elif building is not None:
            with collection_told(session, version):
                domain = session.model(version.model).domain
                download(session.store, domain, dict(chosen), building, progress or _ignore)
    folder = session.cache.tree(name)
    if folder is None:
        raise StoreError(f"{version.spec} was pulled, and something removed it from {session.cache_dir} at once")
    return folder


def pulled_file(session: Session, version: Version, path: str, file: File) -> Path | None:
    """Return where the cache has one file of a version, or None: no request is made."""
    for name in (version.digest, selection_digest(version.digest, [path])):
        folder = session.cache.tree(name)
        if folder is not None and _has_sizes(folder, {path: file}):
            return folder.joinpath(*path.split("/"))
    return None


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


def _link(folder: Path, paths: Iterable[str], target: Path) -> None:
    """Give files of one folder of the cache to another: the same bytes on disk where the file system allows it."""
    for path in paths:
        parts = path.split("/")
        placed = target.joinpath(*parts)
        placed.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(folder.joinpath(*parts), placed)
        except OSError:  # no hard links here, or too many of this file: a copy is as good
            shutil.copyfile(folder.joinpath(*parts), placed)


def _has_sizes(folder: Path, files: Mapping[str, File]) -> bool:
    """Tell whether a folder in the cache has every file at its size: a power cut can leave short ones behind."""
    try:
        return all(folder.joinpath(*path.split("/")).stat().st_size == file.size for path, file in files.items())
    except OSError:
        return False


def _ignore(_: int) -> None:
    """Nobody watches."""
