"""A project in a folder, with a registry beside it; and lock files as values."""

from collections.abc import Callable
from pathlib import Path

import pytest

from objreg.core.digest import digest_of
from objreg.core.lock_file import LockedAsset, LockedEntry, LockedFile, LockFile
from tests.cli.conftest import Cli, clf, cli, empty

__all__ = ["clf", "cli", "empty"]


def locked(name: str = "fraud/clf", version: str = "1.0", requested: str = "@production", **fields) -> LockedAsset:
    """Return a locked model."""
    values = {
        "name": name,
        "requested": requested,
        "groups": ("default",),
        "version": version,
        "record": digest_of(f"{name} {version}".encode()),
        "entry": LockedEntry(seq=3, digest=digest_of(b"entry")),
        "files": (LockedFile(path="model.bin", digest=digest_of(b"weights"), size=7),),
    }
    return LockedAsset(**values | fields)


def lock_of(*assets: LockedAsset, registry: str = "s3://models/registry") -> LockFile:
    """Return a lock file."""
    return LockFile(registry=registry, assets=assets)


@pytest.fixture
def project(clf: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """The command line in a project that names its registry and wants nothing yet.

    There, fraud/clf has 1.0, in production, and 1.1; nlp/vocab has 1.0.
    """
    (tmp_path / "objreg.toml").write_text('url = "registry"\n')
    monkeypatch.delenv("OBJREG_URL")
    clf("push", "nlp/vocab", tmp_path / "model" / "vocab.txt")
    return clf


@pytest.fixture
def push(project: Cli, tmp_path: Path) -> Callable[..., str]:
    """Push a file of some content to a model; return the version's spec."""

    def make(model: str, content: str = "more", *options: str) -> str:
        (tmp_path / "pushed.bin").write_text(content)
        return project("push", model, tmp_path / "pushed.bin", *options).out.strip()

    return make
