"""What every test server has in common: an origin, fresh buckets, and the options that open a store on it."""

import shutil
import tempfile
import urllib.error
import urllib.request
import uuid
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from tests.servers.process import ServerProcess

__all__ = ["S3Server", "Server", "answers"]


def answers(url: str) -> bool:
    """Whether an HTTP server answers at ``url``, whatever it says."""
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except urllib.error.HTTPError as refusal:
        refusal.close()
    except OSError:
        return False
    return True


class Server(ABC):
    """A started object store on loopback.

    Attributes:
        origin: ``http://127.0.0.1:port``; a proxy takes its place by passing its own to ``options``.
        racers: how many concurrent creates of one key it answers in reasonable time.
        checks_credentials: whether it refuses the wrong ones, as a real cloud does.
    """

    name: ClassVar[str]
    scheme: ClassVar[str]
    engines: ClassVar[tuple[str, ...]]
    racers: ClassVar[int] = 16
    checks_credentials: ClassVar[bool] = True
    origin: str

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"objreg-{self.name}-"))
        self.processes: list[ServerProcess] = []
        try:
            self.start()
        except BaseException:
            self.stop()
            raise

    @abstractmethod
    def start(self) -> None:
        """Start it, wait until it answers, and set ``origin``."""

    @abstractmethod
    def create_bucket(self, name: str) -> None:
        """Create a bucket with the server's own client."""

    @abstractmethod
    def options(self, engine: str, *, origin: str | None = None, wrong_credentials: bool = False) -> dict[str, object]:
        """Return the ``storage_options`` with which ``engine`` opens a store here, or at ``origin`` in front of it."""

    @property
    def endpoint(self) -> str:
        return self.origin

    def new_bucket(self) -> str:
        """Create a fresh bucket and return its URL."""
        name = f"objreg-{uuid.uuid4().hex[:12]}"
        self.create_bucket(name)
        return f"{self.scheme}://{name}"

    def stop(self) -> None:
        for process in reversed(self.processes):
            process.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class S3Server(Server):
    """A server that speaks S3, with one pair of keys that may do everything."""

    scheme = "s3"
    engines = ("obstore", "fsspec")
    access_key = "testkey"
    secret_key = "hush-of-the-tests"
    region = "us-east-1"

    def create_bucket(self, name: str) -> None:
        client = self.client()
        client.create_bucket(Bucket=name)
        client.close()

    def client(self):
        """Return a boto3 client with this server's keys."""
        import boto3
        from botocore.config import Config

        return boto3.client(
            "s3",
            endpoint_url=self.origin,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            region_name=self.region,
            config=Config(s3={"addressing_style": "path"}),
        )

    def options(self, engine: str, *, origin: str | None = None, wrong_credentials: bool = False) -> dict[str, object]:
        key, secret = {"obstore": ("access_key_id", "secret_access_key"), "fsspec": ("key", "secret")}[engine]
        return {
            "endpoint_url": origin or self.origin,
            "region": self.region,
            key: self.access_key,
            secret: "not-the-secret" if wrong_credentials else self.secret_key,
        }
