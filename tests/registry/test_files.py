"""Reading inside a version: ranges, what is verified, what is asked of the store; and pulling some of the files."""

import io
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import objreg
from objreg.core.digest import digest_of
from objreg.core.keys import blob_key
from objreg.registry import cutting, files, upload
from objreg.store.memory import MemoryStore
from objreg.store.wrappers import CountingStore
from tests.registry.machine import Machine
from tests.registry.test_pull import DOMAIN, MODEL, TEXT, replace, trees

MIB = 1024 * 1024


@pytest.fixture
def fixed_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut long files at fixed offsets, so that a test can say where a part ends."""
    monkeypatch.setattr(cutting, "_LONGEST_BY_CONTENT", 0)


@pytest.fixture
def reader(new_machine: Callable[..., Machine], counting: CountingStore) -> objreg.Registry:
    """A process on another machine than the one that pushes."""
    return new_machine().registry(counting)


def opened(reader: objreg.Registry, counting: CountingStore, spec: str, *, verify: bool = False) -> BinaryIO:
    """Open a file and forget what resolving its version took."""
    reader.resolve(spec)
    counting.reset()
    return reader.open(spec, verify=verify)


# What comes back


@pytest.fixture
def contents() -> dict[str, bytes]:
    """Files of every way to be stored: in parts, compressed, in a pack, in one blob, of no bytes."""
    packed = {f"packed/{number:02d}": os.urandom(number) for number in range(66)}
    return packed | {
        "long.bin": os.urandom(270_123),
        "text.txt": TEXT * 7,
        "one.bin": os.urandom(265_000),
        "empty": b"",
    }


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Parts of 10,000 bytes, and read-ahead in proportion, so that few bytes meet every case."""
    with monkeypatch.context() as patch:
        patch.setattr(upload, "PART_SIZE", 10_000)
        patch.setattr(files, "PART_SIZE", 10_000)
        patch.setattr(files, "_SMALL", 1000)
        patch.setattr(files, "_BUFFER", 64)
        yield


MOVES = st.lists(
    st.tuples(
        st.sampled_from(["set", "end", "current", "stay"]),
        st.integers(-25_000, 320_000),
        st.sampled_from(["read", "read1", "readinto", "readline", "peek"]),
        st.integers(0, 30_000),
    ),
    max_size=8,
)


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("verify", [False, True])
@pytest.mark.parametrize("name", ["long.bin", "text.txt", "packed/40", "one.bin", "empty"])
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(moves=MOVES)
def test_a_file_reads_as_one_on_disk(
    store: MemoryStore,
    registry: objreg.Registry,
    reader: objreg.Registry,
    folder: Callable[..., Path],
    contents: dict[str, bytes],
    name: str,
    verify: bool,
    moves: list[tuple[str, int, str, int]],
) -> None:
    """Any order of seeking and reading gives the bytes that it gives on the file itself, across parts and at the end."""
    if not any(store.list(f"{DOMAIN}/log/")):
        registry.push(MODEL, folder(contents))
    with reader.open(f"{MODEL}:1.0/{name}", verify=verify) as found, io.BytesIO(contents[name]) as expected:
        for whence, offset, method, size in moves:
            start = {"set": 0, "end": len(contents[name]), "current": expected.tell(), "stay": expected.tell()}[whence]
            target = start if whence == "stay" else max(0, start + offset)
            assert found.seek(target) == expected.seek(target)
            if method in {"read", "readline"}:
                assert getattr(found, method)(size) == getattr(expected, method)(size)
            elif method == "readinto":
                buffer = bytearray(size)
                assert found.readinto(buffer) == len(expected.read(size))
                assert buffer.rstrip(b"\0") == contents[name][target : target + size].rstrip(b"\0")
            else:
                some = getattr(found, method)(size)
                assert contents[name][target:].startswith(some)
                expected.seek(found.tell())
        assert found.tell() == expected.tell()
        assert found.read() == expected.read()
        assert found.read(5) == b""


def test_it_is_a_file_to_read(reader: objreg.Registry, registry: objreg.Registry, folder: Callable[..., Path]) -> None:
    """Seekable, not writable, with a name; what makes no sense is refused as files refuse it."""
    registry.push(MODEL, folder({"a/b.txt": b"one\ntwo\n"}))
    with reader.open(f"{MODEL}@latest/a/b.txt") as found:
        assert (found.readable(), found.seekable(), found.writable()) == (True, True, False)
        assert (found.name, found.mode) == ("fraud/clf:1.0/a/b.txt", "rb")
        assert list(found) == [b"one\n", b"two\n"]
        assert found.seek(-2, io.SEEK_END) == 6
        for place, whence in ((-1, 0), (-9, io.SEEK_END)):
            with pytest.raises(ValueError, match="cannot seek"):
                found.seek(place, whence)
        with pytest.raises(io.UnsupportedOperation):
            found.write(b"x")
    with pytest.raises(ValueError, match="closed"):
        found.read()
    for spec, error in ((f"{MODEL}:1.0", objreg.InvalidInput), (f"{MODEL}:1.0/a", objreg.NotFound)):
        with pytest.raises(error):
            reader.open(spec)


def test_an_open_file_stays_what_it_is(
    reader: objreg.Registry, registry: objreg.Registry, file: Callable[..., Path]
) -> None:
    """Whatever a pointer names meanwhile."""
    first, second = os.urandom(3 * MIB), os.urandom(3 * MIB)
    registry.push(MODEL, file(first))
    with reader.open(f"{MODEL}@latest/model.bin") as found:
        assert found.read(9) == first[:9]
        registry.push(MODEL, file(second))
        found.seek(2 * MIB)
        assert found.read(9) == first[2 * MIB :][:9]
    with reader.open(f"{MODEL}@latest/model.bin") as found:
        assert found.read(9) == second[:9]


def test_a_forked_process_reads_on(
    reader: objreg.Registry, registry: objreg.Registry, file: Callable[..., Path]
) -> None:
    """With a place in the file of its own."""
    content = os.urandom(3 * MIB)
    registry.push(MODEL, file(content))
    with reader.open(f"{MODEL}:1.0/model.bin") as found:
        assert found.read(10) == content[:10]
        child = os.fork()
        if child == 0:
            found.seek(2 * MIB)
            os._exit(0 if found.read(100) == content[2 * MIB :][:100] else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert found.read(10) == content[10:20]


# What is asked of the store


@pytest.fixture
def long_content(fixed_parts: None, registry: objreg.Registry, file: Callable[..., Path]) -> bytes:
    """40 MiB that were pushed as version 1.0: a part of 32 MiB and one of 8."""
    content = os.urandom(40 * MIB)
    registry.push(MODEL, file(content))
    return content


def test_a_range_costs_a_request_and_little_more_than_its_bytes(
    reader: objreg.Registry, counting: CountingStore, long_content: bytes
) -> None:
    """One request for each part that it is in; opening, seeking and closing cost nothing."""
    content = long_content
    with opened(reader, counting, f"{MODEL}:1.0/model.bin") as found:
        found.seek(20 * MIB)
        assert counting.counts == {}
        assert found.read(100_000) == content[20 * MIB :][:100_000]
        assert counting.counts["get_range"] == counting.requests == 1
        assert counting.counts["bytes_read"] <= 100_000 + 2 * 64 * 1024
        found.seek(32 * MIB - 5)
        assert found.read(10) == content[32 * MIB - 5 :][:10]
        assert counting.requests == 3
        found.seek(-8, io.SEEK_END)
        assert found.read(8) == content[-8:]
        assert counting.requests == 4
        assert counting.counts["bytes_read"] < MIB + 400_000  # the next part was begun as by who reads on


def test_reading_on_asks_for_more_and_more(
    reader: objreg.Registry, counting: CountingStore, long_content: bytes
) -> None:
    """40 MiB in steps of 16 KiB are seven requests, the last of them whole parts, and no byte comes twice."""
    with opened(reader, counting, f"{MODEL}:1.0/model.bin") as found:
        assert b"".join(iter(lambda: found.read(16 * 1024), b"")) == long_content
        assert counting.requests == 7
        assert counting.counts["bytes_read"] == len(long_content)


@pytest.mark.usefixtures("fixed_parts")
def test_reading_all_takes_a_request_for_each_part(
    reader: objreg.Registry, registry: objreg.Registry, counting: CountingStore, file: Callable[..., Path]
) -> None:
    """From where the file stands."""
    content = os.urandom(33 * MIB)
    registry.push(MODEL, file(content))
    with opened(reader, counting, f"{MODEL}:1.0/model.bin") as found:
        assert found.read() == content
        assert counting.requests == 2
        found.seek(32 * MIB + 1)
        assert found.read() == content[32 * MIB + 1 :]


def test_a_compressed_part_is_fetched_once(
    reader: objreg.Registry, registry: objreg.Registry, counting: CountingStore, file: Callable[..., Path]
) -> None:
    """However it is read in."""
    registry.push(MODEL, file(TEXT * 100))
    with opened(reader, counting, f"{MODEL}:1.0/model.bin") as found:
        for place in (3_000_000, 5, 2_000_000, 4_000_000):
            found.seek(place)
            assert found.read(50) == (TEXT * 100)[place : place + 50]
        assert counting.counts["get"] == counting.requests == 1


def test_a_file_in_a_pack_is_fetched_without_the_others(
    reader: objreg.Registry, registry: objreg.Registry, counting: CountingStore, folder: Callable[..., Path]
) -> None:
    """Its own bytes alone, where the pack is not compressed."""
    contents = {f"{number}.bin": os.urandom(10_000) for number in range(100)}
    registry.push(MODEL, folder(contents))
    with opened(reader, counting, f"{MODEL}:1.0/50.bin") as found:
        assert found.read(10) == contents["50.bin"][:10]
        assert found.read() == contents["50.bin"][10:]
        assert counting.counts == {"get_range": 1, "bytes_read": 10_000}


def test_what_was_pulled_is_read_from_disk(
    reader: objreg.Registry, registry: objreg.Registry, counting: CountingStore, folder: Callable[..., Path]
) -> None:
    """A whole version, or the one file; a damaged copy on disk is passed over."""
    registry.push(MODEL, folder({"a": b"12345", "b/c": b"678"}))
    pulled = reader.pull(f"{MODEL}:1.0/b/c")
    with opened(reader, counting, f"{MODEL}:1.0/b/c") as found:
        assert (found.read(), counting.requests) == (b"678", 0)
    pulled.chmod(0o644)
    pulled.write_bytes(b"6")
    with opened(reader, counting, f"{MODEL}:1.0/b/c") as found:
        assert (found.read(), counting.requests) == (b"678", 1)
    reader.pull(MODEL)
    with opened(reader, counting, f"{MODEL}:1.0/a") as found:
        assert (found.seek(1), found.read(2), counting.requests) == (1, b"23", 0)


# What is verified


def damaged(registry: objreg.Registry, store: MemoryStore, file: Callable[..., Path], content: bytes) -> None:
    """Push a file, and change its last byte in the bucket."""
    registry.push(MODEL, file(content))
    replace(store, blob_key(DOMAIN, digest_of(content), 0, ""), content[:-1] + bytes([content[-1] ^ 1]))


def test_a_small_file_is_always_verified(
    registry: objreg.Registry, reader: objreg.Registry, store: MemoryStore, file: Callable[..., Path]
) -> None:
    """It comes whole, whatever is read of it; nothing of it is handed out."""
    damaged(registry, store, file, os.urandom(MIB))
    for place in (0, MIB // 2):
        with reader.open(f"{MODEL}:1.0/model.bin") as found:
            found.seek(place)
            with pytest.raises(objreg.IntegrityError, match="other bytes"):
                found.read(1)


def test_a_file_in_a_pack_is_verified(
    registry: objreg.Registry, reader: objreg.Registry, store: MemoryStore, folder: Callable[..., Path]
) -> None:
    """By its own digest, for its pack is not read."""
    contents = {f"{number:02d}.bin": os.urandom(10_000) for number in range(70)}
    registry.push(MODEL, folder(contents))
    pack = b"".join(contents.values())
    replace(store, blob_key(DOMAIN, digest_of(pack), 0, ""), pack[:-1] + bytes([pack[-1] ^ 1]))
    assert reader.open(f"{MODEL}:1.0/00.bin").read(1) == contents["00.bin"][:1]
    with pytest.raises(objreg.IntegrityError, match=r"69\.bin of fraud/clf:1\.0 holds other bytes"):
        reader.open(f"{MODEL}:1.0/69.bin").read(1)


def test_a_range_of_a_long_part_is_verified_on_demand_only(
    registry: objreg.Registry, reader: objreg.Registry, store: MemoryStore, file: Callable[..., Path]
) -> None:
    """Some bytes out of the middle are handed out as they come; with verify, and when all is read, they are not."""
    content = os.urandom(4 * MIB)
    damaged(registry, store, file, content)
    with reader.open(f"{MODEL}:1.0/model.bin") as found:
        found.seek(-10, io.SEEK_END)
        assert found.read() != content[-10:]
        found.seek(0)
        with pytest.raises(objreg.IntegrityError, match="other bytes"):
            found.read()
    with reader.open(f"{MODEL}:1.0/model.bin", verify=True) as found, pytest.raises(objreg.IntegrityError):
        found.read(10)


def test_a_missing_or_short_blob_is_an_error(
    registry: objreg.Registry, reader: objreg.Registry, store: MemoryStore, file: Callable[..., Path]
) -> None:
    """Never fewer bytes than the record promises."""
    content = os.urandom(2 * MIB)
    registry.push(MODEL, file(content))
    key = blob_key(DOMAIN, digest_of(content), 0, "")
    replace(store, key, content[:MIB])
    with reader.open(f"{MODEL}:1.0/model.bin") as found:
        assert found.read(10) == content[:10]
        found.seek(MIB - 100)
        with pytest.raises(objreg.IntegrityError, match="ends too early"):
            found.read(200_000)
        store.delete(key)
        found.seek(1_500_000)
        with pytest.raises(objreg.IntegrityError, match="is missing"):
            found.read(1)


# Some of the files


TREE = {"README.md": b"1", "tokenizer/vocab.txt": b"22", "tokenizer/a.json": b"333", "weights/w.bin": b"4444"}


def names(pulled: Path) -> set[str]:
    return {path.relative_to(pulled).as_posix() for path in pulled.rglob("*") if path.is_file()}


def test_a_folder_of_a_version_is_pulled_alone(
    registry: objreg.Registry, reader: objreg.Registry, counting: CountingStore, folder: Callable[..., Path]
) -> None:
    """Only its files are fetched, and its path is returned; the second time nothing is asked."""
    registry.push(MODEL, folder(TREE))
    reader.resolve(f"{MODEL}:1.0")
    counting.reset()
    pulled = reader.pull(f"{MODEL}:1.0/tokenizer")
    assert (pulled.name, names(pulled)) == ("tokenizer", {"vocab.txt", "a.json"})
    assert counting.counts == {"get": 2, "bytes_read": 5}
    assert names(pulled.parent) == {"tokenizer/vocab.txt", "tokenizer/a.json"}
    assert reader.pull(f"{MODEL}:1.0/tokenizer") == pulled
    assert reader.pull(f"{MODEL}:1.0", include=["tokenizer/"]) == pulled.parent
    assert counting.requests == 2
    assert not (pulled / "vocab.txt").stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH)


def test_patterns_choose_files(registry: objreg.Registry, reader: objreg.Registry, folder: Callable[..., Path]) -> None:
    """The folder holds what was chosen, at the paths that it has in the version, and nothing else."""
    registry.push(MODEL, folder(TREE))
    assert names(reader.pull(MODEL, include=["*.md", "**/*.json"])) == {"README.md", "tokenizer/a.json"}
    assert names(reader.pull(MODEL, exclude=["weights/", "*.md"])) == {"tokenizer/vocab.txt", "tokenizer/a.json"}
    assert names(reader.pull(f"{MODEL}:1/tokenizer", exclude=["**/*.txt"])) == {"a.json"}
    assert names(reader.pull(MODEL, include="*.md")) == {"README.md"}
    assert names(reader.pull(MODEL)) == set(TREE)


def test_a_whole_version_in_the_cache_serves_any_part_of_it(
    registry: objreg.Registry,
    new_machine: Callable[..., Machine],
    counting: CountingStore,
    folder: Callable[..., Path],
) -> None:
    """Without a request; a folder of its own is made only where it must hold nothing else, of the same bytes on disk."""
    registry.push(MODEL, folder(TREE))
    machine = new_machine()
    reader = machine.registry(counting)
    whole = reader.pull(f"{MODEL}:1.0")
    counting.reset()
    assert reader.pull(f"{MODEL}:1.0/tokenizer") == whole / "tokenizer"
    assert reader.pull(f"{MODEL}:1.0", include=["**"]) == whole
    assert len(trees(machine)) == 1
    chosen = reader.pull(f"{MODEL}:1.0", include=["weights/*"])
    assert names(chosen) == {"weights/w.bin"}
    assert (chosen / "weights/w.bin").samefile(whole / "weights/w.bin")
    assert counting.requests == 0


def test_a_damaged_folder_of_some_files_is_fetched_again(
    registry: objreg.Registry, reader: objreg.Registry, folder: Callable[..., Path]
) -> None:
    """As that of a whole version is."""
    registry.push(MODEL, folder(TREE))
    pulled = reader.pull(MODEL, include=["*.md"])
    (pulled / "README.md").chmod(0o644)
    (pulled / "README.md").write_bytes(b"")
    assert (reader.pull(MODEL, include=["*.md"]) / "README.md").read_bytes() == b"1"


def test_a_copy_of_some_files(
    registry: objreg.Registry, reader: objreg.Registry, folder: Callable[..., Path], tmp_path: Path
) -> None:
    """A destination gets what was chosen and no more, whatever the cache has, and may be changed."""
    registry.push(MODEL, folder(TREE))
    assert reader.pull(f"{MODEL}:1.0/tokenizer", destination=tmp_path / "one") == tmp_path / "one/tokenizer"
    reader.pull(MODEL)
    reader.pull(MODEL, destination=tmp_path / "two", exclude=["tokenizer/"])
    assert names(tmp_path / "one") == {"tokenizer/vocab.txt", "tokenizer/a.json"}
    assert names(tmp_path / "two") == {"README.md", "weights/w.bin"}
    (tmp_path / "two/weights/w.bin").write_bytes(b"changed")
    assert (reader.pull(MODEL) / "weights/w.bin").read_bytes() == b"4444"


def test_nothing_chosen_is_an_error(
    registry: objreg.Registry, machine: Machine, folder: Callable[..., Path], tmp_path: Path
) -> None:
    """It is a mistake in the pattern, and the message says what there is; nothing is left."""
    registry.push(MODEL, folder(TREE))
    with pytest.raises(
        objreg.NotFound, match=r"no file that the patterns choose; it has README\.md, tokenizer/a\.json"
    ):
        registry.pull(MODEL, include=["*.json"], destination=tmp_path / "new")
    with pytest.raises(objreg.NotFound, match="has no file tokens"):
        registry.pull(f"{MODEL}:1.0/tokens")
    with pytest.raises(objreg.InvalidInput, match="can match no file"):
        registry.pull(MODEL, include=["/weights"])
    assert trees(machine) == []
    assert not (tmp_path / "new").exists()
