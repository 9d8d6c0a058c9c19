"""The main job on real input: a model of scikit-learn, trained on its data, from push to the same predictions."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import objreg
from tests.conftest import Servers
from tests.examples.running import EXAMPLES, ROOT, machine, run

# As the tests were started: pip is told there what a closed network needs. Nothing else is taken from it.
STARTED_WITH = dict(os.environ)
EQUAL = "1.{} in another process with an empty cache: 114 equal predictions"


def test_the_main_job_runs_against_a_folder(tmp_path: Path):
    """Two runs give two versions, the second takes production over from the first, and the history tells it."""
    folder = tmp_path / "registry"
    for number, before in enumerate(("nothing", "1.0")):
        done = run(sys.executable, EXAMPLES / "main_job.py", folder, environment=machine(tmp_path / "home"))
        assert f"production  {before} -> 1.{number}" in done.stdout
        assert EQUAL.format(number) in done.stdout
    registry = objreg.open(folder)
    assert registry.resolve("medical/tumor@production").version == "1.1"
    assert [found.number for found in registry.deployments("medical/tumor")] == [1, 2]
    assert [found.name for found in registry.experiments("medical/tumor:1.1")] == ["cross-validation", "holdout"]
    moves = [
        change for item in registry.history("medical/tumor") for change in item.changes if change.name == "production"
    ]
    assert [(change.before, change.after) for change in moves] == [(("1.0",), ("1.1",)), ((), ("1.0",))]


def test_without_a_registry_the_users_data_folder_is_used(tmp_path: Path):
    """On a fresh machine nothing has to be configured: the registry is made below the home folder, and named."""
    environment = machine(tmp_path) | {"XDG_DATA_HOME": str(tmp_path / "data")}
    done = run(sys.executable, EXAMPLES / "main_job.py", environment=environment)
    assert (tmp_path / "data" / "objreg" / "registry" / "objreg.json").is_file()
    assert "no registry is configured" in done.stderr
    assert EQUAL.format(0) in done.stdout


@pytest.mark.parametrize("name", ["moto", "seaweedfs"])
def test_the_main_job_runs_against_s3(servers: Servers, name: str, tmp_path: Path):
    """The same on a bucket, found and opened by what the environment says alone."""
    server = servers[name]
    environment = machine(
        tmp_path,
        AWS_ENDPOINT_URL=server.origin,
        AWS_REGION=server.region,
        AWS_ACCESS_KEY_ID=server.access_key,
        AWS_SECRET_ACCESS_KEY=server.secret_key,
    )
    done = run(sys.executable, EXAMPLES / "main_job.py", f"{server.new_bucket()}/models", environment=environment)
    assert EQUAL.format(0) in done.stdout


def test_the_main_job_needs_no_cloud_package(tmp_path: Path):
    """In a fresh environment with objreg's own dependencies and scikit-learn, where no cloud client is installed, it runs."""
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", ROOT, "scikit-learn"]
    subprocess.run(install, check=True, env=STARTED_WITH)
    environment = machine(tmp_path / "home")
    del environment["PYTHONPATH"]  # the installed package, not this folder
    absent = "import importlib.util as u; print([n for n in ('fsspec', 's3fs', 'gcsfs', 'adlfs', 'boto3', 'botocore') if u.find_spec(n)])"
    assert run(python, "-c", absent, environment=environment).stdout == "[]\n"
    done = run(python, EXAMPLES / "main_job.py", tmp_path / "registry", environment=environment)
    assert EQUAL.format(0) in done.stdout
