"""Who acts: one readable text for the ``actor`` of a manifest entry. It is a claim, not a proof."""

from collections.abc import Mapping
from pathlib import Path

from objreg.local.config import process_environment
from objreg.local.git import user_email

__all__ = ["actor"]

LONGEST = 200
"""Characters: room for any name, and no place to hide a document."""

# service: the variable that tells it, the variables of who, and those of where (joined by a slash).
_CI_SERVICES = (
    ("github", "GITHUB_ACTIONS", ("GITHUB_ACTOR",), ("GITHUB_REPOSITORY",)),
    ("gitlab", "GITLAB_CI", ("GITLAB_USER_LOGIN",), ("CI_PROJECT_PATH",)),
    (
        "buildkite",
        "BUILDKITE",
        ("BUILDKITE_BUILD_CREATOR_EMAIL", "BUILDKITE_BUILD_CREATOR"),
        ("BUILDKITE_ORGANIZATION_SLUG", "BUILDKITE_PIPELINE_SLUG"),
    ),
    ("circleci", "CIRCLECI", ("CIRCLE_USERNAME",), ("CIRCLE_PROJECT_USERNAME", "CIRCLE_PROJECT_REPONAME")),
    ("jenkins", "JENKINS_URL", ("BUILD_USER_ID", "CHANGE_AUTHOR"), ("JOB_NAME",)),
)


def actor(environ: Mapping[str, str] | None = None, folder: Path | None = None) -> str:
    """Return who acts on this machine.

    The first of: ``OBJREG_ACTOR``; the CI service, as ``<service>:<who>@<where>`` (``github:alice@acme/fraud``, with
    ``unknown`` for what the service does not say); Git's ``user.email``; ``<login>@<host>``.

    Args:
        environ: environment variables; those of this process by default.
        folder: whose Git configuration counts; the working directory by default.

    Returns:
        1 to 200 printable characters.
    """
    environ = process_environment() if environ is None else environ
    return (
        _printable(environ.get("OBJREG_ACTOR", ""))
        or _printable(_ci(environ))
        or _printable(user_email(folder, environ=environ))
        or _printable(_account(environ))
    )


def _printable(text: str) -> str:
    """Without control characters, lone surrogates and marks that reorder text: none may reach a log or a terminal."""
    return "".join(letter for letter in text if letter.isprintable()).strip()[:LONGEST].rstrip()


def _ci(environ: Mapping[str, str]) -> str:
    for service, sign, who_variables, where_variables in _CI_SERVICES:
        if environ.get(sign) and environ[sign] != "false":
            who = next((environ[name] for name in who_variables if environ.get(name)), "unknown")
            where = "/".join(environ[name] for name in where_variables if environ.get(name))
            return f"{service}:{who}@{where or 'unknown'}"
    return ""


def _account(environ: Mapping[str, str]) -> str:
    import platform

    names = (environ.get(name) for name in ("LOGNAME", "USER", "USERNAME"))
    return f"{next(filter(None, names), None) or _login()}@{platform.node() or 'unknown'}"


def _login() -> str:
    """The account's name; a container may run under a number that has none."""
    import os

    try:
        import pwd
    except ImportError:
        return "unknown"  # Windows, where USERNAME is always set
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid-{os.getuid()}"
