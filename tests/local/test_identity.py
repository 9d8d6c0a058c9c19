"""Who acts, in CI and at a desk."""

import os
from pathlib import Path

import pytest

from objreg.local.identity import actor

NO_GIT = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "PATH": os.environ["PATH"]}


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        (
            {"GITHUB_ACTIONS": "true", "GITHUB_ACTOR": "ada", "GITHUB_REPOSITORY": "acme/fraud"},
            "github:ada@acme/fraud",
        ),
        ({"GITLAB_CI": "true", "GITLAB_USER_LOGIN": "ada", "CI_PROJECT_PATH": "acme/fraud"}, "gitlab:ada@acme/fraud"),
        (
            {
                "BUILDKITE": "true",
                "BUILDKITE_BUILD_CREATOR": "Ada",
                "BUILDKITE_ORGANIZATION_SLUG": "acme",
                "BUILDKITE_PIPELINE_SLUG": "fraud",
            },
            "buildkite:Ada@acme/fraud",
        ),
        (
            {
                "CIRCLECI": "true",
                "CIRCLE_USERNAME": "ada",
                "CIRCLE_PROJECT_USERNAME": "acme",
                "CIRCLE_PROJECT_REPONAME": "fraud",
            },
            "circleci:ada@acme/fraud",
        ),
        ({"JENKINS_URL": "http://j", "JOB_NAME": "team/fraud"}, "jenkins:unknown@team/fraud"),
    ],
)
def test_ci(environ: dict[str, str], expected: str, tmp_path: Path) -> None:
    """Every CI service gives one shape; what it does not say is unknown."""
    assert actor(environ, tmp_path) == expected


def test_the_variable_wins(tmp_path: Path) -> None:
    """OBJREG_ACTOR is used before CI."""
    assert actor({"OBJREG_ACTOR": "ops", "GITHUB_ACTIONS": "true"}, tmp_path) == "ops"


def test_git_comes_before_the_login(tmp_path: Path) -> None:
    """At a desk it is Git's address, and without one login and host."""
    (tmp_path / "gitconfig").write_text("[user]\n\temail = ada@example.org\n")
    configured = {**NO_GIT, "GIT_CONFIG_GLOBAL": str(tmp_path / "gitconfig"), "LOGNAME": "ada"}
    nowhere = {**NO_GIT, "LOGNAME": "ada", "GIT_CEILING_DIRECTORIES": str(tmp_path.parent)}

    assert actor(configured, tmp_path) == "ada@example.org"
    assert actor(nowhere, tmp_path) == f"ada@{os.uname().nodename}"


def test_an_account_without_variables(tmp_path: Path) -> None:
    """The system's own name of the account is the last resort."""
    environ = {**NO_GIT, "GIT_CEILING_DIRECTORIES": str(tmp_path.parent)}

    login, at, host = actor(environ, tmp_path).partition("@")

    assert (bool(login), at, host) == (True, "@", os.uname().nodename)


def test_only_printable_characters(tmp_path: Path) -> None:
    """No control character, undecodable byte or mark that reorders text gets into the log; letters of all scripts do."""
    assert actor({"OBJREG_ACTOR": "\x1b[31mJürgen\n\u202e\udcff 李\x00 "}, tmp_path) == "[31mJürgen 李"


def test_at_most_200_characters(tmp_path: Path) -> None:
    """A long name is cut."""
    assert actor({"OBJREG_ACTOR": "a" * 300}, tmp_path) == "a" * 200


def test_an_unprintable_name_is_none(tmp_path: Path) -> None:
    """What is empty after cleaning is passed over."""
    assert actor({"OBJREG_ACTOR": "\n", "GITLAB_CI": "1"}, tmp_path) == "gitlab:unknown@unknown"
