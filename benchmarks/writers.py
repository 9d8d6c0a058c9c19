"""Many writers at once: 1, 4, 16 and 64 processes that commit to one model, or each to its own.

``python -m benchmarks.writers [--write] [--quick] [--rounds N] [--seconds N] [--only CLIENT ...] [--server NAME ...]
[--writers N ...]``

What objreg does is set beside the least that it could be: plain conditional creates of 1 KiB by as many processes, into
one sequence of keys (who loses a key tries the next, and reads nothing) or each into its own. And beside MLflow with
SQLite on a local disk, which sets an alias where objreg sets a state: no network, and no bucket; in the first round
only.
"""

import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from benchmarks.harness.measure import ClientFailed, Measured, do, progress
from benchmarks.harness.options import add_only, new_parser
from benchmarks.harness.peers import named_versions
from benchmarks.harness.servers import credentials, drop_bucket, fresh_bucket, s3_server, scratch, server_name
from benchmarks.harness.tables import DASH, machine, publish, rounds_in_turn, table
from tests.servers.ceph import Ceph
from tests.servers.seaweedfs import SeaweedFS
from tests.servers.server import S3Server

SERVERS: Mapping[str, type[S3Server]] = {"ceph": Ceph, "seaweedfs": SeaweedFS}
CLIENTS = {"objreg": "objreg", "obstore": "plain creates", "mlflow": "MLflow"}
PEERS = {"objreg": "objreg", "obstore": "objreg", "mlflow": "mlflow"}
CROWDS = (1, 4, 16, 64)


@dataclass(frozen=True)
class Turn:
    """One client's turn: how many writers, to one model or each to its own, for how long."""

    client: str
    writers: int
    apart: bool
    seconds: float

    def measure(self, server: S3Server | None) -> dict[str, float]:
        """Return the figures, from a bucket or a database of its own."""
        with scratch("writers") as folder, _bucket(server) as url:
            job = {
                "client": self.client,
                "writers": self.writers,
                "apart": self.apart,
                "seconds": self.seconds,
                "url": f"{url}/registry",
                "bucket": url.removeprefix("s3://"),
                "database": f"sqlite:///{folder}/mlflow.db",
                "folder": folder,
            }
            environment = credentials(server) if server else {}
            work = partial(do, "writers", job=job, environment=environment, peer=PEERS[self.client])
            work(["prepare"], environment={**environment, "OBJREG_CACHE_DIR": str(folder / "cache")})
            (outcome,) = work(["write"])
        each = outcome.facts["each"]
        figures = self._figures(outcome.facts["operations"], outcome.facts["failures"])
        return {**figures, "least": float(min(each)), "most": float(max(each))}

    def _figures(self, operations: Sequence[Sequence[Any]], failures: Sequence[str]) -> dict[str, float]:
        for text in sorted(set(failures))[:3]:
            progress(f"{self}: {text}")
        times = sorted(seconds * 1000 for seconds, *_ in operations)
        if not times:
            raise ClientFailed(f"{self}: no operation came through: {failures[:3]}")
        return {
            "rate": sum(counts for *_, counts in operations) / self.seconds,
            "median": statistics.median(times),
            "p95": times[min(len(times) - 1, int(0.95 * len(times)))],
            "max": times[-1],
            "tries": statistics.fmean(tries for _, tries, *_ in operations),
            "requests": statistics.fmean(requests for _, _, requests, _ in operations),
            "failed": float(len(failures)),
        }


@contextmanager
def _bucket(server: S3Server | None) -> Iterator[str]:
    if server is None:
        yield ""
        return
    url = fresh_bucket(server)
    try:
        yield url
    finally:
        drop_bucket(server, url)


def measure(
    server: S3Server | None, clients: Sequence[str], crowds: Sequence[int], rounds: int, seconds: float
) -> Measured:
    """Let the clients take turns, crowd by crowd; the names are ``client writers model``."""
    measured = Measured()
    for number in range(rounds):
        for apart in (False, True):
            for writers in crowds:
                for client in clients[:: -1 if number % 2 else 1]:
                    progress(f"round {number + 1} of {rounds}: {client}, {writers} writers, {_layout(apart)}")
                    figures = Turn(client, writers, apart, seconds).measure(server)
                    measured.add(f"{client} {writers} {apart}", number, figures)
    return measured


def _layout(apart: bool) -> str:
    return "each its own" if apart else "one"


def rows(measured: Measured, where: str, clients: Sequence[str], crowds: Sequence[int]) -> Iterator[list[str]]:
    """Yield the lines of one server."""
    whole, exact = "{:,.0f}".format, "{:,.1f}".format
    for apart in (False, True):
        for writers in crowds:
            for client in clients:
                name = f"{client} {writers} {apart}"
                cells = [where, _layout(apart), str(writers), CLIENTS[client]]
                for figure in ("rate", "median", "p95", "max", "tries", "requests"):
                    spread = measured.spread(name, figure)
                    assert spread is not None
                    if figure in {"rate", "median"}:
                        cells.append(spread.text(whole if figure == "rate" else exact))
                    else:
                        cells.append(DASH if figure == "requests" and client == "mlflow" else exact(spread.median))
                least, most = (measured.spread(name, figure) for figure in ("least", "most"))
                assert least is not None
                assert most is not None
                cells.append(f"{whole(least.median)}{DASH}{whole(most.median)}")
                ratio = measured.ratio(name, "rate", f"obstore {writers} {apart}") if client == "objreg" else None
                failed = measured.spread(name, "failed")
                yield [*cells, ratio.text() if ratio else DASH, f"{sum(failed.values):.0f}" if failed else DASH]


HEADER = (
    "where",
    "models",
    "writers",
    "client",
    "a second",
    "median, ms",
    "95%, ms",
    "longest, ms",
    "tries",
    "requests",
    "of one writer",
    "to plain creates",
    "failed",
)


def report(servers: Sequence[str], clients: Sequence[str], crowds: Sequence[int], rounds: int, seconds: float) -> str:
    """Measure everything, and return what the page says."""
    lines: list[list[str]] = []
    for name in servers:
        with s3_server(SERVERS[name]) as server:
            chosen = [client for client in clients if client != "mlflow"]
            if chosen:
                progress(f"{server_name(type(server))}: a turn that does not count")
                Turn(chosen[0], 1, False, 1).measure(server)
                lines += rows(measure(server, chosen, crowds, rounds, seconds), type(server).__name__, chosen, crowds)
    if "mlflow" in clients:
        lines += rows(measure(None, ["mlflow"], crowds, 1, seconds), "SQLite", ["mlflow"], crowds)
    return f"{table(HEADER, lines, left=4)}\n\n{circumstances(servers, clients, rounds, seconds)}"


def circumstances(servers: Sequence[str], clients: Sequence[str], rounds: int, seconds: float) -> str:
    """Return the sentence that says of what these numbers are."""
    peers = named_versions([PEERS[client] for client in clients], ("objreg", "obstore", "mlflow-skinny"))
    return (
        f"{machine()}. {peers}. Servers: {', '.join(server_name(SERVERS[name]) for name in servers)}, on the same"
        f" machine with their data in memory, as SQLite's. {rounds_in_turn(rounds)}, {seconds:.0f} s each."
        " Writers are processes with a cache of their own; they share the cores with the server."
        " *tries*: creates of an entry for each commit; *requests*: calls to the store, lost races and all; both are"
        " means. *longest*: also of what was under way when the time was up. *of one writer*: operations of the least"
        " and of the most lucky one in the time. A dash in place of the spread: one round."
    )


def main() -> int:
    """Print the table, and put it into the page if that is asked for."""
    parser = new_parser(__doc__, quick="1 and 4 writers for a second", rounds=3)
    parser.add_argument("--seconds", type=float, default=5, help="how long each crowd writes")
    add_only(parser, CLIENTS, "CLIENT")
    parser.add_argument("--server", nargs="+", choices=SERVERS, default=list(SERVERS), metavar="NAME")
    parser.add_argument("--writers", nargs="+", type=int, default=CROWDS, metavar="N")
    arguments = parser.parse_args()
    crowds, rounds, seconds = arguments.writers, arguments.rounds, arguments.seconds
    if arguments.quick:
        crowds, rounds, seconds = CROWDS[:2], 1, 1.0
    text = report(arguments.server, arguments.only, crowds, rounds, seconds)
    publish("writers", text, write=arguments.write)
    return 0


if __name__ == "__main__":
    sys.exit(main())
