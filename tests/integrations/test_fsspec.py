"""objreg:// as an fsspec file system: what is there, what is read, what is asked of the store, and no writing."""

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import fsspec
import pytest

import objreg
from objreg.core.keys import blob_key
from objreg.errors import AccessDenied
from objreg.integrations.fsspec_filesystem import ObjregFileSystem, PathNotFound
from objreg.store.memory import MemoryStore
from objreg.store.wrappers import CountingStore
from tests.integrations.conftest import FILES, MODEL
from tests.registry.machine import Machine
from tests.servers.server import S3Server

MIB = 1024 * 1024
Push = Callable[..., objreg.Version]


def test_fsspec_knows_the_scheme() -> None:
    """By its entry point, in a process that has not imported objreg; importing fsspec does not import objreg."""
    code = """
import sys, fsspec
assert "objreg" not in sys.modules
print(fsspec.get_filesystem_class("objreg").__module__)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "objreg.integrations.fsspec_filesystem\n"


def test_objreg_needs_no_fsspec() -> None:
    """Only its own module imports it, and says which extra has it."""
    code = """
import sys
sys.modules["fsspec"] = None
import objreg
try:
    import objreg.integrations.fsspec_filesystem
except objreg.MissingDependency as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "fsspec is needed for objreg:// paths; install objreg[fsspec]\n"


# What is there


def test_namespaces_models_versions_files(fs: ObjregFileSystem, push: Push) -> None:
    """Each level lists the next one; a path may be a namespace and a model at once."""
    push()
    push({"a": b"1"})
    push({"a": b"2"}, model="fraud/clf/small")
    push({"a": b"3"}, model="top")
    assert fs.ls("objreg://", detail=False) == ["fraud", "top"]
    assert fs.ls("fraud/", detail=False) == ["fraud/clf"]
    assert fs.ls(MODEL, detail=False) == ["fraud/clf/small", "fraud/clf:1.1", "fraud/clf:1.0"]
    assert fs.ls("objreg://fraud/clf:1.0", detail=False) == [
        "fraud/clf:1.0/README.md",
        "fraud/clf:1.0/data.csv",
        "fraud/clf:1.0/tokenizer",
    ]
    assert fs.ls("fraud/clf@latest", detail=False) == ["fraud/clf@latest/a"]
    assert fs.ls("fraud/clf:1.0/tokenizer/x/deep.txt", detail=False) == ["fraud/clf:1.0/tokenizer/x/deep.txt"]


def test_info(fs: ObjregFileSystem, push: Push) -> None:
    """Size, type, digest, media type, the exact version, and when it was pushed."""
    version = push()
    found = fs.info("objreg://fraud/clf@latest/data.csv")
    file = next(file for file in version.artifacts[0].files if file.path == "data.csv")
    assert found == {
        "name": "fraud/clf@latest/data.csv",
        "size": 8,
        "type": "file",
        "digest": file.digest,
        "media_type": "text/csv",
        "version": "fraud/clf:1.0",
        "created": version.created_at,
    }
    assert fs.ukey("fraud/clf:1.0/data.csv") == fs.ukey("fraud/clf@latest/data.csv") == file.digest
    assert fs.size("fraud/clf:1.0/data.csv") == 8
    assert fs.modified("fraud/clf:1.0/data.csv") == version.created_at
    for folder in ("", "fraud", "fraud/clf", "fraud/clf:1.0", "fraud/clf:1/tokenizer/x"):
        assert (fs.info(folder)["name"], fs.info(folder)["type"], fs.isdir(folder)) == (folder, "directory", True)
    assert fs.isfile("fraud/clf:1.0/data.csv")
    assert not fs.isfile("fraud/clf:1.0/tokenizer")


@pytest.mark.parametrize(
    "path",
    [
        "other",
        "fraud/other",
        "other/clf:1.0/data.csv",
        "fraud/clf:2.0/data.csv",
        "fraud/clf@shadow/data.csv",
        "fraud/clf:1.0/data",
        "fraud/clf:1.0/data.csv/x",
        "fraud/clf:",
        "fraud/clf:1.0/../data.csv",
        "fraud/_x",
        "fraud/clf/data.csv",
    ],
)
def test_what_is_not_there(fs: ObjregFileSystem, push: Push, path: str) -> None:
    """It is a NotFound and a FileNotFoundError, also where it could be no name at all; asking for it is no error."""
    push()
    assert not fs.exists(path)
    assert not fs.isfile(path)
    assert not fs.isdir(path)
    assert fs.glob(path) == fs.find(path) == []
    for action in (fs.info, fs.ls, fs.open, fs.cat_file):
        with pytest.raises(PathNotFound) as caught:
            action(path)
        assert isinstance(caught.value, objreg.NotFound)
        assert isinstance(caught.value, FileNotFoundError)
        assert str(caught.value) == caught.value.message != ""


def test_a_path_without_a_version_is_explained(fs: ObjregFileSystem, push: Push) -> None:
    """The message shows where the version goes."""
    push()
    with pytest.raises(PathNotFound, match="named with its version, like 'fraud/clf@production"):
        fs.open("objreg://fraud/clf/data.csv")
    with pytest.raises(IsADirectoryError, match="name a file in it"):
        fs.open("objreg://fraud/clf:1.0")


def test_glob_and_find(fs: ObjregFileSystem, push: Push) -> None:
    """Patterns reach files, models and versions; a version's files come from its record alone."""
    push()
    push({"data.csv": b"other", "v@1.csv": b""})
    assert fs.glob("objreg://fraud/clf@latest/*.csv") == ["fraud/clf@latest/data.csv", "fraud/clf@latest/v@1.csv"]
    assert fs.glob("fraud/clf:1.0/**/*.txt") == [
        "fraud/clf:1.0/tokenizer/vocab.txt",
        "fraud/clf:1.0/tokenizer/x/deep.txt",
    ]
    assert fs.glob("fraud/clf:1.*/data.csv") == ["fraud/clf:1.0/data.csv", "fraud/clf:1.1/data.csv"]
    assert fs.glob("fraud/clf:*") == ["fraud/clf:1.0", "fraud/clf:1.1"]
    assert fs.glob("fraud/clf:[2-9]*/x") == fs.glob("nobody/clf:*/x") == []
    assert fs.glob("*/clf") == ["fraud/clf"]
    assert fs.glob("fraud/clf:1.*/*.csv", detail=True)["fraud/clf:1.1/data.csv"]["size"] == 5
    assert fs.find("fraud/clf:1.0") == sorted(f"fraud/clf:1.0/{name}" for name in FILES)
    assert fs.find("fraud/clf:1.0", withdirs=True, maxdepth=1) == [
        "fraud/clf:1.0",
        "fraud/clf:1.0/README.md",
        "fraud/clf:1.0/data.csv",
        "fraud/clf:1.0/tokenizer",
    ]
    assert len(fs.find("")) == len(FILES) + 2


def test_parents() -> None:
    """The version of a file's folder, the model of a version, the namespace of a model."""
    parents = {
        "objreg://fraud/clf:1.0/a/b.csv": "fraud/clf:1.0/a",
        "fraud/clf@production/b.csv": "fraud/clf@production",
        "fraud/clf:1.0": "fraud/clf",
        "fraud/clf": "fraud",
        "fraud": "",
    }
    assert {path: ObjregFileSystem._parent(path) for path in parents} == parents


class Denied(MemoryStore):
    """A store that lets nobody list."""

    def folders(self, prefix: str) -> tuple[str, ...]:
        raise AccessDenied(f"not allowed to list {prefix}")


def test_what_may_not_be_listed_is_not_empty(tmp_path: Path) -> None:
    """An error comes through, from whatever walks the tree."""
    fs = ObjregFileSystem.of(Machine(Denied(), cache=tmp_path / "cache").registry())
    for action in (fs.exists, fs.find, fs.ls, fs.info, lambda path: fs.glob(f"{path}/*")):
        with pytest.raises(PermissionError, match="not allowed to list"):
            action("fraud")


# What is read


def test_reading(fs: ObjregFileSystem, push: Push, tmp_path: Path) -> None:
    """Whole, in ranges as slices have them, as text, many at once, or copied to a folder."""
    push()
    path = "objreg://fraud/clf:1.0/data.csv"
    assert fs.cat_file(path) == fs.cat(path) == b"x,y\n1,2\n"
    for start, end in ((0, 3), (2, None), (-4, None), (-4, -1), (3, 100), (5, 2), (None, -7), (100, 200)):
        assert fs.cat_file(path, start, end) == b"x,y\n1,2\n"[start:end]
    with fs.open(path) as opened:
        assert (opened.read(3), opened.seek(-2, 2), opened.read()) == (b"x,y", 6, b"2\n")
    with fs.open(path, "r", encoding="utf-8") as text:
        assert text.readlines() == ["x,y\n", "1,2\n"]
    assert fs.head(path, 3) == b"x,y"
    assert fs.tail(path, 2) == b"2\n"
    assert fs.cat("fraud/clf:1.0/tokenizer/**/*.txt") == {
        "fraud/clf:1.0/tokenizer/vocab.txt": b"a\nb\n",
        "fraud/clf:1.0/tokenizer/x/deep.txt": b"deep",
    }
    fs.get("fraud/clf:1.0/tokenizer", str(tmp_path / "copied"), recursive=True)
    assert (tmp_path / "copied/x/deep.txt").read_bytes() == b"deep"
    fs.get_file(path, str(tmp_path / "new/data.csv"))
    assert (tmp_path / "new/data.csv").read_bytes() == b"x,y\n1,2\n"


def test_ranges_that_are_near_are_fetched_together(fs: ObjregFileSystem, counting: CountingStore, push: Push) -> None:
    """One request for neighbours, others in parallel; each range in its place, overlapping, empty and at the end too."""
    content = os.urandom(8 * MIB)
    push({"big.bin": content})
    path = "objreg://fraud/clf:1.0/big.bin"
    ranges = [(6 * MIB, 6 * MIB + 10), (1000, 2000), (1500, 3000), (0, 10), (5, 5), (-10, None), (100_000, 100_100)]
    fs.info(path)
    counting.reset()
    found = fs.cat_ranges([path] * len(ranges), [start for start, _ in ranges], [end for _, end in ranges])
    assert found == [content[start:end] for start, end in ranges]
    assert counting.counts["get_range"] == counting.requests == 3
    assert counting.counts["bytes_read"] < 300_000
    assert fs.cat_ranges([path, path], 0, 4) == [content[:4]] * 2
    counting.reset()
    assert fs.cat_ranges([path, path], [0, 50], [4, 54], max_gap=0) == [content[:4], content[50:54]]
    assert counting.requests == 2
    assert fs.cat_ranges([], [], []) == []


def test_an_error_is_in_its_place_or_raised(fs: ObjregFileSystem, push: Push) -> None:
    """As fsspec's users choose."""
    push()
    paths = ["fraud/clf:1.0/data.csv", "fraud/clf:1.0/none", "fraud/clf:1.0/README.md"]
    first, second, third = fs.cat_ranges(paths, 0, 4)
    assert (first, third) == (b"x,y\n", b"read")
    assert isinstance(second, FileNotFoundError)
    with pytest.raises(FileNotFoundError):
        fs.cat_ranges(paths, 0, 4, on_error="raise")


def test_whole_files_are_verified(fs: ObjregFileSystem, store: MemoryStore, push: Push, tmp_path: Path) -> None:
    """With cat and get always, and nothing stays on disk; ranges with verify=True."""
    content = os.urandom(2 * MIB)
    part = push({"big.bin": content}).artifacts[0].files[0].parts[0]
    key = blob_key("fraud/clf.model", part.blob, 0, "")
    store.delete(key)
    store.create(key, content[:-1] + bytes([content[-1] ^ 1]))
    path = "fraud/clf:1.0/big.bin"
    assert fs.cat_file(path, 0, 10) == content[:10]
    strict = ObjregFileSystem.of(fs.registry, verify=True)
    for action in (
        lambda: fs.cat_file(path),
        lambda: fs.get_file(path, str(tmp_path / "copy")),
        lambda: strict.cat_file(path, 0, 10),
        lambda: strict.open(path).read(10),
    ):
        with pytest.raises(objreg.IntegrityError, match="other bytes"):
            action()
    assert not (tmp_path / "copy").exists()


# What is asked


def test_a_pointer_is_asked_once_for_what_belongs_together(
    fs: ObjregFileSystem, counting: CountingStore, registry: objreg.Registry, push: Push
) -> None:
    """For some seconds; then, or when the cache is invalidated, or without it, anew. An exact version costs nothing."""
    push()
    path = "fraud/clf@latest/data.csv"
    fs.info(path)
    assert counting.requests == 3
    counting.reset()
    assert fs.cat_file(path) == b"x,y\n1,2\n"
    assert fs.exists(path)
    assert len(fs.find("fraud/clf@latest")) == len(FILES)
    assert counting.counts["get"] == counting.requests == 1
    push({"data.csv": b"new"})
    assert fs.cat_file(path) == b"x,y\n1,2\n"
    fs.invalidate_cache()
    assert fs.cat_file(path) == b"new"
    for options in ({"listings_expiry_time": 0}, {"use_listings_cache": False}):
        fresh = ObjregFileSystem.of(registry, **options)
        before = fresh.cat_file(path)
        push({"data.csv": before + b"er"})
        assert fresh.cat_file(path) == before + b"er"
    counting.reset()
    fs.info("fraud/clf:1.0/data.csv")
    assert counting.requests == 0


def test_what_was_pulled_costs_nothing(
    fs: ObjregFileSystem, counting: CountingStore, push: Push, tmp_path: Path
) -> None:
    """Files are read from the cache."""
    push()
    fs.registry.pull("fraud/clf:1.0")
    counting.reset()
    assert fs.cat_file("fraud/clf:1.0/data.csv") == b"x,y\n1,2\n"
    assert fs.cat_file("fraud/clf:1.0/data.csv", 1, 3) == b",y"
    with fs.open("fraud/clf:1.0/README.md") as opened:
        assert opened.read() == b"read me"
    fs.get_file("fraud/clf:1.0/README.md", str(tmp_path / "copy"))
    assert (tmp_path / "copy").read_bytes() == b"read me"
    assert counting.requests == 0


def test_offline_is_what_was_seen_and_pulled(
    fs: ObjregFileSystem, counting: CountingStore, push: Push, folder_url: str, tmp_path: Path
) -> None:
    """Without a request; the rest is a FileNotFoundError that says why."""
    push()
    fs.registry.pull("fraud/clf@latest")
    counting.reset()
    alone = ObjregFileSystem.of(fs.registry, offline=True)
    assert alone.cat_file("fraud/clf@latest/data.csv") == b"x,y\n1,2\n"
    assert alone.ls("fraud/clf", detail=False) == ["fraud/clf:1.0"]
    assert alone.glob("fraud/clf:1.*/*.md") == ["fraud/clf:1.0/README.md"]
    for path in ("fraud/clf@production/data.csv", "other/model:1.0/x", "fraud", ""):
        with pytest.raises(FileNotFoundError, match=r"offline|no version"):
            alone.ls(path)
    assert counting.requests == 0
    assert pickle.loads(pickle.dumps(ObjregFileSystem(folder_url, offline=True))).registry.session.offline


# Opened by URL, in other processes, in chains


def test_a_registry_is_named_by_options_or_configured(
    folder_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``registry=`` wins over what is configured, and what is configured now over what was when fsspec was first asked."""
    url = "objreg://fraud/clf@production/tokenizer/vocab.txt"
    with fsspec.open(url, registry=folder_url) as opened:
        assert opened.read() == b"a\nb\n"
    monkeypatch.setenv("OBJREG_URL", folder_url)
    with fsspec.open(url, "rt") as text:
        assert text.read() == "a\nb\n"
    found = fsspec.filesystem("objreg")
    assert fsspec.core.url_to_fs(url)[0] is found
    assert found.exists("fraud/clf@production")
    monkeypatch.setenv("OBJREG_URL", str(tmp_path / "other"))
    objreg.open(create=True)
    assert not found.exists("fraud/clf@production")
    assert fsspec.filesystem("objreg").unstrip_protocol("fraud/clf:1.0/a") == "objreg://fraud/clf:1.0/a"


def test_fsspecs_own_options_are_not_the_storage_s(folder_url: str) -> None:
    """What fsspec hands to every file system does not reach a store that takes no options; others do, and are refused."""
    fs = fsspec.filesystem(
        "objreg", registry=folder_url, use_listings_cache=True, skip_instance_cache=True, asynchronous=False
    )
    assert fs.exists("fraud/clf:1.0")
    with pytest.raises(objreg.InvalidInput, match="takes no engine and no storage_options"):
        fsspec.filesystem("objreg", registry=folder_url, endpoint_url="http://127.0.0.1").exists("fraud/clf:1.0")


def read_there(fs: Any) -> bytes:
    """Read in another process."""
    return bytes(fs.cat_file("fraud/clf@production/data.csv", 0, 3))


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_it_goes_to_other_processes(folder_url: str, method: str) -> None:
    """Pickled or forked, after it was used; a file that is to be opened, too."""
    fs = fsspec.filesystem("objreg", registry=folder_url)
    assert read_there(fs) == b"x,y"
    with get_context(method).Pool(1) as pool:
        assert pool.apply(read_there, (fs,)) == b"x,y"
    lazy = pickle.loads(pickle.dumps(fsspec.open("objreg://fraud/clf:1.0/data.csv", registry=folder_url)))
    with lazy as opened:
        assert opened.read() == b"x,y\n1,2\n"
    given = ObjregFileSystem.of(objreg.open(folder_url), verify=True)
    copy = pickle.loads(pickle.dumps(given))
    assert read_there(copy) == b"x,y"
    assert copy._verify
    assert copy.registry is not given.registry
    assert json.loads(fs.to_json())["registry"] == folder_url


def test_it_can_stand_at_the_end_of_a_chain(folder_url: str, tmp_path: Path) -> None:
    """Caches of fsspec's own in front of it work."""
    url = "filecache::objreg://fraud/clf@production/data.csv"
    with fsspec.open(
        url, objreg={"registry": folder_url}, filecache={"cache_storage": str(tmp_path / "chain")}
    ) as opened:
        assert opened.read() == b"x,y\n1,2\n"


@pytest.mark.parametrize("engine", ["obstore", "fsspec"])
def test_a_registry_in_a_bucket(s3_server: S3Server, tmp_path: Path, engine: str) -> None:
    """Options of the storage and the engine are options of the file system; it is read in a forked process, too."""
    url, options = s3_server.new_bucket(), s3_server.options(engine)
    content = os.urandom(3 * MIB)
    (tmp_path / "big.bin").write_bytes(content)
    registry = objreg.open(url, storage_options=options, engine=engine, create=True, actor="me")
    registry.push(MODEL, tmp_path / "big.bin")
    fs = fsspec.filesystem("objreg", registry=url, engine=engine, **options)
    assert fs.ls("fraud", detail=False) == ["fraud/clf"]
    assert fs.cat_file("fraud/clf@latest/big.bin", MIB, MIB + 10) == content[MIB : MIB + 10]
    with fs.open("fraud/clf:1.0/big.bin") as opened:
        opened.seek(-5, 2)
        assert opened.read() == content[-5:]
    with get_context("fork").Pool(1) as pool:
        there = pool.apply(fs.cat_file, ("fraud/clf@latest/big.bin", 2 * MIB, 2 * MIB + 10))
    assert there == content[2 * MIB : 2 * MIB + 10]
    registry.close()
    fs.registry.close()


# No writing


def test_nothing_can_be_written(fs: ObjregFileSystem, push: Push, tmp_path: Path) -> None:
    """Every way to write is refused with what to do instead, and nothing is asked of the store for it."""
    push()
    (tmp_path / "x").write_bytes(b"x")
    path, other = "fraud/clf:1.0/data.csv", "fraud/clf:1.0/new"
    writes: list[Callable[[], object]] = [
        lambda: fs.open(path, "wb"),
        lambda: fs.open(path, "ab"),
        lambda: fs.open(path, "xb"),
        lambda: fs.open(path, "r+b"),
        lambda: fs.open(path, "w"),
        lambda: fs.pipe(other, b"x"),
        lambda: fs.pipe_file(other, b"x"),
        lambda: fs.put(str(tmp_path / "x"), other),
        lambda: fs.put_file(str(tmp_path / "x"), other),
        lambda: fs.touch(other),
        lambda: fs.write_text(other, "x"),
        lambda: fs.mkdir("fraud/new"),
        lambda: fs.makedirs("fraud/new", exist_ok=True),
        lambda: fs.rm(path),
        lambda: fs.rm_file(path),
        lambda: fs.rmdir("fraud"),
        lambda: fs.delete("fraud", recursive=True),
        lambda: fs.cp(path, other),
        lambda: fs.mv(path, other),
    ]
    for write in writes:
        with pytest.raises(objreg.InvalidInput, match=r"read-only.*objreg push"):
            write()
