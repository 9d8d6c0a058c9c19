"""The folders of pulled versions in the cache: complete or not there, read-only, and looked at before each use.

::

    <root>/trees/<64 hex>/        the files
    <root>/trees/<64 hex>.index   what must be in it, whose it is; its modification time is that of the last use
    <root>/trees/<64 hex>.lock    held while it is built or removed

The index is written before the folder appears. It says in which run of the machine it was written: what was built in
an earlier one, and not used since it was safely on disk, is hashed before it is handed out.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

import msgspec

from objreg.local.cache_files import boot_id, digest_of_file, waited_lock
from objreg.local.cache_links import Linker, is_stamped, stamp
from objreg.local.trees import make_read_only, remove_tree

__all__ = ["TreeIndex", "Trees", "seal", "unseal"]

_ON_DISK_SECONDS = 60.0
"""After this long a system has written back what was written; Linux takes 30 s and a little."""
_USE_SECONDS = 60.0
"""The last use is noted no more exactly than this, so that a busy reader does not write."""


class TreeIndex(msgspec.Struct, frozen=True, kw_only=True):
    """What a folder of the cache must hold, and whose it is.

    Attributes:
        registry: its address, for people.
        model: its path.
        version: as text.
        record: the digest of the version's record.
        files: digest and size by path.
        whole: whether these are all files of the version.
        link: how the files were put there: several ways with ``+`` between.
        built: when, in seconds since 1970.
        boot: in which run of the machine.
        settled: whether the bytes are known to be on disk.
    """

    registry: str
    model: str
    version: str
    record: str
    files: Mapping[str, tuple[str, int]]
    whole: bool = True
    link: str = ""
    built: float = 0.0
    boot: str = ""
    settled: bool = False

    @property
    def size(self) -> int:
        """Of all its files, in bytes."""
        return sum(size for _, size in self.files.values())


class Trees:
    """The folders of a cache.

    Args:
        root: of the cache.
        layers: roots of read-only caches below it.
    """

    def __init__(self, root: Path, layers: tuple[Path, ...] = ()) -> None:
        self.folder = root / "trees"
        self._layers = tuple(layer / "trees" for layer in layers)

    def find(self, digits: str) -> Path | None:
        """Return a folder that is whole, or None; that it was used is noted.

        Raises:
            OSError: the cache does not let this process look.
        """
        for folder in (self.folder, *self._layers):
            path = folder / digits
            if path.is_dir() and self._is_whole(path):
                return path
        return None

    def partial(self, digest: str) -> Path:
        """Return where a folder is while it is being filled."""
        return self.folder / f"{digest.removeprefix('sha256:')}.partial"

    def _is_whole(self, path: Path) -> bool:
        index = read_index(path)
        if index is None:
            return False
        own = path.parent == self.folder
        # A layer is an image that somebody finished: no power cut reaches into it.
        sure = index.settled or not own or index.boot == boot_id()
        if changed_file(path, index, hash_all=not sure) is not None:
            return False
        if own:
            self._note_use(path, index, sure=sure)
        return True

    def _note_use(self, path: Path, index: TreeIndex, *, sure: bool) -> None:
        now = time.time()
        with suppress(OSError):  # another user's, or a read-only folder
            if not index.settled and (not sure or now - index.built > _ON_DISK_SECONDS):
                write_index(path, msgspec.structs.replace(index, settled=True))
            elif now - _index_path(path).stat().st_mtime > _USE_SECONDS:
                os.utime(_index_path(path))

    @contextmanager
    def build(
        self, digits: str, index: TreeIndex, linker: Linker, waiting: Callable[[], None]
    ) -> Iterator[Path | None]:
        """Fill a folder: see ``Cache.build_tree``."""
        path = self.folder / digits
        partial = self.partial(digits)
        _remove_leftovers(self.folder)
        with waited_lock(_lock_path(path), waiting):
            if self.find(digits) is not None:
                yield None
                return
            try:
                remove_tree(path)
                remove_tree(partial)
                partial.mkdir()
                yield partial
                make_read_only(partial)
                made = msgspec.structs.replace(
                    index, link="+".join(sorted(linker.used)), built=time.time(), boot=boot_id(), settled=not boot_id()
                )
                write_index(path, made)
                partial.rename(path)
            except BaseException:
                remove_tree(partial)
                raise

    def entries(self, *, layers: bool = False) -> Iterator[tuple[Path, TreeIndex | None]]:
        """Yield the folders with what their indexes say, None where that cannot be read.

        Args:
            layers: those of the layers too.
        """
        for folder in (self.folder, *(self._layers if layers else ())):
            for path in sorted(folder.glob("[0-9a-f]*")):
                if not path.suffix and path.is_dir():
                    yield path, read_index(path)

    def remove(self, path: Path) -> bool:
        """Remove a folder; False where somebody builds it just now.

        Raises:
            OSError: it cannot be removed.
        """
        from filelock import FileLock, Timeout

        lock = FileLock(_lock_path(path))
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return False
        try:
            remove_tree(path)
            _index_path(path).unlink(missing_ok=True)
        finally:
            lock.release()
        return True


def last_used(path: Path) -> float:
    """Return when a folder was last used, in seconds since 1970."""
    try:
        return _index_path(path).stat().st_mtime
    except OSError:
        return 0.0


def changed_file(folder: Path, index: TreeIndex, *, hash_all: bool = False) -> str | None:
    """Return a path at which a folder does not hold what it must, or None.

    Args:
        folder: in the cache.
        index: of it.
        hash_all: hash every file, not only those whose modification time says that somebody wrote.
    """
    for name, (digest, size) in index.files.items():
        path = os.path.join(folder, name)  # noqa: PTH118 (a Path for each of 10,000 files costs more than its stat)
        try:
            found = os.stat(path)  # noqa: PTH116 (as above)
            if found.st_size != size:
                return name
            if hash_all or not is_stamped(found):
                if digest_of_file(Path(path)) != digest:
                    return name
                with suppress(OSError):  # another user's, or a layer's: then it is hashed each time
                    stamp(Path(path))
        except OSError:
            return name
    return None


def read_index(path: Path) -> TreeIndex | None:
    """Return what must be in a folder, or None where its index is missing or damaged."""
    try:
        content = unseal(_index_path(path).read_bytes())
        return None if content is None else msgspec.json.decode(content, type=TreeIndex)
    except (OSError, msgspec.MsgspecError):
        return None


def write_index(path: Path, index: TreeIndex) -> None:
    """Write what must be in a folder."""
    target = _index_path(path)
    partial = target.with_name(f"{target.name}.{os.urandom(6).hex()}.new")
    try:
        partial.write_bytes(seal(msgspec.json.encode(index)))
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def seal(content: bytes) -> bytes:
    """Return a file's content after its own sha256, for files whose names say nothing of their bytes."""
    return b"sha256:%s\n%s" % (sha256(content).hexdigest().encode(), content)


def unseal(data: bytes | None) -> bytes | None:
    """Return the content of such a file, or None where it is damaged."""
    content = (data or b"").partition(b"\n")[2]
    return content if data == seal(content) else None


def _index_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.index")


def _lock_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.lock")


def _remove_leftovers(trees: Path) -> None:
    """Remove what killed builders left: a partial tree whose lock is free has nobody who fills it."""
    from filelock import FileLock

    for partial in trees.glob("*.partial"):
        # OSError: somebody fills it (filelock's Timeout), or it is another user's. Neither is in our way.
        with suppress(OSError), FileLock(_lock_path(partial.with_suffix("")), timeout=0):
            remove_tree(partial)
