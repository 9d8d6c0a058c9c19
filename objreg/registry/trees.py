"""Build the folder of a version in the cache: from files that are there, and from the store what is not.

A file that this process fetches is locked, so that others wait for it instead of fetching it too; two models whose
files differ are fetched side by side. Nobody holds a lock while waiting for another, so nobody waits for ever.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from objreg.core.artifacts import File
from objreg.errors import StoreError
from objreg.local.cache_links import Linker
from objreg.local.cache_trees import TreeIndex
from objreg.registry.collected import collection_told
from objreg.registry.download import download
from objreg.registry.filling import new_file
from objreg.registry.session import Session
from objreg.registry.values import Version

__all__ = ["build_folder"]

_BLOCK = 512
"""What ``st_blocks`` counts, on every system."""


def build_folder(
    session: Session,
    version: Version,
    name: str,
    files: Mapping[str, File],
    *,
    whole: bool,
    received: Callable[[int], None],
) -> Path:
    """Return the folder with some files of a version; what the cache lacks is fetched.

    Args:
        session: the registry.
        version: whose files.
        name: of the folder: a digest.
        files: that it must hold, by path.
        whole: whether these are all of the version.
        received: is told how many bytes were fetched, by this process or by one that is waited for.

    Raises:
        NotFound: the version was retired and its files were collected.
        IntegrityError: the bucket holds other bytes than the record promises.
        StoreError: the store gave no answer, or the folder cannot be written.
    """
    cache = session.cache
    linker = Linker(cache.link)
    index = TreeIndex(
        registry=session.store.url,
        model=version.model,
        version=version.version,
        record=version.digest,
        files={path: (file.digest, file.size) for path, file in files.items()},
        whole=whole,
    )
    partial = cache.trees.partial(name)

    def written() -> int:
        return sum(
            _written(partial / path, file) or _written(cache.files.partial(file.digest), file)
            for path, file in files.items()
        )

    watch = _Watch(session, version.spec, written, received)
    with cache.build_tree(name, index, linker, watch) as folder:
        if folder is None:
            watch.end(index.size)
        else:
            with collection_told(session, version):
                _Building(session, version, folder, linker, received).fill(files)
    found = cache.tree(name)
    if found is None:
        raise StoreError(f"{version.spec} was pulled, and something removed it from {session.cache_dir} at once")
    return found


class _Building:
    """A folder that is being filled."""

    def __init__(
        self, session: Session, version: Version, folder: Path, linker: Linker, received: Callable[[int], None]
    ) -> None:
        self._session = session
        self._version = version
        self._files = session.cache.files
        self._folder = folder
        self._linker = linker
        self._received = received

    def fill(self, files: Mapping[str, File]) -> None:
        """Put every file there."""
        lacking = self._place_known(files)
        while lacking:
            with self._files.lock_free({file.digest: file.size for file in lacking.values()}) as (held, busy):
                mine = {path: file for path, file in lacking.items() if file.digest not in busy}
                # Before it was locked here, another process may have fetched it. Of what is not locked, that is as well
                # fetched again as looked for again.
                there = {path for path, file in mine.items() if file.digest in held and self._place(path, file)}
                if fetched := {path: file for path, file in mine.items() if path not in there}:
                    self._fetch(fetched, held)
            lacking = self._place_known({path: file for path, file in lacking.items() if path not in mine})
            if lacking:
                self._wait(*next(iter(lacking.items())))
                lacking = self._place_known(lacking)

    def _place_known(self, files: Mapping[str, File]) -> dict[str, File]:
        """Link the files that the cache has; return the others."""
        return {path: file for path, file in files.items() if not self._place(path, file)}

    def _place(self, path: str, file: File) -> bool:
        source = self._files.find(file.digest, file.size)
        if source is None:
            return False
        with new_file(path, self._folder / path) as target:
            try:
                self._linker.place(source, target, from_layer=self._files.is_in_layer(source))
            except FileNotFoundError:
                return False  # somebody pruned the cache between the look and the link
        return True

    def _wait(self, path: str, file: File) -> None:
        def written() -> int:
            return _written(self._files.partial(file.digest), file)

        watch = _Watch(self._session, f"{self._version.spec}/{path}", written, self._received)
        self._files.wait(file.digest, watch)
        if self._files.path(file.digest).exists():
            watch.end(file.size)

    def _fetch(self, files: Mapping[str, File], held: Mapping[str, Callable[[], None]]) -> None:
        first: dict[str, str] = {}
        for path, file in files.items():
            first.setdefault(file.digest, path)
        # Under its lock nobody else writes to a file, so it can stay where the next attempt finds what there is of it.
        kept = {path: self._files.partial(digest) for digest, path in first.items() if digest in held}

        def done(path: str) -> None:
            digest, target = files[path].digest, self._folder / path
            if path in kept:
                with new_file(path, target):
                    self._files.adopt(kept[path], digest, self._linker, target)
            else:
                self._files.adopt(target, digest, self._linker, target)
            if digest in held:
                held[digest]()

        self._files.remove_partials()
        once = {path: files[path] for path in first.values()}
        domain = self._session.model(self._version.model).domain
        download(self._session.store, domain, once, self._folder, self._received, done, self._session.fetching, kept)
        again = self._place_known({path: file for path, file in files.items() if path not in once})
        if again:
            raise StoreError(
                f"{min(again)} of {self._version.spec} was fetched, and is gone from the cache: pull again"
            )


class _Watch:
    """Watches what another process fetches, and tells how far it is."""

    def __init__(
        self, session: Session, what: str, written: Callable[[], int], received: Callable[[int], None]
    ) -> None:
        self._session = session
        self._what = what
        self._written = written
        self._received = received
        self._seen: int | None = None

    def __call__(self) -> None:
        if self._seen is None:
            self._seen = 0
            self._session.tell(f"waiting for {self._what}: it is being fetched already")
        self._move_to(self._written())

    def end(self, size: int) -> None:
        """Tell what is missing up to a size, where something was waited for."""
        if self._seen is not None:
            self._move_to(size)

    def _move_to(self, found: int) -> None:
        seen = self._seen or 0
        # Also that nothing came is told: so whoever has stopped, as when another model cannot be had, can say it here.
        self._received(max(0, found - seen))
        self._seen = max(seen, found)


def _written(place: Path, file: File) -> int:
    try:
        return min(place.stat().st_blocks * _BLOCK, file.size)
    except (OSError, AttributeError):  # not begun, or a system that does not count blocks
        return 0
