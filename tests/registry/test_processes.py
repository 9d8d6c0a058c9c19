"""Threads, processes, forks and pickles: one registry, used at once from everywhere."""

import multiprocessing
import pickle
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

import objreg

MODEL = "fraud/clf"

DEPLOY = """
import sys, threading
import objreg
registry = objreg.open(sys.argv[1], actor=sys.argv[2])
barrier = threading.Barrier(16)
numbers, failures = [], []
def deploy(number):
    barrier.wait()
    try:
        for _ in range(2):
            numbers.append(registry.record_deployment("fraud/clf:1.0", endpoint=f"{sys.argv[2]}/{number}").number)
    except BaseException as error:
        failures.append(repr(error))
print("ready", flush=True)
sys.stdin.readline()
threads = [threading.Thread(target=deploy, args=(number,)) for number in range(16)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
assert not failures, failures
print(*numbers)
"""


def test_deployments_are_numbered_without_gaps_or_repeats(
    folder_registry: objreg.Registry, file: Callable[..., Path], tmp_path: Path
) -> None:
    """Two processes of sixteen threads each, on a local folder, get every number from 1 to 64 once."""
    folder_registry.push(MODEL, file())
    children = [
        subprocess.Popen(
            [sys.executable, "-c", DEPLOY, str(tmp_path / "registry"), f"process-{number}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(2)
    ]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    outputs = [child.communicate("go\n", timeout=120)[0] for child in children]
    assert [child.returncode for child in children] == [0, 0]
    given = [[int(number) for number in output.split()] for output in outputs]
    assert sorted(given[0] + given[1]) == list(range(1, 65))
    recorded = folder_registry.deployments(MODEL)
    assert [found.number for found in recorded] == list(range(1, 65))
    assert {found.created_by for found in recorded} == {"process-0", "process-1"}
    history = list(folder_registry.history(MODEL))
    assert [item.seq for item in history] == list(range(64, -1, -1))


def test_threads_share_one_pull(folder_registry: objreg.Registry, file: Callable[..., Path]) -> None:
    """Sixteen threads that pull the same version get the same complete folder."""
    version = folder_registry.push(MODEL, file(b"weights" * 1000))
    barrier = threading.Barrier(16)
    found: list[bytes] = []

    def pull() -> None:
        barrier.wait()
        found.append((folder_registry.pull(version) / "model.bin").read_bytes())

    threads = [threading.Thread(target=pull) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [b"weights" * 1000] * 16


def push_one(registry: objreg.Registry, path: str) -> str:
    """Push in another process, and return what it was called."""
    return registry.push(MODEL, path).version


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_registry_goes_to_other_processes(
    folder_registry: objreg.Registry, file: Callable[..., Path], method: str
) -> None:
    """Workers of a pool, forked from a process that has used it or started anew, push with the parent's registry."""
    path = file(b"0")
    folder_registry.push(MODEL, path)
    with warnings.catch_warnings():
        # Newer Pythons warn of fork() beside threads; a registry keeps none between its calls.
        warnings.simplefilter("ignore", DeprecationWarning)
        with multiprocessing.get_context(method).Pool(2) as pool:
            versions = pool.starmap(push_one, [(folder_registry, str(path))] * 6)
    assert sorted(versions) == [f"1.{number}" for number in range(1, 7)]
    assert folder_registry.push(MODEL, path).version == "1.7"


def test_a_pickled_registry_is_the_same_registry(folder_registry: objreg.Registry, file: Callable[..., Path]) -> None:
    """A copy opens it by itself, has its actor, and holds no connection of the original's."""
    folder_registry.push(MODEL, file())
    copy = pickle.loads(pickle.dumps(folder_registry))
    assert copy.url == folder_registry.url
    assert copy.push(MODEL, file(b"more")).created_by == "ada@acme"
    assert [found.version for found in folder_registry.versions(MODEL)] == ["1.1", "1.0"]


def test_what_a_registry_hands_out_can_be_pickled(folder_registry: objreg.Registry, file: Callable[..., Path]) -> None:
    """Versions, records, summaries and history are values."""
    version = folder_registry.push(MODEL, file())
    folder_registry.define_state("production")
    values = [
        version,
        folder_registry.set_state(version, "production"),
        folder_registry.record_experiment(version, "holdout", metrics={"auc": 0.9}),
        folder_registry.versions(MODEL)[0],
        folder_registry.head(MODEL),
    ]
    for value in values:
        assert pickle.loads(pickle.dumps(value)) == value


def test_a_closed_registry_opens_again(folder_registry: objreg.Registry, file: Callable[..., Path]) -> None:
    """``close`` releases connections; the next call makes new ones."""
    folder_registry.push(MODEL, file())
    folder_registry.close()
    folder_registry.close()
    assert folder_registry.models() == (MODEL,)


def test_a_registry_says_where_it_is(folder_registry: objreg.Registry, tmp_path: Path) -> None:
    """In its representation, without credentials."""
    assert repr(folder_registry) == f"<objreg.Registry {(tmp_path / 'registry').as_uri()}>"
