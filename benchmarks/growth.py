"""How the cost of one commit and of one cold read grows with the history of a model, from 10 to 1,000,000 entries.

``python -m benchmarks.growth [--write] [--quick] [--samples N] [--only WHERE ...] [--largest ENTRIES]``

The logs are made fast, by objreg's core (``harness/logs.py``), and each is checked by objreg's own reads before
anything is measured; up to 10,000 entries by ``objreg fsck``, too. Times are taken without the proxy that counts,
which comes last.
"""

import itertools
import os
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, ClassVar
from unittest.mock import patch

import objreg
from benchmarks.harness.latency import LatencyProxy
from benchmarks.harness.logs import STATE, GrowingLog, Log, RotatingLog
from benchmarks.harness.measure import Spread, progress
from benchmarks.harness.options import add_only, new_parser
from benchmarks.harness.peers import named_versions
from benchmarks.harness.servers import credentials, fresh_bucket, s3_server, scratch, server_name
from benchmarks.harness.tables import DASH, machine, publish, table
from objreg.maintenance.fsck import fsck
from objreg.store.urls import open_store
from objreg.store.wrappers import CountingStore

MODEL = "bench/model"
VERSIONS = 8
BOUNDED = (10, 1_000, 10_000, 100_000, 1_000_000)
GROWING = (10, 1_000, 10_000, 30_000)
VERIFIED = 10_000
WRITERS = 16
KIB = 1024
OPERATIONS = ("cold read", "warm read", "cold commit", "warm commit")


@dataclass
class Cost:
    """What one operation took: milliseconds of each sample, and requests and bytes, once."""

    milliseconds: list[float] = field(default_factory=list)
    requests: int = 0
    bytes: int = 0

    def text(self) -> str:
        size = f"{self.bytes / KIB:,.1f}" if self.bytes < 100 * KIB else f"{self.bytes / KIB:,.0f}"
        return f"{self.requests} · {size} · {Spread(tuple(self.milliseconds)).text('{:.1f}'.format)}"


Counter = Callable[[], tuple[int, int]]
"""Returns requests and bytes since its last call."""


class Place(ABC):
    """Where a registry is put.

    Attributes:
        name: for the table.
        url: of the registry.
    """

    name: ClassVar[str]
    url: str

    @abstractmethod
    def store(self, objects: Iterator[tuple[str, bytes]]) -> None:
        """Store objects that are new, in any order."""

    @abstractmethod
    def counted(self) -> AbstractContextManager[Counter]:
        """Count what is asked of the place by registries that are opened within."""


class Folder(Place):
    """A folder: requests are calls to the store, a look at a slot each or a file read or made."""

    name = "folder"

    def __init__(self, path: Path) -> None:
        self.url = str(path)

    def store(self, objects: Iterator[tuple[str, bytes]]) -> None:
        for key, data in objects:
            path = os.path.join(self.url, key)  # noqa: PTH118  # a million times
            try:
                file = open(path, "xb")  # noqa: PTH123, SIM115  # as above; closed below
            except FileNotFoundError:
                Path(path).parent.mkdir(parents=True)
                file = open(path, "xb")  # noqa: PTH123, SIM115  # as above; closed below
            with file:
                file.write(data)

    @contextmanager
    def counted(self) -> Iterator[Counter]:
        stores: list[CountingStore] = []

        def counting(*arguments: Any, **options: Any) -> CountingStore:
            stores.append(CountingStore(open_store(*arguments, **options)))
            return stores[-1]

        def taken() -> tuple[int, int]:
            requests = sum(store.requests for store in stores)
            moved = sum(store.counts["bytes_read"] + store.counts["bytes_written"] for store in stores)
            for store in stores:
                store.reset()
            return requests, moved

        with patch("objreg.registry.opening.open_store", counting):
            yield taken


class Bucket(Place):
    """A bucket: requests and bytes are those on the wire, both ways, with their headers."""

    name = "S3"

    def __init__(self, server: Any) -> None:
        self._server = server
        self.url = f"{fresh_bucket(server)}/registry"

    def store(self, objects: Iterator[tuple[str, bytes]]) -> None:
        store = objreg.open(self.url).session.store

        def create(item: tuple[str, bytes]) -> None:
            if not store.create(*item):
                raise ValueError(f"{item[0]} is there already")

        with ThreadPoolExecutor(WRITERS) as pool:
            while batch := list(itertools.islice(objects, 64 * WRITERS)):
                list(pool.map(create, batch))

    @contextmanager
    def counted(self) -> Iterator[Counter]:
        with LatencyProxy(self._server.origin, 0) as proxy, environment(credentials(self._server, origin=proxy.origin)):

            def taken() -> tuple[int, int]:
                return len(proxy.take()), sum(proxy.take_bytes())

            yield taken


@contextmanager
def environment(added: dict[str, str]) -> Iterator[None]:
    """Set variables of this process for a while."""
    before = dict(os.environ)
    os.environ.update(added)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def fresh_machine() -> Iterator[None]:
    """While it is open, registries are opened as on a machine that has never seen them."""
    with scratch("cache") as folder, environment({"OBJREG_CACHE_DIR": str(folder), "OBJREG_ACTOR": "benchmark"}):
        yield


def begin(url: str, versions: int) -> None:
    """Create a registry with a model that has some versions, one of them in the state."""
    with fresh_machine(), scratch("model") as folder:
        registry = objreg.open(url, create=True, lock=False)
        registry.define_state(STATE, exclusive=True)
        for number in range(versions):
            (folder / "model.bin").write_bytes(b"model %d" % number)
            version = registry.push(MODEL, folder / "model.bin")
        registry.set_state(version, STATE)
        registry.close()


def extend(place: Place, kind: type[Log], length: int) -> None:
    """Make the log so long, and look whether objreg reads what was made; the short ones are verified as a whole."""
    with fresh_machine():
        log = kind(objreg.open(place.url, lock=False), MODEL)
        began = time.perf_counter()
        place.store(log.up_to(length))
        progress(f"{place.name}: {length:,} entries, {time.perf_counter() - began:.0f} s")
    with fresh_machine():
        registry = objreg.open(place.url, lock=False)
        log.check(registry)
        if length <= VERIFIED and not (report := fsck(registry)).ok:
            raise ValueError(f"objreg fsck finds in what was made: {report.findings[0]}")
        registry.close()


class Sampling:
    """Reads and commits to the model of a place, each time as on a machine that has never seen it."""

    def __init__(self, place: Place) -> None:
        self._place = place
        with fresh_machine():
            self._registry = registry = objreg.open(place.url, lock=False)
            self._standing = registry.resolve(f"{MODEL}@{STATE}").version
            self._others = [found.version for found in registry.versions(MODEL) if found.version != self._standing]
        self.costs = {name: Cost() for name in OPERATIONS}

    def measure(self, samples: int) -> dict[str, Cost]:
        """Return what each operation takes."""
        for _ in range(samples):
            self._run(self._timed)
        with self._place.counted() as taken:
            self._run(partial(self._counted, taken))
        return self.costs

    def _run(self, watched: Callable[[Cost, Callable[[], object]], None]) -> None:
        for name, operation in (("read", self._read), ("commit", self._commit)):
            with fresh_machine():
                watched(self.costs[f"cold {name}"], partial(self._cold, operation))
                watched(self.costs[f"warm {name}"], operation)
                self._registry.close()

    def _cold(self, operation: Callable[[], None]) -> None:
        self._registry = objreg.open(self._place.url, lock=False)
        operation()

    def _timed(self, cost: Cost, operation: Callable[[], object]) -> None:
        began = time.perf_counter()
        operation()
        cost.milliseconds.append((time.perf_counter() - began) * 1000)

    def _counted(self, taken: Counter, cost: Cost, operation: Callable[[], object]) -> None:
        taken()
        operation()
        cost.requests, cost.bytes = taken()

    def _read(self) -> None:
        assert self._registry.resolve(f"{MODEL}@{STATE}").version == self._standing

    def _commit(self) -> None:
        self._others.append(self._standing)
        self._standing = self._others.pop(0)
        assert self._registry.set_state(f"{MODEL}:{self._standing}", STATE).changed


def rows(place: Place, kind: type[Log], lengths: Sequence[int], samples: int) -> Iterator[list[str]]:
    """Make a log longer and longer, and yield a line of the table for each length."""
    begin(place.url, VERSIONS if kind is RotatingLog else 2)
    for length in lengths:
        extend(place, kind, length)
        costs = Sampling(place).measure(samples)
        state = "bounded" if kind is RotatingLog else "growing"
        yield [place.name, state, f"{length:,}", *(costs[name].text() for name in OPERATIONS)]


def report(places: Sequence[str], bounded: Sequence[int], growing: Sequence[int], samples: int) -> str:
    """Measure everything, and return what the page says."""
    found: list[list[str]] = []
    kinds: tuple[tuple[type[Log], Sequence[int]], ...] = ((RotatingLog, bounded), (GrowingLog, growing))
    for kind, lengths in kinds:
        if "folder" in places:
            with scratch("registry") as path:
                found += rows(Folder(path / "registry"), kind, lengths, samples)
        if "s3" in places:
            with s3_server() as server, environment(credentials(server)):
                found += rows(Bucket(server), kind, lengths, samples)
    header = ("where", "state", "entries", *OPERATIONS)
    return f"{table(header, found, left=2)}\n\n{circumstances(samples)}"


def circumstances(samples: int) -> str:
    """Return the sentence that says of what these numbers are."""
    return (
        f"{machine()}, {named_versions(['obstore'], ['obstore'])}. In each cell: requests · KiB · milliseconds, median"
        f" (least{DASH}most) of {samples} samples. S3: {server_name()} on the same machine; requests and bytes on the"
        " wire, both ways, with headers. Folder: requests are calls to the store (files read or made, slots looked at),"
        " bytes those of the files. All data in memory. *Entries* is the length when the samples begin; each adds two."
    )


def main() -> int:
    """Print the table, and put it into the page if that is asked for."""
    parser = new_parser(__doc__, quick="short logs, few samples")
    parser.add_argument("--samples", type=int, default=15, help="of each operation at each length")
    add_only(parser, ("folder", "s3"), "WHERE")
    parser.add_argument("--largest", type=int, default=BOUNDED[-1], help="entries of the longest log")
    arguments = parser.parse_args()
    largest, samples = (1_000, 3) if arguments.quick else (arguments.largest, arguments.samples)
    lengths = [[length for length in all_ if length <= largest] for all_ in (BOUNDED, GROWING)]
    text = report(arguments.only, *lengths, samples)
    publish("growth", text, write=arguments.write)
    return 0


if __name__ == "__main__":
    sys.exit(main())
