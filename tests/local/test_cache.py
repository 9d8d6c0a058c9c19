"""Records, heads and versions of the cache: shared, verified, and never in the way."""

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from objreg.errors import InvalidInput
from objreg.local.cache import Cache
from objreg.local.cache_heads import SeenHead


def digest_of(data: bytes) -> str:
    return f"sha256:{sha256(data).hexdigest()}"


DATA = b"some bytes\n"
DIGEST = digest_of(DATA)


def only_file(folder: Path) -> Path:
    (found,) = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock")
    return found


def use_everything(cache: Cache) -> None:
    """Everything but trees, where nothing can be kept."""
    assert cache.put_object(DIGEST, DATA) is False
    cache.remember_head("r", "d", SeenHead(1, DATA))
    cache.remember_version("r", "m", "1.0", DIGEST)
    cache.forget_head("r", "d")
    assert (cache.get_object(DIGEST), cache.head("r", "d"), cache.version_digest("r", "m", "1.0")) == (None, None, None)


def test_objects_come_back(tmp_path: Path) -> None:
    """What was put is found by its digest, under a folder of its first two digits, and nothing else is left."""
    cache = Cache(tmp_path / "cache")

    assert cache.get_object(DIGEST) is None
    assert cache.put_object(DIGEST, DATA) is True
    assert cache.get_object(DIGEST) == DATA
    assert only_file(tmp_path / "cache" / "objects") == tmp_path / "cache" / "objects" / DIGEST[7:9] / DIGEST[7:]


@pytest.mark.parametrize("damage", [b"", DATA[:-1], DATA + b"x", b"S" + DATA[1:]])
def test_damaged_objects_are_absent(tmp_path: Path, damage: bytes) -> None:
    """A file with other bytes is a miss, is deleted, and can be put again."""
    cache = Cache(tmp_path)
    cache.put_object(DIGEST, DATA)
    only_file(tmp_path / "objects").write_bytes(damage)

    assert cache.get_object(DIGEST) is None
    assert not any(path.is_file() for path in (tmp_path / "objects").rglob("*"))
    assert cache.put_object(DIGEST, DATA) is True
    assert cache.get_object(DIGEST) == DATA


@pytest.mark.parametrize(
    "digest", ["", "sha256:../../etc/passwd", DIGEST[7:], DIGEST.upper(), DIGEST + "0", DIGEST + "\n"]
)
def test_what_is_no_digest_is_refused(tmp_path: Path, digest: str) -> None:
    """A digest becomes a file's name, so nothing else may."""
    cache = Cache(tmp_path)

    with pytest.raises(InvalidInput):
        cache.get_object(digest)
    with pytest.raises(InvalidInput):
        cache.put_object(digest, DATA)
    with pytest.raises(InvalidInput):
        cache.tree(digest)
    with pytest.raises(InvalidInput):
        cache.remember_version("r", "m", "1.0", digest)


def test_heads_go_forward_only(tmp_path: Path) -> None:
    """A newer entry replaces an older one, and never the other way round; the first of one number stays."""
    cache = Cache(tmp_path)

    seen = []
    for seq, data in [(9, b"nine"), (10, b"ten\nof two lines"), (9, b"nine"), (10, b"another ten")]:
        cache.remember_head("s3://b/r", "fraud/clf", SeenHead(seq, data))
        seen.append(cache.head("s3://b/r", "fraud/clf"))

    assert seen == [SeenHead(9, b"nine")] + [SeenHead(10, b"ten\nof two lines")] * 3


def test_the_stores_time_of_a_head_is_kept_beside_it(tmp_path: Path) -> None:
    """It is added when it is told, replaced when another is told, and not lost by who was not told."""
    cache, noon = Cache(tmp_path), datetime(2026, 1, 1, 12, tzinfo=UTC)
    later = noon + timedelta(hours=1)

    seen = []
    for modified in (None, noon, None, later):
        cache.remember_head("r", "d", SeenHead(1, b"one\n", modified))
        seen.append(cache.head("r", "d"))

    assert seen == [SeenHead(1, b"one\n", modified) for modified in (None, noon, noon, later)]


def test_heads_of_domains_are_apart(tmp_path: Path) -> None:
    """Neither another domain nor another registry has this head, however the two names are cut."""
    cache = Cache(tmp_path)
    cache.remember_head("ab", "c", SeenHead(1, b"one"))

    assert cache.head("a", "bc") is None
    assert cache.head("ab", "d") is None
    assert cache.head("ab", "c") == SeenHead(1, b"one")


def test_forgetting_a_head(tmp_path: Path) -> None:
    """After it an older entry can be remembered; forgetting what is not known is no error."""
    cache = Cache(tmp_path)
    cache.forget_head("r", "d")
    cache.remember_head("r", "d", SeenHead(5, b"five"))
    cache.forget_head("r", "d")

    assert cache.head("r", "d") is None
    cache.remember_head("r", "d", SeenHead(4, b"four"))
    assert cache.head("r", "d") == SeenHead(4, b"four")


def test_damaged_heads_and_versions_are_absent(tmp_path: Path) -> None:
    """Any changed, lost or added byte makes the whole file unknown, and it can be remembered again."""
    cache = Cache(tmp_path)
    for kind, remember, recall in (
        ("heads", lambda: cache.remember_head("r", "d", SeenHead(7, DATA)), lambda: cache.head("r", "d")),
        (
            "versions",
            lambda: cache.remember_version("r", "m", "1", DIGEST),
            lambda: cache.version_digest("r", "m", "1"),
        ),
    ):
        remember()
        good = recall()
        assert good is not None
        path = only_file(tmp_path / kind)
        content = path.read_bytes()
        flipped = [content[:i] + bytes([content[i] ^ 1]) + content[i + 1 :] for i in range(len(content))]
        for damage in [b"", content[:-1], content + b"x", b"\n", *flipped]:
            path.write_bytes(damage)
            assert recall() is None, damage
        remember()
        assert recall() == good


def test_versions_never_change(tmp_path: Path) -> None:
    """The first digest seen of an exact version stays."""
    cache = Cache(tmp_path)

    assert cache.version_digest("r", "fraud/clf", "1.0") is None
    cache.remember_version("r", "fraud/clf", "1.0", DIGEST)
    cache.remember_version("r", "fraud/clf", "1.0", digest_of(b"other"))

    assert cache.version_digest("r", "fraud/clf", "1.0") == DIGEST
    assert cache.version_digest("r", "fraud/clf", "1.1") is None


def test_two_processes_write_one_object(tmp_path: Path, in_child: Callable) -> None:
    """Many writers of one object and readers beside them: nobody ever sees a part of it."""
    cache = Cache(tmp_path)
    data = os.urandom(200_000)
    digest = digest_of(data)

    def write_and_read() -> None:
        for _ in range(100):
            assert cache.put_object(digest, data)
            # A torn file would be deleted as damaged, so a miss is a failure too.
            assert cache.get_object(digest) == data

    children = [in_child(write_and_read) for _ in range(3)]
    for child in children:
        child.join()

    assert [child.exitcode for child in children] == [0, 0, 0]
    assert only_file(tmp_path / "objects").read_bytes() == data


def test_two_processes_remember_one_head(tmp_path: Path, in_child: Callable) -> None:
    """However processes interleave, what each has remembered is never older afterwards, and the newest stays."""
    cache = Cache(tmp_path)

    def remember(first: int) -> None:
        for seq in range(first, 90, 3):
            cache.remember_head("r", "d", SeenHead(seq, b"%d" % seq))
            assert cache.head("r", "d").seq >= seq

    children = [in_child(lambda first=first: remember(first)) for first in range(3)]
    for child in children:
        child.join()

    assert [child.exitcode for child in children] == [0, 0, 0]
    assert cache.head("r", "d") == SeenHead(89, b"89")


def test_a_hung_process_does_not_stop_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_child: Callable
) -> None:
    """Somebody who never lets go of a head's lock costs a short wait, and the head is not remembered."""
    from filelock import FileLock

    cache = Cache(tmp_path)
    cache.remember_head("r", "d", SeenHead(1, b"one"))
    monkeypatch.setattr("objreg.local.cache._HEAD_LOCK_SECONDS", 0.1)

    def remember() -> None:
        cache.remember_head("r", "d", SeenHead(2, b"two"))
        assert cache.head("r", "d") == SeenHead(1, b"one")

    with FileLock(f"{only_file(tmp_path / 'heads')}.lock"):
        child = in_child(remember)
        child.join(10)

    assert child.exitcode == 0


def test_a_file_in_place_of_the_folder(tmp_path: Path) -> None:
    """The cache folder cannot exist: nothing is kept, and nothing raises."""
    (tmp_path / "cache").write_text("")

    use_everything(Cache(tmp_path / "cache"))


@pytest.mark.parametrize("mode", [0o555, 0o000])
def test_a_folder_that_may_not_be_written(open_path: Path, in_child: Callable, mode: int) -> None:
    """The user may not write (or even look) there: nothing is kept, and nothing raises."""
    (open_path / "cache").mkdir()
    (open_path / "cache").chmod(mode)

    child = in_child(lambda: use_everything(Cache(open_path / "cache")), as_nobody=True)
    child.join()
    (open_path / "cache").chmod(0o755)

    assert child.exitcode == 0


def test_a_read_only_cache_is_read(open_path: Path, in_child: Callable) -> None:
    """A cache that was filled by somebody else and may not be written serves what it has."""
    cache = Cache(open_path / "cache")
    cache.put_object(DIGEST, DATA)
    cache.remember_head("r", "d", SeenHead(1, DATA))
    for path in [*(open_path / "cache").rglob("*"), open_path / "cache"]:
        path.chmod(0o555 if path.is_dir() else 0o444)

    def read() -> None:
        assert cache.get_object(DIGEST) == DATA
        cache.remember_head("r", "d", SeenHead(2, b"newer"))
        assert cache.head("r", "d") == SeenHead(1, DATA)

    child = in_child(read, as_nobody=True)
    child.join()

    assert child.exitcode == 0


def test_a_full_disk(tiny_disk: Path) -> None:
    """What does not fit is skipped, leaves nothing behind, and what is there stays readable."""
    cache = Cache(tiny_disk)
    big = os.urandom(200_000)

    assert cache.put_object(DIGEST, DATA) is True
    assert cache.put_object(digest_of(big), big) is False
    assert cache.get_object(digest_of(big)) is None
    assert cache.get_object(DIGEST) == DATA
    assert only_file(tiny_disk / "objects").name == DIGEST[7:]


def test_a_write_that_fails_half_way(tmp_path: Path, in_child: Callable) -> None:
    """A write that the system cuts short is skipped, and leaves nothing behind."""
    cache = Cache(tmp_path)
    cache.put_object(DIGEST, DATA)
    big = os.urandom(200_000)

    def write() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        assert cache.put_object(digest_of(big), big) is False
        cache.remember_head("r", "d", SeenHead(1, big))
        assert cache.head("r", "d") is None

    child = in_child(write)
    child.join()

    assert child.exitcode == 0
    assert only_file(tmp_path / "objects").name == DIGEST[7:]
    assert not list(tmp_path.rglob("*.partial"))


def test_backups_leave_the_cache_out(tmp_path: Path) -> None:
    """A new folder gets the tag of cachedir; a folder that holds other things keeps its place in backups."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.txt").write_text("")

    for name in ("new", "home"):
        Cache(tmp_path / name).put_object(DIGEST, DATA)

    tag = (tmp_path / "new" / "CACHEDIR.TAG").read_bytes()
    assert tag.startswith(b"Signature: 8a477f597d28d172789f06886806bc55\n")
    assert not (tmp_path / "home" / "CACHEDIR.TAG").exists()


def test_using_objects_does_not_import_locks() -> None:
    """A pull that finds everything in the cache pays for no lock."""
    code = (
        "import sys, pathlib, objreg.local.cache as c\n"
        "x = c.Cache(pathlib.Path('/nonexistent'))\n"
        f"x.get_object('{DIGEST}'); x.head('r', 'd'); x.version_digest('r', 'm', '1'); x.tree('{DIGEST}')\n"
        "print('filelock' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False"
