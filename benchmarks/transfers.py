"""Push and pull: objreg against plain clients of S3 and against other registries, on one server with the same bytes.

``python -m benchmarks.transfers [--line MBITS] [--write] [--quick] [--rounds N] [--only CLIENT ...] [--case CASE ...]``

Each push goes into a fresh bucket and each pull into an empty folder, each in a new process. Only the operation is
timed, not imports, and not what makes the client. What was pulled is compared with what was pushed: sizes always, all
bytes in the first round. The other registries take part in that round only. With ``--line`` the clients and the server
are at the two ends of a line of that speed.
"""

import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.harness.content import check_digests, check_sizes, digests, write_files
from benchmarks.harness.line import NoLine, enter_own_network, narrow
from benchmarks.harness.measure import Measured, Outcome, Spread, do, progress, take_turns
from benchmarks.harness.options import add_only, new_parser
from benchmarks.harness.peers import named_versions, python_of
from benchmarks.harness.servers import (
    credentials,
    drop_bucket,
    fresh_bucket,
    s3_server,
    scratch,
    server_name,
    stored_bytes,
)
from benchmarks.harness.tables import DASH, machine, publish, rounds_in_turn, table
from tests.servers.server import S3Server

KIB, MIB, GIB = 1024, 1024**2, 1024**3
PLAIN = ("boto3", "obstore", "s3fs")
REGISTRIES = ("modelstore", "modelkit", "dvc")
CLIENTS = ("objreg", *PLAIN, *REGISTRIES)
CACHING = ("objreg", "modelkit", "dvc")
FASTEST = "the fastest plain client"
CONNECTIONS = 8


@dataclass(frozen=True)
class Case:
    """What is sent."""

    name: str
    count: int
    size: int
    quick: tuple[int, int]

    def made_quick(self) -> "Case":
        return Case(self.name, *self.quick, self.quick)

    @property
    def title(self) -> str:
        unit, name = next(
            (unit, name) for unit, name in ((GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")) if self.size >= unit
        )
        files = "1 file" if self.count == 1 else f"{self.count:,} files"
        return f"{files} of {self.size // unit} {name}"


CASES = (
    Case("one", 1, 4 * GIB, (1, 64 * MIB)),
    Case("hundred", 100, 32 * MIB, (4, 8 * MIB)),
    Case("thousands", 5000, 20 * KIB, (50, 20 * KIB)),
)
LINE_CASES = (
    Case("one", 1, GIB, (1, 64 * MIB)),
    Case("hundred", 32, 32 * MIB, (4, 8 * MIB)),
    CASES[2],
)
"""The same through a narrow line: about 9 s of sending at 1,000 Mbit/s."""


@dataclass(frozen=True)
class Cell:
    """One client's turn: a push, a pull, and a pull of what is cached, each in its own process."""

    server: S3Server
    client: str
    source: Path
    expected: Mapping[str, str] | None

    def measure(self) -> dict[str, float]:
        """Return the figures."""
        url = fresh_bucket(self.server)
        try:
            with scratch(self.client) as folder:
                return self._measure(url, folder)
        finally:
            drop_bucket(self.server, url)

    def _measure(self, url: str, folder: Path) -> dict[str, float]:
        sender, receiver = folder / "sender", folder / "receiver"
        job = {"bucket": url.removeprefix("s3://"), "connections": CONNECTIONS, "source": self.source}
        if self.client == "objreg":
            self._do("create", {**job, "create": True}, sender)
        push = self._do("push", {**job, "project": sender / "project"}, sender)
        figures = {"stored": float(stored_bytes(self.server, url)), **_figures("push", push)}
        job = {**job, "source": None, "target": receiver / "files", "project": receiver / "project"}
        if pointer := push.facts.get("pointer"):
            job["pointer"] = shutil.copy(pointer, folder)
        shutil.rmtree(sender)
        pull = self._do("pull", job, receiver)
        figures |= _figures("pull", pull)
        if self.client in CACHING:
            figures |= _figures("again", self._do("pull", job, receiver))
        pulled = Path(pull.facts.get("folder", receiver / "files"))
        check_sizes(self.source, pulled)
        if self.expected is not None:
            check_digests(self.expected, pulled)
        return figures

    def _do(self, operation: str, job: Mapping[str, object], folder: Path) -> Outcome:
        for part in ("files", "temporary"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        environment = {
            **credentials(self.server),
            "TMPDIR": str(folder / "temporary"),
            "OBJREG_CACHE_DIR": str(folder / "cache"),
            "OBJREG_ACTOR": "benchmark",
            "DVC_NO_ANALYTICS": "1",
            "DVC_SITE_CACHE_DIR": str(folder / "dvc-site"),
            "DVC_GLOBAL_CONFIG_DIR": str(folder / "dvc-global"),
        }
        return do(self.client, [operation], job, environment)[0]


def _figures(operation: str, outcome: Outcome) -> dict[str, float]:
    return {
        operation: outcome.seconds,
        f"{operation} processor": outcome.processor,
        f"{operation} memory": float(outcome.memory),
    }


def measure_case(server: S3Server, case: Case, clients: Sequence[str], rounds: int, *, compressible: bool) -> Measured:
    """Make the files, and let all clients take turns."""
    progress(f"{case.title}, {'compressible' if compressible else 'not compressible'}")
    with scratch("source") as folder:
        source = folder / "files"
        write_files(source, case.count, case.size, compressible=compressible)
        expected = digests(source)

        def turn(client: str, number: int) -> dict[str, float]:
            return Cell(server, client, source, None if number else expected).measure()

        progress("a turn that does not count, for the server")
        Cell(server, PLAIN[0], source, None).measure()
        measured = take_turns(clients, rounds, turn, once=REGISTRIES)
    for operation in ("push", "pull"):
        measured.add_least(FASTEST, operation, [client for client in clients if client in PLAIN])
    return measured


def rows(measured: Measured, clients: Sequence[str], content: str) -> list[list[str]]:
    """Return a line for each client."""
    found = []
    for client in clients:
        text = partial(_text, measured, client)
        line = [content, f"**{client}**" if client == "objreg" else client]
        for operation in ("push", "pull"):
            ratio = measured.ratio(client, operation, FASTEST)
            line += [text(operation), ratio.text() if ratio else DASH]
        line.append(text("again") if client in CACHING else DASH)
        line.append(_median(measured.spread(client, "stored"), MIB))
        line += [_median(measured.spread(client, f"{operation} processor"), 1) for operation in ("push", "pull")]
        line += [_median(measured.spread(client, f"{operation} memory"), MIB) for operation in ("push", "pull")]
        found.append(line)
    return found


def _text(measured: Measured, client: str, figure: str) -> str:
    spread = measured.spread(client, figure)
    return spread.text() if spread else DASH


def _median(spread: Spread | None, unit: float) -> str:
    return f"{spread.median / unit:,.{0 if unit > 1 else 1}f}" if spread else DASH


HEADER = (
    "content",
    "client",
    "push, s",
    "ratio",
    "pull, s",
    "ratio",
    "pull again, s",
    "stored, MiB",
    "push, CPU s",
    "pull, CPU s",
    "push, peak MiB",
    "pull, peak MiB",
)


@contextmanager
def server_behind(line: int | None, clients: Sequence[str]) -> Iterator[S3Server]:
    """Yield the server, behind a line of so many Mbit/s if there shall be one, for which this process starts again."""
    if line is None:
        with s3_server() as server:
            yield server
        return
    for client in (PLAIN[0], *clients):
        python_of(client)  # now: nothing can be installed where nothing outside is reached
    enter_own_network()
    with s3_server() as server:
        narrow(urlsplit(server.origin).port or 80, line)
        yield server


def report(
    server: S3Server, cases: Sequence[Case], clients: Sequence[str], rounds: int, line: int | None
) -> dict[str, str]:
    """Measure everything, and return what the page says of each case."""
    parts = {}
    for case in cases:
        lines = []
        for compressible in (True, False):
            measured = measure_case(server, case, clients, rounds, compressible=compressible)
            lines += rows(measured, clients, "JSON lines" if compressible else "random")
        parts[case.name] = "\n\n".join(
            (f"**{case.title}**", table(HEADER, lines, left=2), circumstances(clients, rounds, line))
        )
        progress(parts[case.name])
    return parts


def circumstances(clients: Sequence[str], rounds: int, line: int | None) -> str:
    """Return the sentence that says of what these numbers are."""
    shown = ("objreg", "boto3", "s3transfer", "obstore", "s3fs", "modelstore", "modelkit", "dvc", "dvc-s3")
    between = "" if line is None else f" Between clients and server: {line:,} Mbit/s each way, no latency added."
    return (
        f"{machine()}. Server: {server_name()} on the same machine, its data and all files in memory.{between}"
        f" {rounds_in_turn(rounds)}; a dash in place of the spread: one round. {named_versions(clients, shown)}."
    )


def main() -> int:
    """Print the tables, and put them into the page if that is asked for."""
    parser = new_parser(__doc__, quick="little files and one round", rounds=3)
    add_only(parser, CLIENTS, "CLIENT")
    parser.add_argument("--case", nargs="+", choices=[case.name for case in CASES], help="leave the other cases out")
    parser.add_argument("--line", type=int, metavar="MBITS", help="Mbit/s each way between clients and server; Linux")
    arguments = parser.parse_args()
    known, section = (CASES, "transfers") if arguments.line is None else (LINE_CASES, "line")
    cases = [case for case in known if not arguments.case or case.name in arguments.case]
    rounds = arguments.rounds
    if arguments.quick:
        cases, rounds = [case.made_quick() for case in cases], 1
    try:
        with server_behind(arguments.line, arguments.only) as server:
            found = report(server, cases, tuple(arguments.only), rounds, arguments.line)
    except NoLine as error:
        parser.error(str(error))
    for name, text in found.items():
        publish(f"{section}-{name}", text, write=arguments.write)
    return 0


if __name__ == "__main__":
    sys.exit(main())
