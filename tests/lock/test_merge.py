"""Lock files in Git: branches merge, and a change is small enough to review."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from objreg.lock.workspace import open_workspace
from tests.cli.conftest import Cli

NAMES = ("base/bert", "fraud/clf", "nlp/vocab", "risk/score", "zone/last")


def git(*arguments: str, code: int = 0) -> str:
    """Run Git with an identity, and without what this machine configures."""
    identity = ["-c", "user.name=me", "-c", "user.email=me@acme", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *identity, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def repository(project: Cli, push: Callable[..., str]) -> Cli:
    """A repository that locks the second and the fourth of five models."""
    for name in NAMES:
        if name not in {"fraud/clf", "nlp/vocab"}:
            push(name)
    Path(".gitignore").write_text("*\n!objreg.*\n")
    for name in ("fraud/clf", "risk/score"):
        project("add", f"{name}:1")
    git("init", "--quiet", "--initial-branch", "main")
    git("add", ".")
    git("commit", "--quiet", "--message", "first")
    return project


def commit_on(branch: str, *commands: tuple[str, ...], cli: Cli) -> None:
    git("switch", "--quiet", "--create", branch, "main")
    for command in commands:
        cli(*command)
    git("commit", "--quiet", "--all", "--message", branch)


@pytest.mark.parametrize(("mine", "yours"), [("base/bert", "nlp/vocab"), ("nlp/vocab", "zone/last")])
def test_branches_that_add_different_models_merge(repository: Cli, mine: str, yours: str):
    """Without a conflict in either file, and what comes out is what one command would have made."""
    commit_on("mine", ("add", mine), cli=repository)
    commit_on("yours", ("add", yours, "--group", "default"), cli=repository)
    git("merge", "--quiet", "--message", "both", "mine")
    repository("lock", "--check")
    merged = Path("objreg.lock").read_bytes()
    assert [asset.name for asset in open_workspace().lock.assets] == sorted({"fraud/clf", "risk/score", mine, yours})
    assert "nothing changed" in repository("lock").err
    assert Path("objreg.lock").read_bytes() == merged


def test_branches_that_upgrade_and_remove_merge(repository: Cli, push: Callable[..., str]):
    """Blocks are apart: one branch changes a model, the other another one."""
    push("risk/score", "newer")
    commit_on("mine", ("lock", "--upgrade", "risk/score"), cli=repository)
    commit_on("yours", ("remove", "fraud/clf"), cli=repository)
    git("merge", "--quiet", "--message", "both", "mine")
    repository("lock", "--check")
    assert [asset.spec for asset in open_workspace().lock.assets] == ["risk/score:1.1"]


def test_branches_that_lock_one_model_differently_conflict(repository: Cli, push: Callable[..., str]):
    """Git says so, objreg explains it, and the way out that it names works."""
    push("risk/score", "newer")
    commit_on("mine", ("lock", "--upgrade", "risk/score"), cli=repository)
    push("risk/score", "newest")
    commit_on("yours", ("lock", "--upgrade", "risk/score"), cli=repository)
    git("merge", "--message", "both", "mine", code=1)
    assert "git checkout --theirs objreg.lock" in repository("lock", code=2).err
    git("checkout", "--quiet", "--theirs", "objreg.lock")
    repository("lock")
    assert open_workspace().lock.get("risk/score").version == "1.1"


def test_a_promotion_is_a_small_diff(repository: Cli, push: Callable[..., str]):
    """Version, record, entry and the files that changed: what a reviewer needs, and no line else."""
    push("risk/score", "newer")
    repository("lock", "--upgrade")
    lines = git("diff", "--unified=0", "objreg.lock").splitlines()
    changed = [line for line in lines if line[:1] in "+-" and line[:3] not in {"+++", "---"}]
    keys = [(line[0], line[1:].split()[0]) for line in changed]
    # fraud/clf was locked at its 1.1 already
    block = ["version", "record", "entry"]
    assert keys == [*(("-", key) for key in block), *(("+", key) for key in block), ("-", "{"), ("+", "{")]
