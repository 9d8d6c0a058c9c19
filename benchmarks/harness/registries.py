"""Registries of several clients with the same thing in them: one model of many versions, one of them in production.

Ten versions are in a state that versions can share, where the client has one. Nothing is pushed a thousand times: the
client stores one version, and what it stored is copied under the names of the others; objreg's log is made by its core.
"""

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

import objreg
from benchmarks.harness.logs import STATE, GrowingLog
from benchmarks.harness.measure import Outcome, do
from benchmarks.harness.servers import credentials, fresh_bucket
from tests.servers.server import S3Server

__all__ = ["APPROVED", "KINDS", "SIZE", "Filled", "fill"]

APPROVED = 10
SHARED = "approved"
SIZE = 100 * 1024
"""Of the file of each version, in bytes."""
WRITERS = 16


@dataclass(frozen=True)
class Filled:
    """A registry with its versions.

    Attributes:
        client: whose.
        job: what a script of the client wants to know to find it.
        environment: without the address of the server.
        source: the file that each version holds.
        names: of all versions, oldest first.
    """

    client: str
    job: Mapping[str, Any]
    environment: Mapping[str, str]
    source: Path
    names: Sequence[str]

    def do(self, operations: Sequence[str], *, folder: Path, origin: str, **job: Any) -> list[Outcome]:
        """Run operations in one process, with its caches in a folder, and the server at ``origin``."""
        for name in ("temporary", "files"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        environment = {
            **self.environment,
            "AWS_ENDPOINT_URL": origin,
            "TMPDIR": str(folder / "temporary"),
            "OBJREG_CACHE_DIR": str(folder / "cache"),
            "OBJREG_ACTOR": "benchmark",
            "PINS_CACHE_DIR": str(folder / "cache"),
            "PINS_DATA_DIR": str(folder / "cache"),
        }
        return do(
            f"{self.client}_registry",
            operations,
            {**self.job, "target": folder / "files", **job},
            environment,
            peer=self.client,
        )


def fill(client: str, server: S3Server, folder: Path, count: int) -> Filled:
    """Make a client's registry, with ``count`` versions of a small file, in a bucket of its own and a folder."""
    folder.mkdir()
    source = folder / "model.bin"
    source.write_bytes(Random(0).randbytes(SIZE))
    bucket = fresh_bucket(server).removeprefix("s3://")
    filled = Filled(client, {"bucket": bucket}, credentials(server), source, ())
    return KINDS[client](filled, server, folder, count)


def _objreg(filled: Filled, server: S3Server, folder: Path, count: int) -> Filled:
    machine = {**credentials(server), "OBJREG_CACHE_DIR": str(folder / "cache"), "OBJREG_ACTOR": "benchmark"}
    with patch.dict(os.environ, machine):
        registry = objreg.open(f"s3://{filled.job['bucket']}/registry", create=True, lock=False)
        registry.define_state(STATE, exclusive=True)
        registry.define_state(SHARED)
        registry.set_state(registry.push("bench/model", filled.source), STATE)
        _put_all(GrowingLog(registry, "bench/model").up_to(count + 1), registry.session.store.create)
        names = [item.version for item in registry.versions("bench/model")]
        names.sort(key=lambda name: int(name.partition(".")[2]))
        for name in names[-APPROVED:]:
            registry.set_state(f"bench/model:{name}", SHARED)
        registry.close()
    return _replace(filled, names)


def _modelstore(filled: Filled, server: S3Server, folder: Path, count: int) -> Filled:
    names = [f"version-{number:05}" for number in range(count)]
    job = {"version": names[0], "source": filled.source, "approved": names[-APPROVED:]}
    filled.do(["begin"], folder=folder, origin=server.origin, **job)
    _copy_versions(server, filled.job["bucket"], names[0], names[1:])
    filled.do(["states"], folder=folder, origin=server.origin, **job)
    return _replace(filled, names)


def _modelkit(filled: Filled, server: S3Server, folder: Path, count: int) -> Filled:
    names = [f"0.{number}" for number in range(count)]
    filled.do(["begin"], folder=folder, origin=server.origin, source=filled.source)
    _copy_versions(server, filled.job["bucket"], "/model/0.0", [f"/model/{name}" for name in names[1:]])
    listed = ", ".join(f'"{name}"' for name in reversed(names))
    _put(server, filled.job["bucket"], "modelkit-assets/model.versions", f'{{"versions": [{listed}]}}'.encode())
    return _replace(filled, names)


def _pins(filled: Filled, server: S3Server, folder: Path, count: int) -> Filled:
    (outcome,) = filled.do(["begin"], folder=folder, origin=server.origin, source=filled.source)
    first = outcome.facts["version"]
    moments = (time.gmtime(time.time() - 60 * number) for number in range(count - 1, 0, -1))
    names = [f"{time.strftime('%Y%m%dT%H%M%SZ', moment)}-{first.partition('-')[2]}" for moment in moments]
    _copy_versions(server, filled.job["bucket"], f"/{first}/", [f"/{name}/" for name in names])
    return _replace(filled, [*names, first])


def _mlflow(filled: Filled, server: S3Server, folder: Path, count: int) -> Filled:
    database = f"sqlite:///{folder}/mlflow.db"
    job = {"database": database, "source": filled.source, "count": count, "approved": APPROVED}
    (outcome,) = filled.do(["begin"], folder=folder, origin=server.origin, **job)
    found = {"database": database, "experiment": outcome.facts["experiment"]}
    return _replace(filled, [str(number + 1) for number in range(count)], **found)


def _gto(filled: Filled, _server: S3Server, folder: Path, count: int) -> Filled:
    origin, clone = folder / "origin.git", folder / "clone"
    names = [f"v0.0.{number + 1}" for number in range(count)]
    _git("init", "--quiet", "--bare", "--initial-branch=main", str(origin))
    stream = "".join(_commits_and_tags(names)).encode()
    subprocess.run(["git", "-C", origin, "fast-import", "--quiet"], input=stream, check=True)
    _git("clone", "--quiet", str(origin), str(clone))
    for key, value in (("user.name", "benchmark"), ("user.email", "benchmark@example.com")):
        _git("-C", str(clone), "config", key, value)
    return _replace(filled, names, clone=clone)


def _commits_and_tags(names: Sequence[str]) -> Iterator[str]:
    """Yield what makes a commit and a tag for each version, and half as many assignments of stages."""
    now = int(time.time()) - 10 * len(names)
    for number, name in enumerate(names):
        who = f"benchmark <benchmark@example.com> {now + number} +0000"
        yield f"commit refs/heads/main\nmark :{number + 1}\ncommitter {who}\ndata 0\n\n"
        yield f"tag model@{name}\nfrom :{number + 1}\ntagger {who}\ndata 0\n\n"
    moved = [(number, "production") for number in range(len(names) // 2 - APPROVED)]
    stages = [*moved, *((number, SHARED) for number in range(len(names) - APPROVED, len(names)))]
    for counter, (number, stage) in enumerate(stages, 1):
        who = f"benchmark <benchmark@example.com> {now + len(names) + counter} +0000"
        yield f"tag model#{stage}#{counter}\nfrom :{number + 1}\ntagger {who}\ndata 0\n\n"


def _git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], check=True)


KINDS: Mapping[str, Callable[[Filled, S3Server, Path, int], Filled]] = {
    "objreg": _objreg,
    "modelstore": _modelstore,
    "modelkit": _modelkit,
    "pins": _pins,
    "mlflow": _mlflow,
    "gto": _gto,
}
"""How the registry of each client is made."""


def _replace(filled: Filled, names: Sequence[str], **job: Any) -> Filled:
    return Filled(filled.client, {**filled.job, **job}, filled.environment, filled.source, names)


def _put_all(objects: Iterator[tuple[str, bytes]], put: Callable[[str, bytes], object]) -> None:
    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(lambda item: put(*item), list(objects)))


def _put(server: S3Server, bucket: str, key: str, data: bytes) -> None:
    client = server.client()
    client.put_object(Bucket=bucket, Key=key, Body=data)
    client.close()


def _copy_versions(server: S3Server, bucket: str, old: str, names: Sequence[str]) -> None:
    """Copy each object whose key has ``old`` in it, once for each name, which takes its place in the bytes, too."""
    client = server.client()
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    keys = [item["Key"] for page in pages for item in page.get("Contents", ()) if old in item["Key"]]
    objects = {key: client.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}
    copies = (
        (key.replace(old, name), data.replace(old.encode(), name.encode()))
        for name in names
        for key, data in objects.items()
    )
    _put_all(copies, lambda key, data: client.put_object(Bucket=bucket, Key=key, Body=data))
    client.close()
