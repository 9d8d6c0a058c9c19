"""The hooks that a contributor installs: local, complete, and of use without a network."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.docs.pages import ROOT

CONFIG = ROOT / ".pre-commit-config.yaml"
HOOKS = [hook for repo in yaml.safe_load(CONFIG.read_text("utf-8"))["repos"] for hook in repo["hooks"]]
BIN = Path(sys.executable).parent


def offline() -> dict[str, str]:
    """Return an environment in which whatever asks for the network fails at once."""
    dead = "http://127.0.0.1:9"
    return os.environ | {
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "http_proxy": dead,
        "https_proxy": dead,
        "PIP_NO_INDEX": "1",
    }


def pre_commit(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BIN / "pre-commit", *arguments], cwd=folder, env=offline(), capture_output=True, text=True, check=False
    )


def test_the_configuration_is_valid():
    """pre-commit itself accepts it."""
    done = pre_commit("validate-config", str(CONFIG), folder=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_hook_is_local():
    """No hook is fetched: each is a program of the development environment, and there."""
    assert {repo["repo"] for repo in yaml.safe_load(CONFIG.read_text("utf-8"))["repos"]} == {"local"}
    assert {hook["language"] for hook in HOOKS} == {"system"}
    for hook in HOOKS:
        program, *arguments = hook["entry"].split()
        assert shutil.which(program, path=offline()["PATH"]), f"{hook['id']} needs {program}"
        assert all((ROOT / path).exists() for path in arguments if path.endswith(".py"))
    assert {hook["id"] for hook in HOOKS} >= {"ruff-check", "ruff-format", "mypy", "import-contracts", "schemas"}


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A repository with the hooks, the settings and one module; nothing is installed for it."""
    (tmp_path / "objreg").mkdir()
    (tmp_path / "objreg" / "__init__.py").touch()
    for name in (".pre-commit-config.yaml", "pyproject.toml", "objreg/errors.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    for command in (["init", "--quiet"], ["add", "--all"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    return tmp_path


def test_clean_code_passes_offline(clone: Path):
    """The hooks for style pass on a module of ours, with no network."""
    for hook in ("ruff-check", "ruff-format"):
        done = pre_commit("run", hook, "--all-files", folder=clone)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("hook", "line"), [("ruff-check", "import os\n"), ("ruff-format", "x  =  1\n"), ("mypy", "x: int = 'text'\n")]
)
def test_a_fault_is_found_offline(clone: Path, hook: str, line: str):
    """Each hook stops a commit of what it is there for."""
    (clone / "objreg" / "__init__.py").write_text(f'"""A module."""\n\n{line}')
    subprocess.run(["git", "add", "--all"], cwd=clone, check=True)
    done = pre_commit("run", hook, "--all-files", folder=clone)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Failed" in done.stdout
