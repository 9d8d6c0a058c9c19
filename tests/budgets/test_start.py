"""Start-up: what is not used is not imported. Time is measured by a benchmark; here the modules are counted."""

import subprocess
import sys

import pytest

# What takes longer to import than an interpreter takes to start, or talks to a cloud.
HEAVY = ("msgspec", "obstore", "fsspec", "s3fs", "gcsfs", "adlfs", "boto3", "botocore", "aiohttp", "zstandard", "rich")
HEAVIER = (*HEAVY, "click", "filelock", "platformdirs", "asyncio", "subprocess", "concurrent.futures", "urllib.request")


def imported(code: str) -> set[str]:
    """Return the modules that a new interpreter has after running code, beyond those that it starts with."""
    program = f"import sys\nbefore = set(sys.modules)\n{code}\nprint(*sorted(set(sys.modules) - before), sep='\\n')"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60)
    return set(done.stdout.splitlines())


def test_importing_objreg_imports_next_to_nothing() -> None:
    """The package's names are imported when they are first used; until then there are only the errors."""
    found = imported("import objreg")
    assert {name for name in found if name.startswith("objreg")} == {"objreg", "objreg.errors"}
    assert not found.intersection(HEAVIER)


def test_using_an_error_class_imports_nothing_more() -> None:
    """A caller may write ``except objreg.NotFound`` without paying for the registry."""
    assert not imported("import objreg\nobjreg.NotFound, objreg.Conflict").intersection(HEAVIER)


@pytest.mark.parametrize("url", ["memory://x", "folder"])
def test_opening_what_is_no_cloud_imports_no_cloud(url: str, tmp_path) -> None:
    """A registry in memory or in a folder needs no client of a cloud, and no terminal."""
    target = url if "://" in url else str(tmp_path / url)
    found = imported(f"import objreg\nobjreg.open({target!r}, create=True).models()")
    assert not found.intersection({"obstore", "fsspec", "s3fs", "gcsfs", "adlfs", "boto3", "botocore", "rich", "click"})


def test_opening_s3_imports_one_engine(tmp_path) -> None:
    """The default engine is one compiled module; fsspec and botocore stay out."""
    found = imported("import objreg\nobjreg.open('s3://bucket/prefix?region=eu-west-1')")
    assert "obstore" in found
    assert not found.intersection({"fsspec", "s3fs", "boto3", "botocore", "aiohttp", "rich", "click"})


def test_asking_for_help_imports_click_and_nothing_heavy() -> None:
    """``objreg --help`` knows its commands without importing them."""
    found = imported(
        "import contextlib, io\n"
        "from objreg.cli import main\n"
        "sys.argv = ['objreg', '--help']\n"
        "with contextlib.redirect_stdout(io.StringIO()) as output, contextlib.suppress(SystemExit):\n"
        "    main()\n"
        "assert 'push' in output.getvalue()"
    )
    assert "click" in found
    assert not found.intersection(HEAVY)
