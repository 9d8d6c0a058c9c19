"""Collection on a real folder, beside pushes of the same contents: threads, processes, and collectors that are killed."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random

import pytest

import objreg
from objreg.core.collection import blob_names
from objreg.maintenance import plan_collection
from tests.maintenance.worker import CONTENTS, MODEL, gather, push

_WORKER = Path(__file__).with_name("worker.py")
_ROUNDS = 12


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A registry in a folder with one version, and contents to push: half of them are compressed."""
    for number in range(CONTENTS):
        content = bytes([number]) * 20_000 if number % 2 else Random(number).randbytes(1000)
        (tmp_path / f"content{number}").write_bytes(content)
    registry = objreg.open(tmp_path / "registry", create=True, actor="setup")
    registry.push(MODEL, tmp_path / "content0")
    return str(tmp_path / "registry")


def check(url: str, tmp_path: Path) -> None:
    """Every version that is not retired is whole; one more collection leaves exactly what they need."""
    registry = objreg.open(url, actor="janitor")
    live = [item for item in registry.versions(MODEL) if not item.retired]
    assert live
    gather(registry)
    for item in live:
        assert b"".join(registry.read(f"{item.spec}/{registry.resolve(item.spec).artifacts[0].files[0].path}"))
    needed = {name for item in live for name in blob_names(registry.resolve(item.spec).record)}
    assert {path.name for path in Path(url, f"{MODEL}.model/blobs").iterdir()} == needed
    assert plan_collection(registry, MODEL, grace=timedelta(0)) == ()
    kinds = [change.kind for item in registry.history(MODEL) for change in item.changes]
    assert min(kinds.count("condemned"), kinds.count("swept"), kinds.count("retirement")) > 3, (
        "hardly anything happened"
    )
    incarnations = {name for name in needed if "." in name.removesuffix(".zst")}
    assert incarnations, "no content came back"


def test_threads_that_push_and_collect_lose_nothing(url: str, tmp_path: Path) -> None:
    """Two machines, each with two threads that push and one that collects while they do."""
    machines = [objreg.open(url, actor=f"machine{number}") for number in range(2)]
    errors: list[BaseException] = []

    def work(job: Callable[[], None]) -> threading.Thread:
        def run() -> None:
            try:
                job()
            except BaseException as error:  # noqa: BLE001  # whatever a thread dies of fails the test
                errors.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    def pushes(number: int) -> None:
        random = Random(number)
        for _ in range(_ROUNDS):
            push(machines[number % 2], random, tmp_path)

    def gathers(number: int) -> None:
        while any(thread.is_alive() for thread in pushing):
            gather(machines[number])

    pushing = [work(partial(pushes, number)) for number in range(4)]
    gathering = [work(partial(gathers, number)) for number in range(2)]
    for thread in (*pushing, *gathering):
        thread.join()

    assert not errors
    check(url, tmp_path)


def test_processes_that_are_killed_while_they_collect_lose_nothing(url: str, tmp_path: Path) -> None:
    """Two push, one collects to the end, and others are killed at random moments of their collections."""
    random = Random(1)

    def start(name: str, rounds: int = 0) -> subprocess.Popen[bytes]:
        asked = {"url": url, "name": name, "rounds": rounds, "folder": str(tmp_path)}
        return subprocess.Popen([sys.executable, str(_WORKER), json.dumps(asked)], stderr=subprocess.PIPE)

    pushing, collecting = [start(f"pusher{number}", 2 * _ROUNDS) for number in range(2)], start("collector")
    killed = 0
    while any(process.poll() is None for process in pushing):
        victim = start(f"killed{killed}")
        time.sleep(0.4 + random.random() / 3)
        victim.kill()
        victim.communicate()
        killed += 1
    (tmp_path / "done").touch()
    for process in (*pushing, collecting):
        _, stderr = process.communicate(timeout=120)
        assert process.returncode == 0, stderr.decode()

    assert killed > 2
    check(url, tmp_path)
