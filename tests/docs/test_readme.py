"""What the README says to type works as it stands there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, Block, blocks
from tests.examples.running import machine

README = ROOT / "README.md"
# As the tests were started: pip is told there what a closed network needs.
STARTED_WITH = {name: value for name, value in os.environ.items() if not name.startswith(("OBJREG_", "AWS_", "PYTHON"))}
CLOUD_PACKAGES = ("fsspec", "s3fs", "gcsfs", "adlfs", "boto3", "botocore", "azure.storage.blob", "google.cloud.storage")


def run_block(block: Block, folder: Path, environment: dict[str, str]) -> str:
    """Run a block in a folder as one script, and return what it prints."""
    command = {"bash": ["bash", "-euo", "pipefail", "-c", block.text], "python": [sys.executable, "-c", block.text]}
    done = subprocess.run(
        command[block.language], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{block.text}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_every_block_is_run_or_is_a_picture():
    """A block of commands without a purpose would be a line that nobody runs; only the tests' own command is one."""
    idle = [block.text for block in blocks(README) if block.language and not block.purpose]
    assert idle == ["bash .ci/run\n"]
    assert os.access(ROOT / ".ci/run", os.X_OK)


def test_the_quick_start_runs_from_top_to_bottom(tmp_path: Path):
    """The blocks for Python and for the shell, one after the other in an empty folder, do what the text says."""
    environment = machine(tmp_path / "home", GIT_CEILING_DIRECTORIES=str(tmp_path))
    folder = tmp_path / "work"
    folder.mkdir()
    printed = [run_block(block, folder, environment) for block in blocks(README) if block.purpose == "run"]
    assert "the first" in printed[0]
    assert (folder / "served" / "model.joblib").is_file()
    assert '"1.1"' in printed[-1]


def test_the_first_command_needs_no_cloud_package(tmp_path: Path):
    """The one line that sets up everything runs the main job in a clean copy, and installs no client of a cloud."""
    (block,) = [found for found in blocks(README) if found.purpose == "run-in-clone"]
    clone = tmp_path / "clone"
    for name in ("objreg", "examples"):
        shutil.copytree(ROOT / name, clone / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, clone / name)
    environment = STARTED_WITH | {"OBJREG_CACHE_DIR": str(tmp_path / "cache"), "XDG_DATA_HOME": str(tmp_path / "data")}
    printed = run_block(block, clone, environment)
    assert "1.0 in another process with an empty cache: 114 equal predictions" in printed
    python = clone / ".venv" / "bin" / "python"
    for name in CLOUD_PACKAGES:
        tried = subprocess.run([python, "-c", f"import {name}"], capture_output=True, check=False)
        assert tried.returncode == 1, f"{name} is installed"


@pytest.mark.parametrize("word", ["server", "database", "access\ncontrol", "live curves"])
def test_it_says_what_objreg_is_not(word: str):
    """The limits stand where a new user reads first."""
    assert word in README.read_text("utf-8")
