"""What this machine has seen of registries, kept in a folder that all its processes share.

::

    <root>/CACHEDIR.TAG              backup programs leave the folder out (https://bford.info/cachedir/)
    <root>/objects/<2 hex>/<64 hex>  records, snapshots and blobs, by the sha256 of their bytes
    <root>/heads/<64 hex>            the newest entry seen of one domain of one registry
    <root>/versions/<64 hex>/<64 hex>  the record digest of one exact version of one model
    <root>/verified/<64 hex>         how far one domain of one registry was verified
    <root>/trees/<64 hex>/           the files of one pulled version, read-only

Every file and every tree appears whole, by a rename in its own folder, so readers need no lock. Nothing is synced to
disk: files carry their digest, so what a power cut damaged is seen. A tree's files do not; a record has their sizes.
"""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from objreg.errors import InvalidInput, ObjregError, StoreError
from objreg.local.trees import make_read_only, remove_tree

__all__ = ["Cache"]

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_TAG = b"""Signature: 8a477f597d28d172789f06886806bc55
# This file is a cache directory tag created by objreg.
# For information about cache directory tags, see https://bford.info/cachedir/
"""
_VERIFIED_OF_A_DOMAIN = ("quick", "deep", "marker")
_HEAD_LOCK_SECONDS = 2.0
"""The lock is held while one small file is written; whoever holds it longer hangs, and is not worth waiting for."""


class Cache:
    """Content of registries on this machine; safe for any number of threads and processes.

    Reading what is damaged or unreadable is a miss, and writing where that is not possible is skipped: a full or
    read-only folder costs time, and nothing else. Only trees, which a caller cannot do without, raise.

    Args:
        root: the folder; made when first needed.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def get_object(self, digest: str) -> bytes | None:
        """Return the bytes with a digest ("sha256:" and 64 hex digits), verified, or None.

        A file with other bytes is deleted: it was damaged, and would only be in the way of the right one.
        """
        path = self._object_path(digest)
        data = _read(path)
        if data is None or sha256(data).hexdigest() == path.name:
            return data
        with suppress(OSError):
            path.unlink()
        return None

    def put_object(self, digest: str, data: bytes) -> bool:
        """Keep the bytes with a digest (the caller has verified them); False if the folder cannot take them."""
        return self._write(self._object_path(digest), data)

    def head(self, registry: str, domain: str) -> bytes | None:
        """Return the newest entry's bytes seen of a domain of a registry, or None."""
        found = _read_head(self._named("heads", registry, domain))
        return None if found is None else found[1]

    def remember_head(self, registry: str, domain: str, seq: int, data: bytes) -> None:
        """Keep entry number ``seq`` as the newest one seen, unless one as new is known: memory never goes backwards."""
        from filelock import FileLock

        path = self._named("heads", registry, domain)
        # OSError: a folder that cannot be written, and filelock's own Timeout.
        with suppress(OSError):
            self._make_folder(path.parent)
            with FileLock(f"{path}.lock", timeout=_HEAD_LOCK_SECONDS):
                known = _read_head(path)
                if known is None or known[0] < seq:
                    self._write(path, _sealed(b"%d\n%s" % (seq, data)))

    def forget_head(self, registry: str, domain: str) -> None:
        """Forget a domain's newest entry: for somebody who has made sure that the registry was put back on purpose."""
        with suppress(OSError):
            self._named("heads", registry, domain).unlink()
        self.forget_verified(registry, domain)

    def verified(self, registry: str, domain: str, kind: str) -> bytes | None:
        """Return what a verification remembered of a domain, or None.

        Args:
            registry: which one.
            domain: which one of its domains; ``""`` for the registry as a whole.
            kind: what is remembered: ``quick``, ``deep``, ``marker`` or ``domains``.
        """
        return _unsealed(_read(self._named("verified", registry, domain, kind)))

    def remember_verified(self, registry: str, domain: str, kind: str, content: bytes) -> None:
        """Keep what a verification shall find again."""
        self._write(self._named("verified", registry, domain, kind), _sealed(content))

    def forget_verified(self, registry: str, domain: str) -> None:
        """Forget what verifications remembered of a domain: it does not hold any more."""
        for kind in _VERIFIED_OF_A_DOMAIN:
            with suppress(OSError):
                self._named("verified", registry, domain, kind).unlink()

    def version_digest(self, registry: str, model: str, version: str) -> str | None:
        """Return the digest of the record of an exact version, or None if this machine has not seen it."""
        content = _unsealed(_read(self._version_path(registry, model, version)))
        return None if content is None else content.decode()

    def remember_version(self, registry: str, model: str, version: str, digest: str) -> None:
        """Keep the digest of an exact version's record; the first one seen stays, because versions never change."""
        _hex(digest)
        path = self._version_path(registry, model, version)
        if _unsealed(_read(path)) is None:
            self._write(path, _sealed(digest.encode()))

    def forget_versions(self, registry: str, model: str) -> None:
        """Forget which versions of a model were seen: for a registry that was put back, and then went on otherwise."""
        with suppress(OSError):
            remove_tree(self._named("versions", registry, model))

    def _version_path(self, registry: str, model: str, version: str) -> Path:
        # A folder for each model, so that its versions can be forgotten together.
        return self._named("versions", registry, model) / sha256(version.encode(errors="surrogateescape")).hexdigest()

    def tree(self, digest: str) -> Path | None:
        """Return the folder of a pulled version by its record's digest, or None; if it is there, it is complete.

        Raises:
            StoreError: the cache folder does not let this process look.
        """
        path = self._tree_path(digest)
        try:
            return path if path.is_dir() else None
        except OSError as error:
            raise self._unusable(error) from error

    @contextmanager
    def build_tree(self, digest: str, is_whole: Callable[[Path], bool] = lambda _: True) -> Iterator[Path | None]:
        """Fill the folder of a version; one process builds it, others wait as long as it takes (Ctrl-C ends the wait).

        ::

            with cache.build_tree(digest) as folder:
                if folder is not None:
                    ...  # write the files; when the block ends they are read-only, and tree(digest) has them

        When the block raises, nothing of it is left. What killed processes left goes when the next tree is built.

        Args:
            digest: of the version's record.
            is_whole: tells whether a tree that is there has all its bytes; one that has not is built anew.

        Yields:
            An empty folder, or None when the tree is there (another process has built it meanwhile).

        Raises:
            StoreError: the cache folder cannot hold the tree, or a file could not be written in the block.
        """
        path = self._tree_path(digest)
        partial = path.with_name(f"{path.name}.partial")

        def is_there() -> bool:
            found = self.tree(digest)
            return found is not None and is_whole(found)

        if is_there():
            yield None
            return
        try:
            self._make_folder(path.parent)
            _remove_leftovers(path.parent)
            with _tree_lock(path):
                if is_there():
                    yield None
                    return
                try:
                    remove_tree(path)
                    remove_tree(partial)
                    partial.mkdir()
                    yield partial
                    make_read_only(partial)
                    partial.rename(path)
                except BaseException:
                    remove_tree(partial)
                    raise
        except ObjregError:
            raise  # AccessDenied, from the store, is an OSError too
        except OSError as error:
            raise self._unusable(error) from error

    def _object_path(self, digest: str) -> Path:
        digits = _hex(digest)
        return self.root / "objects" / digits[:2] / digits

    def _tree_path(self, digest: str) -> Path:
        return self.root / "trees" / _hex(digest)

    def _named(self, kind: str, *names: str) -> Path:
        return self.root / kind / sha256("\0".join(names).encode(errors="surrogateescape")).hexdigest()

    def _write(self, path: Path, data: bytes) -> bool:
        partial = path.with_name(f"{path.name}.{os.urandom(6).hex()}.partial")
        try:
            self._make_folder(path.parent)
            partial.write_bytes(data)
            partial.replace(path)
        except OSError:
            return False
        finally:
            with suppress(OSError):
                partial.unlink()
        return True

    def _make_folder(self, folder: Path) -> None:
        if folder.is_dir():
            return
        self.root.mkdir(parents=True, exist_ok=True)
        # A folder that holds something already may be anybody's, and the tag would take it out of their backups.
        if not any(self.root.iterdir()):
            (self.root / "CACHEDIR.TAG").write_bytes(_TAG)
        folder.mkdir(parents=True, exist_ok=True)

    def _unusable(self, error: OSError) -> StoreError:
        return StoreError(
            f"the cache folder {self.root} cannot hold the files of a version ({error.strerror or error}); make room "
            "and allow writing there, or name another folder in OBJREG_CACHE_DIR",
            cache_dir=str(self.root),
        )


def _hex(digest: str) -> str:
    match = _DIGEST.fullmatch(digest)
    if match is None:
        raise InvalidInput(f"{digest!r} is not a digest; one is 'sha256:' and 64 lower-case hex digits")
    return match[1]


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _sealed(content: bytes) -> bytes:
    """A file's content after its own sha256, for files whose names say nothing of their bytes."""
    return b"sha256:%s\n%s" % (sha256(content).hexdigest().encode(), content)


def _unsealed(data: bytes | None) -> bytes | None:
    content = (data or b"").partition(b"\n")[2]
    return content if data == _sealed(content) else None


def _read_head(path: Path) -> tuple[int, bytes] | None:
    content = _unsealed(_read(path))
    if content is None:
        return None
    seq, _, data = content.partition(b"\n")
    return int(seq), data


def _tree_lock(path: Path, timeout: float = -1) -> AbstractContextManager[object]:
    from filelock import FileLock

    return FileLock(f"{path}.lock", timeout=timeout)


def _remove_leftovers(trees: Path) -> None:
    """Remove what killed builders left: a partial tree whose lock is free has nobody who fills it."""
    for partial in trees.glob("*.partial"):
        # OSError: somebody fills it (filelock's Timeout), or it is another user's. Neither is in our way.
        with suppress(OSError), _tree_lock(partial.with_suffix(""), timeout=0):
            remove_tree(partial)
