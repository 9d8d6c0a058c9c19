"""Files as a forged record describes them: nothing leaves the folder, nothing is more than promised, nothing is kept."""

import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import zstandard

import objreg
from objreg.core.digest import digest_of, hex_of
from objreg.core.names import check_file_path, windows_problem
from objreg.local.trees import remove_tree
from objreg.registry import download
from tests.hostile.forged import DOMAIN, MODEL, Forger

MOST_MEMORY = 64 * 1024 * 1024


@pytest.fixture(autouse=True)
def nothing_kept(forger: Forger) -> Iterator[None]:
    """Every refusal leaves no folder behind."""
    yield
    assert forger.left_behind() == []


def refuse(forger: Forger, kind: type[objreg.ObjregError], words: str) -> None:
    """Pull and see it refused in little memory, also into a destination, where nothing may be left."""
    destination = forger.folder / "destination"
    tracemalloc.start()
    try:
        with pytest.raises(kind, match=words):
            forger.reader().pull(MODEL)
        with pytest.raises(kind, match=words):
            forger.reader().pull(f"{MODEL}@production", destination=destination)
        assert tracemalloc.get_traced_memory()[1] < MOST_MEMORY
    finally:
        tracemalloc.stop()
    assert not destination.exists()


@pytest.mark.parametrize(
    "path",
    [
        "../outside",
        "a/../../outside",
        "..",
        "/etc/outside",
        "//host/share",
        "C:\\outside",
        "C:outside",
        "c:/outside",
        "a\\..\\b",
        "\\\\host\\share",
        "a//b",
        "./a",
        "a/.",
        "nul\0",
        "line\nbreak",
        "\x1b[2Jcleared",
        "file:stream",
        "x" * 1001,
        "/".join(["deep"] * 70),
    ],
)
def test_a_path_that_is_none_is_refused(forger: Forger, path: str) -> None:
    """Traversal, absolute paths, drives, streams, control characters, what is too long or too deep."""
    forger.version_with_files({"path": path})
    refuse(forger, objreg.FormatError, "holds a path that is not allowed|length <= 1000")


@pytest.mark.parametrize("path", ["", "\ud800"])
def test_a_path_that_is_no_text_is_refused(forger: Forger, path: str) -> None:
    """An empty path, and half of a surrogate pair, are no paths in any record."""
    forger.version_with_files({"path": path})
    refuse(forger, objreg.FormatError, "record .* is not")


@pytest.mark.parametrize("folder", ["..", "a/b", "/etc", "C:", ".hidden", "_objreg", "a\0"])
def test_an_artifacts_folder_is_one_plain_name(forger: Forger, folder: str) -> None:
    """It may not lead anywhere."""
    forger.version_with_files({}, folder=folder)
    refuse(forger, objreg.FormatError, "holds a path that is not allowed")


def test_a_name_that_the_file_system_cannot_hold_is_refused(forger: Forger) -> None:
    """A part of 300 letters is allowed by the format and by no file system."""
    forger.version_with_files({"path": "x" * 300})
    refuse(forger, objreg.StoreError, "cannot write below .*File name too long")


@pytest.mark.parametrize(
    "path",
    [
        "CON",
        "con",
        "aux.txt",
        "dir/NUL",
        "COM1.log",
        "lpt9",
        "COM¹",
        "CONIN$",
        "nul .txt",
        "a./b",
        "dir /x",
        "a<b",
        "a*",
    ],
)
def test_what_windows_treats_specially_is_refused_there(forger: Forger, tmp_path: Path, path: str) -> None:
    """A device, or a name that Windows would change, is not written there; elsewhere it is a file like any other."""
    assert check_file_path(path) == path
    assert windows_problem(path)
    file = objreg.File(path=path, digest=digest_of(b""), size=0, media_type="", parts=())
    with pytest.raises(objreg.StoreError, match=r"cannot be on this machine: .*pull it on another system"):
        download._prepare({path: file}, tmp_path, {}, windows=True)
    (tmp_path / "here").mkdir()
    download._prepare({path: file}, tmp_path / "here", {})
    assert (tmp_path / "here" / path).is_file()


@pytest.mark.parametrize("path", ["console.txt", "auxiliary", "com10", "a.b", ".x", "nullable/x"])
def test_what_only_looks_special_is_written_on_windows(tmp_path: Path, path: str) -> None:
    """The rule is no wider than Windows."""
    assert windows_problem(path) == ""


@pytest.mark.parametrize("paths", [("Model.bin", "model.bin"), ("é", "e\u0301"), ("ﬁle", "file")])
def test_names_that_a_file_system_takes_for_one_are_an_error(tmp_path: Path, paths: tuple[str, str]) -> None:
    """Where the second name leads to the first file, nothing is written into it.

    The file system of such a target is played by a folder in which the second name is there as soon as the first is
    made; objreg goes by what the target does, and knows no rules of letters.
    """
    first, second = (objreg.File(path=path, digest=digest_of(b""), size=0, media_type="", parts=()) for path in paths)
    download._prepare({first.path: first}, tmp_path, {})
    if not (tmp_path / second.path).exists():
        (tmp_path / second.path).hardlink_to(tmp_path / first.path)
    with pytest.raises(objreg.StoreError, match="takes its name for another's, by letter case or by how Unicode"):
        download._prepare({second.path: second}, tmp_path, {})


def test_names_that_differ_stay_apart_where_they_can(forger: Forger) -> None:
    """On a file system that tells them apart both are there."""
    forger.version_with_files({"path": "Model.bin"}, {"path": "é"}, {"path": "e\u0301"}, {"path": "model.bin"})
    folder = forger.reader().pull(MODEL)
    assert {path.name for path in folder.iterdir()} == {"Model.bin", "model.bin", "é", "e\u0301"}
    for path in forger.machines:
        remove_tree(path.cache / "trees")


def test_a_file_below_a_file_is_refused(forger: Forger) -> None:
    """In either order."""
    forger.version_with_files({"path": "a/b"}, {"path": "a"})
    refuse(forger, objreg.FormatError, "'a/b' cannot be a file below 'a', which is a file itself")


@pytest.mark.parametrize(
    ("size", "kind", "words"),
    [
        (2**60, objreg.FormatError, "record .* is not what format 1 promises.*<= 9007199254740991"),
        (10**400, objreg.FormatError, "record .* is not what format 1 promises"),
        (-1, objreg.FormatError, "record .* is not what format 1 promises.*>= 0"),
        (1.5, objreg.FormatError, "record .* is not what format 1 promises"),
        (2**52, objreg.StoreError, f"the files have {2**52} bytes, and [0-9]+ are free; make room"),
    ],
)
def test_a_size_that_no_disk_has_is_refused_before_anything_is_made(
    forger: Forger, size: float, kind: type[objreg.ObjregError], words: str
) -> None:
    """Sizes are only what a record says: nothing is set aside for them."""
    forger.version_with_files({"size": size, "parts": [forger.part(blob_size=size, stored_size=7, length=size)]})
    refuse(forger, kind, words)


@pytest.mark.parametrize(
    ("parts", "kind", "words"),
    [
        ([{"offset": -1}], objreg.FormatError, "is not what format 1 promises"),
        ([{"length": -7}, {"length": 14}], objreg.FormatError, "is not what format 1 promises"),
        ([{"offset": 1}], objreg.IntegrityError, "needs more of it"),
        ([{"offset": 2**52}], objreg.IntegrityError, "needs more of it"),
        ([{"length": 4}, {"offset": 3, "length": 3}], objreg.IntegrityError, "holds other bytes than its record says"),
        ([{"length": 4}], objreg.FormatError, "parts that do not add up"),
        ([{}] + [{"length": 0}] * 2000, objreg.FormatError, "with a part of no bytes"),
        ([{"blob": "sha256:" + "0" * 64}], objreg.IntegrityError, "is missing from"),
        ([{"incarnation": 3}], objreg.IntegrityError, "is missing from"),
        ([{"encoding": "brotli"}], objreg.FormatError, "is not what format 1 promises"),
        ([{"encoding": "zstd"}], objreg.IntegrityError, "is missing from"),
        ([{"blob_size": 2**40}], objreg.FormatError, "is said to have 1099511627776 bytes; 268435456 at most"),
        ([{"blob": "sha256:../../../../etc/passwd"}], objreg.FormatError, "is not what format 1 promises"),
        ([{"blob": "sha256:" + "0" * 64 + "\n"}], objreg.FormatError, "is not what format 1 promises"),
    ],
)
def test_parts_that_make_no_file_are_refused(
    forger: Forger, parts: list[dict[str, Any]], kind: type[objreg.ObjregError], words: str
) -> None:
    """Negative, beyond the blob, overlapping, too few, of nothing, of what is not there, of unknown encodings."""
    forger.version_with_files({"parts": [forger.part(**fields) for fields in parts]})
    refuse(forger, kind, words)


def _bomb() -> bytes:
    return zstandard.ZstdCompressor().compress(bytes(1 << 28))


def _lying_header() -> bytes:
    frame = bytearray(zstandard.ZstdCompressor().compress(bytes(1 << 26)))
    assert zstandard.frame_content_size(bytes(frame)) == 1 << 26
    frame[5:9] = (7).to_bytes(4, "little")
    return bytes(frame)


def _without_size() -> bytes:
    return zstandard.ZstdCompressor(write_content_size=False).compress(bytes(1 << 26))


def _huge_window() -> bytes:
    settings = zstandard.ZstdCompressionParameters(window_log=30)
    packer = zstandard.ZstdCompressor(compression_params=settings).compressobj()
    return packer.compress(b"weights") + packer.flush()


def _two_frames() -> bytes:
    return zstandard.ZstdCompressor().compress(b"weig") + zstandard.ZstdCompressor().compress(b"hts")


@pytest.mark.parametrize(
    "stored",
    [
        _bomb,
        _lying_header,
        _without_size,
        _huge_window,
        _two_frames,
        lambda: _bomb()[:-20],
        lambda: b"no zstd",
        lambda: b"",
    ],
    ids=["bomb", "lying-header", "without-size", "huge-window", "two-frames", "truncated", "no-zstd", "nothing"],
)
def test_no_compressed_blob_becomes_more_than_its_record_promises(forger: Forger, stored: Callable[[], bytes]) -> None:
    """The digest of the stored bytes is right, what they hold is not; seven bytes were promised."""
    data = stored()
    forger.put(f"{DOMAIN}/blobs/{hex_of(digest_of(b'weights'))}.zst", data)
    part = forger.part(encoding="zstd", stored_size=len(data), stored_digest=digest_of(data))
    forger.version_with_files({"parts": [part]})
    refuse(forger, objreg.IntegrityError, "should hold 7 bytes|is not what zstd makes")
    with pytest.raises(objreg.IntegrityError):
        list(forger.reader().read(f"{MODEL}@latest/model.bin"))


def test_an_error_of_the_file_system_leaves_nothing(forger: Forger, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with no room at all says so before it fetches."""
    usage = download.shutil.disk_usage(forger.folder.parent)
    monkeypatch.setattr(download.shutil, "disk_usage", lambda _: usage._replace(free=6))
    refuse(forger, objreg.StoreError, "the files have 7 bytes, and 6 are free; make room")
