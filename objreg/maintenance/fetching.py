"""Read many objects at once, for a verification: as they are in the store, never from the cache."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

from objreg.errors import StoreUnavailable
from objreg.registry.clock import Clock
from objreg.store.base import ObjectInfo, Store
from objreg.store.checksums import recorded_sha256

__all__ = ["Fetching", "fetching"]

_WORKERS = 16
_BLOB_WORKERS = 4
_MOST_ATTEMPTS = 5

T = TypeVar("T")
U = TypeVar("U")


class Fetching:
    """Reads of one verification, with a bounded number under way.

    Args:
        store: where from.
        clock: for the pauses between attempts.
        small: takes small objects.
        large: takes blobs, of which few may be in memory at a time.
        progress: is told how many more objects were read.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        small: ThreadPoolExecutor,
        large: ThreadPoolExecutor,
        progress: Callable[[int], None],
    ) -> None:
        self.store = store
        self._clock = clock
        self._small = small
        self._large = large
        self._progress = progress

    def get(self, key: str) -> bytes | None:
        """Return an object's bytes, or None; a store that gives no clear answer is asked again."""
        data = self._patiently(self.store.get, key)
        self._progress(1)
        return data

    def many(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Return the bytes of those objects that are there."""
        asked = tuple(keys)
        return {
            key: data for key, data in zip(asked, self._small.map(self.get, asked), strict=True) if data is not None
        }

    def sizes(self, keys: Iterable[str]) -> dict[str, int]:
        """Return the sizes of those objects that are there."""

        def head(key: str) -> ObjectInfo | None:
            return self._patiently(self.store.head, key)

        return {info.key: info.size for info in self._small.map(head, tuple(keys)) if info is not None}

    def recorded(self, keys: Iterable[str]) -> dict[str, str]:
        """Return the digests that the store keeps of those objects of which it keeps one."""

        def ask(key: str) -> tuple[str, str | None]:
            return key, self._patiently(partial(recorded_sha256, self.store), key)

        return {key: digest for key, digest in self._small.map(ask, tuple(keys)) if digest is not None}

    def blobs(self, check: Callable[[T], U], items: Iterable[T]) -> Iterator[U]:
        """Yield what ``check`` says of each item, a few at a time."""
        return self._large.map(check, tuple(items))

    def _patiently(self, ask: Callable[[str], T], key: str) -> T:
        for attempt in range(1, _MOST_ATTEMPTS):
            try:
                return ask(key)
            except StoreUnavailable:
                self._clock.pause(attempt)
        return ask(key)


@contextmanager
def fetching(store: Store, clock: Clock, progress: Callable[[int], None]) -> Iterator[Fetching]:
    """Open the pools of one verification; whatever ends it, nothing that was only asked for is still read."""
    small = ThreadPoolExecutor(_WORKERS, thread_name_prefix="objreg-fsck")
    large = ThreadPoolExecutor(_BLOB_WORKERS, thread_name_prefix="objreg-fsck-blobs")
    try:
        yield Fetching(store, clock, small, large, progress)
    finally:
        small.shutdown(wait=True, cancel_futures=True)
        large.shutdown(wait=True, cancel_futures=True)
