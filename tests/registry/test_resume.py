"""A push that was interrupted goes on where it was: what is in the store is not sent again."""

import os
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from objreg.core.artifacts import Part
from objreg.errors import StoreError
from objreg.local.cache import Cache
from objreg.local.notes import Notes
from objreg.maintenance import collect, plan_collection
from objreg.store.base import ObjectInfo
from objreg.store.memory import MemoryStore
from objreg.store.wrappers import CountingStore
from tests.registry.machine import Machine

MODEL = "fraud/clf"
MIB = 1024 * 1024
FILES = 6
COMMIT = 2


class FullStore(CountingStore):
    """A store that takes so many blobs and then no more."""

    def __init__(self, store: MemoryStore, room: int) -> None:
        super().__init__(store)
        self.room = room
        self._room_lock = threading.Lock()

    def create(self, key: str, data: bytes) -> bool:
        with self._room_lock:
            if "/blobs/" in key:
                if self.room == 0:
                    raise StoreError(f"{self.url} is full")
                self.room -= 1
        return super().create(key, data)


@pytest.fixture
def folder_of_files(folder: Callable[..., Path]) -> Path:
    """Six files that are long enough to be noted; one of them compresses."""
    contents = {f"{number}.bin": os.urandom(MIB + number) for number in range(FILES - 1)}
    return folder(contents | {"text": b"the quick brown fox\n" * 100_000})


@pytest.fixture
def interrupted(machine: Machine, store: MemoryStore, folder_of_files: Path) -> Machine:
    """A machine that sent four of the six before the store was full."""
    with pytest.raises(StoreError, match="is full"):
        machine.registry(FullStore(store, 4)).push(MODEL, folder_of_files)
    assert sum(1 for _ in store.list(f"{MODEL}.model/blobs/")) == 4
    return machine


def blobs_sent(counting: CountingStore) -> int:
    return counting.counts["create"] - COMMIT


def test_the_next_attempt_sends_the_rest(
    interrupted: Machine, store: MemoryStore, folder_of_files: Path, new_machine: Callable[..., Machine]
) -> None:
    """In a new process: four questions, two blobs; and another machine can pull it."""
    counting = CountingStore(store)
    interrupted.registry(counting).push(MODEL, folder_of_files)
    assert blobs_sent(counting) == 2
    assert counting.counts["bytes_written"] < 2 * MIB + 200_000
    pulled = new_machine().registry().pull(MODEL)
    for path in folder_of_files.iterdir():
        assert (pulled / path.name).read_bytes() == path.read_bytes()


def test_a_note_is_believed_only_where_the_blob_is_there(
    interrupted: Machine, store: MemoryStore, folder_of_files: Path, new_machine: Callable[..., Machine]
) -> None:
    """Somebody emptied the folder meanwhile: all is sent again."""
    for info in list(store.list(f"{MODEL}.model/blobs/")):
        store.delete(info.key)
    counting = CountingStore(store)
    interrupted.registry(counting).push(MODEL, folder_of_files)
    assert blobs_sent(counting) == FILES
    new_machine().registry().pull(MODEL)


def test_another_machine_has_no_notes(
    interrupted: Machine, store: MemoryStore, folder_of_files: Path, new_machine: Callable[..., Machine]
) -> None:
    """It asks for nothing beforehand, so that a first push costs a request a blob; a create of what is there is one too."""
    del interrupted
    counting = CountingStore(store)
    new_machine().registry(counting).push(MODEL, folder_of_files)
    assert blobs_sent(counting) == FILES


LONG = 8 * MIB
LONG_FILES = 12


class AskedStore(CountingStore):
    """Counts what is asked of blobs, apart from what a commit asks."""

    def head(self, key: str) -> ObjectInfo | None:
        if "/blobs/" in key:
            self._count("asked")
        return super().head(key)


@pytest.fixture
def long_files(folder: Callable[..., Path]) -> Path:
    """Twelve files that are long enough to be asked for."""
    return folder({f"{number:02}.bin": bytes([number]) + os.urandom(LONG) for number in range(LONG_FILES)})


def push_by_one(machine: Machine, counting: CountingStore, files: Path) -> None:
    """Push over one connection, so that what is counted does not depend on which thread is first."""
    registry = machine.registry(counting)
    registry.session.connections = 1
    registry.session.check_registry()
    counting.reset()
    registry.push(MODEL, files, compress=False)


@pytest.fixture
def half_there(machine: Machine, store: MemoryStore, long_files: Path) -> MemoryStore:
    """A store that took five of them, and then was full."""
    full = FullStore(store, 5)
    with pytest.raises(StoreError, match="is full"):
        push_by_one(machine, full, long_files)
    return store


def test_another_machine_sends_one_in_vain_and_then_asks(
    half_there: MemoryStore, long_files: Path, new_machine: Callable[..., Machine]
) -> None:
    """The first create says that it exists; four questions save four blobs, three are answered no, four are not asked."""
    counting = AskedStore(half_there)
    push_by_one(new_machine(), counting, long_files)
    assert blobs_sent(counting) == 1 + 7
    assert counting.counts["bytes_written"] < 8 * (LONG + 1) + 200_000
    assert counting.counts["asked"] == 1 + 4 + 3
    pulled = new_machine().registry().pull(MODEL)
    for path in long_files.iterdir():
        assert (pulled / path.name).read_bytes() == path.read_bytes()


def test_all_that_another_machine_sent_costs_a_question_each(
    machine: Machine, store: MemoryStore, long_files: Path, new_machine: Callable[..., Machine]
) -> None:
    """A push that died before its commit: one blob is sent in vain."""
    with pytest.raises(StoreError, match="is full"):
        push_by_one(machine, FullStore(store, LONG_FILES - 1), long_files)
    counting = AskedStore(store)
    push_by_one(new_machine(), counting, long_files)
    assert (blobs_sent(counting), counting.counts["asked"]) == (2, LONG_FILES)


def test_a_first_push_of_long_files_asks_for_nothing(machine: Machine, store: MemoryStore, long_files: Path) -> None:
    """A request a blob, and the commit."""
    counting = AskedStore(store)
    push_by_one(machine, counting, long_files)
    assert (blobs_sent(counting), counting.counts["asked"]) == (LONG_FILES, 0)


def test_what_is_compressed_is_asked_for_too(machine: Machine, store: MemoryStore, folder: Callable[..., Path]) -> None:
    """And read, because another compressor may have written it."""
    half = b"".join(os.urandom(MIB // 2) + bytes(MIB // 2) for _ in range(20))
    files = folder({f"{number:02}.bin": bytes([number]) + half for number in range(4)})
    version = machine.registry().push("other/model", files)
    assert [part.encoding for file in version.artifacts[0].files for part in file.parts] == ["zstd"] * 4
    for info in list(store.list("other/model.model/blobs/")):
        store.create(info.key.replace("other/model", MODEL), store.get(info.key) or b"")
    counting = AskedStore(store)
    registry = machine.registry(counting)
    registry.session.connections = 1
    registry.push(MODEL, files)
    assert (blobs_sent(counting), counting.counts["asked"]) == (1, 4)
    machine.registry().pull(f"{MODEL}:1.0")


def test_new_content_costs_no_question(interrupted: Machine, store: MemoryStore, folder: Callable[..., Path]) -> None:
    """Notes of other parts change nothing: a blob is one request."""
    registry = interrupted.registry(CountingStore(store))
    registry.push(MODEL, folder({"first": b"1"}))
    counting = CountingStore(store)
    registry = interrupted.registry(counting)
    registry.head(MODEL)
    counting.reset()
    registry.push(MODEL, folder({"new": os.urandom(MIB)}))
    assert counting.counts["create"] == counting.requests == 1 + COMMIT


def test_damaged_notes_are_passed_over(
    interrupted: Machine, store: MemoryStore, folder_of_files: Path, new_machine: Callable[..., Machine]
) -> None:
    """A record must never name what a torn or changed note says."""
    (path,) = (interrupted.cache / "unfinished").iterdir()
    lines = path.read_bytes().split(b"\n")
    lines[1] = lines[1][: len(lines[1]) // 2]
    lines[2] = lines[2].replace(b'"offset":0', b'"offset":1')
    path.write_bytes(b"\n".join(lines))
    counting = CountingStore(store)
    interrupted.registry(counting).push(MODEL, folder_of_files)
    assert blobs_sent(counting) == 4
    new_machine().registry().pull(MODEL)


def test_notes_are_forgotten(tmp_path: Path) -> None:
    """After a week; and at once where nothing can be written there is nothing."""
    notes = Notes(Cache(tmp_path / "cache"), "unfinished", "registry", "domain")
    assert notes.read() == []
    notes.add(b"one")
    notes.add(b"two")
    assert notes.read() == [b"one", b"two"]
    (path,) = (tmp_path / "cache" / "unfinished").iterdir()
    week_ago = time.time() - 8 * 24 * 3600
    os.utime(path, (week_ago, week_ago))
    assert notes.read() == []
    assert not path.exists()
    (tmp_path / "file").write_bytes(b"")
    nowhere = Notes(Cache(tmp_path / "file"), "unfinished", "registry", "domain")
    nowhere.add(b"one")
    assert nowhere.read() == []


def test_notes_of_threads_do_not_mix(tmp_path: Path) -> None:
    """Each is whole."""
    notes = Notes(Cache(tmp_path / "cache"), "unfinished", "registry", "domain")
    lines = [b"%d " % number * 100 for number in range(200)]
    threads = [threading.Thread(target=notes.add, args=(line,)) for line in lines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(notes.read()) == sorted(lines)


def test_a_part_that_was_condemned_meanwhile_is_sent_anew(
    interrupted: Machine, store: MemoryStore, folder: Callable[..., Path], folder_of_files: Path
) -> None:
    """What an interrupted push leaves is garbage that a collector may take; its name is then never used again."""
    registry = interrupted.registry()
    registry.push(MODEL, folder({"first": b"1"}))
    (plan,) = plan_collection(registry, MODEL, grace=timedelta(0))
    assert len(collect(registry, plan).deleted) == 4
    version = interrupted.registry().push(MODEL, folder_of_files)
    parts: list[Part] = [part for file in version.artifacts[0].files for part in file.parts]
    assert sorted(part.incarnation for part in parts) == [0, 0, 1, 1, 1, 1]
    interrupted.registry().pull(version)
