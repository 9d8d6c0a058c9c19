"""A registry in a folder: a create is a finished file that gets its name in one step."""

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, NoReturn
from urllib.parse import quote

from filelock import FileLock

from objreg.errors import AccessDenied, InvalidInput, StoreError, StoreUnavailable
from objreg.store.base import ObjectInfo, Piece

__all__ = ["LocalStore"]

_TEMPORARY = ".tmp-"
_LOCKS = ".locks"
_BLOCK = 1024 * 1024
_NO_HARD_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS, errno.EXDEV})
_ABSENT = (FileNotFoundError, NotADirectoryError)


class LocalStore:
    """Objects as files below a folder, which need not exist until the first create.

    The bytes are written to a temporary file, flushed to the disk, and linked to their name: the link fails where the
    name is taken, so of any number of processes one wins, and nobody sees half an object. Where a file system has no
    hard links, a lock file serialises check and rename instead.

    Args:
        root: the folder; made absolute.
    """

    ordered = False

    def __init__(self, root: Path | str) -> None:
        self._root = Path(os.path.abspath(root))  # noqa: PTH100  # not resolve(): the root may be a link on purpose
        # As bytes: a folder's name need not be Unicode.
        self.url = "file://" + quote(os.fsencode(self._root.as_posix()))
        self.identity = "file://" + quote(os.fsencode(Path(os.path.realpath(self._root)).as_posix()))
        self._hard_links = True

    def __reduce__(self) -> tuple[object, ...]:
        return (LocalStore, (str(self._root),))

    def get(self, key: str) -> bytes | None:
        with self._translated("get", key):
            try:
                with self._opened(key) as file:
                    return file.read()
            except (*_ABSENT, IsADirectoryError):
                return None

    def pieces(self, key: str) -> Iterator[Piece] | None:
        with self._translated("get", key):
            try:
                file = self._opened(key)
            except (*_ABSENT, IsADirectoryError):
                return None
        return self._blocks(file, key)

    def _blocks(self, file: BinaryIO, key: str) -> Iterator[Piece]:
        with self._translated("get", key), file:
            while block := file.read(_BLOCK):
                yield block

    def get_range(self, key: str, start: int, length: int) -> bytes | None:
        with self._translated("get", key):
            try:
                with self._opened(key) as file:
                    file.seek(start)
                    return file.read(length)
            except (*_ABSENT, IsADirectoryError):
                return None

    def create(self, key: str, data: Piece) -> bool:
        with self._translated("create", key):
            path = self._path(key)
            self._make_folder(path.parent)
            temporary = path.parent / f"{_TEMPORARY}{secrets.token_hex(8)}"
            try:
                _write_durably(temporary, data)
                created = self._publish(temporary, path)
            finally:
                with suppress(FileNotFoundError):
                    temporary.unlink()
            _sync_folder(path.parent)  # also for a loser: what it now reads must survive a power cut
            return created

    def _publish(self, temporary: Path, path: Path) -> bool:
        if self._hard_links:
            try:
                os.link(temporary, path)
            except FileExistsError:
                return temporary.stat().st_nlink == 2  # NFS may repeat a link that worked: ours has two names
            except OSError as error:
                if error.errno not in _NO_HARD_LINKS:
                    if temporary.stat().st_nlink == 2:
                        return True
                    raise
                self._hard_links = False
            else:
                return True
        return self._publish_locked(temporary, path)

    def _publish_locked(self, temporary: Path, path: Path) -> bool:
        locks = self._root / _LOCKS
        locks.mkdir(exist_ok=True)
        with FileLock(locks / "create.lock"):
            if path.exists():
                return False
            temporary.rename(path)
            return True

    def first(self, prefix: str) -> ObjectInfo | None:
        raise StoreError(
            f"{self.url} is a folder, which lists in no order; find {prefix!r} by asking for keys", prefix=prefix
        )

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        with self._translated("list", prefix):
            start = self._path(prefix.rstrip("/")) if prefix else self._root
            found = list(self._walk(start))
        return iter(found)

    def folders(self, prefix: str) -> tuple[str, ...]:
        with self._translated("list", prefix):
            start = self._path(prefix.rstrip("/")) if prefix else self._root
            with suppress(*_ABSENT), os.scandir(start) as entries:
                return tuple(sorted(e.name for e in entries if e.is_dir() and not _is_ours(e.name)))
            return ()

    def head(self, key: str) -> ObjectInfo | None:
        with self._translated("head", key):
            try:
                status = self._path(key).stat()
            except _ABSENT:
                return None
            return None if stat.S_ISDIR(status.st_mode) else _info(key, status)

    def delete(self, key: str) -> None:
        with self._translated("delete", key), suppress(*_ABSENT):
            self._path(key).unlink()

    def close(self) -> None:
        """Nothing is held open."""

    def _opened(self, key: str) -> BinaryIO:
        """Open a file for reading, and nothing that would wait for ever: others may write the folder."""
        file = open(self._path(key), "rb", opener=_open_at_once)  # noqa: SIM115  # Path.open takes no opener
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            file.close()
            raise StoreError(f"{key} in {self.url} is a device, a pipe or a socket, and no file: remove it", key=key)
        return file

    def _path(self, key: str) -> Path:
        parts = key.split("/")
        if any(part in {"", ".", ".."} or _is_ours(part) for part in parts) or "\\" in key or "\0" in key:
            raise InvalidInput(f"key {key!r} is not a relative path of plain names; use names joined by '/'", key=key)
        path = self._root.joinpath(*parts)
        root = os.path.realpath(self._root)
        if os.path.commonpath([root, os.path.realpath(path)]) != root:
            raise InvalidInput(f"key {key!r} leaves {self.url} by a symbolic link; remove the link", key=key)
        return path

    def _walk(self, folder: Path) -> Iterator[ObjectInfo]:
        with suppress(*_ABSENT), os.scandir(folder) as entries:
            for entry in entries:
                if _is_ours(entry.name):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    yield from self._walk(Path(entry.path))
                    continue
                with suppress(FileNotFoundError):  # deleted while we looked
                    yield _info(Path(entry.path).relative_to(self._root).as_posix(), entry.stat())

    def _make_folder(self, folder: Path) -> None:
        """Make the folder and its parents, each on the disk before anything is put into it."""
        if folder.is_dir():
            return
        self._make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        _sync_folder(folder.parent)

    @contextmanager
    def _translated(self, verb: str, key: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if isinstance(error, StoreError):
                raise
            self._raise_for(error, f"{verb} {key}")

    def _raise_for(self, error: OSError, action: str) -> NoReturn:
        facts = {"errno": error.errno, "url": self.url}
        reason = os.strerror(error.errno).lower() if error.errno else "unknown reason"
        said = f"{self.url} could not {action}: {reason}"
        match error.errno:
            case errno.EACCES | errno.EPERM:
                raise AccessDenied(f"{said}; give this user the permission on the folder", **facts) from error
            case errno.ENOSPC | errno.EDQUOT:
                raise StoreError(f"{said}; make room, or move the registry", **facts) from error
            case errno.EROFS:
                raise StoreError(f"{said}; mount it for writing", **facts) from error
            case errno.ENOTDIR | errno.EISDIR | errno.ENAMETOOLONG | errno.ELOOP | errno.EEXIST:
                raise StoreError(
                    f"{said}; a file stands where a folder must be, or a name is too long", **facts
                ) from error
            case _:
                raise StoreUnavailable(f"{said}; the outcome is not known, retry later", **facts) from error


def _is_ours(name: str) -> bool:
    return name.startswith(_TEMPORARY) or name == _LOCKS


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))  # a pipe without a writer would wait for one


def _write_durably(path: Path, data: Piece) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # folders cannot be opened there, and NTFS journals names itself
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _info(key: str, status: os.stat_result) -> ObjectInfo:
    return ObjectInfo(key, status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))
