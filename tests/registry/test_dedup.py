"""What the model already has is not sent again; and how files are compressed."""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

import objreg
from objreg.core.artifacts import Part
from objreg.maintenance import collect, plan_collection
from objreg.registry import upload
from objreg.store.wrappers import CountingStore
from tests.registry.machine import Machine

MODEL = "fraud/clf"
TEXT = b"the quick brown fox jumps over the lazy dog\n" * 1000
COMMIT = 2
"""The record and the entry."""


def creates(counting: CountingStore) -> int:
    found = counting.counts["create"]
    counting.reset()
    return found


def contents_of(count: int, size: int) -> dict[str, bytes]:
    return {f"{number:03}.bin": os.urandom(size) for number in range(count)}


def test_one_changed_file_of_ten_is_the_only_one_sent(
    counted: objreg.Registry, counting: CountingStore, folder: Callable[..., Path]
) -> None:
    """A version of ten files of which one is new costs one blob, and no question."""
    contents = contents_of(10, 5000)
    counted.push(MODEL, folder(contents))
    assert creates(counting) == 10 + COMMIT
    contents["004.bin"] = os.urandom(5000)
    version = counted.push(MODEL, folder(contents))
    assert counting.counts["bytes_written"] < 5000 + 60_000
    assert (counting.requests, creates(counting)) == (1 + COMMIT, 1 + COMMIT)
    assert (counted.pull(version) / "004.bin").read_bytes() == contents["004.bin"]


def test_one_changed_file_of_a_pack_is_the_only_one_sent(
    counted: objreg.Registry, counting: CountingStore, folder: Callable[..., Path]
) -> None:
    """The other ninety-nine stay slices of the pack that they are in."""
    contents = contents_of(100, 5000)
    counted.push(MODEL, folder(contents))
    assert creates(counting) == 1 + COMMIT
    contents["042.bin"] = os.urandom(5000)
    version = counted.push(MODEL, folder(contents))
    assert counting.counts["bytes_written"] < 5000 + 100_000
    assert creates(counting) == 1 + COMMIT
    pulled = counted.pull(version)
    assert all((pulled / name).read_bytes() == content for name, content in contents.items())


def test_any_version_that_is_known_counts(
    counted: objreg.Registry, counting: CountingStore, file: Callable[..., Path]
) -> None:
    """Not the latest alone: a model that goes back to weights of three versions ago sends nothing."""
    contents = [os.urandom(5000) for _ in range(4)]
    for content in contents:
        counted.push(MODEL, file(content))
    counting.reset()
    counted.push(MODEL, file(contents[0]))
    assert counting.counts["create"] == counting.requests == COMMIT


def test_a_new_process_knows_what_its_machine_knows(
    machine: Machine, counting: CountingStore, file: Callable[..., Path]
) -> None:
    """The records in the cache are the index, so it costs no request."""
    contents = [os.urandom(5000) for _ in range(3)]
    for content in contents:
        machine.registry().push(MODEL, file(content))
    machine.registry(counting).push(MODEL, file(contents[0]))
    assert creates(counting) == COMMIT


def test_content_under_another_name_is_known(
    counted: objreg.Registry, counting: CountingStore, file: Callable[..., Path], folder: Callable[..., Path]
) -> None:
    """A file alone, in a pack, in another folder: content is content."""
    contents = contents_of(100, 3000)
    counted.push(MODEL, folder(contents))
    counting.reset()
    version = counted.push(MODEL, {"weights": file(contents["007.bin"], "other.bin")})
    assert creates(counting) == COMMIT
    assert (counted.pull(version) / "weights" / "other.bin").read_bytes() == contents["007.bin"]


def test_what_was_collected_is_sent_anew(
    counted: objreg.Registry, counting: CountingStore, machine: Machine, file: Callable[..., Path]
) -> None:
    """A version that was retired and collected is still in this process's memory, and in the store no more."""
    old, new = os.urandom(5000), os.urandom(5000)
    counted.push(MODEL, file(old))
    counted.push(MODEL, file(new))
    collector = machine.registry()
    collector.retire(f"{MODEL}:1.0", reason="too old")
    (plan,) = plan_collection(collector, MODEL, grace=timedelta(0))
    assert len(collect(collector, plan).deleted) == 1
    version = counted.push(MODEL, file(old))
    assert version.artifacts[0].files[0].parts[0].incarnation == 1
    assert (counted.pull(version, destination=machine.cache / "out") / "model.bin").read_bytes() == old


def test_a_long_file_sends_only_its_changed_parts(
    counted: objreg.Registry, counting: CountingStore, file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes at its beginning move no part but the first."""
    monkeypatch.setattr(upload, "PART_SIZE", 32 * 1024)
    content = os.urandom(1024 * 1024)
    counted.push(MODEL, file(content))
    assert creates(counting) > 100
    version = counted.push(MODEL, file(b"five!" + content))
    assert creates(counting) <= 4 + COMMIT
    assert (counted.pull(version) / "model.bin").read_bytes() == b"five!" + content


# Compression


def only_part(version: objreg.Version) -> Part:
    (part,) = version.artifacts[0].files[0].parts
    return part


def test_compression_can_be_forbidden(registry: objreg.Registry, file: Callable[..., Path]) -> None:
    """The blob is then the file, which any tool reads."""
    assert only_part(registry.push(MODEL, file(TEXT), compress=False)).encoding == ""


def test_compression_can_be_forced(registry: objreg.Registry, file: Callable[..., Path]) -> None:
    """Where no sample would say that it pays, a byte that is saved is enough; where none is, the file stays as it is."""
    mostly_noise = os.urandom(100_000) + bytes(3000)
    assert only_part(registry.push(MODEL, file(mostly_noise))).encoding == ""
    assert only_part(registry.push("fraud/other", file(mostly_noise), compress=True)).encoding == "zstd"
    assert only_part(registry.push("fraud/other", file(os.urandom(9000)), compress=True)).encoding == ""


def test_compression_has_levels(registry: objreg.Registry, file: Callable[..., Path]) -> None:
    """A higher one takes longer and stores less; what it makes is read as any other."""
    text = b"".join(b"%d squared is %d\n" % (number, number * number) for number in range(20_000))
    fast = registry.push("fraud/fast", file(text), compress=True)
    usual = registry.push("fraud/usual", file(text), compress=3)
    small = registry.push("fraud/small", file(text), compress=19)
    assert only_part(small).stored_size < len(text) / 2
    assert len({only_part(version).stored_size for version in (fast, usual, small)}) == 3
    assert (registry.pull(small) / "model.bin").read_bytes() == text


@pytest.mark.parametrize("compress", [0, -1, 23, 2.5, "zstd"])
def test_another_way_to_compress_is_refused(
    registry: objreg.Registry, file: Callable[..., Path], compress: object
) -> None:
    """Before anything is read."""
    with pytest.raises(objreg.InvalidInput, match=r"compress is .*; use True, False, a level of zstd from 1 to 22"):
        registry.push(MODEL, file(TEXT), compress=compress)


def test_what_is_there_is_not_compressed_anew(
    counted: objreg.Registry, counting: CountingStore, file: Callable[..., Path]
) -> None:
    """Whatever the push asks for."""
    counted.push(MODEL, file(TEXT), compress=False)
    counting.reset()
    assert only_part(counted.push(MODEL, file(TEXT), compress=True)).encoding == ""
    assert creates(counting) == COMMIT
