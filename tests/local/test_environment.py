"""What this interpreter says of itself."""

import re
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from objreg.local.environment import dependency_versions, platform_name, python_version


def install(folder: Path, name: str, number: str) -> None:
    info = folder / f"{name.replace('-', '_')}-{number}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {number}\n")


def test_python_version() -> None:
    """CPython is three numbers."""
    assert python_version().startswith(".".join(map(str, sys.version_info[:3])))


@pytest.mark.skipif(sys.platform != "linux", reason="the C library is part of the name on Linux")
def test_platform_name() -> None:
    """On Linux: system, processor, C library."""
    assert re.fullmatch(r"linux-[a-z0-9_]+-(glibc[0-9.]+|musl[0-9.]*)", platform_name())


def test_dependency_versions() -> None:
    """Everything installed is there, sorted, under normalised names."""
    found = dependency_versions()

    assert found["pytest"] == version("pytest")
    assert list(found) == sorted(found)
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) for name in found)


def test_names_are_normalised_and_the_first_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Zope_.Thing is zope-thing; of two versions the one that would be imported counts; a half-removed one is left out."""
    install(tmp_path / "first", "Zope_.Thing", "2.0")
    install(tmp_path / "second", "zope-thing", "1.0")
    (tmp_path / "first" / "gone-1.0.dist-info").mkdir()
    monkeypatch.setattr(sys, "path", [str(tmp_path / "first"), str(tmp_path / "second")])

    assert dependency_versions() == {"zope-thing": "2.0"}
