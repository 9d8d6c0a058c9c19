"""A folder as a registry: what a create leaves behind, what is refused, and what a full or locked disk says."""

import errno
import os
import pickle
import socket
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from objreg.errors import AccessDenied, InvalidInput, StoreError, StoreUnavailable
from objreg.store.local import LocalStore

KEY = "fraud/clf.model/log/999999999999.json"


def files_below(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def test_a_create_leaves_the_object_alone(tmp_path: Path) -> None:
    """After a win and a loss there is one file, and it holds the winner's bytes."""
    store = LocalStore(tmp_path)
    assert store.create(KEY, b"mine") is True
    assert store.create(KEY, b"other") is False
    assert files_below(tmp_path) == [KEY]
    assert (tmp_path / KEY).read_bytes() == b"mine"


def test_a_missing_root_is_an_empty_registry(tmp_path: Path) -> None:
    """Reading below a folder that does not exist finds nothing and makes nothing; a create makes it."""
    root = tmp_path / "not" / "yet"
    store = LocalStore(root)
    assert store.get(KEY) is None
    assert store.head(KEY) is None
    assert list(store.list("")) == []
    assert store.folders("") == ()
    store.delete(KEY)
    assert not root.exists()
    assert store.create(KEY, b"x")
    assert store.get(KEY) == b"x"


def test_leftovers_and_locks_are_no_objects(tmp_path: Path) -> None:
    """What a killed writer left behind, and the lock files, are in no listing and under no key."""
    store = LocalStore(tmp_path)
    store.create("a/b", b"x")
    (tmp_path / "a" / ".tmp-left").write_bytes(b"half")
    (tmp_path / ".locks").mkdir()
    (tmp_path / ".locks" / "create.lock").touch()
    assert [info.key for info in store.list("")] == ["a/b"]
    assert store.folders("") == ("a",)
    with pytest.raises(InvalidInput):
        store.get("a/.tmp-left")


@pytest.mark.parametrize(
    "key", ["", "/a", "a/", "a//b", "../a", "a/../b", "./a", "a\\b", "a\0b", ".locks/x", "a/.tmp-x"]
)
def test_a_key_that_is_no_plain_path_is_refused(tmp_path: Path, key: str) -> None:
    """Absolute, empty, climbing and reserved keys are InvalidInput for reads and writes."""
    store = LocalStore(tmp_path / "root")
    for call in (store.get, store.head, store.delete, lambda key: store.create(key, b"x")):
        with pytest.raises(InvalidInput):
            call(key)


def test_a_link_that_leaves_the_root_is_refused(tmp_path: Path) -> None:
    """A symbolic link out of the root is not followed, a link of the root itself is."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_bytes(b"no")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "out").symlink_to(tmp_path / "outside")
    (tmp_path / "alias").symlink_to(tmp_path / "root")
    store = LocalStore(tmp_path / "alias")
    with pytest.raises(InvalidInput, match="symbolic link"):
        store.get("out/secret")
    with pytest.raises(InvalidInput, match="symbolic link"):
        store.create("out/new", b"x")
    assert store.create("in", b"x")
    assert (tmp_path / "root" / "in").exists()
    assert store.identity == LocalStore(tmp_path / "root").identity


@pytest.mark.parametrize(
    ("number", "kind", "words"),
    [
        (errno.ENOSPC, StoreError, "make room"),
        (errno.EROFS, StoreError, "mount it for writing"),
        (errno.EACCES, AccessDenied, "permission"),
        (errno.EIO, StoreUnavailable, "retry"),
    ],
)
def test_a_disk_that_refuses_leaves_nothing(tmp_path: Path, monkeypatch, number: int, kind: type, words: str) -> None:
    """A full, read-only, forbidden or broken disk is its own error with a remedy, and no file is left."""
    store = LocalStore(tmp_path)
    (tmp_path / "a").mkdir()

    def refuse(_handle: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(kind, match=words) as caught:
        store.create("a/b", b"x")
    assert type(caught.value) is kind
    assert caught.value.facts["errno"] == number
    assert files_below(tmp_path) == []


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


@pytest.mark.parametrize("make", [os.mkfifo, _socket], ids=["pipe", "socket"])
def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path: Path, make: Callable[[Path], None]) -> None:
    """Whoever may write a shared folder cannot make its readers wait for ever."""
    make(tmp_path / "objreg.json")
    store = LocalStore(tmp_path)

    for read in (lambda: store.get("objreg.json"), lambda: store.get_range("objreg.json", 0, 1)):
        with pytest.raises(StoreError):
            read()


def test_a_link_that_failed_and_worked_is_a_success(tmp_path: Path, monkeypatch) -> None:
    """NFS may answer with an error to a link that it made: two names of our file mean that it is ours."""
    real = os.link

    def link_and_lose_the_answer(source: Path, target: Path) -> None:
        real(source, target)
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))

    def link_twice(source: Path, target: Path) -> None:
        real(source, target)
        real(source, target)

    monkeypatch.setattr(os, "link", link_and_lose_the_answer)
    assert LocalStore(tmp_path).create("a", b"x") is True
    monkeypatch.setattr(os, "link", link_twice)
    assert LocalStore(tmp_path).create("b", b"x") is True
    assert files_below(tmp_path) == ["a", "b"]


def _race(arguments: tuple[str, int, bool]) -> list[int]:
    root, racer, links = arguments
    if not links:

        def refuse(*_paths: object) -> None:
            raise OSError(errno.EPERM, "no hard links")

        os.link = refuse
    store = LocalStore(root)
    return [key for key in range(40) if store.create(f"race/{key}", f"{racer}".encode() * 1000)]


@pytest.mark.parametrize("links", [True, False], ids=["links", "locks"])
def test_processes_that_race_have_one_winner(tmp_path: Path, links: bool) -> None:
    """Four processes create the same forty keys: each key is won once, and whole by its winner."""
    with ProcessPoolExecutor(4) as pool:
        wins = list(pool.map(_race, [(str(tmp_path), racer, links) for racer in range(4)]))
    assert sorted(key for won in wins for key in won) == list(range(40))
    for racer, won in enumerate(wins):
        for key in won:
            assert (tmp_path / "race" / str(key)).read_bytes() == f"{racer}".encode() * 1000


def test_a_key_below_an_object_is_refused(tmp_path: Path) -> None:
    """A file cannot be a folder: the create says so instead of claiming that the key is taken."""
    store = LocalStore(tmp_path)
    store.create("a", b"x")
    with pytest.raises(StoreError, match="a file stands where a folder must be"):
        store.create("a/b", b"x")
    assert store.get("a/b") is None


def test_a_pickle_opens_the_same_folder(tmp_path: Path) -> None:
    """A store that was sent to another process is of the same root."""
    store = LocalStore(tmp_path)
    again = pickle.loads(pickle.dumps(store))
    store.create("a", b"x")
    assert (again.url, again.identity, again.get("a")) == (store.url, store.identity, b"x")
