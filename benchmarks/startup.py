"""Start-up: from the start of a process until it has resolved its first version and ended, beside other programs.

``python -m benchmarks.startup [--write] [--quick] [--rounds N] [--budget]``

Whole processes are timed, in turn, so that a busy machine slows all alike. ``objreg --help`` has a budget: 100 ms more
than a bare interpreter; the exit code tells whether it is kept. ``--budget`` measures only that, with this
interpreter and nothing else.
"""

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from benchmarks.harness.measure import Measured, progress, take_turns
from benchmarks.harness.options import new_parser
from benchmarks.harness.peers import named_versions, python_of
from benchmarks.harness.registries import Filled, fill
from benchmarks.harness.servers import (
    clean_environment,
    credentials,
    fresh_bucket,
    memory_folder,
    s3_server,
    scratch,
    server_name,
)
from benchmarks.harness.tables import machine, publish, rounds_in_turn, table
from tests.servers.server import S3Server

BUDGET_MS = 100.0
VERSIONS = 40
BARE, HELP, BASELINE = "an interpreter that does nothing", "`objreg --help`", "boto3: a client, one object"
PEERS = ("objreg", "boto3", "mlflow", "gto", "dvc")

OBJREG = "import objreg; print(objreg.open({url!r}).resolve({spec!r}).version)"
BOTO3 = "import boto3; print(len(boto3.client('s3').get_object(Bucket={bucket!r}, Key='key')['Body'].read()))"
MLFLOW = (
    "from mlflow import MlflowClient;"
    "client = MlflowClient(tracking_uri={database!r}, registry_uri={database!r});"
    "print(client.get_model_version_by_alias('model', 'production').version)"
)


@dataclass(frozen=True)
class Program:
    """A process that is timed.

    Attributes:
        command: what is run.
        environment: added to a clean one.
        printed: what it has to print at least.
        cold: it gets an empty cache each time.
    """

    command: Sequence[str | Path]
    environment: Mapping[str, str] = field(default_factory=dict)
    printed: str = ""
    cold: bool = False

    def milliseconds(self, folder: Path) -> float:
        """Run it in a folder, and return how long it takes from its start to its end."""
        environment = dict(self.environment)
        if self.cold:
            environment["OBJREG_CACHE_DIR"] = str(folder / f"cache-{next(_NUMBERS)}")
        began = time.perf_counter()
        ended = subprocess.run(
            self.command, capture_output=True, text=True, check=False, cwd=folder, env=clean_environment(environment)
        )
        spent = (time.perf_counter() - began) * 1000
        if ended.returncode or self.printed not in ended.stdout:
            raise RuntimeError(f"{self.command} ended with {ended.returncode}: {ended.stdout}{ended.stderr[-2000:]}")
        return spent


_NUMBERS = count()


def budget_programs(python: str | Path) -> dict[str, Program]:
    """Return the two whose difference has a budget."""
    return {BARE: Program([python, "-c", "pass"]), HELP: Program([python, "-m", "objreg", "--help"], printed="push")}


@contextmanager
def programs() -> Iterator[dict[str, Program]]:
    """Fill a registry of each kind, and yield all programs by their names for the table."""
    with s3_server() as server, scratch("startup") as folder:
        found = budget_programs(python_of("objreg"))
        found |= _objreg(fill("objreg", server, folder / "objreg", VERSIONS), server, folder)
        found[BASELINE] = _boto3(server)
        found["MLflow: `get_model_version_by_alias`, SQLite"] = _mlflow(
            fill("mlflow", server, folder / "mlflow", VERSIONS)
        )
        filled = fill("gto", server, folder / "gto", VERSIONS)
        command = [_script("gto", "gto"), "show", "--repo", filled.job["clone"], "model#production"]
        found["`gto show model#production`"] = Program(command, printed="v0.0.")
        found |= _dvc(server, filled.source, folder / "dvc")
        yield found


def _script(peer: str, name: str) -> Path:
    return python_of(peer).with_name(name)


def _objreg(filled: Filled, server: S3Server, folder: Path) -> dict[str, Program]:
    environment = {**credentials(server), "OBJREG_CACHE_DIR": str(folder / "warm")}
    url, python = f"s3://{filled.job['bucket']}/registry", python_of("objreg")
    found = {}
    for title, spec, cold in (
        ("objreg: `@production`, cold cache", "bench/model@production", True),
        ("objreg: `@production`, warm cache", "bench/model@production", False),
        ("objreg: a version by its number, warm cache", f"bench/model:{filled.names[5]}", False),
    ):
        code = OBJREG.format(url=url, spec=spec)
        found[title] = Program([python, "-c", code], environment, printed="1.", cold=cold)
    command = [_script("objreg", "objreg"), "resolve", "bench/model@production", "--registry", url]
    found["`objreg resolve`: `@production`, warm cache"] = Program(command, environment, printed="1.")
    return found


def _boto3(server: S3Server) -> Program:
    bucket = fresh_bucket(server).removeprefix("s3://")
    client = server.client()
    client.put_object(Bucket=bucket, Key="key", Body=b"x" * 1024)
    client.close()
    return Program([python_of("boto3"), "-c", BOTO3.format(bucket=bucket)], credentials(server), printed="1024")


def _mlflow(filled: Filled) -> Program:
    return Program([python_of("mlflow"), "-c", MLFLOW.format(database=filled.job["database"])], printed="1")


def _dvc(server: S3Server, source: Path, folder: Path) -> dict[str, Program]:
    """Make a repository with one tracked file and a tag; where its bytes would be is asked, not for the bytes."""
    environment = {
        **credentials(server),
        "DVC_NO_ANALYTICS": "1",
        "DVC_SITE_CACHE_DIR": str(folder / "site"),
        "DVC_GLOBAL_CONFIG_DIR": str(folder / "global"),
    }
    dvc, repository = _script("dvc", "dvc"), folder / "repository"
    repository.mkdir(parents=True)
    (repository / "model.bin").write_bytes(source.read_bytes())
    who = ("-c", "user.name=benchmark", "-c", "user.email=benchmark@example.com")
    for command in (
        ("git", "init", "--quiet"),
        (dvc, "init", "--quiet"),
        (dvc, "remote", "add", "--quiet", "--default", "bucket", "s3://bucket/dvc"),
        (dvc, "add", "--quiet", "model.bin"),
        ("git", "add", "--all"),
        ("git", *who, "commit", "--quiet", "--message", "a model"),
        ("git", "tag", "v1"),
    ):
        subprocess.run(command, check=True, capture_output=True, cwd=repository, env=clean_environment(environment))
    get = [dvc, "get", "--show-url", repository, "model.bin", "--rev", "v1"]
    return {
        "`dvc get --show-url`, of a tag": Program(get, environment, printed="s3://bucket/dvc"),
        "`dvc version`": Program([dvc, "version"], environment, printed="DVC version"),
    }


def measure(found: Mapping[str, Program], rounds: int) -> Measured:
    """Let all programs take turns; a first turn of each does not count."""
    with scratch("folder") as folder:
        for name, program in found.items():
            progress(f"a turn that does not count: {name}")
            program.milliseconds(folder)
        return take_turns(list(found), rounds, lambda name, _: {"ms": found[name].milliseconds(folder)})


def rows(measured: Measured, names: Sequence[str]) -> Iterator[list[str]]:
    """Yield the lines of the table."""
    for name in names:
        spent, ratio = measured.spread(name, "ms"), measured.ratio(name, "ms", BASELINE)
        assert spent is not None
        assert ratio is not None
        yield [name, spent.text("{:,.0f}".format), f"{spent.low:,.0f}", ratio.text()]


def within_budget(measured: Measured) -> bool:
    """Tell whether the budget is kept, and say by how much.

    The shortest of many runs counts: whatever else the machine does can only make a run longer.
    """
    bare, help_ = measured.spread(BARE, "ms"), measured.spread(HELP, "ms")
    assert bare is not None
    assert help_ is not None
    more = help_.low - bare.low
    print(f"objreg --help takes {more:.0f} ms more than a bare interpreter; the budget is {BUDGET_MS:.0f} ms")
    return more <= BUDGET_MS


def circumstances(rounds: int) -> str:
    """Return the sentence that says of what these numbers are."""
    peers = named_versions(PEERS, ("objreg", "boto3", "mlflow-skinny", "gto", "dvc"))
    where = "memory" if memory_folder() == Path("/dev/shm") else "a folder for temporary files"
    return (
        f"{machine()}. Server: {server_name()} on the same machine, no latency added; registries, caches and"
        f" repositories in {where}, programs on disk and read before. {rounds_in_turn(rounds)}. {peers}."
    )


def main() -> int:
    """Print the times, and tell by the exit code whether the budget is kept."""
    parser = new_parser(__doc__, quick="two rounds", rounds=20)
    parser.add_argument("--budget", action="store_true", help="only objreg --help, with this interpreter")
    arguments = parser.parse_args()
    if arguments.write and arguments.budget:
        parser.error("what goes into the page is a whole run: leave --budget or --write out")
    rounds = 2 if arguments.quick else arguments.rounds
    chosen = contextlib.nullcontext(budget_programs(sys.executable)) if arguments.budget else programs()
    with chosen as found:
        measured = measure(found, rounds)
    if not arguments.budget:
        header = ("program", "ms", "least", "to boto3")
        text = f"{table(header, rows(measured, list(found)))}\n\n{circumstances(rounds)}"
        publish("startup", text, write=arguments.write)
    return int(not within_budget(measured))


if __name__ == "__main__":
    sys.exit(main())
