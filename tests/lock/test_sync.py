"""Several models that are fetched together: how fast, how many at a time, and what is told meanwhile."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest
from filelock import FileLock

import objreg
from objreg.core.lock_file import LockFile
from objreg.core.wants import Want
from objreg.errors import IntegrityError
from objreg.local.cache import Cache
from objreg.lock.resolution import make_lock
from objreg.lock.sync import sync
from objreg.store.memory import MemoryStore
from objreg.store.wrappers import CountingStore
from tests.cli.conftest import Cli
from tests.cli.test_processes import shell, terminal
from tests.registry.machine import Machine, new_store

MODELS = tuple(f"fraud/m{number}" for number in range(6))


class Crossing(CountingStore):
    """Counts how many requests are under way, and holds each until ``width`` are, or a moment has passed."""

    def __init__(self, store: MemoryStore, width: int) -> None:
        super().__init__(store)
        self.most = 0
        self._now = 0
        self._width = width
        self._changed = threading.Condition()

    def get(self, key: str) -> bytes | None:
        with self._changed:
            self._now += 1
            self.most = max(self.most, self._now)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self.most >= self._width, timeout=0.2)
            time.sleep(0.005)
        try:
            return super().get(key)
        finally:
            with self._changed:
                self._now -= 1


@pytest.fixture
def store(tmp_path: Path) -> MemoryStore:
    """Where six models have a version of two files each."""
    made = new_store()
    registry = Machine(made).registry()
    for model in MODELS:
        folder = tmp_path / model
        folder.mkdir(parents=True)
        for name in ("a.bin", "b.bin"):
            (folder / name).write_text(f"{model} {name}")
        registry.push(model, folder)
    return made


def locked(store: MemoryStore) -> LockFile:
    wants = {model: Want(model, "1", ("default",)) for model in MODELS}
    return make_lock(Machine(store).registry().session, wants, "s3://models/registry")


def fetched(opened: objreg.Registry, lock: LockFile, received: Callable[[int], None]) -> dict[str, Path]:
    return sync(opened.session.cache, lock.assets, lambda: opened, "objreg.lock", received)


@pytest.mark.parametrize("connections", [1, 3])
def test_models_are_fetched_side_by_side_and_share_the_connections(store: MemoryStore, connections: int):
    """Never more requests at a time than connections, and as many where there is that much to do; all bytes are told."""
    crossing = Crossing(store, connections)
    opened = Machine(store).registry(crossing)
    opened.session.connections = connections
    lock, sizes = locked(store), []
    folders = fetched(opened, lock, sizes.append)
    assert crossing.most == connections
    assert sum(sizes) == sum(asset.size for asset in lock.assets)
    assert list(folders) == sorted(MODELS)
    assert all((folders[model] / "a.bin").read_text() == f"{model} a.bin" for model in MODELS)


def test_one_that_cannot_be_had_ends_the_others_and_keeps_what_is_whole(store: MemoryStore):
    """The error is the one's own; no folder is half there, and what was fetched is not fetched again."""
    lock = locked(store)
    bad = next(found.key for found in store.list(f"{MODELS[2]}.model/blobs/"))
    data = store.get(bad)
    store.delete(bad)
    machine = Machine(store)
    with pytest.raises(IntegrityError, match=r"fraud/m2|blob"):
        fetched(machine.registry(), lock, lambda _: None)
    cache = Cache(machine.cache)
    whole = [asset for asset in lock.assets if cache.tree(asset.record)]
    assert MODELS[2] not in {asset.name for asset in whole}
    store.create(bad, data)
    counting = CountingStore(store)
    folders = fetched(machine.registry(counting), lock, lambda _: None)
    assert counting.requests <= 3 * (len(MODELS) - len(whole))
    assert all((folders[model] / "b.bin").read_text() == f"{model} b.bin" for model in MODELS)


def test_one_that_cannot_be_had_does_not_wait_for_what_others_fetch(store: MemoryStore):
    """What went wrong is told at once, and not when a stranger is done with another model."""
    lock = locked(store)
    store.delete(next(found.key for found in store.list(f"{MODELS[2]}.model/blobs/")))
    opened = Machine(store).registry()
    held = opened.session.cache.trees.folder / f"{lock.assets[0].record.removeprefix('sha256:')}.lock"
    held.parent.mkdir(parents=True)
    pool = ThreadPoolExecutor(1)
    with FileLock(held):  # as another process would
        syncing = pool.submit(fetched, opened, lock, lambda _: None)
        done, _ = wait([syncing], timeout=10)
    pool.shutdown()
    assert done, "it waited"
    with pytest.raises(IntegrityError, match=r"fraud/m2|blob"):
        syncing.result()


def test_models_with_a_small_file_in_common(tmp_path: Path):
    """Small files are not locked, so several may be putting the same one into the cache at a time; all are whole."""
    made = new_store()
    pusher = Machine(made).registry()
    for model in MODELS:
        (tmp_path / "a.bin").write_text("the same")
        (tmp_path / "b.bin").write_text(model)
        pusher.push(model, {"a": tmp_path / "a.bin", "b": tmp_path / "b.bin"})
    lock = locked(made)
    for _ in range(20):
        folders = fetched(Machine(made).registry(), lock, lambda _: None)
        assert {(folder / "a" / "a.bin").read_text() for folder in folders.values()} == {"the same"}


# The command


@pytest.fixture
def wanting(project: Cli) -> Cli:
    """A project that wants two models, with an empty cache."""
    project("add", "fraud/clf@production")
    project("add", "nlp/vocab:1")
    return project


def test_who_waits_is_told(wanting: Cli, held_for_a_second: Callable[[Path], None]):
    """What another process is fetching is a note on stderr, and none of the JSON."""
    path = Path(wanting("sync").rows[0][2])
    wanting("cache", "rm", "--all")
    held_for_a_second(path)
    found = wanting("sync")
    assert "objreg: waiting for fraud/clf:1.0: it is being fetched already" in found.err
    assert [row[0] for row in found.rows] == ["fraud/clf", "nlp/vocab"]


def test_a_bar_ends_full_where_not_all_was_fetched(wanting: Cli, monkeypatch: pytest.MonkeyPatch):
    """A file that another model brought is there too, though nobody fetched it for this one."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    wanting("pull", "nlp/vocab:1.0")  # its only file is in fraud/clf as well
    assert "11/11 bytes" in terminal("sync")
    assert "10/10 bytes" in terminal("pull", "fraud/clf:1.1")


def test_a_terminal_sees_one_bar_and_a_pipe_none(wanting: Cli, monkeypatch: pytest.MonkeyPatch):
    """For all models together; what is cached already needs none."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    shown = terminal("sync")
    assert ("sync" in shown, "15/15 bytes" in shown) == (True, True)
    assert "bytes" not in terminal("sync")
    wanting("cache", "rm", "--all")
    piped = shell("objreg sync --json")
    assert (piped.returncode, piped.stderr) == (0, "")
    assert '"model": "nlp/vocab"' in piped.stdout
