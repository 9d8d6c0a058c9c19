"""Look after a cache: what is in it, what it takes on the disk, make it smaller, and verify it.

Only what pulls can fetch again is ever removed. A folder that is being built is left alone, by its lock; that a process
still reads from a folder that it was given cannot be known, so what was used a short time ago is left too.
"""

import os
import stat
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from objreg.errors import StoreError
from objreg.local.cache import Cache
from objreg.local.cache_files import digest_of_file
from objreg.local.cache_links import COPY, is_stamped, stamp
from objreg.local.cache_trees import TreeIndex, last_used

__all__ = ["CachedVersion", "Damage", "Removed", "cache_size", "cached_versions", "prune", "remove_versions", "verify"]

_DIGITS = 64


@dataclass(frozen=True)
class CachedVersion:
    """A version in the cache, or some files of one.

    Attributes:
        spec: like ``fraud/clf:1.2``.
        registry: its address.
        record: the digest of the version's record.
        whole: whether all its files are there; False for a folder of chosen ones.
        files: how many.
        size: of these files, in bytes; several versions may share them.
        link: how they were put there.
        used: when last, in seconds since 1970.
        path: of the folder.
        index: what is in it.
    """

    spec: str
    registry: str
    record: str
    whole: bool
    files: int
    size: int
    link: str
    used: float
    path: Path
    index: TreeIndex


@dataclass(frozen=True)
class Removed:
    """What was removed from a cache.

    Attributes:
        versions: whose folders went, in this order.
        freed: bytes on the disk.
        size: bytes on the disk that the cache takes now.
        busy: versions that were left, because somebody builds their folders.
    """

    versions: tuple[CachedVersion, ...]
    freed: int
    size: int
    busy: tuple[CachedVersion, ...] = ()


@dataclass(frozen=True)
class Damage:
    """A file of the cache that held other bytes; it was removed, and is fetched again when it is next wanted.

    Attributes:
        spec: the version; "" for a file that no folder shows.
        path: of the file.
    """

    spec: str
    path: Path


def cached_versions(cache: Cache) -> tuple[CachedVersion, ...]:
    """Return what a cache has, the least recently used first; not what is in its layers."""
    found = (_version(path, index) for path, index in cache.trees.entries() if index is not None)
    return tuple(sorted(found, key=lambda version: (version.used, version.spec)))


def _version(path: Path, index: TreeIndex) -> CachedVersion:
    return CachedVersion(
        spec=f"{index.model}:{index.version}",
        registry=index.registry,
        record=index.record,
        whole=index.whole,
        files=len(index.files),
        size=index.size,
        link=index.link,
        used=last_used(path),
        path=path,
        index=index,
    )


def cache_size(cache: Cache) -> int:
    """Return how many bytes on the disk the files of pulled versions take, and those of interrupted pulls."""
    copies = sum(_copied(version) for version in cached_versions(cache))  # links take none
    return sum(_stored(cache).values()) + sum(cache.files.partials().values()) + copies


def _stored(cache: Cache) -> dict[str, int]:
    """Return the size of each file by its digest."""
    found: dict[str, int] = {}
    for path in cache.files.folder.glob("??/*"):
        if len(path.name) == _DIGITS:
            with suppress(FileNotFoundError):  # removed meanwhile
                found[f"sha256:{path.name}"] = path.stat().st_size
    return found


def _copied(version: CachedVersion) -> int:
    """Return how many bytes are in a folder as copies."""
    if COPY not in version.link.split("+"):
        return 0
    return sum(found.st_size for _, found in _regular_files(version.path) if found.st_nlink == 1)


def _regular_files(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                found = Path(parent, name).lstat()
                if stat.S_ISREG(found.st_mode):
                    yield Path(parent, name), found


def remove_versions(cache: Cache, chosen: Callable[[CachedVersion], bool]) -> Removed:
    """Remove versions, and the files that no other version in the cache has.

    Raises:
        StoreError: the folder does not let this process remove them.
    """
    versions = cached_versions(cache)
    return _Removal(cache, versions).run(filter(chosen, versions))


def prune(cache: Cache, max_size: int, *, keep_seconds: float, now: float | None = None) -> Removed:
    """Make a cache fit into a size, the least recently used versions going first.

    What no version needs goes in any case: files of pulls that were never finished, and of folders that were removed.

    Args:
        cache: of this machine.
        max_size: in bytes.
        keep_seconds: what was used, or fetched, within this time stays, though the cache be larger.
        now: in seconds since 1970.

    Raises:
        StoreError: the folder does not let this process remove something.
    """
    oldest_kept = (time.time() if now is None else now) - keep_seconds
    versions = cached_versions(cache)
    removal = _Removal(cache, versions)
    removal.sweep(oldest_kept)
    candidates = (version for version in versions if version.used < oldest_kept)
    return removal.run(version for version in candidates if removal.size > max_size)


class _Removal:
    """Removes versions one by one, and knows after each how large the cache is."""

    def __init__(self, cache: Cache, versions: tuple[CachedVersion, ...]) -> None:
        self._cache = cache
        self._sizes = _stored(cache)
        self._needed = Counter(digest for version in versions for digest in _digests(version))
        self._partial = sum(cache.files.partials().values())
        self.size = sum(self._sizes.values()) + self._partial + sum(map(_copied, versions))
        self._before = self.size

    def run(self, versions: Iterator[CachedVersion]) -> Removed:
        removed: list[CachedVersion] = []
        busy: list[CachedVersion] = []
        for version in versions:
            (removed if self._remove(version) else busy).append(version)
        return Removed(tuple(removed), self._before - self.size, self.size, tuple(busy))

    def _remove(self, version: CachedVersion) -> bool:
        copied = _copied(version)
        try:
            if not self._cache.trees.remove(version.path):
                return False
        except OSError as error:
            raise _refused(version.path, error) from error
        self.size -= copied
        self._needed.subtract(_digests(version))
        for digest in _digests(version):
            if not self._needed[digest]:
                self._remove_file(digest)
        return True

    def _remove_file(self, digest: str) -> None:
        path = self._cache.files.path(digest)
        try:
            if path.stat().st_nlink > 1:
                return  # a folder that is being built has it
            path.unlink()
            # Who waits at this very moment fetches the file a second time, no more.
            path.with_name(f"{path.name}.lock").unlink(missing_ok=True)
        except FileNotFoundError:
            return
        except OSError as error:
            raise _refused(path, error) from error
        self.size -= self._sizes.get(digest, 0)

    def sweep(self, oldest_kept: float) -> None:
        """Remove files that no version needs, whole or not, and folders without an index, unless they are new."""
        files = self._cache.files
        files.remove_partials(oldest_kept)
        self.size += sum(files.partials().values()) - self._partial
        for digest in self._sizes.keys() - +self._needed:
            with suppress(FileNotFoundError):
                if self._cache.files.path(digest).stat().st_ctime < oldest_kept:
                    self._remove_file(digest)
        for path, index in self._cache.trees.entries():
            with suppress(FileNotFoundError):
                if index is None and path.stat().st_ctime < oldest_kept:
                    self._cache.trees.remove(path)


def _digests(version: CachedVersion) -> set[str]:
    return {digest for digest, _ in version.index.files.values()}


def _refused(path: Path, error: OSError) -> StoreError:
    return StoreError(f"cannot remove {path}: {error.strerror or error}; do it as the user who owns the cache")


def verify(cache: Cache, progress: Callable[[int], None] = lambda _: None) -> tuple[Damage, ...]:
    """Hash every file of a cache; what holds other bytes is removed, with the folders that show it.

    Args:
        cache: of this machine; its layers are not looked at.
        progress: is called with the number of bytes hashed.

    Returns:
        What was damaged; the next pull fetches it again.
    """
    hashing = _Hashing(progress)
    found: list[Damage] = []
    for version in cached_versions(cache):
        bad = [
            Damage(version.spec, version.path / name)
            for name, (digest, size) in version.index.files.items()
            if not hashing.is_good(version.path / name, digest, size)
        ]
        if bad and cache.trees.remove(version.path):
            found += bad
    for digest, size in _stored(cache).items():
        path = cache.files.path(digest)
        if path.exists() and not hashing.is_good(path, digest, size):
            path.unlink(missing_ok=True)
            found += [Damage("", path)] if path not in hashing.linked else []
    return tuple(found)


class _Hashing:
    """Hashes each file once, however many links it has."""

    def __init__(self, progress: Callable[[int], None]) -> None:
        self._progress = progress
        self._known: dict[tuple[int, int], bool] = {}
        self.linked: set[Path] = set()

    def is_good(self, path: Path, digest: str, size: int) -> bool:
        try:
            status = path.stat()
            inode = (status.st_dev, status.st_ino)
            if inode not in self._known:
                self._known[inode] = digest_of_file(path) == digest
                self._progress(size)
            elif not self._known[inode]:
                self.linked.add(path)  # it was told of already, by another name
            if self._known[inode] and not is_stamped(status):
                with suppress(OSError):  # another user's
                    stamp(path)
        except OSError:
            return False
        return self._known[inode]
