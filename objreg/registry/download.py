"""Fetch the files of a version: blobs in parallel, each verified, written where they belong.

Paths come from the bucket and are hostile until checked; no file becomes longer than its record promises. Memory is
bounded by the number of workers and the size of a part, whatever the files' sizes.
"""

import hashlib
import os
import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor, wait
from pathlib import Path

from objreg.core.artifacts import Artifact, File
from objreg.core.digest import digest_of
from objreg.core.names import check_file_path, check_part, windows_problem
from objreg.errors import FormatError, IntegrityError, InvalidInput, StoreError
from objreg.registry.blobs import read_blob, stream_blob
from objreg.registry.filling import Filling, check_file
from objreg.store.base import Piece, Store

__all__ = ["download", "file_paths", "read_file"]

_CONNECTIONS = 8
_STREAMED_FROM = 1024 * 1024

BlobName = tuple[str, int, str]

_Slice = tuple[Filling, int]
"""Where a slice of a blob goes: to a file, as which of its parts."""


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
    kept: Mapping[str, Path] | None = None,
) -> None:
    """Write files into a folder.

    Args:
        store: where from.
        domain: of the model.
        files: by path inside the folder.
        folder: exists, and has none of them.
        received: is told how many plain bytes were written, or were there already; by several threads, as they are.
        done: is told each path whose file is there and verified, as soon as it is.
        pool: where blobs are fetched, for pulls that share their connections; by default one of this call's own. Each
            of its workers holds a few pieces of a long blob in memory, or all of one that it cuts something out of.
        kept: where files are written instead that outlive an attempt, by path: what is there already is verified, and
            not fetched again. Nobody else may write there meanwhile.

    Raises:
        IntegrityError: a blob is missing or holds other bytes than its record says.
        StoreError: the store gave no answer, or this machine's disk is full.
    """
    try:
        fillings = _prepare(files, folder, kept or {})
        for filling in fillings:
            if not filling.file.parts:
                filling.finish()
                done(filling.name)
        work = _by_blob(fillings)
        lacking = Counter(filling for slices in work for filling, _ in slices)
        with ThreadPoolExecutor(_CONNECTIONS, thread_name_prefix="objreg-pull") as own:
            fetched = [(pool or own).submit(_fetch, store, domain, slices, received) for slices in work]
            try:
                for slices, future in zip(work, fetched, strict=True):
                    future.result()
                    lacking.subtract(filling for filling, _ in slices)
                    for filling in {filling for filling, _ in slices if not lacking[filling]}:
                        filling.finish()
                        done(filling.name)
            except BaseException:
                for future in fetched:
                    future.cancel()
                wait(fetched)  # nobody writes into the folder when this ends
                raise
    except OSError as error:
        if isinstance(error, StoreError):
            raise
        raise StoreError(
            f"cannot write below {folder}: {error.strerror or error}; the next pull goes on from what is complete"
        ) from error


def _prepare(
    files: dict[str, File], folder: Path, kept: Mapping[str, Path], *, windows: bool = os.name == "nt"
) -> list[Filling]:
    """Refuse what this machine cannot hold before anything is fetched, and make the files."""
    for name in files if windows else ():
        if problem := windows_problem(name):
            raise StoreError(f"file {name!r} cannot be on this machine: {problem}; pull it on another system")
    fillings = [
        Filling(name, file, kept.get(name) or folder.joinpath(*name.split("/")), kept=name in kept)
        for name, file in files.items()
    ]
    # Sizes are only what a record says.
    needed, free = sum(filling.lacking() for filling in fillings), shutil.disk_usage(folder).free
    if needed > free:
        raise StoreError(f"cannot write below {folder}: the files have {needed} bytes, and {free} are free; make room")
    for filling in fillings:
        filling.prepare()
    return fillings


def _by_blob(fillings: list[Filling]) -> list[list[_Slice]]:
    """Return what each blob has to fill."""
    work: dict[BlobName, list[_Slice]] = defaultdict(list)
    for filling in fillings:
        for index, part in enumerate(filling.file.parts):
            work[part.blob, part.incarnation, part.encoding].append((filling, index))
    return list(work.values())


def _fetch(store: Store, domain: str, slices: list[_Slice], received: Callable[[int], None]) -> None:
    """Fill the slices of one blob."""
    lacking = []
    for filling, index in slices:
        if filling.has(index):
            received(filling.file.parts[index].length)
        else:
            lacking.append((filling, index))
    if len(lacking) == 1 and _is_streamed(lacking[0]):
        filling, index = lacking[0]
        part = filling.file.parts[index]
        filling.fill(index, _told(stream_blob(store, domain, part, verified=not filling.is_hashed), received))
    elif lacking:
        filling, index = lacking[0]
        are_hashed = all(filling.is_hashed for filling, _ in lacking)
        data = memoryview(read_blob(store, domain, filling.file.parts[index], verified=not are_hashed))
        for filling, index in lacking:
            part = filling.file.parts[index]
            found = data[part.offset : part.offset + part.length]
            if len(found) != part.length:
                raise IntegrityError(f"blob {part.blob} has {len(data)} bytes, and {filling.name} needs more of it")
            filling.put(index, found)
            received(part.length)


def _told(pieces: Iterator[Piece], received: Callable[[int], None]) -> Iterator[Piece]:
    for piece in pieces:
        yield piece
        received(len(piece))


def _is_streamed(piece: _Slice) -> bool:
    """Tell whether a slice is a whole long blob: then nobody needs to hold it in memory."""
    filling, index = piece
    part = filling.file.parts[index]
    return part.length == part.blob_size >= _STREAMED_FROM


def read_file(store: Store, domain: str, name: str, file: File) -> Iterator[bytes]:
    """Yield the bytes of one file, part by part, verified before they are handed on.

    Raises:
        IntegrityError: a blob is missing or holds other bytes; at the end, if the file as a whole does.
    """
    whole = hashlib.sha256()
    for part in file.parts:
        data = read_blob(store, domain, part)[part.offset : part.offset + part.length]
        if len(file.parts) == 1:
            check_file(name, file, digest_of(data))
        whole.update(data)
        yield data
    check_file(name, file, "sha256:" + whole.hexdigest())
