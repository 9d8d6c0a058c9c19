"""A service that pulls at its start and answers with what it pulled."""

import json
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.examples.running import EXAMPLES, ROOT, machine, run

ROW = [14.0] * 30


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which train.py has run once."""
    folder = tmp_path_factory.mktemp("trained")
    run(sys.executable, EXAMPLES / "train.py", folder / "registry", environment=machine(folder / "home"))
    return folder / "registry"


@pytest.fixture
def service(registry: Path, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A started service: its address, and its registry, which is a copy that a test may take away."""
    own = shutil.copytree(registry, tmp_path / "registry")
    process = subprocess.Popen(
        [sys.executable, EXAMPLES / "serve.py", "medical/tumor@production", "0"],
        cwd=ROOT,
        env=machine(tmp_path / "home", OBJREG_URL=str(own)),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    spec, _, address = process.stdout.readline().split()
    assert spec == "medical/tumor:1.0"
    yield address, own
    process.kill()
    process.wait()
    process.stdout.close()


def ask(address: str, body: object = None) -> dict[str, object]:
    """Return the JSON answer to a GET, or to a POST of ``body``."""
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(address, data, timeout=10) as answer:
        return json.load(answer)


def test_it_says_which_version_it_serves(service: tuple[str, Path], registry: Path):
    """Health names the version and its digest, so that a monitor can compare them with the registry."""
    found = ask(f"{service[0]}/health")
    assert (found["status"], found["version"]) == ("ok", "medical/tumor:1.0")
    assert (registry / "medical/tumor.model/records" / f"{str(found['digest'])[7:]}.json").is_file()


def test_it_predicts_as_predict_py_does(service: tuple[str, Path], tmp_path: Path):
    """The service and a process that pulls by itself answer alike."""
    answer = ask(f"{service[0]}/predict", [ROW])
    environment = machine(tmp_path / "elsewhere")
    command = (sys.executable, EXAMPLES / "predict.py", "medical/tumor@production", service[1])
    other = json.loads(run(*command, environment=environment, input=json.dumps([ROW])).stdout)
    assert answer["probabilities"] == other["probabilities"]


def test_it_needs_the_registry_only_at_its_start(service: tuple[str, Path]):
    """With the registry gone it goes on answering."""
    address, registry = service
    shutil.rmtree(registry)
    assert ask(f"{address}/predict", [ROW])["version"] == "medical/tumor:1.0"


@pytest.mark.parametrize("body", [[[1.0]], "words", [["a"] * 30], {"rows": []}])
def test_wrong_rows_are_the_askers_fault(service: tuple[str, Path], body: object):
    """Rows of another shape get 400 and a reason, and the service stays up."""
    with pytest.raises(urllib.error.HTTPError) as refusal:
        ask(f"{service[0]}/predict", body)
    assert refusal.value.code == 400
    assert json.load(refusal.value)["error"]
    refusal.value.close()
    assert ask(f"{service[0]}/health")["status"] == "ok"
