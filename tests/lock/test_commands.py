"""The commands of the lock file."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import objreg
from objreg.core.specs import parse_spec
from objreg.lock.changing import add, remove, update
from objreg.lock.workspace import open_workspace
from tests.cli.conftest import Cli

LOCK, CONFIG = Path("objreg.lock"), Path("objreg.toml")


def test_add_writes_both_files(project: Cli):
    """The wish and what it is, and what changed on stdout; adding the same again changes nothing."""
    assert project("add", "fraud/clf@production").rows == [["fraud/clf", "@production", "", "1.0"]]
    assert CONFIG.read_text() == 'url = "registry"\n\n[assets]\n"fraud/clf" = "@production"\n'
    lock = open_workspace().lock
    assert lock.registry == "registry", "a folder that objreg.toml names relative to itself moves with it"
    assert [(asset.spec, asset.requested, asset.groups) for asset in lock.assets] == [
        ("fraud/clf:1.0", "@production", ("default",))
    ]
    again = project("add", "fraud/clf@production")
    assert (again.out, "nothing changed" in again.err) == ("", True)
    document = project("add", "fraud/clf:1.1", "--json").json
    assert document["changes"] == [{"name": "fraud/clf", "requested": "1.1", "before": "1.0", "after": "1.1"}]


def test_add_for_a_group_and_remove(project: Cli):
    """A model is locked once, for all that want it, and goes when the last one is removed."""
    project("add", "nlp/vocab:1", "--group", "train")
    project("add", "nlp/vocab:1")
    assert open_workspace().lock.get("nlp/vocab").groups == ("default", "train")
    project("remove", "nlp/vocab")
    assert open_workspace().lock.get("nlp/vocab").groups == ("train",)
    wrong = project("remove", "nlp/vocab", code=3).err
    assert "does not want nlp/vocab; group train wants it" in wrong
    assert project("remove", "nlp/vocab", "--group", "train").rows == [["nlp/vocab", "", "1.0", ""]]
    assert open_workspace().lock.assets == ()


def test_what_cannot_be_added_changes_no_file(project: Cli):
    """Neither is written before both can be."""
    project("add", "fraud/clf:1")
    before = CONFIG.read_bytes(), LOCK.read_bytes()
    assert "there is no model" in project("add", "no/model", code=3).err
    assert (
        "as '1' in group default and as '@production'"
        in project("add", "fraud/clf@production", "--group", "train", code=2).err
    )
    assert "names a file" in project("add", "fraud/clf:1/vocab.txt", code=2).err
    assert (CONFIG.read_bytes(), LOCK.read_bytes()) == before


def test_two_that_change_a_project_at_once_lose_nothing(project: Cli, cli: Cli):
    """Who comes second finds the files changed, leaves them as they are, and says so."""
    project("add", "fraud/clf:1.0")
    registry = objreg.open("registry", lock=False)
    late = open_workspace()
    project("add", "nlp/vocab:1")
    now = CONFIG.read_bytes(), LOCK.read_bytes()
    for change in (
        lambda: add(late, registry, parse_spec("fraud/clf:1.1")),
        lambda: remove(late, registry, "fraud/clf"),
        lambda: update(late, registry, None),
    ):
        with pytest.raises(objreg.Conflict, match=r"objreg\.(toml|lock) was changed by somebody else meanwhile"):
            change()
        assert (CONFIG.read_bytes(), LOCK.read_bytes()) == now
    late = open_workspace()
    LOCK.unlink()
    with pytest.raises(objreg.Conflict, match=r"objreg\.lock was changed"):
        add(late, registry, parse_spec("fraud/clf:1.1"))
    assert CONFIG.read_bytes() == now[0], "both files are written, or neither"


def test_a_project_in_pyproject(project: Cli):
    """[tool.objreg] is as good a place, and the rest of the file stays."""
    CONFIG.unlink()
    text = '[project]\nname = "x"  # mine\n\n[tool.objreg]\nurl = "registry"\n'
    Path("pyproject.toml").write_text(text)
    project("add", "fraud/clf:1.0")
    assert Path("pyproject.toml").read_text() == text + '\n[tool.objreg.assets]\n"fraud/clf" = "1.0"\n'
    assert not CONFIG.exists()
    project("lock", "--check")


def test_a_project_without_a_file(project: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """objreg.toml is made; the registry stays where it was configured."""
    CONFIG.unlink()
    monkeypatch.setenv("OBJREG_URL", str(tmp_path / "registry"))
    project("add", "fraud/clf")
    assert CONFIG.read_text() == '[assets]\n"fraud/clf" = "*"\n'
    assert open_workspace().lock.registry == (tmp_path / "registry").as_uri()


def test_a_configuration_behind_a_link_stays_one(project: Cli, tmp_path: Path):
    """The file that the link leads to is written."""
    CONFIG.rename(tmp_path / "shared.toml")
    CONFIG.symlink_to("shared.toml")
    project("add", "fraud/clf")
    assert CONFIG.is_symlink()
    assert '"fraud/clf"' in (tmp_path / "shared.toml").read_text()


def test_lock_is_deterministic(project: Cli, tmp_path: Path):
    """Made again from nothing, the bytes are the same."""
    project("add", "fraud/clf@production")
    project("add", "nlp/vocab", "--group", "train")
    first = LOCK.read_bytes()
    LOCK.unlink()
    project("lock")
    assert LOCK.read_bytes() == first
    stat = LOCK.stat()
    project("lock")
    assert LOCK.stat().st_mtime_ns == stat.st_mtime_ns, "what does not change is not written"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".objreg")] == []


def test_check_fails_when_the_wishes_changed(project: Cli):
    """With the reason and the remedy, online and offline; a lock that was never made is stale too."""
    CONFIG.write_text('url = "registry"\n[assets]\n"fraud/clf" = "1"\n')
    assert "fraud/clf: it is not locked; run 'objreg lock'" in project("lock", "--check", code=5).err
    project("lock")
    project("lock", "--check")
    project("lock", "--check", "--offline")
    CONFIG.write_text('url = "registry"\n[assets]\n"fraud/clf" = "@production"\n')
    for options in (["--check"], ["--check", "--offline"]):
        error = project("lock", *options, "--json", code=5).error
        assert error["facts"] == {"differences": {"fraud/clf": "'@production' is wanted, and '1' was locked"}}


def test_check_fails_when_the_registry_moved_on(project: Cli, push: Callable[..., str]):
    """Online only; the files alone are right. ``lock`` keeps what is locked, ``--upgrade`` does not."""
    project("add", "fraud/clf@production")
    project("add", "nlp/vocab:1")
    project("state", "set", "fraud/clf:1.1", "production")
    push("nlp/vocab")
    project("lock", "--check", "--offline")
    error = project("lock", "--check", code=5).err
    assert "'@production' is now version 1.1, and 1.0 is locked" in error
    assert "run 'objreg lock --upgrade'" in error
    assert "nothing changed" in project("lock").err
    assert [row[:4] for row in project("outdated").rows] == [
        ["fraud/clf", "@production", "1.0", "1.1"],
        ["nlp/vocab", "1", "1.0", "1.1"],
    ]
    assert project("lock", "--upgrade", "nlp/vocab").rows == [["nlp/vocab", "1", "1.0", "1.1"]]
    assert project("lock", "--upgrade").rows == [["fraud/clf", "@production", "1.0", "1.1"]]
    project("lock", "--check")
    assert "changes none of 2 locked models" in project("outdated").err


def test_a_retired_version_is_told(project: Cli, push: Callable[..., str]):
    """By whatever asks the registry; it stays where it was asked for by its number, and so the check passes."""
    project("add", "nlp/vocab:1.0")
    push("nlp/vocab")
    project("retire", "nlp/vocab:1.0", "--reason", "leaked labels")
    assert project("outdated").rows == [
        ["nlp/vocab", "1.0", "1.0", "1.0", "retired", "1.0 was retired (leaked labels)"]
    ]
    assert "warning: nlp/vocab:1.0 was retired" in project("outdated").err
    assert project("outdated", "--json").json[0]["retired"] is True
    for arguments in (["lock"], ["lock", "--check"]):
        told = project(*arguments).err
        assert ("warning" in told, "was retired (leaked labels)" in told) == (True, True)
    assert "warning" not in project("lock", "--check", "--offline").err
    assert "warning" not in project("sync").err, "it asks nothing"
    CONFIG.write_text(CONFIG.read_text() + '"fraud/clf" = "1.0"\n')
    assert "warning: nlp/vocab:1.0 is locked, and was retired (leaked labels)" in project("sync").err


def test_check_looks_at_the_projects_of_the_files_that_are_named(project: Cli, tmp_path: Path):
    """In a repository of several projects, a hook names what was changed; each has its own registry and lock file."""
    project("add", "fraud/clf")
    service = tmp_path / "service"
    service.mkdir()
    (service / "objreg.toml").write_text('url = "../elsewhere"\n[assets]\n"fraud/clf" = "1"\n')
    files = ("objreg.toml", "service/objreg.toml")
    assert f"{service}/objreg.lock is stale" in project("lock", "--check", "--offline", *files, code=5).err
    (service / "objreg.lock").write_text(LOCK.read_text().replace('"*"', '"1"').replace('"registry"', '"../elsewhere"'))
    told = project("lock", "--check", "--offline", *files, "objreg.lock").err
    assert told.count("is fresh") == 2
    assert f"{service}/objreg.lock is fresh" in project("lock", "--check", "--offline", "service").err


@pytest.mark.parametrize("name", ["objreg.tml", "service/objreg.lock", "fraud/clf"])
def test_check_refuses_a_file_that_is_not_there(project: Cli, name: str):
    """A misspelt path, or a model, would stand for a project that nobody meant, and be found fresh."""
    project("add", "fraud/clf")
    error = project("lock", "--check", "--offline", "objreg.toml", name, "--json", code=2).error
    assert (error["type"], error["message"].startswith(f"{name} does not exist")) == ("InvalidInput", True)


def test_a_file_that_leads_nowhere_is_in_a_project(project: Cli, tmp_path: Path):
    """A hook names what is committed, and a link to nowhere can be."""
    project("add", "fraud/clf")
    (tmp_path / "link").symlink_to("nowhere")
    assert "is fresh" in project("lock", "--check", "--offline", "link").err


def test_nothing_wanted_and_nothing_locked_is_right(project: Cli):
    """So that a hook can run in any repository."""
    assert "nothing is wanted" in project("lock", "--check", "--offline").err
    CONFIG.unlink()
    project("lock", "--check", "--offline")


def test_a_lock_file_of_nothing_is_told_and_binds_to_no_registry(project: Cli, tmp_path: Path):
    """One that was made too early, from the wrong registry, is in nobody's way."""
    assert "nothing is wanted there; begin with 'objreg add SPEC'" in project("sync", code=3).err
    project("init", tmp_path / "elsewhere")
    assert "objreg.lock is new, and locks nothing" in project("lock", "--registry", tmp_path / "elsewhere").err
    assert project("sync").rows == []
    assert "changes none of 0 locked models" in project("outdated").err
    project("add", "fraud/clf")
    assert open_workspace().lock.registry == "registry"


@pytest.mark.parametrize("command", ["lock", "sync", "outdated"])
def test_a_misspelt_table_is_told(project: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str):
    """Also where the registry is named in the environment, so that the file is not needed for that."""
    monkeypatch.setenv("OBJREG_URL", str(tmp_path / "registry"))
    CONFIG.write_text('[asset]\n"fraud/clf" = "1"\n')
    assert "unknown key 'asset' in" in project(command, code=2).err


@pytest.mark.parametrize("arguments", [["why"], ["remove"], ["lock", "--upgrade"]])
def test_a_model_is_named_without_a_version(project: Cli, arguments: list[str]):
    """A spec is refused as such, and not taken for a model that nobody wants."""
    project("add", "fraud/clf:1")
    error = project(*arguments, "fraud/clf:1.1", "--json", code=2).error
    assert (error["type"], "'clf:1.1' is not allowed" in error["message"]) == ("InvalidInput", True)


@pytest.mark.parametrize(
    "arguments",
    [["lock", "fraud/clf"], ["lock", "--check", "fraud/clf"], ["lock", "--check", "--upgrade"], ["lock", "--offline"]],
)
def test_options_that_do_not_go_together(project: Cli, arguments: list[str]):
    """Are refused, instead of one of them being passed over."""
    assert project(*arguments, "--json", code=2).error["type"] == "UsageError"


def test_upgrading_what_is_not_wanted(project: Cli):
    """A misspelt name is told."""
    project("add", "fraud/clf")
    assert "add it with 'objreg add fraud/clv'" in project("lock", "--upgrade", "fraud/clv", code=3).err


def test_sync_gives_the_locked_bytes(project: Cli):
    """A folder for each model of [assets]; groups on request."""
    project("add", "fraud/clf@production")
    project("add", "nlp/vocab", "--group", "train")
    ((model, version, path),) = project("sync").rows
    assert (model, version, Path(path, "weights.bin").read_bytes()) == ("fraud/clf", "1.0", b"weights")
    assert [row[0] for row in project("sync", "--group", "train").rows] == ["fraud/clf", "nlp/vocab"]
    assert [row[0] for row in project("sync", "--all-groups").rows] == ["fraud/clf", "nlp/vocab"]
    assert "there is no group 'test'" in project("sync", "--group", "test", code=2).err
    assert project("sync", "--json").json[0]["path"] == path


def test_pull_follows_the_lock_file_and_says_so(project: Cli, push: Callable[..., str]):
    """A name alone is the locked version; the path is the one that sync gives."""
    project("add", "fraud/clf@production")
    pulled = project("pull", "fraud/clf")
    assert pulled.out.strip() == project("sync").rows[0][2]
    assert pulled.err == f"objreg: fraud/clf is fraud/clf:1.0, by {LOCK.absolute()}\n"
    assert project("pull", "fraud/clf@latest").err == "objreg: fraud/clf@latest is fraud/clf:1.1\n"
    assert "by" not in project("pull", "nlp/vocab").err


def test_sync_brings_the_lock_file_up_to_date(project: Cli):
    """As uv does; frozen it is taken as it is, and offline it must be right already."""
    project("add", "fraud/clf@production")
    CONFIG.write_text('url = "registry"\n[assets]\n"fraud/clf" = "1.1"\n')
    assert project("sync", "--frozen").rows[0][:2] == ["fraud/clf", "1.0"]
    assert "is stale" in project("sync", "--offline", code=5).err
    synced = project("sync")
    assert (synced.rows[0][:2], "brought up to date: commit it" in synced.err) == (["fraud/clf", "1.1"], True)
    project("lock", "--check")


def test_sync_frozen_needs_no_configuration(project: Cli):
    """A deployment that has the lock file alone finds its registry there."""
    project("add", "fraud/clf@production")
    CONFIG.unlink()
    assert project("sync", "--frozen").rows[0][:2] == ["fraud/clf", "1.0"]
    LOCK.unlink()
    assert "there is no objreg.lock" in project("sync", "--frozen", code=3).err
    CONFIG.write_text('[assets]\n"fraud/clf" = "1"\n')
    assert "make one with 'objreg lock'" in project("sync", "--frozen", code=3).err


def test_sync_without_the_registry(project: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """What is cached is there with the registry gone, offline or not; what is not cached is named."""
    project("add", "fraud/clf@production")
    assert "lacks fraud/clf:1.0, and the network is not to be used" in project("sync", "--offline", code=3).err
    folder = project("sync").rows[0][2]
    shutil.move(tmp_path / "registry", tmp_path / "elsewhere")
    for options in (["--offline"], ["--frozen"], []):
        assert project("sync", *options).rows[0][2] == folder
    monkeypatch.setenv("OBJREG_OFFLINE", "1")
    assert project("sync").rows[0][2] == folder
    project("lock", "--check")


def test_a_lock_for_another_registry(project: Cli, tmp_path: Path):
    """Is refused by what would change or trust it; all of it can be locked anew. A copy that is named serves the bytes."""
    project("add", "fraud/clf@production")
    shutil.copytree(tmp_path / "registry", tmp_path / "copy")
    for path in (tmp_path / "copy").rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    CONFIG.write_text(CONFIG.read_text().replace('"registry"', '"copy"'))
    for arguments in (["lock"], ["lock", "--check"], ["lock", "--check", "--offline"], ["sync"], ["outdated"]):
        message = project(*arguments, code=5).err
        assert "was made from registry, and" in message
    assert project("sync", "--frozen", "--registry", tmp_path / "copy").rows[0][:2] == ["fraud/clf", "1.0"]
    assert project("lock", "--upgrade").rows == []
    assert 'registry = "copy"' in LOCK.read_text()
    project("lock", "--check")


def test_a_merge_conflict_is_explained(project: Cli):
    """By every command that reads the file, with the way out."""
    project("add", "fraud/clf@production")
    LOCK.write_text(LOCK.read_text().replace("[[asset]]", "<<<<<<< HEAD\n[[asset]]"))
    for arguments in (["lock"], ["lock", "--check", "--offline"], ["sync", "--frozen"], ["why", "fraud/clf"]):
        assert "unresolved merge conflict" in project(*arguments, code=2).err


def test_why_tells_who_and_when(project: Cli):
    """Who asks for it; what that was, at which entry; who pushed it, and who moved it into the state and why."""
    project("add", "fraud/clf@production", "--group", "train")
    found = project("why", "fraud/clf", "--json").json
    commits = {item["seq"]: item for item in project("log", "fraud/clf", "--json").json}
    assert (found["requested"], found["groups"], found["version"]) == ("@production", ["train"], "1.0")
    assert found["file"].endswith("objreg.toml")
    assert (found["moved_at"], found["moved_by"], found["moved_why"]) == (commits[2]["time"], "tester", "go")
    assert found["entry"] == max(commits)
    assert found["pushed_by"] == "tester"
    project("state", "unset", "fraud/clf:1.0", "production")
    project("state", "set", "fraud/clf:1.0", "production", "-m", "again")
    assert project("why", "fraud/clf", "--json").json == found, "what happened after it was locked is no reason"
    assert "nobody asks for it" in project("why", "nlp/vocab", code=3).err
    project("add", "nlp/vocab")
    assert "moved_by" not in project("why", "nlp/vocab").out


def test_commands_work_from_below(project: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The nearest folder upwards that has wishes or a lock file is the project, past a file with a URL alone."""
    project("add", "fraud/clf")
    below = tmp_path / "service" / "src"
    below.mkdir(parents=True)
    (tmp_path / "service" / "objreg.toml").write_text('url = "../registry"\n')
    monkeypatch.chdir(below)
    project("add", "nlp/vocab")
    assert [asset.name for asset in open_workspace().lock.assets] == ["fraud/clf", "nlp/vocab"]
    assert list(below.iterdir()) == []


def test_the_check_of_the_files_alone_imports_no_cloud(project: Cli):
    """A hook runs at every commit: no engine, no terminal, and an unreachable registry does not matter."""
    CONFIG.write_text('url = "s3://nowhere/registry"\n')
    code = "import sys; from objreg.cli.program import run; print(run(['lock', '--check', '--offline'])); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, env=os.environ, timeout=60
    )
    code_line, modules = done.stdout.splitlines()
    assert code_line == "0"
    assert not {"obstore", "fsspec", "boto3", "aiohttp", "rich", "zstandard"} & set(modules.split())
