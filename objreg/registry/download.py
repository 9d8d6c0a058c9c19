"""Fetch the files of a version: blobs in parallel, each verified, written where they belong.

Paths come from the bucket and are hostile until checked; no file becomes longer than its record promises. Memory is
bounded by the number of workers and the size of a part, whatever the files' sizes.
"""

import hashlib
import os
import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from objreg.core.digest import digest_of
from objreg.core.names import check_file_path, check_part, windows_problem
from objreg.core.records import Artifact, File, Part
from objreg.errors import FormatError, IntegrityError, InvalidInput, StoreError
from objreg.registry.blobs import read_blob
from objreg.store.base import Store

__all__ = ["download", "file_paths", "new_file", "read_file"]

_CONNECTIONS = 8

BlobName = tuple[str, int, str]


@dataclass(frozen=True)
class _Slice:
    """Where a slice of a blob goes."""

    name: str
    path: Path
    position: int
    part: Part


def file_paths(artifacts: tuple[Artifact, ...]) -> dict[str, File]:
    """Return the files of a version by their path inside its folder.

    Raises:
        FormatError: a path leaves the folder, or two files have the same.
    """
    found: dict[str, File] = {}
    for artifact in artifacts:
        for file in artifact.files:
            try:
                prefix = f"{check_part(artifact.folder, 'artifact folder')}/" if artifact.folder else ""
                path = check_file_path(prefix + file.path)
            except InvalidInput as error:
                raise FormatError(f"artifact {artifact.name!r} holds a path that is not allowed: {error}") from error
            if path in found or sum(part.length for part in file.parts) != file.size:
                raise FormatError(
                    f"artifact {artifact.name!r} describes {path!r} twice, or with parts that do not add up to its size"
                )
            if any(part.length == 0 for part in file.parts):
                raise FormatError(f"artifact {artifact.name!r} describes {path!r} with a part of no bytes")
            found[path] = file
    for path in found:
        if folder := next((above for above in _above(path) if above in found), None):
            raise FormatError(f"{path!r} cannot be a file below {folder!r}, which is a file itself")
    return found


def _above(path: str) -> Iterator[str]:
    while path := path.rpartition("/")[0]:
        yield path


def download(
    store: Store,
    domain: str,
    files: dict[str, File],
    folder: Path,
    received: Callable[[int], None],
    done: Callable[[str], None] = lambda _: None,
    pool: Executor | None = None,
) -> None:
    """Write files into a folder.

    Args:
        store: where from.
        domain: of the model.
        files: by path inside the folder.
        folder: exists, and has none of them.
        received: is told how many plain bytes were written.
        done: is told each path whose file is there and verified, as soon as it is.
        pool: where blobs are fetched, for pulls that share their connections; by default one of this call's own. Each
            of its workers holds one blob in memory, and once more if it is compressed.

    Raises:
        IntegrityError: a blob is missing or holds other bytes than its record says.
        StoreError: the store gave no answer, or this machine's disk is full.
    """
    try:
        _check_room(files, folder)
        work = _prepare(files, folder)
        lacking = Counter(piece.name for slices in work for piece in slices)
        for name in files.keys() - lacking.keys():  # empty files
            _finish(name, files[name], folder, done)
        with ThreadPoolExecutor(_CONNECTIONS, thread_name_prefix="objreg-pull") as own:
            fetched = [(pool or own).submit(_fetch, store, domain, slices) for slices in work]
            try:
                for slices, size in zip(work, (future.result() for future in fetched), strict=True):
                    received(size)
                    lacking.subtract(piece.name for piece in slices)
                    for name in {piece.name for piece in slices if not lacking[piece.name]}:
                        _finish(name, files[name], folder, done)
            except BaseException:
                for future in fetched:
                    future.cancel()
                wait(fetched)  # nobody writes into the folder when this ends
                raise
    except OSError as error:
        if isinstance(error, StoreError):
            raise
        raise StoreError(
            f"cannot write below {folder}: {error.strerror or error}; nothing was kept of the pull"
        ) from error


def _check_room(files: dict[str, File], folder: Path) -> None:
    """Refuse what this machine cannot hold before anything is fetched: sizes are only what a record says."""
    needed, free = sum(file.size for file in files.values()), shutil.disk_usage(folder).free
    if needed > free:
        raise StoreError(f"cannot write below {folder}: the files have {needed} bytes, and {free} are free; make room")


def _prepare(files: dict[str, File], folder: Path, *, windows: bool = os.name == "nt") -> list[list[_Slice]]:
    """Make the folders and the files at their full size; return what each blob has to fill."""
    work: dict[BlobName, list[_Slice]] = defaultdict(list)
    for name, file in files.items():
        if windows and (problem := windows_problem(name)):
            raise StoreError(f"file {name!r} cannot be on this machine: {problem}; pull it on another system")
        path = folder.joinpath(*name.split("/"))
        with new_file(name, path) as place, place.open("xb") as created:
            created.truncate(file.size)
        position = 0
        for part in file.parts:
            work[part.blob, part.incarnation, part.encoding].append(_Slice(name, path, position, part))
            position += part.length
    return list(work.values())


@contextmanager
def new_file(name: str, path: Path) -> Iterator[Path]:
    """Make the folder of a new file; in the block the file is made.

    Raises:
        StoreError: the file system takes its name for that of another file.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield path
    except FileExistsError as error:
        raise StoreError(
            f"file {name!r} cannot stand beside the others: this file system takes its name for another's, by"
            f" letter case or by how Unicode is spelled; nothing was kept: pull on one that tells them apart"
        ) from error


def _fetch(store: Store, domain: str, slices: list[_Slice]) -> int:
    data = memoryview(read_blob(store, domain, slices[0].part))
    written = 0
    for piece in slices:
        found = data[piece.part.offset : piece.part.offset + piece.part.length]
        if len(found) != piece.part.length:
            raise IntegrityError(
                f"blob {piece.part.blob} has {len(data)} bytes, and {piece.path.name} needs more of it"
            )
        with piece.path.open("r+b", buffering=0) as file:
            file.seek(piece.position)
            file.write(found)
        written += len(found)
    return written


def _finish(name: str, file: File, folder: Path, done: Callable[[str], None]) -> None:
    """Verify a file that is complete: its blobs are verified, how they are put together is not yet."""
    if not _is_one_blob(file):
        with folder.joinpath(*name.split("/")).open("rb") as opened:
            _check(name, file, "sha256:" + hashlib.file_digest(opened, "sha256").hexdigest())
    done(name)


def _is_one_blob(file: File) -> bool:
    """Tell whether a file is all of one blob, and not a slice that only says so."""
    if len(file.parts) != 1:
        return False
    part = file.parts[0]
    return part.blob == file.digest and (part.offset, part.length) == (0, part.blob_size)


def _check(name: str, file: File, found: str) -> None:
    if found != file.digest:
        raise IntegrityError(f"{name} holds other bytes than its record says: expected {file.digest}, got {found}")


def read_file(store: Store, domain: str, name: str, file: File) -> Iterator[bytes]:
    """Yield the bytes of one file, part by part, verified before they are handed on.

    Raises:
        IntegrityError: a blob is missing or holds other bytes; at the end, if the file as a whole does.
    """
    whole = hashlib.sha256()
    for part in file.parts:
        data = read_blob(store, domain, part)[part.offset : part.offset + part.length]
        if len(file.parts) == 1:
            _check(name, file, digest_of(data))
        whole.update(data)
        yield data
    _check(name, file, "sha256:" + whole.hexdigest())
