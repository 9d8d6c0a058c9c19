"""ministack: many AWS services in one small Python server, of which S3 is used."""

from tests.servers.process import ServerProcess, free_ports, program, wait_until
from tests.servers.server import S3Server, answers

__all__ = ["Ministack"]


class Ministack(S3Server):
    name = "ministack"
    access_key = "test"
    secret_key = "test"
    checks_credentials = False

    def start(self) -> None:
        (port,) = free_ports(1)
        self.origin = f"http://127.0.0.1:{port}"
        process = ServerProcess(
            [program("ministack", "pip install ministack")],
            log=self.folder / "ministack.log",
            environment={
                "GATEWAY_PORT": str(port),
                "BIND_HOST": "127.0.0.1",
                "IOT_MTLS_ENABLED": "0",  # its message broker would listen on every address
                "TMPDIR": str(self.folder),
            },
        )
        self.processes.append(process)
        wait_until(lambda: answers(self.origin), seconds=30, what="ministack", process=process)
