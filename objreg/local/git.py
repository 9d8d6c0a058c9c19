"""What Git knows of the code that makes a version, asked of the ``git`` command."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from objreg.local.config import process_environment

__all__ = ["GitState", "code_state", "user_email", "without_credentials"]

TIME_LIMIT = 10.0
"""Seconds for one command: a checkout on a hung network drive must not stop a push."""

# Never ask, never write to the repository, never start its monitor (a daemon would keep our pipes open).
_QUIET = {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
_NO_WORK_TREE = ("not a git repository", "must be run in a work tree")

# A CI job checks out a commit, not a branch; it says in variables which commit, and which branch that was.
_CI_BRANCHES = (
    ("GITHUB_SHA", ("GITHUB_HEAD_REF", "GITHUB_REF_NAME")),
    ("CI_COMMIT_SHA", ("CI_COMMIT_BRANCH", "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME")),
    ("BUILDKITE_COMMIT", ("BUILDKITE_BRANCH",)),
    ("CIRCLE_SHA1", ("CIRCLE_BRANCH",)),
    ("GIT_COMMIT", ("CHANGE_BRANCH", "BRANCH_NAME", "GIT_BRANCH")),
    ("BUILD_SOURCEVERSION", ("BUILD_SOURCEBRANCHNAME",)),
)


@dataclass(frozen=True, slots=True)
class GitState:
    """The code in a working tree; a text is empty where Git does not know.

    Attributes:
        remote: URL of ``origin`` (or else of the first remote), without credentials.
        commit: the full hash of the commit that is checked out; empty before the first.
        branch: its branch; on a detached HEAD the one that the CI service names for this commit.
        dirty: True when tracked files differ from the commit; untracked ones do not count, as in ``git describe``.
    """

    remote: str
    commit: str
    branch: str
    dirty: bool


def code_state(folder: Path | None = None, *, environ: Mapping[str, str] | None = None) -> GitState | None:
    """Return the state of the working tree that holds a folder.

    A repository that Git finds but will not read (it belongs to another user and is not a ``safe.directory``, is
    damaged, or does not answer in time) gives None and a ``RuntimeWarning`` with Git's reason: a push goes on without
    its code's state, and not silently. objreg does not override ``safe.directory``: such a repository can make ``git``
    run its owner's commands.

    Args:
        folder: the working directory by default.
        environ: environment variables; those of this process by default.

    Returns:
        None outside a working tree, where ``git`` is not installed, and for a repository that it will not read.
    """
    environ = process_environment() if environ is None else environ
    status = _git(folder, environ, "status", "--porcelain=v2", "--branch", "--untracked-files=no")
    if status is None:
        return None
    lines = status.splitlines()
    header = dict(line[2:].split(" ", 1) for line in lines if line.startswith("# "))
    commit, branch = header.get("branch.oid", ""), header.get("branch.head", "")
    commit = "" if commit == "(initial)" else commit
    return GitState(
        remote=_remote(folder, environ),
        commit=commit,
        branch=_ci_branch(commit, environ) if branch == "(detached)" else branch,
        dirty=any(not line.startswith("#") for line in lines),
    )


def user_email(folder: Path | None = None, *, environ: Mapping[str, str] | None = None) -> str:
    """Return Git's ``user.email`` as configured for a folder (the working directory by default), or an empty text."""
    environ = process_environment() if environ is None else environ
    return (_git(folder, environ, "config", "--get", "user.email") or "").strip()


def without_credentials(url: str) -> str:
    """Return a remote's URL without its password, and without the user where that can be a token (HTTP)."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return url  # a path, or git@host:path, which has no place for a password
    rest = rest.split("?", 1)[0]
    user, at, place = rest.partition("/")[0].rpartition("@")
    path = rest.partition("/")[1] + rest.partition("/")[2]
    keep_user = at and not scheme.lower().startswith("http")
    return f"{scheme}://{user.split(':', 1)[0] + '@' if keep_user else ''}{place}{path}"


def _remote(folder: Path | None, environ: Mapping[str, str]) -> str:
    # From the configuration, not `git remote get-url`: CI services rewrite that one into a URL with a token.
    found = _git(folder, environ, "config", "--get-regexp", r"^remote\..*\.url$") or ""
    remotes = [(key, url) for key, _, url in (line.partition(" ") for line in found.splitlines())]
    urls = [url for key, url in remotes if key == "remote.origin.url"] + [url for _, url in remotes]
    return without_credentials(urls[0]) if urls else ""


def _ci_branch(commit: str, environ: Mapping[str, str]) -> str:
    """The branch that the CI service names, unless it speaks of another commit than the one checked out."""
    for commit_variable, branch_variables in _CI_BRANCHES:
        if environ.get(commit_variable, commit) not in (commit, "HEAD"):
            continue
        for variable in branch_variables:
            is_tag = variable == "GITHUB_REF_NAME" and environ.get("GITHUB_REF_TYPE") == "tag"
            if environ.get(variable) and not is_tag:
                return re.sub(r"^origin/", "", environ[variable]) if variable == "GIT_BRANCH" else environ[variable]
    return ""


def _git(folder: Path | None, environ: Mapping[str, str], *arguments: str) -> str | None:
    """Return what a command of Git prints, or None when it has nothing to say."""
    import subprocess

    try:
        command = ["git", "-c", "core.fsmonitor=false", "-C", str(folder or Path.cwd()), *arguments]
        done = subprocess.run(  # noqa: S603 (a fixed command; the arguments are not from outside)
            command,
            env={**environ, **_QUIET},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIME_LIMIT,
            check=False,
        )
    except (FileNotFoundError, PermissionError):
        return None  # there is no git on the PATH, or the working directory was removed
    except subprocess.TimeoutExpired:
        _warn(f"git {arguments[0]} did not answer within {TIME_LIMIT:g} s")
        return None
    if done.returncode == 0:
        return done.stdout.decode(errors="replace")
    reason = done.stderr.decode(errors="replace").strip()
    if reason and not any(known in reason for known in _NO_WORK_TREE):
        _warn(f"git {arguments[0]} failed: {reason.splitlines()[0]}")
    return None


def _warn(reason: str) -> None:
    import warnings

    warnings.warn(f"{reason}; what git knows is left out", RuntimeWarning, stacklevel=4)
