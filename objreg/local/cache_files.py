"""The files that were pulled to this machine, by the sha256 of their bytes: each is there once, for all registries.

A file is believed as long as its size and modification time are those it was put there with. After a restart of the
machine that says nothing of it (a power cut loses what was not written back yet): then it is hashed once, when it is
next wanted.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from hashlib import file_digest
from pathlib import Path

from objreg.errors import IntegrityError
from objreg.local.cache_links import Linker, is_stamped, stamp

__all__ = ["Files", "boot_id", "digest_of_file", "waited_lock"]

_SMALLEST_LOCKED = 1024 * 1024
"""Of smaller files a lock costs more than that two processes fetch one at the same time."""
_MOST_LOCKED = 200
"""Each lock is an open file, and a process may have 1,024 of them."""
_LOOK_SECONDS = 0.2
_PARTIAL_SECONDS = 7 * 24 * 3600.0
"""For so long an interrupted pull can go on where it was."""


@cache
def boot_id() -> str:
    """Return what tells this run of the machine from others, "" where the system does not say."""
    return _system_text("/proc/sys/kernel/random/boot_id").strip()


@cache
def _boot_time() -> float:
    """Return when the machine was started, in seconds since 1970; 0 where the system does not say."""
    lines = _system_text("/proc/stat").splitlines()
    return next((float(line.split()[1]) for line in lines if line.startswith("btime ")), 0.0) if boot_id() else 0.0


def _system_text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii")
    except OSError:
        return ""


def digest_of_file(path: Path) -> str:
    """Return the digest of a file's bytes."""
    with path.open("rb") as opened:
        return "sha256:" + file_digest(opened, "sha256").hexdigest()


class Files:
    """The files of a cache.

    Args:
        root: of the cache.
        layers: roots of read-only caches below it, the first one looked into first.
    """

    def __init__(self, root: Path, layers: tuple[Path, ...] = ()) -> None:
        self.folder = root / "files"
        self._partials = root / "partial"
        self._layers = tuple(layer / "files" for layer in layers)

    def path(self, digest: str) -> Path:
        """Return where the file with a digest is, or would be."""
        return _place(self.folder, digest)

    def find(self, digest: str, size: int) -> Path | None:
        """Return where the file with a digest is, or None.

        One that was changed is hashed; if it holds other bytes it is removed, so that it is fetched again.

        Args:
            digest: of its bytes.
            size: that a record says it has.

        Raises:
            IntegrityError: it has its digest and another size: the record says what cannot be.
        """
        for folder in (self.folder, *self._layers):
            path = _place(folder, digest)
            with suppress(OSError):  # not there, or damaged so that it cannot be read
                if self._is_good(path, digest, size):
                    return path
        return None

    def is_in_layer(self, path: Path) -> bool:
        """Tell whether a file that was found is in a layer below."""
        return not path.is_relative_to(self.folder)

    def _is_good(self, path: Path, digest: str, size: int) -> bool:
        found = path.stat()
        own = not self.is_in_layer(path)
        # A layer is an image that somebody finished: no power cut reaches into it.
        if found.st_size == size and is_stamped(found) and (not own or found.st_ctime >= _boot_time()):
            return True
        if digest_of_file(path) != digest:
            if own:
                path.unlink()
            return False
        if found.st_size != size:
            raise IntegrityError(
                f"a record says that the file {digest} has {size} bytes, and it has {found.st_size}: do not trust it"
            )
        if own:
            with suppress(OSError):  # another user's: then it is hashed each time
                stamp(path)
        return True

    def adopt(self, path: Path, digest: str, linker: Linker, target: Path) -> None:
        """Take a verified file into the cache, and put a link to it where it is wanted.

        Args:
            path: where it was written; it is not there afterwards, unless that is the target.
            digest: of its bytes.
            linker: makes the link.
            target: where the link goes; its folder exists.

        Raises:
            OSError: the folder does not take it.
        """
        path.chmod(0o444)
        if not boot_id():  # nothing will tell that the machine was restarted, so it must be on disk now
            with path.open("rb") as opened:
                os.fsync(opened.fileno())
        stamp(path)
        stored = self.path(digest)
        try:
            path.replace(stored)
        except FileNotFoundError:  # the first of its folder
            stored.parent.mkdir(parents=True, exist_ok=True)
            path.replace(stored)
        linker.place(stored, target)

    def partial(self, digest: str) -> Path:
        """Return where a file is while it is being fetched, by who holds its lock."""
        return self._partials / digest.removeprefix("sha256:")

    def partials(self) -> dict[Path, int]:
        """Return the files of which pulls that were interrupted fetched a part, and what they take on the disk."""
        found: dict[Path, int] = {}
        for path in self._partials.glob("*"):
            with suppress(OSError):  # finished meanwhile
                status = path.stat()
                found[path] = min(status.st_size, getattr(status, "st_blocks", status.st_size) * 512)
        return found

    def remove_partials(self, oldest_kept: float | None = None) -> None:
        """Remove what pulls that were interrupted left, and is not being fetched again.

        Args:
            oldest_kept: what was written since stays, in seconds since 1970; by default what was in the last week.
        """
        from filelock import FileLock

        oldest = time.time() - _PARTIAL_SECONDS if oldest_kept is None else oldest_kept
        for path in self.partials():
            # OSError: somebody fetches it (filelock's Timeout) or has finished it, or it is another user's.
            with suppress(OSError):
                if path.stat().st_mtime < oldest:
                    with FileLock(self._lock_path(path.name), timeout=0):
                        path.unlink()

    @contextmanager
    def lock_free(self, sizes: dict[str, int]) -> Iterator[tuple[dict[str, Callable[[], None]], set[str]]]:
        """Lock files that are to be fetched, as far as nobody has them locked; nobody is waited for.

        Args:
            sizes: by digest.

        Yields:
            What releases each lock, by digest, and the digests of those that others are fetching.
        """
        from filelock import FileLock, Timeout

        large = sorted((digest for digest, size in sizes.items() if size >= _SMALLEST_LOCKED), key=lambda d: -sizes[d])
        held: dict[str, Callable[[], None]] = {}
        busy: set[str] = set()
        with ExitStack() as stack:
            for digest in large[:_MOST_LOCKED]:
                lock = FileLock(self._lock_path(digest))
                try:
                    lock.acquire(timeout=0)
                except Timeout:
                    busy.add(digest)
                    continue
                stack.callback(lock.release)  # of one that was released already, it does nothing
                held[digest] = lock.release
            yield held, busy

    def wait(self, digest: str, waiting: Callable[[], None]) -> None:
        """Wait until nobody fetches a file any more; ``waiting`` is called about five times a second."""
        with waited_lock(self._lock_path(digest), waiting):
            pass

    def _lock_path(self, digest: str) -> Path:
        path = self.path(digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.with_name(f"{path.name}.lock")


def _place(folder: Path, digest: str) -> Path:
    digits = digest.removeprefix("sha256:")
    return folder / f"{digits[:2]}/{digits}"


@contextmanager
def waited_lock(path: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold a lock among processes; whoever waits for it is told so, and Ctrl-C ends the wait.

    The operating system releases it when its holder dies.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(path)
    timeout = 0.0
    while True:
        try:
            lock.acquire(timeout=timeout)
            break
        except Timeout:
            waiting()
            timeout = _LOOK_SECONDS
    try:
        yield
    finally:
        lock.release()
