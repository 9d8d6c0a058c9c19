"""``objreg cache``: what is kept, how it is made less, and what was damaged."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from objreg.local.cache import Cache
from objreg.local.trees import remove_tree
from tests.cli.conftest import Cli

DAY = 86400


def folder(cli: Cli) -> Path:
    return Path(cli("cache", "dir").out.strip())


def age(cli: Cli, spec: str, days: float) -> None:
    """Let a version have been used last some days ago."""
    path = Path(cli("pull", spec).out.strip())
    then = time.time() - days * DAY
    os.utime(path.with_name(f"{path.name}.index"), (then, then))


def specs(cli: Cli) -> list[str]:
    return [row[0] for row in cli("cache", "ls").rows]


def on_disk(cli: Cli) -> int:
    """Return how many bytes the files of pulled versions really take."""
    found = {}
    for path in folder(cli).glob("files/??/*"):
        if len(path.name) == 64:
            status = path.stat()
            found[status.st_ino] = status.st_size
    return sum(found.values())


@pytest.fixture
def cached(clf: Cli) -> Cli:
    """1.0 (used three days ago) and 1.1 (two days ago) of fraud/clf are in the cache; they share vocab.txt."""
    age(clf, "fraud/clf:1.0", 3)
    age(clf, "fraud/clf:1.1", 2)
    return clf


def test_dir_names_the_folder(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the environment; with --json also how the cache is set up."""
    monkeypatch.setenv("OBJREG_CACHE_DIR", str(tmp_path / "c"))
    monkeypatch.setenv("OBJREG_CACHE_LAYERS", os.pathsep.join(["/a", "/b"]))
    assert cli("cache", "dir").out == f"{tmp_path / 'c'}\n"
    (tmp_path / "objreg.toml").write_text('[cache]\nlink = "copy"\nmax_size = "2GiB"\n')
    assert cli("cache", "dir", "--json").json == {
        "path": str(tmp_path / "c"),
        "layers": ["/a", "/b"],
        "link": "copy",
        "max_size": 2 * 2**30,
    }


def test_ls_shows_the_least_recently_used_first(cached: Cli) -> None:
    """With their sizes; what they share is counted once in the sum."""
    rows = cached("cache", "ls").rows
    assert [(row[0], row[1], row[3]) for row in rows] == [("fraud/clf:1.0", "11", "2"), ("fraud/clf:1.1", "10", "2")]
    document = cached("cache", "ls", "--json").json
    assert document["size"] == len(b"weights") + len(b"better") + len(b"a\nb\n") == on_disk(cached)
    assert [version["spec"] for version in document["versions"]] == ["fraud/clf:1.0", "fraud/clf:1.1"]
    assert Path(document["versions"][0]["path"]).is_dir()


def test_ls_of_no_cache_is_empty(cli: Cli) -> None:
    """A machine that pulled nothing has nothing, and that is no error."""
    assert cli("cache", "ls").out == ""
    assert cli("cache", "verify").out == ""
    assert cli("cache", "prune", "--max-size", "0").out == ""


@pytest.mark.parametrize(
    "arguments", [["ls"], ["prune", "--max-size", "0"], ["rm", "--all"], ["rm", "fraud/clf"], ["verify"]]
)
def test_a_file_is_no_cache(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    """Where a file is, there is not a cache of nothing: somebody meant another place."""
    (tmp_path / "taken").touch()
    monkeypatch.setenv("OBJREG_CACHE_DIR", str(tmp_path / "taken"))
    error = cli("cache", *arguments, code=10).err
    assert f"{tmp_path / 'taken'} is not a folder: remove it, or name another in OBJREG_CACHE_DIR" in error


def test_chosen_files_are_told_apart(clf: Cli) -> None:
    """A folder of some files is a line of its own."""
    clf("pull", "fraud/clf:1.0/vocab.txt")
    assert clf("cache", "ls").rows[0][3] == "1 chosen"


def test_prune_removes_the_least_recently_used_until_it_fits(cached: Cli) -> None:
    """A file that a version which stays also has is kept."""
    done = cached("cache", "prune", "--max-size", "10").rows
    assert [row[0] for row in done] == ["fraud/clf:1.0"]
    assert specs(cached) == ["fraud/clf:1.1"]
    assert on_disk(cached) == 10
    assert not list(folder(cached).glob("trees/*.partial"))
    age(cached, "fraud/clf:1.0", 1)
    assert cached("cache", "prune", "--max-size", "17").out == ""


def test_prune_leaves_what_was_used_lately(cached: Cli) -> None:
    """A day by default: a process may still read it. --keep says otherwise."""
    cached("pull", "fraud/clf:1.0")
    done = cached("cache", "prune", "--max-size", "0")
    assert [row[0] for row in done.rows] == ["fraud/clf:1.1"]
    assert "the rest is being fetched, or was used lately" in done.err
    assert [row[0] for row in cached("cache", "prune", "--max-size", "0", "--keep", "0").rows] == ["fraud/clf:1.0"]
    assert (specs(cached), on_disk(cached)) == ([], 0)


def test_prune_removes_what_no_version_needs(cached: Cli) -> None:
    """Files of a pull that never ended, once they are old; those of a minute ago may be of one under way."""
    cache = Cache(folder(cached))
    path = Path(cached("pull", "fraud/clf:1.0").out.strip())
    remove_tree(path)
    path.with_name(f"{path.name}.index").unlink()
    assert cached("cache", "prune", "--max-size", "1TB").out == ""
    assert on_disk(cached) == 17
    assert cached("cache", "prune", "--max-size", "1TB", "--keep", "0").out == ""
    assert on_disk(cached) == 10
    assert cache.tree(path.name and f"sha256:{path.name}") is None


def test_prune_leaves_a_version_that_is_being_built(cached: Cli) -> None:
    """Its lock is held: it is left, and said to be."""
    from filelock import FileLock

    path = next(version["path"] for version in cached("cache", "ls", "--json").json["versions"])
    with FileLock(f"{path}.lock"):
        done = cached("cache", "prune", "--max-size", "0", "--json").json
    assert [version["path"] for version in done["busy"]] == [path]
    assert [version["spec"] for version in done["removed"]] == ["fraud/clf:1.1"]
    assert Path(path, "weights.bin").read_bytes() == b"weights"


def test_prune_takes_its_size_from_the_configuration(cached: Cli, tmp_path: Path) -> None:
    """Without one anywhere it is a mistake."""
    assert "no size is known" in cached("cache", "prune", code=2).err
    (tmp_path / "objreg.toml").write_text('[cache]\nmax_size = "10B"\n')
    assert [row[0] for row in cached("cache", "prune").rows] == ["fraud/clf:1.0"]
    assert "size 'much' (from --max-size) is none" in cached("cache", "prune", "--max-size", "much", code=2).err


def test_rm_removes_what_is_named(cached: Cli) -> None:
    """A version, or all of a model; what is not there is answered with what is."""
    error = cached("cache", "rm", "fraud/clf:2.0", code=3).err
    assert "the cache has no fraud/clf:2.0; of fraud/clf it has fraud/clf:1.0, fraud/clf:1.1" in error
    assert [row[0] for row in cached("cache", "rm", "fraud/clf:1.0").rows] == ["fraud/clf:1.0"]
    assert on_disk(cached) == 10
    cached("pull", "fraud/clf:1.0")
    assert len(cached("cache", "rm", "fraud/clf").rows) == 2
    cached("pull", "fraud/clf:1.0")
    unfinished = Cache(folder(cached)).files.partial("sha256:" + "0" * 64)
    unfinished.parent.mkdir(exist_ok=True)
    unfinished.write_bytes(b"half of a pull")
    assert len(cached("cache", "rm", "--all").rows) == 1
    assert (specs(cached), on_disk(cached), unfinished.exists()) == ([], 0, False)
    assert "name versions, or say --all" in cached("cache", "rm", code=2).err
    assert Path(cached("pull", "fraud/clf:1.0").out.strip(), "weights.bin").read_bytes() == b"weights"


@pytest.mark.parametrize("link", ["hardlink", "copy", "symlink"])
def test_verify_finds_what_nothing_else_can(clf: Cli, monkeypatch: pytest.MonkeyPatch, link: str) -> None:
    """Bytes that changed while size and time did not: removed, told once, exit code 1; the next pull has them right."""
    monkeypatch.setenv("OBJREG_CACHE_LINK", link)
    path = Path(clf("pull", "fraud/clf:1.0").out.strip(), "weights.bin")
    assert clf("cache", "verify").out == ""
    before = path.stat()
    path.chmod(0o644)
    path.write_bytes(b"WEIGHTS")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert Path(clf("pull", "fraud/clf:1.0").out.strip(), "weights.bin").read_bytes() == b"WEIGHTS"
    found = clf("cache", "verify", code=1)
    assert found.rows == [["fraud/clf:1.0", str(path)]]
    assert clf("cache", "verify", "--json").json == {"ok": True, "versions": 0, "damaged": []}
    assert Path(clf("pull", "fraud/clf:1.0").out.strip(), "weights.bin").read_bytes() == b"weights"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('cache = "x"', "cache in .* must be a table"),
        ('[cache]\nlinks = "copy"', "unknown key 'links' in .cache."),
        ('[cache]\nlink = "soft"', "link 'soft' .* use one of auto, reflink, hardlink, symlink, copy"),
        ('[cache]\nlayers = "a"', "layers in .* must be a list"),
        ("[cache]\nmax_size = true", "size True .* is none"),
    ],
)
def test_a_wrong_configuration_is_explained(cli: Cli, tmp_path: Path, text: str, message: str) -> None:
    """Both sides, and the file."""
    import re

    (tmp_path / "objreg.toml").write_text(text)
    assert re.search(message, cli("cache", "dir", code=2).err)


def test_offline_uses_what_is_there(cached: Cli, tmp_path: Path) -> None:
    """The registry may be gone: what was seen and pulled is there; what is not is an error with what there is."""
    (tmp_path / "registry").rename(tmp_path / "gone")
    assert cached("resolve", "fraud/clf@production", "--offline").rows[0][0] == "fraud/clf:1.0"
    path = Path(cached("pull", "fraud/clf@production", "--offline").out.strip())
    assert (path / "weights.bin").read_bytes() == b"weights"
    assert [row[0] for row in cached("ls", "fraud/clf", "--offline").rows] == ["fraud/clf:1.1", "fraud/clf:1.0"]
    assert "the first" in cached("show", "fraud/clf:1.0", "--offline").out
    assert cached("cat", "fraud/clf@production/weights.bin", "--offline").out == "weights"
    assert '"version":"1.0"' in cached("cat", "fraud/clf:1.0", "--offline").out
    error = cached("pull", "fraud/clf:2.0", "--offline", "--json", code=3).error
    assert error["facts"]["cached"] == ["1.0", "1.1"]


def test_a_command_is_not_replaced_by_what_a_developer_put(clf: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """It prints what it was asked for."""
    monkeypatch.setenv("OBJREG_FRAUD_CLF_VERSION", "1.1")
    assert Path(clf("pull", "fraud/clf:1.0/weights.bin").out.strip()).read_bytes() == b"weights"


def test_who_waits_is_told(clf: Cli, held_for_a_second: Callable[[Path], None]) -> None:
    """On stderr, as a note."""
    path = Path(clf("pull", "fraud/clf:1.0").out.strip())
    clf("cache", "rm", "--all")
    held_for_a_second(path)
    assert "objreg: waiting for fraud/clf:1.0: it is being fetched already" in clf("pull", "fraud/clf:1.0").err
