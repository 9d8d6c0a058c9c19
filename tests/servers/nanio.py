"""nanio: an S3 server that ignores ``If-None-Match``, so that objreg's refusal has something real to refuse."""

from tests.servers.process import ServerProcess, free_ports, program, wait_until
from tests.servers.server import S3Server, answers

__all__ = ["Nanio"]


class Nanio(S3Server):
    name = "nanio"

    def start(self) -> None:
        (port,) = free_ports(1)
        self.origin = f"http://127.0.0.1:{port}"
        process = ServerProcess(
            [
                program("nanio", "pip install nanio"),
                "serve",
                f"--data-dir={self.folder / 'data'}",
                "--host=127.0.0.1",
                f"--port={port}",
                "--no-access-log",
            ],
            log=self.folder / "nanio.log",
            environment={"NANIO_ACCESS_KEY": self.access_key, "NANIO_SECRET_KEY": self.secret_key},
        )
        self.processes.append(process)
        wait_until(lambda: answers(self.origin), seconds=30, what="nanio", process=process)
