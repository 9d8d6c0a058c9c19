"""The hooks that other repositories use, run by pre-commit on one, without a network."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Cli
from tests.docs.pages import ROOT
from tests.docs.test_pre_commit import offline, pre_commit

MANIFEST = ROOT / ".pre-commit-hooks.yaml"
HOOKS = {hook["id"]: hook for hook in yaml.safe_load(MANIFEST.read_text("utf-8"))}


def test_the_manifest_is_valid():
    """pre-commit accepts it, and it has the hooks that are promised."""
    done = pre_commit("validate-manifest", str(MANIFEST), folder=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(HOOKS) == {"objreg-lock-check", "objreg-no-floating", "objreg-catalog-validate"}


@pytest.fixture
def repository(project: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository that uses all hooks; only how they are installed differs: they run this checkout."""
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "objreg").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m objreg "$@"\n')
    (programs / "objreg").chmod(0o755)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    folder = tmp_path / "repository"
    (folder / "catalog").mkdir(parents=True)
    shutil.move(tmp_path / "registry", folder / "registry")
    shutil.move(tmp_path / "objreg.toml", folder / "objreg.toml")
    monkeypatch.chdir(folder)
    project("add", "fraud/clf@production")
    hooks = [
        {name: value for name, value in hook.items() if name != "additional_dependencies"}
        | {"language": "system", "entry": hook["entry"].replace("objreg", str(programs / "objreg"), 1)}
        for hook in HOOKS.values()
    ]
    (folder / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": [{"repo": "local", "hooks": hooks}]}))
    (folder / "train.py").write_text('import objreg\n\nobjreg.open().pull("fraud/clf")\n')
    (folder / "catalog" / "clf.toml").write_text('model = "fraud/clf"\n')
    (folder / ".gitignore").write_text("registry/\n")
    for command in (["init", "--quiet"], ["add", "--all"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder


def run(repository: Path, hook: str) -> subprocess.CompletedProcess[str]:
    assert offline()["PIP_NO_INDEX"] == "1"
    subprocess.run(["git", "add", "--all"], cwd=repository, check=True)
    return pre_commit("run", hook, "--all-files", "--verbose", folder=repository)


@pytest.mark.parametrize("hook", HOOKS)
def test_a_repository_that_is_right_passes(repository: Path, hook: str):
    """Each hook ran on something, and with the registry gone."""
    shutil.rmtree(repository / "registry")
    done = run(repository, hook)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no files to check" not in done.stdout


@pytest.mark.parametrize(
    ("hook", "file", "text", "said"),
    [
        ("objreg-lock-check", "objreg.toml", '[assets]\n"fraud/clf" = "2"\n', "'2' is wanted"),
        ("objreg-lock-check", "objreg.lock", "<<<<<<< HEAD\n", "merge conflict"),
        ("objreg-no-floating", "train.py", 'import objreg\nobjreg.open().pull("nlp/vocab:1")\n', "nlp/vocab:1"),
        ("objreg-no-floating", "job.yaml", "run: objreg pull fraud/clf@production\n", "job.yaml\t1"),
        ("objreg-catalog-validate", "catalog/clf.toml", 'model = "fraud/clf"\nowners = "x"\n', "owners"),
    ],
)
def test_a_fault_stops_a_commit(repository: Path, hook: str, file: str, text: str, said: str):
    """And says what it is."""
    (repository / file).write_text(text)
    done = run(repository, hook)
    assert done.returncode == 1, done.stdout + done.stderr
    assert said in done.stdout
