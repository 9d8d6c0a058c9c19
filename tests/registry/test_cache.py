"""The cache of files: each once on a machine, fetched by one process, believed while it is what was put there."""

import multiprocessing
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import objreg
from objreg.core.digest import digest_of
from objreg.local import cache_files
from objreg.local.cache import Cache
from objreg.local.cache_heads import SeenHead
from objreg.local.cache_links import Linker
from objreg.registry.recall import Recall
from objreg.registry.registry import Registry
from objreg.registry.session import Session
from objreg.store.base import Store
from objreg.store.memory import MemoryStore
from objreg.store.wrappers import CountingStore
from tests.registry.machine import Machine, TickingClock, kill_while_another_waits

MODEL = "fraud/clf"
FORK = multiprocessing.get_context("fork")
LARGE = os.urandom(2_000_000)
EXACT = f"{MODEL}:1.0"


def through(machine: Machine, store: Store, **settings: object) -> Registry:
    """Return a registry over a machine's cache with other settings of it."""

    def connect() -> Session:
        cache = Cache(machine.cache, **settings)
        return Session(store, Recall(cache, machine.store.identity), TickingClock(), "x")

    return Registry(store.url, connect)


def stored(machine: Machine, content: bytes) -> Path:
    """Return where the cache keeps a file of some content."""
    return Cache(machine.cache).files.path(digest_of(content))


def unlocked(path: Path) -> Path:
    """Let a test do what nobody may: write into a file of the cache."""
    path.chmod(0o644)
    return path


class SlowStore(MemoryStore):
    """Says in a file which blobs were read, and takes its time."""

    log: Path
    seconds = 0.0

    def get(self, key: str) -> bytes | None:
        if "/blobs/" in key:
            with self.log.open("a") as opened:
                opened.write(f"{key}\n")
            time.sleep(self.seconds)
        return super().get(key)


@pytest.fixture
def slow(tmp_path: Path) -> SlowStore:
    """A store for processes, of which a forked one has a copy."""
    from objreg.registry.session import create_marker

    found = SlowStore("slow")
    found.log = tmp_path / "read.log"
    found.log.touch()
    create_marker(found, TickingClock())
    return found


# One file, one place


def test_a_version_of_which_one_file_changed_fetches_one(
    registry: objreg.Registry, folder: Callable[..., Path], new_machine: Callable[..., Machine], store: MemoryStore
) -> None:
    """What an earlier version brought is linked, and is on the disk once."""
    files = {f"{number}.bin": os.urandom(1000) for number in range(10)}
    registry.push(MODEL, folder(files))
    registry.push(MODEL, folder(files | {"3.bin": b"new"}))
    machine, counting = new_machine(), CountingStore(store)
    reader = machine.registry(counting)
    first = reader.pull(EXACT)
    counting.reset()
    second = reader.pull(f"{MODEL}:1.1")
    assert counting.requests == 3  # the newest entry, the record, and the file that changed
    assert (second / "3.bin").read_bytes() == b"new"
    assert (first / "4.bin").stat().st_ino == (second / "4.bin").stat().st_ino


def test_files_are_shared_by_models_and_registries(
    registry: objreg.Registry, file: Callable[..., Path], machine: Machine, tmp_path: Path
) -> None:
    """The same content, pushed elsewhere, is there already."""
    registry.push(MODEL, file(LARGE))
    registry.pull(MODEL)
    other = objreg.open(tmp_path / "other", create=True)
    other.push("x/y", file(LARGE, "other.bin"))
    counting = CountingStore(other.session.store)
    reader = through(machine, counting)
    assert (reader.pull("x/y") / "other.bin").read_bytes() == LARGE
    assert not [key for key in counting.counts if key == "get" and counting.counts["bytes_read"] > 1_000_000]


@pytest.mark.parametrize("link", ["auto", "hardlink", "symlink", "copy", "reflink"])
def test_files_are_linked_as_the_user_chooses(
    machine: Machine, registry: objreg.Registry, folder: Callable[..., Path], link: str, store: MemoryStore
) -> None:
    """By what the file system allows; where it does not, they are copied. A pull gives the same bytes, read-only."""
    registry.push(MODEL, folder({"a/b.bin": LARGE, "c": b"", "d": LARGE}))
    pulled = through(machine, store, link=link).pull(EXACT)
    assert (pulled / "a/b.bin").read_bytes() == (pulled / "d").read_bytes() == LARGE
    found, kept = pulled / "a/b.bin", stored(machine, LARGE)
    assert found.is_symlink() == (link == "symlink")
    if link in {"copy", "hardlink", "symlink"}:
        assert (found.stat().st_ino == kept.stat().st_ino) == (link != "copy")
    assert not found.stat().st_mode & 0o222
    assert found.stat().st_mtime == kept.stat().st_mtime
    _, index = next(Cache(machine.cache).trees.entries())
    assert index.link in {"auto": {"reflink", "hardlink"}, "reflink": {"reflink", "copy"}}.get(link, {link})
    assert through(machine, CountingStore(store), link=link).pull(EXACT) == pulled


@pytest.fixture
def xfs(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own that has reflinks."""
    image, folder = tmp_path / "xfs.img", tmp_path / "xfs"
    folder.mkdir()
    with image.open("wb") as made:
        made.truncate(320 * 1024 * 1024)  # mkfs.xfs takes no less than 300 MiB
    subprocess.run(["mkfs.xfs", "-q", "-m", "reflink=1", str(image)], check=True)
    subprocess.run(["mount", "-o", "loop", str(image), str(folder)], check=True)
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("link", ["auto", "reflink"])
def test_files_are_reflinked_where_the_file_system_can(
    registry: objreg.Registry, new_machine: Callable[..., Machine], file: Callable[..., Path], xfs: Path,
    store: MemoryStore, link: str,
) -> None:  # fmt: skip
    """On XFS: another inode, the same blocks; what is written into one folder is in no other, and is put right."""
    content = os.urandom(40_000_000)
    version = registry.push(MODEL, file(content))
    machine = new_machine(cache=xfs / "cache")
    free = os.statvfs(xfs).f_bavail * os.statvfs(xfs).f_bsize
    pulled = through(machine, store, link=link).pull(version)
    subprocess.run(["sync", "--file-system", str(xfs)], check=True)
    taken = free - os.statvfs(xfs).f_bavail * os.statvfs(xfs).f_bsize
    assert len(content) <= taken < 1.5 * len(content), "the bytes are on the disk once"
    kept, shown = stored(machine, content), pulled / "model.bin"
    assert kept.stat().st_ino != shown.stat().st_ino
    assert not shown.stat().st_mode & 0o222
    _, index = next(Cache(machine.cache).trees.entries())
    assert index.link == "reflink"
    unlocked(shown).write_bytes(b"damaged")
    assert kept.read_bytes() == content
    counting = CountingStore(store)
    assert (through(machine, counting, link=link).pull(EXACT) / "model.bin").read_bytes() == content
    assert counting.counts["bytes_read"] < 1_000_000


def test_a_way_that_the_file_system_lacks_is_tried_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then every file takes the next way; what is wrong with every way is raised."""
    tries = []

    def refuse(source: Path, target: Path) -> None:
        tries.append(target)
        raise OSError(95, "Operation not supported")

    monkeypatch.setitem(objreg.local.cache_links._PLACE, "hardlink", refuse)
    monkeypatch.setitem(objreg.local.cache_links._PLACE, "reflink", refuse)
    (tmp_path / "source").write_bytes(b"1")
    linker = Linker()
    linker.place(tmp_path / "source", tmp_path / "one")
    linker.place(tmp_path / "source", tmp_path / "two")
    assert (tries, linker.used) == ([tmp_path / "one"] * 2, {"copy"})
    assert (tmp_path / "two").read_bytes() == b"1"
    with pytest.raises(FileExistsError):
        linker.place(tmp_path / "source", tmp_path / "two")
    with pytest.raises(FileNotFoundError):
        linker.place(tmp_path / "none", tmp_path / "three")


def test_content_that_is_not_its_digest_never_enters(
    registry: objreg.Registry, file: Callable[..., Path], machine: Machine, store: MemoryStore
) -> None:
    """The files are shared by registries, so a slice of a blob that calls itself the whole must not pass for it."""
    import msgspec

    from objreg.core.artifacts import File, Part
    from objreg.registry.download import download

    whole = digest_of(LARGE)
    part = Part(
        blob=whole, incarnation=0, encoding="", blob_size=len(LARGE), stored_size=len(LARGE), stored_digest=whole,
        offset=0, length=10,
    )  # fmt: skip
    registry.push(MODEL, file(LARGE))
    lie = File(path="model.bin", digest=whole, size=10, media_type="", parts=(part,))
    (machine.cache / "x").mkdir()
    with pytest.raises(objreg.IntegrityError, match="holds other bytes than its record says"):
        download(store, f"{MODEL}.model", {"model.bin": lie}, machine.cache / "x", lambda _: None)
    registry.pull(MODEL)
    with pytest.raises(objreg.IntegrityError, match=r"a record says that the file .* has 10 bytes"):
        Cache(machine.cache).files.find(whole, 10)
    assert stored(machine, LARGE).read_bytes() == LARGE
    assert msgspec.structs.replace(lie, size=len(LARGE))


# Damage


@pytest.mark.parametrize("link", ["hardlink", "symlink", "copy"])
def test_a_file_that_somebody_wrote_into_is_put_right(
    machine: Machine, registry: objreg.Registry, folder: Callable[..., Path], link: str, store: MemoryStore
) -> None:
    """Of the same size even: its time shows it. Where the cache's own file is whole, nothing is fetched."""
    registry.push(MODEL, folder({"a": LARGE, "b": b"other"}))
    counting = CountingStore(store)
    reader = through(machine, counting, link=link)
    pulled = reader.pull(EXACT)
    with unlocked(pulled / "a").open("r+b") as opened:
        opened.write(b"spoilt!")
    counting.reset()
    assert (reader.pull(EXACT) / "a").read_bytes() == LARGE
    assert counting.requests == (0 if link == "copy" else 1)
    assert stored(machine, LARGE).read_bytes() == LARGE


def test_a_file_that_was_only_touched_is_hashed_once_and_kept(
    registry: objreg.Registry, file: Callable[..., Path], counting: CountingStore, counted: objreg.Registry
) -> None:
    """Backup programs and copies change times; the bytes decide."""
    registry.push(MODEL, file(LARGE))
    pulled = counted.pull(EXACT)
    stamped = (pulled / "model.bin").stat().st_mtime
    (pulled / "model.bin").touch()
    counting.reset()
    assert counted.pull(EXACT) == pulled
    assert counting.requests == 0
    assert (pulled / "model.bin").stat().st_mtime == stamped


def restart(monkeypatch: pytest.MonkeyPatch, machine: Machine) -> None:
    """Let the machine have been started a moment from now."""
    monkeypatch.setattr("objreg.local.cache_trees.boot_id", lambda: "another")
    monkeypatch.setattr(cache_files, "_boot_time", lambda: time.time() + 5)


def rot(path: Path) -> None:
    """Lose a file's bytes and nothing else, as a power cut does."""
    before = path.stat()
    unlocked(path).write_bytes(bytes(before.st_size))
    path.chmod(0o444)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_after_a_crash_digests_decide(
    machine: Machine,
    registry: objreg.Registry,
    folder: Callable[..., Path],
    counting: CountingStore,
    counted: objreg.Registry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was built in an earlier run of the machine and not used since is hashed, once; what is lost is fetched."""
    registry.push(MODEL, folder({"a": LARGE, "b": b"other"}))
    pulled = counted.pull(EXACT)
    rot(pulled / "a")
    assert counted.pull(EXACT) == pulled, "nothing but a digest can tell"
    restart(monkeypatch, machine)
    counting.reset()
    assert (counted.pull(EXACT) / "a").read_bytes() == LARGE
    assert counting.requests == 1
    hashed = []
    monkeypatch.setattr("objreg.local.cache_trees.digest_of_file", hashed.append)
    assert counted.pull(EXACT) == pulled
    assert hashed == []


def test_what_was_used_later_on_is_settled(
    machine: Machine, registry: objreg.Registry, file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A minute after it was built it is on disk: a use from then on makes a restart no reason to hash."""
    registry.push(MODEL, file(LARGE))
    pulled = registry.pull(EXACT)
    monkeypatch.setattr("objreg.local.cache_trees._ON_DISK_SECONDS", -1.0)
    registry.pull(EXACT)
    restart(monkeypatch, machine)
    monkeypatch.setattr("objreg.local.cache_trees.digest_of_file", lambda _: pytest.fail("it was hashed"))
    assert registry.pull(EXACT) == pulled


def test_an_index_that_is_lost_or_damaged_costs_a_rebuild(
    registry: objreg.Registry, file: Callable[..., Path], counting: CountingStore, counted: objreg.Registry
) -> None:
    """Without knowing what must be there nothing is believed; the files are there, so nothing is fetched."""
    registry.push(MODEL, file(LARGE))
    pulled = counted.pull(EXACT)
    index = pulled.with_name(f"{pulled.name}.index")
    for damage in (index.unlink, lambda: index.write_bytes(b"sha256:00\n{}"), lambda: index.write_bytes(b"")):
        damage()
        counting.reset()
        assert (counted.pull(EXACT) / "model.bin").read_bytes() == LARGE
        assert counting.requests == 0


# Many processes


def run(*functions: Callable[[], None]) -> list[int | None]:
    children = [FORK.Process(target=function) for function in functions]
    for child in children:
        child.start()
    for child in children:
        child.join(60)
    return [child.exitcode for child in children]


def blobs_read(store: SlowStore) -> list[str]:
    return sorted(line for line in store.log.read_text().splitlines() if "/blobs/" in line)


def test_one_process_fetches_and_others_see_how_far_it_is(
    slow: SlowStore, folder: Callable[..., Path], new_machine: Callable[..., Machine], tmp_path: Path
) -> None:
    """Of four that want one version one fetches; the others say what they wait for, and their progress moves."""
    new_machine(store=slow).registry().push(MODEL, folder({"a": LARGE, "b": os.urandom(1_500_000)}))
    slow.seconds = 1.0
    machine = new_machine(store=slow)

    def pull(number: int) -> Callable[[], None]:
        def body() -> None:
            time.sleep(0.1 * number)
            registry = machine.registry()
            said: list[str] = []
            registry.session.tell = said.append
            sizes: list[int] = []
            pulled = registry.pull(EXACT, progress=sizes.append)
            assert (pulled / "a").read_bytes() == LARGE
            assert sum(sizes) > 0
            (tmp_path / f"said-{number}").write_text("\n".join(said))

        return body

    assert run(*map(pull, range(4))) == [0, 0, 0, 0]
    assert len(blobs_read(slow)) == 2
    said = [(tmp_path / f"said-{number}").read_text() for number in range(4)]
    assert sorted(said) == ["", *["waiting for fraud/clf:1.0: it is being fetched already"] * 3]


def test_versions_that_share_a_file_fetch_it_once_and_the_rest_side_by_side(
    slow: SlowStore, folder: Callable[..., Path], new_machine: Callable[..., Machine], tmp_path: Path
) -> None:
    """Locks are of files: who needs only what nobody fetches waits for nobody."""
    writer = new_machine(store=slow).registry()
    files = {name: os.urandom(1_500_000) for name in ("a", "b", "shared")}
    writer.push(MODEL, folder({"a": files["a"], "shared": files["shared"]}))
    writer.push(MODEL, folder({"b": files["b"], "shared": files["shared"]}))
    slow.seconds = 0.5
    machine = new_machine(store=slow)

    def pull(version: str, name: str) -> Callable[[], None]:
        def body() -> None:
            pulled = machine.registry().pull(f"{MODEL}:{version}")
            assert {path.name: path.read_bytes() for path in pulled.iterdir()} == {
                name: files[name],
                "shared": files["shared"],
            }

        return body

    start = time.monotonic()
    assert run(pull("1.0", "a"), pull("1.1", "b")) == [0, 0]
    assert len(blobs_read(slow)) == 3
    assert time.monotonic() - start < 4


def test_a_dead_holder_blocks_nobody(
    slow: SlowStore, folder: Callable[..., Path], new_machine: Callable[..., Machine]
) -> None:
    """A kill -9 in the middle of a fetch: whoever waits takes over, and what was complete is not fetched again."""
    contents = {"a": b"small", "b": LARGE}
    new_machine(store=slow).registry().push(MODEL, folder(contents))
    machine = new_machine(store=slow)

    def pull(seconds: float) -> None:
        slow.seconds = seconds
        machine.registry().pull(EXACT)

    kill_while_another_waits(lambda: pull(30), lambda: bool(blobs_read(slow)), lambda: pull(0))
    assert {path.name: path.read_bytes() for path in machine.registry().pull(EXACT).iterdir()} == contents


def test_a_pull_that_was_interrupted_goes_on_where_it_was(
    registry: objreg.Registry, folder: Callable[..., Path], new_machine: Callable[..., Machine], store: MemoryStore
) -> None:
    """Complete files stay; only the others are fetched."""
    files = {f"{number}.bin": os.urandom(1000) for number in range(20)}
    version = registry.push(MODEL, folder(files))
    machine = new_machine()
    key = f"{MODEL}.model/blobs/{digest_of(files['9.bin'])[7:]}"
    kept = store.get(key)
    store.delete(key)
    with pytest.raises(objreg.IntegrityError, match="is missing"):
        machine.registry().pull(EXACT)
    store.create(key, kept or b"")
    there = sum(stored(machine, content).exists() for content in files.values())
    counting = CountingStore(store)
    machine.registry(counting).pull(version)
    assert there > 0
    assert counting.counts["get"] <= 20 - there


# Layers


def test_a_read_only_cache_lies_below_a_writable_one(
    registry: objreg.Registry, folder: Callable[..., Path], new_machine: Callable[..., Machine], store: MemoryStore
) -> None:
    """A version of the image is used where it is; another version takes its files from there. Nothing is written."""
    registry.push(MODEL, folder({"a": LARGE, "b": b"1"}))
    registry.push(MODEL, folder({"a": LARGE, "b": b"2"}))
    image, container, counting = new_machine(), new_machine(), CountingStore(store)
    baked = image.registry().pull(EXACT)
    before = {path: path.lstat().st_mtime_ns for path in image.cache.rglob("*")}
    reader = through(container, counting, layers=(image.cache,))
    assert reader.pull(EXACT) == baked
    assert counting.requests == 0
    second = reader.pull(f"{MODEL}:1.1")
    assert (second / "a").read_bytes() == LARGE
    assert (second / "a").is_symlink(), "a hard link would make an overlay copy the file"
    assert counting.counts["bytes_read"] < 100_000
    assert {path: path.lstat().st_mtime_ns for path in image.cache.rglob("*")} == before
    (image.cache / "trees").rename(image.cache / "gone")
    (image.cache / "files").rename(image.cache / "gone too")
    assert (reader.pull(f"{MODEL}:1.1") / "a").read_bytes() == LARGE, "an image that went away costs a fetch"


def test_what_a_layer_remembers_can_be_forgotten(tmp_path: Path) -> None:
    """Heads and versions of a layer are known, newer ones win, and accepting another history hides them."""
    below, above = Cache(tmp_path / "below"), Cache(tmp_path / "above", layers=(tmp_path / "below",))
    below.remember_head("r", "d", SeenHead(5, b"five"))
    below.remember_version("r", "m", "1.0", "sha256:" + "0" * 64)
    below.put_object(digest_of(b"record"), b"record")
    below.remember_marker("s", "id")
    assert above.head("r", "d") == SeenHead(5, b"five")
    above.remember_head("r", "d", SeenHead(4, b"four"))
    assert above.head("r", "d") == SeenHead(5, b"five")
    above.remember_head("r", "d", SeenHead(6, b"six"))
    assert above.head("r", "d") == SeenHead(6, b"six")
    assert above.version_digest("r", "m", "1.0") == "sha256:" + "0" * 64
    assert above.get_object(digest_of(b"record")) == b"record"
    assert above.marker("s") == "id"
    above.forget_head("r", "d")
    above.forget_versions("r", "m")
    assert above.head("r", "d") is None
    assert above.version_digest("r", "m", "1.0") is None
    above.remember_head("r", "d", SeenHead(0, b"zero"))
    above.remember_version("r", "m", "1.0", "sha256:" + "1" * 64)
    assert above.head("r", "d") == SeenHead(0, b"zero")
    assert above.version_digest("r", "m", "1.0") == "sha256:" + "1" * 64
