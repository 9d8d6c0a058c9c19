"""The two engines, obstore and fsspec (s3fs, gcsfs): start, small requests, throughput, processor time and memory.

``python -m benchmarks.engines [--write] [--quick] [--rounds N] [--only ENGINE ...]``

Each figure is taken through objreg's own store, in a process of its own, so it has in it what objreg adds: translated
errors, repeated reads, the condition on each create. gcsfs speaks to an emulator of Google's storage, another server,
so its numbers stand beside the others and are not compared with them.
"""

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.harness.measure import Measured, Outcome, do, progress, take_turns
from benchmarks.harness.options import add_only, new_parser
from benchmarks.harness.peers import TOP, named_versions
from benchmarks.harness.servers import credentials, drop_bucket, fresh_bucket, s3_server, server_name
from benchmarks.harness.tables import DASH, machine, publish, rounds_in_turn, table
from tests.servers.fake_gcs import FakeGCS
from tests.servers.server import S3Server

MIB = 1024**2
BLOB = 32
CONNECTIONS = 8
ENGINES = ("obstore", "s3fs", "gcsfs")
BASELINE, COMPARED = ENGINES[:2]
SMALL = ("get", "create", "first_of_30", "first_of_1500")


@dataclass(frozen=True)
class Amount:
    """How much is done for one figure: requests, listings, and blobs of 32 MiB."""

    requests: int
    listings: int
    blobs: int

    def of(self, operation: str) -> int:
        return self.listings if operation.startswith("first_of") else self.requests


FULL, QUICK = Amount(1000, 200, 16), Amount(40, 10, 2)


@dataclass(frozen=True)
class Turn:
    """One engine's turn in a bucket of its own."""

    engine: str
    url: str
    options: Mapping[str, object] | None
    environment: Mapping[str, str]
    amount: Amount

    def measure(self) -> dict[str, float]:
        """Return the figures, each operation in a new process."""
        self._do(["fill"], CONNECTIONS)
        figures: dict[str, float] = {}
        began = time.perf_counter()
        (first,) = self._do(["first"], 1)
        figures |= {
            "open": first.ready * 1000,
            "first": first.seconds * 1000,
            "process": (time.perf_counter() - began) * 1000,
            "first memory": first.memory / MIB,
        }
        for threads in (1, CONNECTIONS):
            for operation, outcome in zip(SMALL, self._do(["warm", *SMALL], threads)[1:], strict=True):
                count = self.amount.of(operation)
                figures[f"{operation} {threads}"] = count / outcome.seconds
                figures[f"{operation} {threads} processor"] = outcome.processor / count * 1000
        for operation in ("put_blobs", "get_blobs"):
            (outcome,) = self._do([operation], CONNECTIONS)
            moved = BLOB * self.amount.blobs
            figures[operation] = moved / outcome.seconds
            figures[f"{operation} processor"] = outcome.processor / moved * 1024
            figures[f"{operation} memory"] = outcome.memory / MIB
        return figures

    def _do(self, operations: Sequence[str], threads: int) -> list[Outcome]:
        job = {
            "url": self.url,
            "engine": "obstore" if self.engine == "obstore" else "fsspec",
            "options": self.options,
            "threads": threads,
            "requests": self.amount.requests,
            "listings": self.amount.listings,
            "blobs": self.amount.blobs,
        }
        environment = {**self.environment, "PYTHONPATH": str(TOP)}
        return do("engine", operations, job, environment, peer="engines")


@contextmanager
def turn_of(engine: str, server: S3Server, amount: Amount) -> Iterator[Turn]:
    """Yield an engine's turn: a fresh bucket, or for Google a fresh emulator, as it keeps all that it was sent."""
    if engine != "gcsfs":
        url = fresh_bucket(server)
        try:
            yield Turn(engine, f"{url}/registry", None, credentials(server), amount)
        finally:
            drop_bucket(server, url)
        return
    google = FakeGCS()
    try:
        yield Turn(engine, f"{google.new_bucket()}/registry", google.options("fsspec"), {}, amount)
    finally:
        google.stop()


@dataclass(frozen=True)
class Line:
    """A line of the table: what it is, and which figure."""

    title: str
    figure: str
    form: Callable[[float], str] = "{:,.0f}".format


def lines() -> list[Line]:
    """Return what the table shows."""
    exact = "{:.2f}".format
    named = {
        "get": "get of 1 KiB",
        "create": "conditional create of 1 KiB",
        "first_of_30": "newest of a log of 30 entries",
        "first_of_1500": "newest of a log of 1,500 entries",
    }
    found = [
        Line("import and open the store, ms", "open"),
        Line("first request, ms", "first"),
        Line("process that reads one object, start to end, ms", "process"),
        Line("its peak memory, MiB", "first memory"),
    ]
    for threads in (1, CONNECTIONS):
        unit = "1 thread" if threads == 1 else f"{threads} threads"
        found += [Line(f"{text}, {unit}, requests/s", f"{name} {threads}") for name, text in named.items()]
    found += [
        Line(f"{text}, processor time, ms each", f"{name} {CONNECTIONS} processor", exact)
        for name, text in named.items()
    ]
    for name, text in (("put_blobs", "put"), ("get_blobs", "get")):
        found += [
            Line(f"{text} of {BLOB} MiB blobs, {CONNECTIONS} at a time, MiB/s", name),
            Line(f"{text}, processor time, s each GiB", f"{name} processor", exact),
            Line(f"{text}, peak memory, MiB", f"{name} memory"),
        ]
    return found


def rows(measured: Measured, engines: Sequence[str]) -> list[list[str]]:
    """Return the table's lines."""
    found = []
    for line in lines():
        cells = [line.title]
        for engine in engines:
            spread = measured.spread(engine, line.figure)
            cells.append(spread.text(line.form) if spread else DASH)
        ratio = measured.ratio(COMPARED, line.figure, BASELINE)
        cells.append(ratio.text() if ratio else DASH)
        found.append(cells)
    return found


def circumstances(rounds: int, amount: Amount) -> str:
    """Return the sentence that says of what these numbers are."""
    shown = named_versions(["engines"], ("obstore", "fsspec", "s3fs", "aiobotocore", "gcsfs"))
    return (
        f"{machine()}. {shown}. Server of obstore and s3fs: {server_name()}; of gcsfs: fake-gcs-server, an emulator;"
        f" both on the same machine with their data in memory. {rounds_in_turn(rounds)}; {amount.requests:,} requests,"
        f" {amount.listings:,} listings and {amount.blobs} blobs for each figure. The ratio is of s3fs to obstore in"
        f" the same round. Opening is counted after Python and objreg's own modules are there."
    )


def report(engines: Sequence[str], rounds: int, amount: Amount) -> str:
    """Measure, and return what the page says."""
    with s3_server() as server:

        def turn(engine: str, _number: int) -> dict[str, float]:
            with turn_of(engine, server, amount) as found:
                return found.measure()

        progress("a turn that does not count, for the server")
        turn(BASELINE, 0)
        measured = take_turns(engines, rounds, turn)
    header = ("", *engines, f"{COMPARED} / {BASELINE}")
    return f"{table(header, rows(measured, engines))}\n\n{circumstances(rounds, amount)}"


def main() -> int:
    """Print the table, and put it into the page if that is asked for."""
    parser = new_parser(__doc__, quick="few requests and one round", rounds=5)
    add_only(parser, ENGINES, "ENGINE")
    arguments = parser.parse_args()
    amount, rounds = (QUICK, 1) if arguments.quick else (FULL, arguments.rounds)
    text = report(tuple(arguments.only), rounds, amount)
    publish("engines", text, write=arguments.write)
    return 0


if __name__ == "__main__":
    sys.exit(main())
