"""What Git says of real repositories, made here with the real command."""

import os
import subprocess
from pathlib import Path

import pytest

from objreg.local.git import GitState, code_state, user_email, without_credentials

ENVIRON = {
    **{name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "CI", "GITHUB_"))},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", folder, *arguments], env=ENVIRON, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "code"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "trunk")
    git(folder, "config", "user.email", "ada@example.org")
    git(folder, "config", "user.name", "Ada")
    git(folder, "config", "commit.gpgsign", "false")
    (folder / "train.py").write_text("print(1)\n")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    return folder


def test_a_clean_checkout(repository: Path) -> None:
    """Commit, branch and remote of a folder below the root; an untracked file does not make it dirty."""
    git(repository, "remote", "add", "backup", "/elsewhere")
    git(repository, "remote", "add", "origin", "https://ada:hunter2@example.org/acme/fraud.git")
    (repository / "sub").mkdir()
    (repository / "sub" / "data.csv").write_text("1\n")

    state = code_state(repository / "sub", environ=ENVIRON)

    head = git(repository, "rev-parse", "HEAD")
    assert state == GitState("https://example.org/acme/fraud.git", head, "trunk", dirty=False)


@pytest.mark.parametrize("staged", [False, True])
def test_a_changed_file_makes_it_dirty(repository: Path, staged: bool) -> None:
    """A tracked file that differs from the commit is a change, staged or not."""
    (repository / "train.py").write_text("print(2)\n")
    if staged:
        git(repository, "add", ".")

    state = code_state(repository, environ=ENVIRON)

    assert state is not None
    assert state.dirty


def test_a_repository_without_commits(tmp_path: Path) -> None:
    """There is a branch, and no commit."""
    git(tmp_path, "init", "-q", "-b", "trunk")

    assert code_state(tmp_path, environ=ENVIRON) == GitState("", "", "trunk", dirty=False)


def test_a_worktree(repository: Path, tmp_path: Path) -> None:
    """A linked worktree has its own branch."""
    git(repository, "worktree", "add", "-q", "-b", "topic", str(tmp_path / "tree"))

    state = code_state(tmp_path / "tree", environ=ENVIRON)

    assert state == GitState("", git(repository, "rev-parse", "HEAD"), "topic", dirty=False)


@pytest.mark.parametrize(
    ("variables", "branch"),
    [
        ({}, ""),
        ({"GITHUB_REF_NAME": "main", "GITHUB_REF_TYPE": "branch"}, "main"),
        ({"GITHUB_REF_NAME": "v1.0", "GITHUB_REF_TYPE": "tag"}, ""),
        ({"GITHUB_HEAD_REF": "topic", "GITHUB_REF_NAME": "12/merge"}, "topic"),
        ({"CI_COMMIT_BRANCH": "main", "CI_COMMIT_SHA": "HEAD"}, "main"),
        ({"GIT_BRANCH": "origin/main"}, "main"),
        ({"BUILDKITE_BRANCH": "main", "BUILDKITE_COMMIT": "0" * 40}, ""),
    ],
)
def test_a_detached_head_takes_the_branch_of_ci(repository: Path, variables: dict[str, str], branch: str) -> None:
    """CI names the branch of the commit it checked out, and of no other."""
    git(repository, "checkout", "-q", "--detach")
    if variables.get("CI_COMMIT_SHA"):
        variables = {**variables, "CI_COMMIT_SHA": git(repository, "rev-parse", "HEAD")}

    state = code_state(repository, environ={**ENVIRON, **variables})

    assert state is not None
    assert state.branch == branch


def test_outside_a_repository(tmp_path: Path) -> None:
    """There is nothing to say, and no warning (warnings are errors here)."""
    assert code_state(tmp_path, environ={**ENVIRON, "GIT_CEILING_DIRECTORIES": str(tmp_path.parent)}) is None


def test_a_bare_repository(tmp_path: Path) -> None:
    """No working tree, no state of one."""
    git(tmp_path, "init", "-q", "--bare")

    assert code_state(tmp_path, environ=ENVIRON) is None


def test_without_git(repository: Path, tmp_path: Path) -> None:
    """A machine without git has nothing to say."""
    assert code_state(repository, environ={**ENVIRON, "PATH": str(tmp_path)}) is None


def test_a_repository_that_git_refuses(repository: Path) -> None:
    """Git's refusal (a repository of another owner) is a warning with its reason, and None."""
    refusing = {**ENVIRON, "GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"}

    with pytest.warns(RuntimeWarning, match="dubious ownership"):
        state = code_state(repository, environ=refusing)

    assert state is None


def test_a_git_that_hangs(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that does not end in time is a warning, and None."""
    (tmp_path / "git").write_text("#!/bin/sh\nexec sleep 60\n")
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setattr("objreg.local.git.TIME_LIMIT", 0.2)

    with pytest.warns(RuntimeWarning, match="did not answer within 0.2 s"):
        state = code_state(repository, environ={**ENVIRON, "PATH": f"{tmp_path}:{ENVIRON['PATH']}"})

    assert state is None


def test_it_does_not_write_to_the_repository(repository: Path) -> None:
    """Asking refreshes no index: another git command may hold its lock."""
    os.utime(repository / "train.py", (1, 1))
    before = (repository / ".git" / "index").read_bytes()

    code_state(repository, environ=ENVIRON)

    assert (repository / ".git" / "index").read_bytes() == before


def test_user_email(repository: Path, tmp_path: Path) -> None:
    """The configured address, or nothing."""
    assert user_email(repository, environ=ENVIRON) == "ada@example.org"
    assert user_email(tmp_path, environ={**ENVIRON, "GIT_CEILING_DIRECTORIES": str(tmp_path.parent)}) == ""


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://ada:hunter2@host/a/b.git", "https://host/a/b.git"),
        ("https://hunter2@host:8443/a/b.git", "https://host:8443/a/b.git"),
        ("https://ada@example.org:hunter2@host/a", "https://host/a"),
        ("https://host/a/b@1.git", "https://host/a/b@1.git"),
        ("https://host/a.git?private_token=hunter2", "https://host/a.git"),
        ("ssh://git@host:22/a/b.git", "ssh://git@host:22/a/b.git"),
        ("ssh://git:hunter2@host/a/b.git", "ssh://git@host/a/b.git"),
        ("git@host:a/b.git", "git@host:a/b.git"),
        ("/srv/git/a.git", "/srv/git/a.git"),
        ("https://hunter2@host", "https://host"),
    ],
)
def test_credentials_are_removed(url: str, expected: str) -> None:
    """No password or token of a remote is ever recorded."""
    assert without_credentials(url) == expected
