"""What this machine has seen of registries, kept in a folder that all its processes share.

::

    <root>/CACHEDIR.TAG              backup programs leave the folder out (https://bford.info/cachedir/)
    <root>/objects/<2 hex>/<64 hex>  records, snapshots and blobs, by the sha256 of their bytes
    <root>/heads/<64 hex>            the newest entry seen of one domain of one registry
    <root>/versions/<64 hex>/<64 hex>  the record digest of one exact version of one model
    <root>/verified/<64 hex>         how far one domain of one registry was verified
    <root>/unfinished/<64 hex>       long parts that pushes to one model stored of late
    <root>/markers/<64 hex>          the id of a registry that can only be told apart by it
    <root>/files/<2 hex>/<64 hex>    the files of pulled versions, by the sha256 of their bytes, read-only
    <root>/partial/<64 hex>          such files while they are fetched; what was interrupted stays for a week
    <root>/trees/<64 hex>/           the folder of one pulled version: links to these files, read-only

Every file and every tree appears whole, by a rename in its own folder, so readers need no lock. Nothing is synced to
disk: what a power cut can have damaged is seen by its digest.

Read-only caches can lie below it, like one that was baked into a container image: what the cache lacks is looked for in
these layers, and nothing is written there.
"""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from objreg.errors import InvalidInput, ObjregError, StoreError
from objreg.local.cache_files import Files
from objreg.local.cache_heads import SeenHead
from objreg.local.cache_links import AUTO, Linker
from objreg.local.cache_trees import TreeIndex, Trees, seal, unseal
from objreg.local.trees import remove_tree

__all__ = ["Cache"]

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_TAG = b"""Signature: 8a477f597d28d172789f06886806bc55
# This file is a cache directory tag created by objreg.
# For information about cache directory tags, see https://bford.info/cachedir/
"""
_VERIFIED_OF_A_DOMAIN = ("quick", "vouched", "deep", "marker")
_FORGOTTEN = -1
_HIDES_LAYERS = "hides-layers"
_HEAD_LOCK_SECONDS = 2.0
"""The lock is held while one small file is written; whoever holds it longer hangs, and is not worth waiting for."""


class Cache:
    """Content of registries on this machine; safe for any number of threads and processes.

    Reading what is damaged or unreadable is a miss, and writing where that is not possible is skipped: a full or
    read-only folder costs time, and nothing else. Only trees, which a caller cannot do without, raise.

    Args:
        root: the folder; made when first needed.
        layers: roots of read-only caches below it; what is in the first one counts.
        link: how a pulled version's files are put into its folder: see ``Linker``.
    """

    def __init__(self, root: Path, layers: tuple[Path, ...] = (), link: str = AUTO) -> None:
        self.root = root
        self.layers = layers
        self.link = link
        self.files = Files(root, layers)
        self.trees = Trees(root, layers)

    def get_object(self, digest: str) -> bytes | None:
        """Return the bytes with a digest ("sha256:" and 64 hex digits), verified, or None.

        A file with other bytes is deleted: it was damaged, and would only be in the way of the right one.
        """
        digits = _hex(digest)
        for path in self._places(f"objects/{digits[:2]}/{digits}"):
            data = _read(path)
            if data is not None and sha256(data).hexdigest() == digits:
                return data
            if data is not None and path.is_relative_to(self.root):
                with suppress(OSError):
                    path.unlink()
        return None

    def put_object(self, digest: str, data: bytes) -> bool:
        """Keep the bytes with a digest (the caller has verified them); False if the folder cannot take them."""
        digits = _hex(digest)
        return self._write(self.root / "objects" / digits[:2] / digits, data)

    def head(self, registry: str, domain: str) -> SeenHead | None:
        """Return the newest entry seen of a domain of a registry, or None."""
        found = self._seen_head("heads/" + _name(registry, domain))
        return found if found and found.seq >= 0 else None

    def _seen_head(self, name: str) -> SeenHead | None:
        # The cache's own counts before a layer's, though older: only forgetting makes it so.
        return next(filter(None, (SeenHead.decode(unseal(_read(path))) for path in self._places(name))), None)

    def remember_head(self, registry: str, domain: str, seen: SeenHead) -> None:
        """Keep an entry as the newest one seen, unless one as new is known: memory never goes backwards."""
        from filelock import FileLock

        path = self._named("heads", registry, domain)
        # OSError: a folder that cannot be written, and filelock's own Timeout.
        with suppress(OSError):
            self._make_folder(path.parent)
            with FileLock(f"{path}.lock", timeout=_HEAD_LOCK_SECONDS):
                known = self._seen_head(f"heads/{path.name}")
                if known is None or seen.is_newer_than(known):
                    self._write(path, seal(seen.encode()))

    def forget_head(self, registry: str, domain: str) -> None:
        """Forget a domain's newest entry: for somebody who has made sure that the registry was put back on purpose."""
        path = self._named("heads", registry, domain)
        if self.layers:
            # What a layer remembers cannot be removed, so it is hidden.
            self._write(path, seal(SeenHead(_FORGOTTEN, b"").encode()))
        else:
            with suppress(OSError):
                path.unlink()
        self.forget_verified(registry, domain)

    def verified(self, registry: str, domain: str, kind: str) -> bytes | None:
        """Return what a verification remembered of a domain, or None.

        Args:
            registry: which one.
            domain: which one of its domains; ``""`` for the registry as a whole.
            kind: what is remembered: ``quick``, ``vouched``, ``deep``, ``marker`` or ``domains``.
        """
        return unseal(_read(self._named("verified", registry, domain, kind)))

    def remember_verified(self, registry: str, domain: str, kind: str, content: bytes) -> None:
        """Keep what a verification shall find again."""
        self._write(self._named("verified", registry, domain, kind), seal(content))

    def forget_verified(self, registry: str, domain: str) -> None:
        """Forget what verifications remembered of a domain: it does not hold any more."""
        for kind in _VERIFIED_OF_A_DOMAIN:
            with suppress(OSError):
                self._named("verified", registry, domain, kind).unlink()

    def version_digest(self, registry: str, model: str, version: str) -> str | None:
        """Return the digest of the record of an exact version, or None if this machine has not seen it."""
        folder = "versions/" + _name(registry, model)
        places = self._places(f"{folder}/{_name(version)}")
        if self.layers and _read(self.root / folder / _HIDES_LAYERS) is not None:
            places = iter([next(places)])
        content = next(filter(None, (unseal(_read(path)) for path in places)), None)
        return None if content is None else content.decode()

    def remember_version(self, registry: str, model: str, version: str, digest: str) -> None:
        """Keep the digest of an exact version's record; the first one seen stays, because versions never change."""
        _hex(digest)
        path = self._named("versions", registry, model) / _name(version)
        if self.version_digest(registry, model, version) is None:
            self._write(path, seal(digest.encode()))

    def forget_versions(self, registry: str, model: str) -> None:
        """Forget which versions of a model were seen: for a registry that was put back, and then went on otherwise."""
        # A folder for each model, so that its versions can be forgotten together.
        folder = self._named("versions", registry, model)
        with suppress(OSError):
            remove_tree(folder)
        if self.layers:
            self._write(folder / _HIDES_LAYERS, b"")

    def marker(self, store: str) -> str | None:
        """Return the id of the registry that this machine saw last in a store, or None."""
        content = next(filter(None, (unseal(_read(path)) for path in self._places("markers/" + _name(store)))), None)
        return None if content is None else content.decode()

    def remember_marker(self, store: str, marker: str) -> None:
        """Keep the id of the registry in a store."""
        if self.marker(store) != marker:
            self._write(self._named("markers", store), seal(marker.encode()))

    def tree(self, digest: str) -> Path | None:
        """Return the folder of a pulled version by its record's digest, or None; if it is there, it is complete.

        Sizes and modification times of its files are looked at; what was written to, and after a restart of the
        machine what may not have reached the disk, is hashed.

        Raises:
            StoreError: the cache folder does not let this process look.
        """
        digits = _hex(digest)
        try:
            return self.trees.find(digits)
        except OSError as error:
            raise self._unusable(error) from error

    @contextmanager
    def build_tree(
        self, digest: str, index: TreeIndex, linker: Linker | None = None, waiting: Callable[[], None] = lambda: None
    ) -> Iterator[Path | None]:
        """Fill the folder of a version; one process builds it, others wait as long as it takes (Ctrl-C ends the wait).

        ::

            with cache.build_tree(digest, index) as folder:
                if folder is not None:
                    ...  # put the files there; when the block ends they are read-only, and tree(digest) has them

        When the block raises, nothing of it is left. What killed processes left goes when the next tree is built. A
        tree that is there and not whole is built anew.

        Args:
            digest: of the version's record.
            index: what the tree will hold.
            linker: what the files are put there with.
            waiting: is called about five times a second while another process builds it.

        Yields:
            An empty folder, or None when the tree is there (another process has built it meanwhile).

        Raises:
            StoreError: the cache folder cannot hold the tree, or a file could not be written in the block.
        """
        if self.tree(digest) is not None:
            yield None
            return
        try:
            self._make_folder(self.trees.folder)
            with self.trees.build(_hex(digest), index, linker or Linker(self.link), waiting) as partial:
                yield partial
        except ObjregError:
            raise  # AccessDenied, from the store, is an OSError too
        except OSError as error:
            raise self._unusable(error) from error

    def prepare(self, kind: str) -> Path:
        """Return a folder of the cache for what keeps its own files there (``objreg.local.notes``), made if need be.

        Raises:
            OSError: the cache cannot be written.
        """
        folder = self.root / kind
        self._make_folder(folder)
        return folder

    def _named(self, kind: str, *names: str) -> Path:
        return self.root / kind / _name(*names)

    def _places(self, name: str) -> Iterator[Path]:
        return (root / name for root in (self.root, *self.layers))

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


def _name(*names: str) -> str:
    """Return the name of a file for what may have any letters."""
    return sha256("\0".join(names).encode(errors="surrogateescape")).hexdigest()


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
