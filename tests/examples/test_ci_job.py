"""The CI job: the shell script does what the workflow promises, and refuses what it should."""

import subprocess
from pathlib import Path

import pytest
import yaml

import objreg
from tests.examples.running import EXAMPLES, machine, run

MODEL = "medical/tumor"
GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_ACTOR": "ada",
    "GITHUB_REPOSITORY": "acme/tumor",
    "GITHUB_SHA": "0123456789",
}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A CI machine with an empty registry folder."""
    found = machine(tmp_path / "home", OBJREG_URL=str(tmp_path / "registry"), **GITHUB)
    del found["OBJREG_ACTOR"]  # the CI service says who it is
    return found


def test_the_job_pushes_records_and_promotes(environment: dict[str, str]):
    """Two builds: two versions with catalog and experiment, the second in production, each by the service's identity."""
    for _ in range(2):
        run(EXAMPLES / "ci_job.sh", environment=environment)
    registry = objreg.open(environment["OBJREG_URL"])
    assert [found.version for found in registry.versions(MODEL, state="production")] == ["1.1"]
    assert registry.catalog(MODEL).owner == "diagnostics@example.com"
    (experiment,) = registry.experiments(f"{MODEL}:1.1")
    assert experiment.status == "passed"
    assert experiment.metrics["accuracy"] > 0.9
    assert {item.actor for item in registry.history(MODEL)} == {"github:ada@acme/tumor"}
    assert "built from 0123456789" in {item.message for item in registry.history(MODEL)}


def test_the_job_refuses_when_somebody_promoted_meanwhile(environment: dict[str, str], tmp_path: Path):
    """A promotion between the job's look and its own stays: the job ends with the exit code of a conflict."""
    run(EXAMPLES / "ci_job.sh", environment=environment)
    registry = objreg.open(environment["OBJREG_URL"])
    (tmp_path / "other.bin").write_bytes(b"other")
    rival = registry.push(MODEL, tmp_path / "other.bin")
    # The rival promotes when the job trains: a program of that name goes before the interpreter that trains.
    (tmp_path / "bin").mkdir()
    python = subprocess.run(["which", "python"], env=environment, capture_output=True, text=True, check=True).stdout
    wrapper = tmp_path / "bin" / "python"
    promote = f"OBJREG_ACTOR=eve objreg state set {rival.spec} production"
    wrapper.write_text(f'#!/bin/sh\n{promote} >&2\nexec {python.strip()} "$@"\n')
    wrapper.chmod(0o755)
    raced = environment | {"PATH": f"{wrapper.parent}:{environment['PATH']}"}
    done = run(EXAMPLES / "ci_job.sh", environment=raced, fails=True)
    assert done.returncode == objreg.Conflict.exit_code
    assert "expected" in done.stderr
    assert registry.resolve(f"{MODEL}@production").version == rival.version


def test_the_workflow_runs_the_script():
    """The workflow's steps end in the script, its file is valid YAML, and it stores no key."""
    text = (EXAMPLES / "ci-job.yml").read_text("utf-8")
    (job,) = yaml.safe_load(text)["jobs"].values()
    assert job["steps"][-1]["run"] == "examples/ci_job.sh"
    assert "secrets." not in text
