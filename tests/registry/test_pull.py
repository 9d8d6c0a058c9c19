"""Pull: complete, verified, read-only; and hostile bytes that end in an error and leave nothing."""

import os
import resource
import signal
import stat
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zstandard

import objreg
from objreg.core.digest import combined_digest, digest_of, hex_of
from objreg.core.encoding import encode
from objreg.core.keys import blob_key, record_key
from objreg.core.records import VersionRecord
from objreg.registry import upload
from objreg.store.memory import MemoryStore
from tests.registry.machine import Machine

MODEL = "fraud/clf"
DOMAIN = "fraud/clf.model"
TEXT = b"the quick brown fox jumps over the lazy dog\n" * 1000


def replace(store: MemoryStore, key: str, data: bytes) -> None:
    """Put other bytes in the place of an object, as only somebody with power over the bucket can."""
    assert store.get(key) is not None
    store.delete(key)
    assert store.create(key, data)


def trees(machine: Machine) -> list[str]:
    """Return what is in the cache's trees, apart from locks."""
    folder = machine.cache / "trees"
    return [] if not folder.exists() else [path.name for path in folder.iterdir() if path.is_dir()]


def outside(folder: Path, machine: Machine) -> list[Path]:
    """Return what is below a folder and not in the machine's cache."""
    return sorted(path for path in folder.rglob("*") if machine.cache not in path.parents)


# What comes back


def test_a_pull_is_complete_and_read_only(registry: objreg.Registry, folder: Callable[..., Path]) -> None:
    """Every file with its bytes, in folders and files that nobody may change."""
    contents = {"a.bin": b"1", "b/c.txt": TEXT, "b/empty": b""}
    pulled = registry.pull(registry.push(MODEL, folder(contents)))
    assert {path.relative_to(pulled).as_posix() for path in pulled.rglob("*") if path.is_file()} == set(contents)
    for name, content in contents.items():
        assert (pulled / name).read_bytes() == content
    for path in (pulled, *pulled.rglob("*")):
        assert not path.stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH)


def test_a_second_pull_is_the_same_folder(registry: objreg.Registry, file: Callable[..., Path]) -> None:
    """Whichever spec names it, a version has one folder on a machine."""
    version = registry.push(MODEL, file())
    assert (
        registry.pull(MODEL)
        == registry.pull(version)
        == registry.pull(f"{MODEL}:1")
        == registry.pull(f"{MODEL}@latest")
    )


def test_another_machine_gets_the_same_bytes(
    registry: objreg.Registry, file: Callable[..., Path], new_machine: Callable[..., Machine]
) -> None:
    """What was pushed here is pulled there."""
    registry.push(MODEL, file(b"weights"))
    assert (new_machine().registry().pull(MODEL) / "model.bin").read_bytes() == b"weights"


def test_one_file_can_be_named(registry: objreg.Registry, folder: Callable[..., Path]) -> None:
    """The path of the file is returned, or its bytes; a file that is not there is answered with those that are."""
    registry.push(MODEL, folder({"vocab.txt": TEXT, "b/c.bin": b"1"}))
    assert registry.pull(f"{MODEL}:1.0/vocab.txt").read_bytes() == TEXT
    assert registry.pull(f"{MODEL}@latest/b/c.bin").read_bytes() == b"1"
    assert b"".join(registry.read(f"{MODEL}:1/vocab.txt")) == TEXT
    for action in (registry.pull, registry.read):
        with pytest.raises(objreg.NotFound, match=r"fraud/clf:1\.0 has no file x; it has b/c\.bin, vocab\.txt"):
            action(f"{MODEL}:1.0/x")
    with pytest.raises(objreg.InvalidInput, match=r"inside the version, like 'fraud/clf@latest/model\.joblib'"):
        registry.read(MODEL)


def test_a_destination_is_a_copy_that_may_be_changed(
    registry: objreg.Registry, folder: Callable[..., Path], tmp_path: Path
) -> None:
    """All of it, writable, in a new or an empty folder; the cache keeps its own."""
    registry.push(MODEL, folder({"a": b"1", "b/c": b"2"}))
    (tmp_path / "empty").mkdir()
    for destination in (tmp_path / "new/below", tmp_path / "empty"):
        assert registry.pull(MODEL, destination=destination) == destination
        (destination / "b/c").write_bytes(b"changed")
        (destination / "b/new").write_bytes(b"")
        assert (registry.pull(MODEL) / "b/c").read_bytes() == b"2"
    assert registry.pull(f"{MODEL}:1.0/b/c", destination=tmp_path / "one") == tmp_path / "one/b/c"


def test_a_destination_that_is_in_use_is_refused(
    registry: objreg.Registry, file: Callable[..., Path], tmp_path: Path
) -> None:
    """Nothing of somebody's is overwritten, and nothing is left beside it."""
    registry.push(MODEL, file())
    used = tmp_path / "used"
    used.mkdir()
    (used / "mine").write_bytes(b"mine")
    plain = tmp_path / "plain"
    plain.write_bytes(b"mine")
    before = sorted(path.name for path in tmp_path.iterdir())
    for destination in (used, plain):
        with pytest.raises(objreg.InvalidInput, match="is not an empty folder"):
            registry.pull(MODEL, destination=destination)
    with pytest.raises(objreg.StoreError, match="cannot copy to"):
        registry.pull(MODEL, destination=plain / "below")
    assert sorted(path.name for path in tmp_path.iterdir()) == before


# A cache that was damaged


@pytest.mark.parametrize("damage", ["short", "missing", "emptied"])
def test_a_short_tree_in_the_cache_is_fetched_again(
    registry: objreg.Registry, folder: Callable[..., Path], damage: str
) -> None:
    """A power cut can leave files without their bytes: sizes are compared, and the tree is built anew."""
    version = registry.push(MODEL, folder({"a": b"12345", "b/c": b"2"}))
    pulled = registry.pull(version)
    for path in (pulled, pulled / "b", pulled / "a"):
        path.chmod(0o755)
    if damage == "short":
        (pulled / "a").write_bytes(b"123")
    elif damage == "missing":
        (pulled / "b/c").unlink()
    else:
        (pulled / "a").unlink()
        (pulled / "b/c").unlink()
        (pulled / "b").rmdir()
    again = registry.pull(version)
    assert (again / "a").read_bytes() == b"12345"
    assert (again / "b/c").read_bytes() == b"2"
    assert not again.stat().st_mode & stat.S_IWUSR


# A bucket that was tampered with


def test_a_missing_blob_is_an_error_that_names_it(
    registry: objreg.Registry, store: MemoryStore, machine: Machine, file: Callable[..., Path]
) -> None:
    """Nothing is kept of the pull, and the machine tries anew when the blob is back."""
    version = registry.push(MODEL, file(b"weights"))
    key = blob_key(DOMAIN, digest_of(b"weights"), 0, "")
    store.delete(key)
    with pytest.raises(objreg.IntegrityError, match=rf"blob {digest_of(b'weights')} .* is missing"):
        registry.pull(version)
    with pytest.raises(objreg.IntegrityError, match="is missing"):
        list(registry.read(f"{version}/model.bin"))
    assert trees(machine) == []
    store.create(key, b"weights")
    assert (registry.pull(version) / "model.bin").read_bytes() == b"weights"


@pytest.mark.parametrize("wrong", [b"weighty", b"weight", b"weights!", b""])
def test_a_blob_with_other_bytes_is_refused(
    registry: objreg.Registry, store: MemoryStore, machine: Machine, file: Callable[..., Path], wrong: bytes
) -> None:
    """Changed, short, long or empty: the digest shows it, the message has both, nothing is kept."""
    version = registry.push(MODEL, file(b"weights"))
    replace(store, blob_key(DOMAIN, digest_of(b"weights"), 0, ""), wrong)
    with pytest.raises(objreg.IntegrityError, match="holds other bytes than its digest promises") as caught:
        registry.pull(version)
    assert caught.value.facts["expected"] == digest_of(b"weights")
    assert caught.value.facts["found"] == digest_of(wrong)
    with pytest.raises(objreg.IntegrityError):
        list(registry.read(f"{version}/model.bin"))
    assert trees(machine) == []


def flipped(stored: bytes, _: bytes) -> bytes:
    """Damage the last byte: of what zstd makes, that of its last block."""
    return stored[:-1] + bytes([stored[-1] ^ 1])


def cut_off(stored: bytes, _: bytes) -> bytes:
    """Lose the end."""
    return stored[: len(stored) // 2]


def of_other_content(_: bytes, plain: bytes) -> bytes:
    """Compress other bytes, as many as the right ones."""
    return zstandard.ZstdCompressor().compress(plain[:-1] + b"?")


@pytest.mark.parametrize("content", [TEXT, TEXT * 50], ids=["read at once", "read in pieces"])
@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (flipped, "is not what zstd makes"),
        (cut_off, "and it holds|other bytes than"),
        (of_other_content, "other bytes than"),
    ],
)
def test_a_compressed_blob_with_other_bytes_is_refused(
    registry: objreg.Registry,
    store: MemoryStore,
    machine: Machine,
    file: Callable[..., Path],
    content: bytes,
    damage: Callable[[bytes, bytes], bytes],
    told: str,
) -> None:
    """Whether zstd cannot read it, or makes something else of it."""
    version = registry.push(MODEL, file(content))
    key = blob_key(DOMAIN, digest_of(content), 0, "zstd")
    replace(store, key, damage(store.get(key) or b"", content))
    with pytest.raises(objreg.IntegrityError, match=told):
        registry.pull(version)
    with pytest.raises(objreg.IntegrityError, match=told):
        list(registry.read(f"{version}/model.bin"))
    assert trees(machine) == []


def test_progress_is_told_while_a_long_blob_arrives(registry: objreg.Registry, file: Callable[..., Path]) -> None:
    """Not only when it is there, for over a slow line that takes minutes."""
    version = registry.push(MODEL, file(TEXT * 100))
    sizes: list[int] = []
    registry.pull(version, progress=sizes.append)
    assert sum(sizes) == len(TEXT) * 100
    assert max(sizes) <= 1 << 20


def test_one_bad_part_of_many_spoils_the_pull(
    registry: objreg.Registry,
    store: MemoryStore,
    machine: Machine,
    file: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All of a version or nothing."""
    monkeypatch.setattr(upload, "PART_SIZE", 1000)
    content = os.urandom(20_000)
    version = registry.push(MODEL, file(content))
    replace(store, blob_key(DOMAIN, digest_of(content[7000:8000]), 0, ""), os.urandom(1000))
    with pytest.raises(objreg.IntegrityError):
        registry.pull(version)
    assert trees(machine) == []


def test_a_changed_record_is_refused(
    store: MemoryStore, registry: objreg.Registry, file: Callable[..., Path], new_machine: Callable[..., Machine]
) -> None:
    """A record is named by its digest, in the manifest."""
    version = registry.push(MODEL, file())
    key = record_key(DOMAIN, version.digest)
    replace(store, key, (store.get(key) or b"").replace(b"ci@acme", b"ci@acmf"))
    with pytest.raises(objreg.IntegrityError, match=r"record sha256:.* of fraud/clf\.model holds other bytes"):
        new_machine().registry().resolve(MODEL)
    store.delete(key)
    with pytest.raises(objreg.IntegrityError, match="is missing from"):
        new_machine().registry().resolve(MODEL)


# A record that is hostile: somebody with the right to push wrote it by hand


@pytest.fixture
def plant(
    store: MemoryStore, registry: objreg.Registry, file: Callable[..., Path], new_machine: Any
) -> Callable[..., Any]:
    """Make a registry's reader meet a record in which the one file was changed by ``alter``."""

    def make(
        content: bytes, alter: Callable[[objreg.File], tuple[objreg.File, ...]], *, folder: str = ""
    ) -> tuple[Any, Machine]:
        pushed = registry.push(MODEL, file(content))
        (artifact,) = pushed.artifacts
        files = alter(artifact.files[0])
        digest = combined_digest(found.digest for found in files)
        changed = msgspec.structs.replace(artifact, files=files, folder=folder, digest=digest)
        record: VersionRecord = msgspec.structs.replace(pushed.record, artifacts=(changed,))
        data = encode(record)
        store.create(record_key(DOMAIN, digest_of(data)), data)
        machine = new_machine()
        reader = machine.registry()
        reader.versions(MODEL)
        # The machine remembers which record a version has; a hostile writer would have committed this one.
        reader._session.recall.keep_version(MODEL, "1.0", digest_of(data))
        return reader, machine

    return make


@pytest.mark.parametrize(
    "path",
    ["../../outside", "/tmp/outside", "a/../../outside", "..", "C:\\outside", "a\\..\\b", "a//b", "./a", "nul\0"],
)
def test_a_path_that_leaves_the_folder_is_refused(plant: Callable[..., Any], tmp_path: Path, path: str) -> None:
    """Paths come from the bucket and are checked again before anything is written."""
    reader, machine = plant(b"weights", lambda found: (msgspec.structs.replace(found, path=path),))
    before = outside(tmp_path, machine)
    with pytest.raises(objreg.FormatError, match="a path that is not allowed"):
        reader.pull(f"{MODEL}:1.0")
    assert trees(machine) == []
    assert outside(tmp_path, machine) == before


@pytest.mark.parametrize("folder", ["..", "a/b", "/etc", "../x", "_x", "."])
def test_an_artifacts_folder_that_leaves_is_refused(plant: Callable[..., Any], folder: str) -> None:
    """A folder is one plain name."""
    reader, machine = plant(b"weights", lambda found: (found,), folder=folder)
    with pytest.raises(objreg.FormatError, match="a path that is not allowed"):
        reader.pull(f"{MODEL}:1.0")
    assert trees(machine) == []


def test_two_files_at_one_path_are_refused(plant: Callable[..., Any]) -> None:
    """A record cannot write one file over another."""
    reader, _ = plant(b"weights", lambda found: (found, found))
    with pytest.raises(objreg.FormatError, match=r"describes 'model\.bin' twice"):
        reader.pull(f"{MODEL}:1.0")


def test_a_file_where_a_folder_must_be_is_an_error_that_leaves_nothing(plant: Callable[..., Any]) -> None:
    """A record whose files get in each other's way cannot be pulled."""
    reader, machine = plant(b"weights", lambda found: (found, msgspec.structs.replace(found, path="model.bin/below")))
    with pytest.raises(objreg.ObjregError):
        reader.pull(f"{MODEL}:1.0")
    assert trees(machine) == []


def test_parts_that_do_not_add_up_are_refused(plant: Callable[..., Any]) -> None:
    """A size that its parts cannot fill is no size."""
    reader, machine = plant(b"weights", lambda found: (msgspec.structs.replace(found, size=10**15),))
    with pytest.raises(objreg.FormatError, match="do not add up"):
        reader.pull(f"{MODEL}:1.0")
    assert trees(machine) == []


def test_a_part_beyond_its_blob_is_refused(plant: Callable[..., Any]) -> None:
    """An offset outside the blob finds no bytes."""

    def alter(found: objreg.File) -> tuple[objreg.File, ...]:
        return (msgspec.structs.replace(found, parts=(msgspec.structs.replace(found.parts[0], offset=3),)),)

    reader, machine = plant(b"weights", alter)
    with pytest.raises(objreg.IntegrityError, match="needs more of it"):
        reader.pull(f"{MODEL}:1.0")
    assert trees(machine) == []


def test_parts_in_the_wrong_order_are_refused(plant: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each blob is right and the file is not: the file's own digest shows it."""
    monkeypatch.setattr(upload, "PART_SIZE", 1000)
    content = os.urandom(2000)
    reader, machine = plant(content, lambda found: (msgspec.structs.replace(found, parts=found.parts[::-1]),))
    with pytest.raises(objreg.IntegrityError, match=r"model\.bin holds other bytes than its record says"):
        reader.pull(f"{MODEL}:1.0")
    with pytest.raises(objreg.IntegrityError, match="holds other bytes than its record says"):
        list(reader.read(f"{MODEL}:1.0/model.bin"))
    assert trees(machine) == []


def test_a_file_with_another_files_blob_is_refused(plant: Callable[..., Any], store: MemoryStore) -> None:
    """One whole blob is the file only if the digests are the same."""
    store.create(blob_key(DOMAIN, digest_of(b"WEIGHTS"), 0, ""), b"WEIGHTS")

    def alter(found: objreg.File) -> tuple[objreg.File, ...]:
        part = msgspec.structs.replace(found.parts[0], blob=digest_of(b"WEIGHTS"), stored_digest=digest_of(b"WEIGHTS"))
        return (msgspec.structs.replace(found, parts=(part,)),)

    reader, machine = plant(b"weights", alter)
    with pytest.raises(objreg.IntegrityError, match="than its record says"):
        reader.pull(f"{MODEL}:1.0")
    assert trees(machine) == []


@pytest.mark.parametrize(
    ("promised", "told"), [(1024, "should hold 1024 bytes, and it holds more"), (1 << 21, "2097152 bytes .* got more")]
)
def test_a_bomb_does_not_go_off(plant: Callable[..., Any], store: MemoryStore, promised: int, told: str) -> None:
    """Stored bytes that decompress to a gigabyte where the record promises little are cut off at the promise."""
    bomb = zstandard.ZstdCompressor().compress(bytes(1 << 30))
    assert len(bomb) < 200_000
    blob = digest_of(b"so many bytes, they say")
    store.create(f"{DOMAIN}/blobs/{hex_of(blob)}.zst", bomb)

    def alter(found: objreg.File) -> tuple[objreg.File, ...]:
        part = msgspec.structs.replace(
            found.parts[0],
            blob=blob,
            encoding="zstd",
            blob_size=promised,
            stored_size=len(bomb),
            stored_digest=digest_of(bomb),
            length=promised,
        )
        return (msgspec.structs.replace(found, size=promised, digest=blob, parts=(part,)),)

    reader, machine = plant(b"weights", alter)
    tracemalloc.start()
    try:
        with pytest.raises(objreg.IntegrityError, match=told):
            reader.pull(f"{MODEL}:1.0")
        assert tracemalloc.get_traced_memory()[1] < 64 * 1024 * 1024
    finally:
        tracemalloc.stop()
    assert trees(machine) == []


# A disk that is full


def test_a_disk_that_is_full_leaves_nothing(
    machine: Machine, store: MemoryStore, file: Callable[..., Path], registry: objreg.Registry
) -> None:
    """The error says what to do, and the next pull starts afresh."""
    version = registry.push(MODEL, file(os.urandom(1_000_000)))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(objreg.StoreError, match=r"cannot write below .*File too large"):
            registry.pull(version)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert trees(machine) == []
    assert (registry.pull(version) / "model.bin").stat().st_size == 1_000_000
