"""Azurite: Microsoft's own emulator of Azure Blob Storage, in memory."""

import os
import shutil
from pathlib import Path

from tests.servers.process import ServerProcess, free_ports, wait_until
from tests.servers.server import Server, answers

__all__ = ["Azurite"]

_ACCOUNT = "devstoreaccount1"
_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Published by Microsoft: the account that every emulator has."""


class Azurite(Server):
    name = "azurite"
    scheme = "az"
    engines = ("obstore", "fsspec")

    def start(self) -> None:
        (port,) = free_ports(1)
        self.origin = f"http://127.0.0.1:{port}"
        process = ServerProcess(
            [
                _program(),
                "--inMemoryPersistence",
                "--blobHost=127.0.0.1",
                f"--blobPort={port}",
                "--skipApiVersionCheck",
                "--disableTelemetry",
                "--silent",
            ],
            log=self.folder / "azurite.log",
        )
        self.processes.append(process)
        wait_until(lambda: answers(self.origin), seconds=60, what="Azurite", process=process)

    @property
    def endpoint(self) -> str:
        return f"{self.origin}/{_ACCOUNT}"

    def create_bucket(self, name: str) -> None:
        from azure.storage.blob import BlobServiceClient

        with BlobServiceClient(self.endpoint, credential=_KEY) as service:
            service.create_container(name)

    def options(self, engine: str, *, origin: str | None = None, wrong_credentials: bool = False) -> dict[str, object]:
        return {
            "endpoint_url": f"{origin or self.origin}/{_ACCOUNT}",
            "account_name": _ACCOUNT,
            "account_key": "A" * 86 + "==" if wrong_credentials else _KEY,
        }


def _program() -> str:
    """Return ``azurite-blob``: named by AZURITE_BLOB, in ``node_modules`` of this repository, or on PATH."""
    installed = Path(__file__).parents[2] / "node_modules" / ".bin" / "azurite-blob"
    found = os.environ.get("AZURITE_BLOB") or (str(installed) if installed.exists() else shutil.which("azurite-blob"))
    if found is None:
        raise RuntimeError(
            "the tests need Azurite: npm install --no-save azurite (or name azurite-blob in AZURITE_BLOB)"
        )
    return found
