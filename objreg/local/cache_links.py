"""Give a file of the cache a second place: the same bytes on disk where the file system allows it, else a copy.

Every file of the cache has one modification time, ``STAMP``: whoever writes into it moves it away from that, so a look
at size and time shows a change, and no list of times has to be kept.
"""

import errno
import os
import shutil
from collections.abc import Callable
from itertools import count
from pathlib import Path

__all__ = ["COPY", "LINKS", "STAMP", "Linker", "is_stamped", "stamp"]

AUTO, REFLINK, HARDLINK, SYMLINK, COPY = "auto", "reflink", "hardlink", "symlink", "copy"
LINKS = (AUTO, REFLINK, HARDLINK, SYMLINK, COPY)
STAMP = 946_684_800
"""2000-01-01 in seconds: whole ones, because images and archives keep no more; after 1980, because of zip."""

_FICLONE = 0x40049409
_WAYS = {
    AUTO: (REFLINK, HARDLINK, COPY),
    REFLINK: (REFLINK, COPY),
    HARDLINK: (HARDLINK, COPY),
    SYMLINK: (SYMLINK, COPY),
    COPY: (COPY,),
}
_WAYS_INTO_LAYERS = {**_WAYS, AUTO: (SYMLINK, COPY)}
"""A hard link to a file in a container image's layer makes the overlay copy all of it first."""
_FATAL = {errno.ENOENT, errno.EEXIST, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}
"""What another way would meet too."""
_MOST_TRIES = 1000


def stamp(path: Path) -> None:
    """Set a file's modification time to the one that all files of the cache have."""
    os.utime(path, (STAMP, STAMP))


def is_stamped(found: os.stat_result) -> bool:
    """Tell whether nobody has written into a file since it was stamped."""
    return found.st_mtime_ns == STAMP * 1_000_000_000


class Linker:
    """Puts files of the cache where they are wanted. For one thread.

    Args:
        link: ``reflink`` (copy on write), ``hardlink``, ``symlink``, ``copy``, or ``auto`` for the first that works of
            reflink, hardlink and copy. Where the file system does not allow what is asked for, files are copied.

    Attributes:
        used: the ways that were taken.
    """

    def __init__(self, link: str = AUTO) -> None:
        self.link = link
        self.used: set[str] = set()
        self._refused: set[tuple[int, str]] = set()

    def place(self, source: Path, target: Path, *, from_layer: bool = False) -> None:
        """Give a file another place.

        Args:
            source: a stamped file of the cache.
            target: does not exist; its folder does.
            from_layer: whether the file is in a read-only layer below the cache.

        Raises:
            FileNotFoundError: the source is gone.
            FileExistsError: the target exists.
            OSError: the target cannot be written.
        """
        device = source.stat().st_dev
        ways = (_WAYS_INTO_LAYERS if from_layer else _WAYS)[self.link]
        for way in ways:
            if (device, way) in self._refused:
                continue
            try:
                _PLACE[way](source, target)
            except OSError as error:
                if way == COPY or error.errno in _FATAL:
                    raise
                if error.errno != errno.EMLINK:  # too many links of this one file says nothing of others
                    self._refused.add((device, way))
            else:
                self.used.add(way)
                return


def _reflink(source: Path, target: Path) -> None:
    try:
        import fcntl
    except ImportError as error:
        raise OSError(errno.ENOTSUP, "no reflinks here") from error
    with source.open("rb") as read, target.open("xb") as written:
        try:
            fcntl.ioctl(written.fileno(), _FICLONE, read.fileno())
        except OSError:
            target.unlink()
            raise
    _finish(target)


def _hardlink(source: Path, target: Path) -> None:
    for attempt in count(1):
        try:
            os.link(source, target)
        except FileNotFoundError:
            # So a link fails too while somebody puts the same bytes in the source's place: what it found has no name.
            if attempt == _MOST_TRIES or not (source.exists() and target.parent.exists()):
                raise
        else:
            return


def _symlink(source: Path, target: Path) -> None:
    # Relative, so that a cache that is moved or mounted elsewhere stays whole.
    target.symlink_to(os.path.relpath(source, target.parent))


def _copy(source: Path, target: Path) -> None:
    with source.open("rb") as read, target.open("xb") as written:
        shutil.copyfileobj(read, written, 1024 * 1024)
    _finish(target)


def _finish(target: Path) -> None:
    target.chmod(0o444)
    stamp(target)


_PLACE: dict[str, Callable[[Path, Path], None]] = {
    REFLINK: _reflink,
    HARDLINK: _hardlink,
    SYMLINK: _symlink,
    COPY: _copy,
}
