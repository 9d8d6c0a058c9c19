"""What small operations on a registry cost where each request takes a while: requests, and the time with 20 ms more.

``python -m benchmarks.latency [--write] [--quick] [--rounds N] [--versions N] [--only CLIENT ...]``

Each operation is done twice in a new process, whose caches are empty: the first time makes the client, too. Imports are
not timed (``benchmarks.startup`` does that). The requests are those that a proxy between client and server saw.
"""

import functools
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from benchmarks.harness.latency import LatencyProxy
from benchmarks.harness.measure import Measured, Outcome, progress, take_turns
from benchmarks.harness.options import add_only, new_parser
from benchmarks.harness.peers import named_versions
from benchmarks.harness.registries import APPROVED, KINDS, SIZE, Filled, fill
from benchmarks.harness.servers import s3_server, scratch, server_name
from benchmarks.harness.tables import DASH, machine, publish, rounds_in_turn, table

MILLISECONDS = 20.0
VERSIONS, QUICK_VERSIONS = 1_000, 40
CLIENTS = tuple(KINDS)
TITLES = {"mlflow": "MLflow, SQLite", "gto": "GTO"}
FIRST, AGAIN = "new process", "same process"
TENTH = 9


@dataclass(frozen=True)
class Operation:
    """A line of the table, or two.

    Attributes:
        name: of the script's operation.
        title: for the table.
        calls: which calls are told.
        cannot: clients that have no such thing.
    """

    name: str
    title: str
    calls: Sequence[str] = (FIRST, AGAIN)
    cannot: Sequence[str] = ()


STATELESS, BYTELESS = ("modelkit", "pins"), ("gto",)
OPERATIONS = (
    Operation("resolve", "the version in production"),
    Operation("versions", "list {versions:,} versions"),
    Operation("in_state", f"list the {APPROVED} in a state", cannot=STATELESS),
    Operation("set_state", "set a state", cannot=STATELESS),
    Operation("pull", "pull, nothing cached", (FIRST,), cannot=BYTELESS),
    Operation("pull_again", "pull once more", cannot=BYTELESS),
    Operation("first_push", "first push of a model", cannot=BYTELESS),
    Operation("tenth_push", "tenth push", cannot=BYTELESS),
)


class Turn:
    """One client's turn: every operation, each in a process of its own.

    Args:
        filled: the client's registry.
        proxy: between it and the server.
        origin: of the server itself, for what is not measured.
        number: of the round.
        folder: for the caches.
    """

    def __init__(self, filled: Filled, proxy: LatencyProxy, origin: str, number: int, folder: Path) -> None:
        self._filled, self._proxy, self._origin, self._number, self._folder = filled, proxy, origin, number, folder
        self._figures: dict[str, float] = {}

    def measure(self) -> Mapping[str, float]:
        """Return requests and milliseconds of each call."""
        for operation in OPERATIONS:
            if self._filled.client not in operation.cannot:
                progress(f"    {operation.name}")
                getattr(self, f"_{operation.name}", functools.partial(self._read, operation.name))()
        return self._figures

    def _read(self, name: str) -> None:
        expected = {"versions": len(self._filled.names), "in_state": APPROVED}
        for outcome in self._counted(name, [name, name], self._folder / name):
            if name in expected and outcome.facts["count"] != expected[name]:
                raise ValueError(f"{self._filled.client} tells of {outcome.facts['count']} {name}")
            if name == "resolve" and str(outcome.facts["version"]) not in self._filled.names:
                raise ValueError(f"{self._filled.client} has {outcome.facts['version']} in production")

    def _set_state(self) -> None:
        first = len(self._filled.names) // 2 + 2 * self._number  # the older half was in production with GTO before
        moves = self._filled.names[first : first + 2]
        self._counted("set_state", ["set_state"] * 2, self._folder / "set_state", moves=moves)

    def _pull(self) -> None:
        self._pulled("pull", 1)

    def _pull_again(self) -> None:
        self._pulled("pull_again", 2)

    def _pulled(self, name: str, times: int) -> None:
        version = self._filled.names[len(self._filled.names) // 2]
        for outcome in self._counted(name, ["pull"] * times, self._folder / "pull", version=version):
            if Path(outcome.facts["file"]).read_bytes() != self._filled.source.read_bytes():
                raise ValueError(f"{self._filled.client} pulled other bytes")

    def _first_push(self) -> None:
        names = [f"first-{self._number}", f"second-{self._number}"]
        self._pushed("first_push", names, [0, 0], self._counted)

    def _tenth_push(self) -> None:
        name = f"tenth-{self._number}"
        self._pushed("nine pushes", [name] * TENTH, list(range(TENTH)), self._unmeasured)
        self._pushed("tenth_push", [name] * 2, [TENTH, TENTH + 1], self._counted)

    def _pushed(
        self, title: str, names: Sequence[str], numbers: Sequence[int], run: Callable[..., Sequence[Outcome]]
    ) -> None:
        sources = [self._source(f"{name} {number}") for name, number in zip(names, numbers, strict=True)]
        run(title, ["push"] * len(names), self._folder / title, names=names, numbers=numbers, sources=sources)

    def _source(self, name: str) -> Path:
        path = self._folder / "sources" / name / "model.bin"
        path.parent.mkdir(parents=True)
        path.write_bytes(Random(name).randbytes(SIZE))
        return path

    def _unmeasured(self, _title: str, operations: Sequence[str], folder: Path, **job: object) -> Sequence[Outcome]:
        return self._filled.do(operations, folder=folder, origin=self._origin, **job)

    def _counted(self, title: str, operations: Sequence[str], folder: Path, **job: object) -> Sequence[Outcome]:
        self._proxy.take()
        outcomes = self._filled.do(operations, folder=folder, origin=self._proxy.origin, **job)
        moments = [moment for moment, _ in self._proxy.take_timed()]
        ends = [outcome.began for outcome in outcomes[1:]]
        for call, outcome, until in zip((FIRST, AGAIN), outcomes, [*ends, float("inf")], strict=False):
            came = sum(moment < until for moment in moments)
            moments = moments[came:]
            self._figures[f"{title} {call} requests"] = came + outcome.facts.get("exchanges", 0)
            self._figures[f"{title} {call} ms"] = outcome.seconds * 1000
        return outcomes


def measure(clients: Sequence[str], rounds: int, versions: int) -> Measured:
    """Fill all registries, and let the clients take turns."""
    with s3_server() as server, scratch("latency") as folder:
        filled = {}
        for client in clients:
            progress(f"filling {client}")
            filled[client] = fill(client, server, folder / client, versions)
            with scratch(client) as caches:  # a turn that does not count: programs are read from the disk
                filled[client].do(["resolve"], folder=caches, origin=server.origin)
        with LatencyProxy(server.origin, MILLISECONDS) as proxy:

            def turn(client: str, number: int) -> Mapping[str, float]:
                with scratch(client) as caches:
                    return Turn(filled[client], proxy, server.origin, number, caches).measure()

            return take_turns(clients, rounds, turn)


def lines(measured: Measured, clients: Sequence[str], versions: int, *, ratios: bool) -> Iterator[list[str]]:
    """Yield the lines of the table, or those of the one with each client's time over objreg's."""
    for operation in OPERATIONS:
        for call in operation.calls:
            cells = [operation.title.format(versions=versions), call]
            for client in clients:
                figure = f"{operation.name} {call}"
                if client in operation.cannot:
                    cells.append("cannot")
                elif ratios:
                    ratio = measured.ratio(client, f"{figure} ms", clients[0])
                    cells.append(ratio.text(_short) if ratio else DASH)
                else:
                    cells.append(_cell(measured, client, figure))
            yield cells


def _cell(measured: Measured, client: str, figure: str) -> str:
    requests, spent = measured.spread(client, f"{figure} requests"), measured.spread(client, f"{figure} ms")
    assert requests is not None
    assert spent is not None
    counted = f"{requests.low:,.0f}"
    if requests.high > requests.low:
        counted += f"{DASH}{requests.high:,.0f}"
    return f"{counted} · {spent.text(_short)}"


def _short(number: float) -> str:
    return next(f"{number:,.{digits}f}" for least, digits in ((10, 0), (1, 1), (0, 2)) if number >= least)


def report(clients: Sequence[str], rounds: int, versions: int) -> str:
    """Measure everything, and return what the page says."""
    measured = measure(clients, rounds, versions)
    header = ["", "", *(TITLES.get(client, client) for client in clients)]
    parts = [table(header, lines(measured, clients, versions, ratios=False), left=2)]
    if clients[0] == "objreg" and len(clients) > 1:
        parts.append("The same times over objreg's in the same round:")
        header = ["", "", *header[3:]]
        others = ([*line[:2], *line[3:]] for line in lines(measured, clients, versions, ratios=True))
        parts.append(table(header, others, left=2))
    return "\n\n".join((*parts, circumstances(clients, rounds)))


def circumstances(clients: Sequence[str], rounds: int) -> str:
    """Return the sentence that says of what these numbers are."""
    shown = ("objreg", "modelstore", "modelkit", "pins", "mlflow-skinny", "gto")
    return (
        f"{machine()}. Server: {server_name()} on the same machine, its data in memory, behind a proxy that adds"
        f" {MILLISECONDS:.0f} ms to each round trip. {rounds_in_turn(rounds)}. {named_versions(clients, shown)}."
    )


def main() -> int:
    """Print the tables, and put them into the page if that is asked for."""
    parser = new_parser(__doc__, quick="few versions and one round", rounds=5)
    parser.add_argument("--versions", type=int, default=VERSIONS)
    add_only(parser, CLIENTS, "CLIENT")
    arguments = parser.parse_args()
    rounds, versions = (1, QUICK_VERSIONS) if arguments.quick else (arguments.rounds, arguments.versions)
    text = report([client for client in CLIENTS if client in arguments.only], rounds, versions)
    publish("latency", text, write=arguments.write)
    return 0


if __name__ == "__main__":
    sys.exit(main())
