"""A pull that was interrupted goes on where it was: parts that are on this machine are verified, and not fetched again."""

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import objreg
from objreg.core.artifacts import File, Part
from objreg.core.digest import digest_of
from objreg.errors import IntegrityError, StoreUnavailable
from objreg.local.cache import Cache
from objreg.local.cache_upkeep import cache_size, prune
from objreg.registry import upload
from objreg.registry.filling import Filling
from objreg.store.memory import MemoryStore
from objreg.store.wrappers import CountingStore
from tests.conftest import Servers
from tests.registry.machine import Machine, kill_while_another_waits
from tests.servers.proxy import Proxy

MODEL = "fraud/clf"
EXACT = f"{MODEL}:1.0"
PART = 256 * 1024
CONTENT = random.Random(1).randbytes(12 * PART + 1000)
WEEK = 7 * 24 * 3600.0


class BreakingStore(CountingStore):
    """A store that answers so many reads of blobs, and then says no more."""

    def __init__(self, store: MemoryStore, answers: int) -> None:
        super().__init__(store)
        self.answers = answers
        self._answers_lock = threading.Lock()

    def get(self, key: str) -> bytes | None:
        with self._answers_lock:
            if "/blobs/" in key:
                if self.answers == 0:
                    raise StoreUnavailable(f"{self.url} does not answer")
                self.answers -= 1
        return super().get(key)


@pytest.fixture
def version(registry: objreg.Registry, file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> objreg.Version:
    """A version of one file of thirteen parts."""
    monkeypatch.setattr(upload, "PART_SIZE", PART)
    monkeypatch.setattr("objreg.registry.cutting.find_spec", lambda _: None)  # whatever is installed: fixed parts
    version = registry.push(MODEL, file(CONTENT))
    assert len(parts_of(version)) == 13
    return version


def parts_of(version: objreg.Version) -> tuple[Part, ...]:
    return version.artifacts[0].files[0].parts


def partial_of(cache: Path, content: bytes = CONTENT) -> Path:
    return Cache(cache).files.partial(digest_of(content))


def there(partial: Path, parts: tuple[Part, ...]) -> list[bool]:
    """Tell of each part whether the interrupted file has its bytes."""
    found, data = [], partial.read_bytes()
    for part in parts:
        found.append(digest_of(data[: part.length]) == part.blob)
        data = data[part.length :]
    return found


@pytest.fixture
def broken(version: objreg.Version, new_machine: Callable[..., Machine], store: MemoryStore) -> Machine:
    """A machine whose network was lost after five parts."""
    machine = new_machine()
    with pytest.raises(StoreUnavailable, match="does not answer"):
        machine.registry(BreakingStore(store, 5)).pull(version)
    assert there(partial_of(machine.cache), parts_of(version)).count(True) == 5
    return machine


def pulled(machine: Machine, store: MemoryStore) -> int:
    """Pull in a new process; return how many blobs were read."""
    counting = BreakingStore(store, 1000)
    assert (machine.registry(counting).pull(EXACT) / "model.bin").read_bytes() == CONTENT
    return 1000 - counting.answers


def test_what_was_fetched_is_not_fetched_again(broken: Machine, store: MemoryStore) -> None:
    """Exactly the missing parts are; a file that is not whole is nowhere, and afterwards nothing is left of it."""
    assert Cache(broken.cache).files.find(digest_of(CONTENT), len(CONTENT)) is None
    assert not [path for path in (broken.cache / "trees").iterdir() if path.is_dir()]
    assert pulled(broken, store) == 8
    assert list((broken.cache / "partial").iterdir()) == []
    assert pulled(broken, store) == 0


def test_progress_reaches_the_end(broken: Machine, store: MemoryStore) -> None:
    """What is there already is told too."""
    sizes: list[int] = []
    broken.registry(CountingStore(store)).pull(EXACT, progress=sizes.append)
    assert sum(sizes) == len(CONTENT)


@pytest.mark.parametrize("damage", ["torn", "flipped", "short", "long", "emptied"])
def test_what_was_damaged_meanwhile_is_fetched_again(
    broken: Machine, store: MemoryStore, version: objreg.Version, damage: str
) -> None:
    """A crash may leave anything: only parts that have their digest are used."""
    partial = partial_of(broken.cache)
    first = there(partial, parts_of(version)).index(True)
    data = bytearray(partial.read_bytes())
    if damage == "torn":
        data[first * PART + 4096 : (first + 1) * PART] = bytes(PART - 4096)
    elif damage == "flipped":
        data[first * PART] ^= 1
    elif damage == "short":
        del data[(first + 1) * PART - 10 :]
    elif damage == "long":
        data += b"more"
    else:
        data.clear()
    partial.write_bytes(data)
    left = there(partial, parts_of(version)).count(True)
    assert left == {"torn": 4, "flipped": 4, "short": 0, "long": 5, "emptied": 0}[damage]
    assert pulled(broken, store) == 13 - left


def test_a_file_that_is_put_together_wrongly_is_not_kept(broken: Machine, store: MemoryStore) -> None:
    """The record's parts are right each, and give another file: nothing stays to be read again."""
    parts = (Part(blob=digest_of(b"1"), incarnation=0, encoding="", blob_size=1, stored_size=1,
                  stored_digest=digest_of(b"1"), offset=0, length=1),) * 2  # fmt: skip
    lie = File(path="x", digest=digest_of(b"12"), size=2, media_type="", parts=parts)
    filling = Filling("x", lie, broken.cache / "partial" / "x", kept=True)
    filling.prepare()
    for index in range(2):
        filling.put(index, memoryview(b"1"))
    with pytest.raises(IntegrityError, match="x holds other bytes than its record says"):
        filling.finish()
    assert not filling.path.exists()
    assert pulled(broken, store) == 8


def test_two_versions_with_other_cuts_share_what_is_alike(
    broken: Machine, store: MemoryStore, version: objreg.Version
) -> None:
    """What is there is judged by place and digest: parts of other lengths are fetched."""
    file = version.artifacts[0].files[0]
    whole = Part(blob=file.digest, incarnation=0, encoding="", blob_size=file.size, stored_size=file.size,
                 stored_digest=file.digest, offset=0, length=file.size)  # fmt: skip
    other = File(path="x", digest=file.digest, size=file.size, media_type="", parts=(whole,))
    filling = Filling("x", other, partial_of(broken.cache), kept=True)
    filling.prepare()
    assert not filling.has(0)
    assert pulled(broken, store) == 8


@pytest.mark.parametrize("order", ["forwards", "backwards", "mixed"])
def test_a_file_is_hashed_in_order_whatever_arrives_first(version: objreg.Version, tmp_path: Path, order: str) -> None:
    """From eight threads; a part that is not what was verified shows in the file's digest."""
    file = version.artifacts[0].files[0]
    indexes = list(range(len(file.parts)))
    if order == "backwards":
        indexes.reverse()
    elif order == "mixed":
        random.Random(5).shuffle(indexes)

    def fill(content: bytes, path: Path) -> Filling:
        filling = Filling("x", file, path, kept=False)
        filling.prepare()
        todo = iter(indexes)

        def work() -> None:
            for index in todo:
                filling.put(index, memoryview(content)[index * PART : index * PART + file.parts[index].length])

        threads = [threading.Thread(target=work) for _ in range(1 if order == "backwards" else 8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return filling

    fill(CONTENT, tmp_path / "good").finish()
    assert (tmp_path / "good").read_bytes() == CONTENT
    with pytest.raises(IntegrityError):
        fill(CONTENT[:-1] + b"\0", tmp_path / "bad").finish()


# Processes that are killed


def test_who_waits_for_a_killed_process_goes_on_where_it_was(
    version: objreg.Version, new_machine: Callable[..., Machine], store: MemoryStore
) -> None:
    """A kill -9 after five parts, with another process waiting: that one fetches what is missing, and no more."""
    machine = new_machine()
    machine.registry().resolve(version.spec)

    class HangingStore(BreakingStore):
        def get(self, key: str) -> bytes | None:
            try:
                return super().get(key)
            except StoreUnavailable:
                time.sleep(60)
                raise

    partial = partial_of(machine.cache)

    def wait() -> None:
        if pulled(machine, store) != 8:
            os._exit(3)

    kill_while_another_waits(
        lambda: machine.registry(HangingStore(store, 5)).pull(EXACT),
        lambda: partial.exists() and there(partial, parts_of(version)).count(True) == 5,
        wait,
    )


def test_a_pull_from_a_server_that_was_killed_half_way(tmp_path: Path, servers: Servers) -> None:
    """A kill -9 in the middle of 160 MB from a real server; on the wire, the next pull asks for the missing parts alone."""
    server = servers["seaweedfs"]
    url = f"{server.new_bucket()}/registry"
    big = tmp_path / "big.bin"
    big.write_bytes(random.Random(2).randbytes(160_000_000))
    proxy = Proxy(server.origin)
    options = server.options("obstore", origin=proxy.origin)
    registry = objreg.open(url, create=True, storage_options=options, engine="obstore")
    parts = parts_of(registry.push(MODEL, big))
    pull = f"""
import os, signal, objreg
registry = objreg.open({url!r}, storage_options={options!r}, engine="obstore", connections=1)
sizes = []
def received(size):
    sizes.append(size)
    if sum(sizes) > 80_000_000:
        os.kill(os.getpid(), signal.SIGKILL)
registry.pull({EXACT!r}, progress=received)
"""
    killed = subprocess.run([sys.executable, "-c", pull], check=False, timeout=120)
    assert killed.returncode == -9
    partial = partial_of(Path(os.environ["OBJREG_CACHE_DIR"]), big.read_bytes())
    left = there(partial, parts)
    assert any(left)
    assert not all(left)
    before = len(proxy.requests)

    assert (registry.pull(EXACT) / "big.bin").read_bytes() == big.read_bytes()

    asked = [request.path.rpartition("/")[2] for request in proxy.requests[before:] if "/blobs/" in request.path]
    missing = [part.blob.removeprefix("sha256:") for part, is_there in zip(parts, left, strict=True) if not is_there]
    assert sorted(asked) == sorted(missing)
    registry.close()
    proxy.stop()


# The disk


@pytest.fixture
def small_disk(new_disk: Callable[[str], Path]) -> Path:
    """A file system of its own, eight megabytes large."""
    return new_disk("8m")


class FillingStore(CountingStore):
    """Somebody else fills the disk while the third blob is on its way."""

    def __init__(self, store: MemoryStore, disk: Path) -> None:
        super().__init__(store)
        self.disk = disk

    def get(self, key: str) -> bytes | None:
        data = super().get(key)
        if "/blobs/" in key and self.counts["get"] >= 3:
            free = os.statvfs(self.disk).f_bavail * 4096
            (self.disk / f"other-{self.counts['get']}").write_bytes(bytes(max(0, free - PART // 2)))
        return data


def test_a_disk_that_fills_up_keeps_what_was_fetched(
    version: objreg.Version, new_machine: Callable[..., Machine], store: MemoryStore, small_disk: Path
) -> None:
    """With room again the pull goes on, and a part of which half was written is not taken for whole."""
    machine = new_machine(cache=small_disk / "cache")
    with pytest.raises(objreg.StoreError, match=r"No space left on device; the next pull goes on"):
        machine.registry(FillingStore(store, small_disk)).pull(version)
    left = there(partial_of(machine.cache), parts_of(version)).count(True)
    assert 0 < left < 13
    for other in small_disk.glob("other-*"):
        other.unlink()
    assert pulled(machine, store) == 13 - left


@pytest.mark.parametrize("kept", [True, False])
def test_half_of_a_write_is_an_error(small_disk: Path, kept: bool) -> None:
    """A full disk takes a part of a write and says so by a number: that must not end in a verified file."""
    content = os.urandom(PART)
    digest = digest_of(content)
    part = Part(blob=digest, incarnation=0, encoding="", blob_size=PART, stored_size=PART,
                stored_digest=digest, offset=0, length=PART)  # fmt: skip
    file = File(path="x", digest=digest, size=PART, media_type="", parts=(part,))
    filling = Filling("x", file, small_disk / "x", kept=kept)
    filling.prepare()
    (small_disk / "other").write_bytes(bytes(os.statvfs(small_disk).f_bavail * 4096 - PART // 2))
    with pytest.raises(OSError, match="No space left on device"):
        filling.put(0, memoryview(content))


def test_a_partial_file_counts_and_goes(broken: Machine, store: MemoryStore) -> None:
    """``ls`` counts what it takes; ``prune`` removes it once it is old enough, and never while it is fetched."""
    from filelock import FileLock

    cache = Cache(broken.cache)
    partial = partial_of(broken.cache)
    taken = cache_size(cache)
    assert 5 * PART <= taken < 6 * PART
    assert prune(cache, 10**9, keep_seconds=3600).freed == 0
    with FileLock(f"{cache.files.path(partial.name)}.lock"):
        assert prune(cache, 10**9, keep_seconds=0, now=time.time() + 1).freed == 0
    removed = prune(cache, 10**9, keep_seconds=0, now=time.time() + 1)
    assert (removed.freed, removed.size, partial.exists()) == (taken, 0, False)
    assert pulled(broken, store) == 13


def test_a_partial_file_is_forgotten_after_a_week(
    broken: Machine, store: MemoryStore, file: Callable[..., Path]
) -> None:
    """The next pull that fetches anything removes it."""
    registry = broken.registry(store)
    registry.push(MODEL, file(b"other", "other.bin"))
    partial = partial_of(broken.cache)
    registry.pull(f"{MODEL}:1.1")
    assert partial.exists()
    long_ago = time.time() - WEEK - 60
    os.utime(partial, (long_ago, long_ago))
    registry.push(MODEL, file(b"another", "another.bin"))
    registry.pull(f"{MODEL}:1.2")
    assert not partial.exists()
