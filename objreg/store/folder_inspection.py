"""What a folder's file system is like. For ``doctor``."""

import os
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from objreg.errors import StoreError

__all__ = ["FolderFacts", "inspect_folder", "prune"]

_MOUNTS = Path("/proc/mounts")


@dataclass(frozen=True)
class FolderFacts:
    """What was seen.

    Attributes:
        hard_links: whether a file can have two names; without them a lock file serialises creates.
        case_sensitive: whether ``a`` and ``A`` are two files.
        free: bytes that this user may still write.
        kind: the file system's type as the system calls it, or empty where it does not say.
    """

    hard_links: bool
    case_sensitive: bool
    free: int
    kind: str


def inspect_folder(url: str, mounts: Path = _MOUNTS) -> FolderFacts:
    """Try out the file system of a registry's folder, which must exist.

    Args:
        url: ``file://…``, as a store says it.
        mounts: the table of mounted file systems.

    Raises:
        StoreError: the file system refused; the message says what.
    """
    root = _path(url)
    try:
        place = Path(tempfile.mkdtemp(prefix=".tmp-doctor-", dir=root))  # a store passes over this name
        try:
            (place / "a").write_bytes(b"probe")
            links = _links(place / "a", place / "b")
            return FolderFacts(links, not (place / "A").exists(), shutil.disk_usage(root).free, _kind(root, mounts))
        finally:
            shutil.rmtree(place)
    except OSError as error:
        reason = os.strerror(error.errno).lower() if error.errno else "unknown reason"
        raise StoreError(f"{url} could not be tried out: {reason}; check the folder", errno=error.errno) from error


def prune(url: str, prefix: str) -> None:
    """Remove a prefix's folders where they are empty: deleting objects leaves them."""
    top = _path(url) / prefix
    for folder, _, _ in os.walk(top, topdown=False):
        with suppress(OSError):  # somebody put something there: it stays
            Path(folder).rmdir()


def _links(source: Path, target: Path) -> bool:
    try:
        os.link(source, target)
    except OSError:
        return False
    return source.stat().st_nlink == 2  # its two names


def _kind(root: Path, mounts: Path) -> str:
    """Return the type of the mounted file system that a folder is in: of the longest mount point above it."""
    try:
        lines = mounts.read_text("utf-8", "replace").splitlines()
    except OSError:
        return ""
    real = Path(os.path.realpath(root))
    best, kind = -1, ""
    for line in lines:
        fields = line.split(" ")
        if len(fields) < 3:  # device, mount point, type
            continue
        point = Path(fields[1].encode().decode("unicode_escape"))  # a blank in a name is written \040
        if real.is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), fields[2]
    return kind


def _path(url: str) -> Path:
    return Path(unquote(urlsplit(url).path))
