"""What is locked becomes files on this machine: from the cache without a request, else by the records' digests."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor, as_completed
from pathlib import Path
from threading import Event

from objreg.core.lock_file import LockedAsset
from objreg.errors import NotFound
from objreg.local.cache import Cache
from objreg.registry.pinned import pinned_version
from objreg.registry.registry import Registry

__all__ = ["cached", "missing", "sync"]


def cached(cache: Cache, asset: LockedAsset) -> Path | None:
    """Return the folder of a locked version if the cache has it with every file at its size, else None."""
    folder = cache.tree(asset.record)
    if folder is None:
        return None
    try:
        sizes = {file.path: folder.joinpath(*file.path.split("/")).stat().st_size for file in asset.files}
    except OSError:
        return None
    return folder if all(sizes[file.path] == file.size for file in asset.files) else None


def missing(cache: Cache, assets: Iterable[LockedAsset]) -> tuple[LockedAsset, ...]:
    """Return which of some locked versions the cache lacks."""
    return tuple(asset for asset in assets if cached(cache, asset) is None)


def sync(
    cache: Cache,
    assets: Iterable[LockedAsset],
    registry: Callable[[], Registry] | None,
    place: str,
    progress: Callable[[int], None] | None = None,
) -> dict[str, Path]:
    """Return the folder of each locked version; what the cache lacks is fetched.

    What it has takes no request. For what it lacks: one for the record, if the cache lacks that too, and one a blob.

    Args:
        cache: of this machine.
        assets: from the lock file.
        registry: opens the registry; called when something is missing. None forbids it.
        place: the lock file's path, for messages.
        progress: is called with the number of bytes fetched, as they are; from several threads.

    Raises:
        NotFound: something is missing and may not be fetched, or was retired and collected.
        IntegrityError: the registry does not hold what is locked; nothing of it is kept.
    """
    wanted = tuple(assets)
    lacking = missing(cache, wanted)
    if lacking and registry is None:
        names = [asset.spec for asset in lacking]
        raise NotFound(
            f"the cache {cache.root} lacks {', '.join(names)}, and the network is not to be used: run 'objreg sync'"
            f" with a network first",
            missing=names,
        )
    fetched = _fetch(registry(), lacking, place, progress or _ignore) if lacking and registry is not None else {}
    return {asset.name: fetched.get(asset.name) or _tree(cache, asset) for asset in wanted}


def _fetch(
    registry: Registry, assets: Sequence[LockedAsset], place: str, progress: Callable[[int], None]
) -> dict[str, Path]:
    """Fetch versions side by side. Their blobs, and before them their records, share the registry's connections."""
    session = registry.session
    versions = session.fetching.map(lambda asset: pinned_version(session, asset, place), assets)
    wanted = {asset.name: version for asset, version in zip(assets, versions, strict=True)}
    stopped = Event()

    def received(size: int) -> None:
        if stopped.is_set():
            raise CancelledError
        progress(size)

    with ThreadPoolExecutor(min(len(assets), session.connections), thread_name_prefix="objreg-sync") as pool:
        pulls = {pool.submit(registry.pull, version, progress=received): name for name, version in wanted.items()}
        try:
            return {pulls[pull]: pull.result() for pull in as_completed(pulls)}
        except BaseException:
            stopped.set()  # what one of them lacks fails all: let the others end with the blob that they are at
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _tree(cache: Cache, asset: LockedAsset) -> Path:
    folder = cached(cache, asset)
    if folder is None:
        raise NotFound(f"{asset.spec} was in the cache {cache.root} a moment ago, and is gone: run 'objreg sync' again")
    return folder


def _ignore(_: int) -> None:
    """Nobody watches."""
