"""Trees of the cache: complete or not there, built once, never changed."""

import os
import resource
import signal
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from objreg.core.digest import digest_of
from objreg.errors import AccessDenied, StoreError
from objreg.local.cache import Cache
from objreg.local.cache_trees import TreeIndex

DIGEST = "sha256:" + "ab" * 32
OTHER = "sha256:" + "cd" * 32
CONTENTS = {"model.bin": b"weights", "sub/run.sh": b"#!/bin/sh\n"}
INDEX = TreeIndex(
    registry="memory://r",
    model="fraud/clf",
    version="1.0",
    record=DIGEST,
    files={path: (digest_of(content), len(content)) for path, content in CONTENTS.items()},
)


def fill(folder: Path) -> None:
    (folder / "sub").mkdir()
    for path, content in CONTENTS.items():
        (folder / path).write_bytes(content)
    (folder / "sub" / "run.sh").chmod(0o755)


def build(cache: Cache, digest: str = DIGEST) -> bool:
    with cache.build_tree(digest, INDEX) as folder:
        if folder is None:
            return False
        fill(folder)
    return True


def fail(cache: Cache, error: BaseException) -> None:
    """Raise from the middle of a build, when everything is read-only."""
    with cache.build_tree(DIGEST, INDEX) as folder:
        fill(folder)
        (folder / "sub").chmod(0o555)
        folder.chmod(0o555)
        raise error


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def leftovers(cache: Cache) -> list[Path]:
    return list((cache.root / "trees").glob("*.partial"))


def test_a_tree_appears_when_the_block_ends(tmp_path: Path) -> None:
    """Before that there is none; afterwards it is there with its files, and is not built again."""
    cache = Cache(tmp_path / "cache")

    assert cache.tree(DIGEST) is None
    with cache.build_tree(DIGEST, INDEX) as folder:
        assert folder is not None
        fill(folder)
        assert cache.tree(DIGEST) is None
    path = cache.tree(DIGEST)

    assert path == tmp_path / "cache" / "trees" / ("ab" * 32)
    assert (path / "model.bin").read_bytes() == b"weights"
    assert build(cache) is False
    assert leftovers(cache) == []


def test_a_tree_is_read_only(tmp_path: Path) -> None:
    """Files are 0444 and folders 0555; what a symbolic link points at is left alone."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_text("")
    (tmp_path / "mine" / "file").chmod(0o640)
    (tmp_path / "mine").chmod(0o750)
    cache = Cache(tmp_path / "cache")

    with cache.build_tree(DIGEST, INDEX) as folder:
        fill(folder)
        (folder / "file").symlink_to(tmp_path / "mine" / "file")
        (folder / "folder").symlink_to(tmp_path / "mine")

    path = cache.tree(DIGEST)
    real = [entry for entry in [path, *path.rglob("*")] if not entry.is_symlink() and "folder" not in entry.parts]
    assert {stat.S_IMODE(entry.stat().st_mode) for entry in real if entry.is_file()} == {0o444}
    assert {stat.S_IMODE(entry.stat().st_mode) for entry in real if entry.is_dir()} == {0o555}
    assert stat.S_IMODE((tmp_path / "mine").stat().st_mode) == 0o750
    assert stat.S_IMODE((tmp_path / "mine" / "file").stat().st_mode) == 0o640


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), AccessDenied("no")])
def test_a_failed_block_leaves_nothing(tmp_path: Path, error: BaseException) -> None:
    """The error comes out as it is, the partial tree is gone (even what was read-only), and the next build works."""
    cache = Cache(tmp_path)

    with pytest.raises(type(error)) as caught:
        fail(cache, error)

    assert caught.value is error
    assert (cache.tree(DIGEST), leftovers(cache)) == (None, [])
    assert build(cache) is True


def test_an_unprivileged_user_builds_and_fails(open_path: Path, in_child: Callable) -> None:
    """Without root's powers a read-only tree can still be put in its place, and a failed one be removed."""
    cache = Cache(open_path / "cache")

    def run() -> None:
        with pytest.raises(ValueError, match="no"):
            fail(cache, ValueError("no"))
        assert leftovers(cache) == []
        assert build(cache) is True
        with pytest.raises(PermissionError):
            (cache.tree(DIGEST) / "model.bin").write_bytes(b"")

    child = in_child(run, as_nobody=True)
    child.join()

    assert child.exitcode == 0


def test_one_process_builds_and_others_find_it(tmp_path: Path, in_child: Callable) -> None:
    """Of many that want one tree at once, exactly one fills it; the others wait, and then have it."""
    cache = Cache(tmp_path)
    log = tmp_path / "log"

    def run() -> None:
        with cache.build_tree(DIGEST, INDEX) as folder:
            if folder is not None:
                time.sleep(0.3)
                fill(folder)
                with log.open("a") as file:
                    file.write("built\n")
        assert (cache.tree(DIGEST) / "model.bin").read_bytes() == b"weights"

    children = [in_child(run) for _ in range(4)]
    for child in children:
        child.join()

    assert [child.exitcode for child in children] == [0, 0, 0, 0]
    assert log.read_text() == "built\n"


def start_stuck(cache: Cache, in_child: Callable, digest: str = DIGEST):
    """Start a process that is in the middle of a build and stays there."""

    def run() -> None:
        with cache.build_tree(digest, INDEX) as folder:
            fill(folder)
            (folder / "sub").chmod(0o555)
            (folder / "ready").write_text("")
            time.sleep(60)

    child = in_child(run)
    wait_for((cache.root / "trees" / f"{digest[7:]}.partial" / "ready").exists)
    return child


@pytest.mark.parametrize("next_", [DIGEST, OTHER])
def test_a_killed_builder_is_cleaned_up_after(tmp_path: Path, in_child: Callable, next_: str) -> None:
    """A kill -9 in the middle: there is no tree, and whoever builds next, the same or another, removes what was left."""
    cache = Cache(tmp_path)
    child = start_stuck(cache, in_child)
    child.kill()
    child.join()

    assert cache.tree(DIGEST) is None
    assert len(leftovers(cache)) == 1
    assert build(cache, next_) is True
    assert leftovers(cache) == []
    assert sorted(path.name for path in cache.tree(next_).iterdir()) == ["model.bin", "sub"]


def test_who_waits_for_a_killed_builder_takes_over(tmp_path: Path, in_child: Callable) -> None:
    """When the builder dies, one that waited for it starts afresh, without the files that were left."""
    cache = Cache(tmp_path)
    builder = start_stuck(cache, in_child)
    outcome = tmp_path / "outcome"

    def run() -> None:
        (tmp_path / "waiting").write_text("")
        outcome.write_text(str(build(cache)))

    waiter = in_child(run)
    wait_for((tmp_path / "waiting").exists)
    time.sleep(0.3)
    assert not outcome.exists()
    builder.kill()
    waiter.join(10)

    assert (waiter.exitcode, outcome.read_text()) == (0, "True")
    assert sorted(path.name for path in cache.tree(DIGEST).iterdir()) == ["model.bin", "sub"]


def test_a_build_under_way_is_no_leftover(tmp_path: Path, in_child: Callable) -> None:
    """Building another tree neither waits for one under way nor removes it."""
    cache = Cache(tmp_path)
    start_stuck(cache, in_child)

    assert build(cache, OTHER) is True
    assert len(leftovers(cache)) == 1


def test_waiting_ends_with_ctrl_c(tmp_path: Path, in_child: Callable) -> None:
    """SIGINT ends the wait for another process, which goes on building."""
    cache = Cache(tmp_path)
    builder = start_stuck(cache, in_child)

    def run() -> None:
        (tmp_path / "waiting").write_text("")
        with pytest.raises(KeyboardInterrupt):
            build(cache)

    waiter = in_child(run)
    wait_for((tmp_path / "waiting").exists)
    time.sleep(0.3)
    os.kill(waiter.pid, signal.SIGINT)
    waiter.join(10)

    assert waiter.exitcode == 0
    assert builder.is_alive()
    assert len(leftovers(cache)) == 1


def test_ctrl_c_in_a_build_leaves_nothing(tmp_path: Path, in_child: Callable) -> None:
    """SIGINT in the middle of the block removes the partial tree."""
    cache = Cache(tmp_path)
    builder = start_stuck(cache, in_child)
    os.kill(builder.pid, signal.SIGINT)
    builder.join(10)

    assert builder.exitcode == 1
    assert leftovers(cache) == []


def test_a_file_in_place_of_the_folder(tmp_path: Path) -> None:
    """A tree has to be somewhere: the error names the folder and the remedy."""
    (tmp_path / "cache").write_text("")
    cache = Cache(tmp_path / "cache")

    assert cache.tree(DIGEST) is None
    with pytest.raises(StoreError, match="OBJREG_CACHE_DIR") as caught:
        build(cache)
    assert str(tmp_path / "cache") in str(caught.value)


@pytest.mark.parametrize("mode", [0o555, 0o000])
def test_a_folder_that_may_not_be_written(open_path: Path, in_child: Callable, mode: int) -> None:
    """The user may not write (or even look) there: the error names the folder."""
    (open_path / "cache").mkdir()
    (open_path / "cache").chmod(mode)
    cache = Cache(open_path / "cache")

    def run() -> None:
        with pytest.raises(StoreError, match="Permission denied") as caught:
            build(cache)
        assert str(cache.root) in str(caught.value)

    child = in_child(run, as_nobody=True)
    child.join()
    cache.root.chmod(0o755)

    assert child.exitcode == 0


def test_a_read_only_cache_serves_its_trees(open_path: Path, in_child: Callable) -> None:
    """A finished tree needs no lock: an image built elsewhere is enough."""
    cache = Cache(open_path / "cache")
    build(cache)
    for path in (cache.root / "trees", cache.root):
        path.chmod(0o555)

    def run() -> None:
        assert (cache.tree(DIGEST) / "model.bin").read_bytes() == b"weights"
        assert build(cache) is False

    child = in_child(run, as_nobody=True)
    child.join()

    assert child.exitcode == 0


def test_a_full_disk(tiny_disk: Path) -> None:
    """The error names the folder and says that it is full, and the partial tree makes room again."""
    cache = Cache(tiny_disk)

    with pytest.raises(StoreError, match="No space left on device"), cache.build_tree(DIGEST, INDEX) as folder:
        (folder / "model.bin").write_bytes(os.urandom(200_000))

    assert leftovers(cache) == []
    assert build(cache) is True


def test_a_write_that_fails_half_way(tmp_path: Path, in_child: Callable) -> None:
    """Any failed write of a file in the block is reported as the cache's."""
    cache = Cache(tmp_path)

    def run() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        with pytest.raises(StoreError, match="File too large"), cache.build_tree(DIGEST, INDEX) as folder:
            (folder / "model.bin").write_bytes(os.urandom(200_000))
        assert leftovers(cache) == []

    child = in_child(run)
    child.join()

    assert child.exitcode == 0
