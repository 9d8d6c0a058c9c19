"""The main job on real input: a model of scikit-learn, trained on its data, from push to the same predictions."""

import sys
from pathlib import Path

import pytest

import objreg
from tests.conftest import Servers
from tests.examples.running import EXAMPLES, machine, run

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


@pytest.mark.parametrize(("name", "engine"), [("moto", "obstore"), ("seaweedfs", "obstore"), ("seaweedfs", "fsspec")])
def test_the_main_job_runs_against_s3(servers: Servers, name: str, engine: str, tmp_path: Path):
    """The same on a bucket, found and opened by what the environment says alone, through both engines."""
    server = servers[name]
    environment = machine(
        tmp_path,
        OBJREG_ENGINE=engine,
        AWS_ENDPOINT_URL=server.origin,
        AWS_REGION=server.region,
        AWS_DEFAULT_REGION=server.region,
        AWS_ACCESS_KEY_ID=server.access_key,
        AWS_SECRET_ACCESS_KEY=server.secret_key,
    )
    done = run(sys.executable, EXAMPLES / "main_job.py", f"{server.new_bucket()}/models", environment=environment)
    assert EQUAL.format(0) in done.stdout
