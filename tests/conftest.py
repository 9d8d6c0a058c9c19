"""What every test starts from: a clean environment, hypothesis's profiles, and real servers and a full disk when they are needed."""

import multiprocessing
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import HealthCheck, settings

from tests.servers.proxy import Proxy
from tests.servers.scripted import Script, playing
from tests.servers.server import S3Server, Server

SERVERS = {
    "moto": "tests.servers.moto:Moto",
    "seaweedfs": "tests.servers.seaweedfs:SeaweedFS",
    "ministack": "tests.servers.ministack:Ministack",
    "ceph": "tests.servers.ceph:Ceph",
    "nanio": "tests.servers.nanio:Nanio",
    "fake-gcs": "tests.servers.fake_gcs:FakeGCS",
    "azurite": "tests.servers.azurite:Azurite",
}
S3_SERVERS = ("moto", "seaweedfs", "ministack", "ceph")

settings.register_profile("default", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home of its own, no credentials, and a known Git identity; returns the home folder."""
    for name in list(os.environ):
        if name.startswith(
            ("AWS_", "AZURE_", "BOTO_", "GOOGLE_", "GCSFS_", "GCLOUD_", "OBJREG_", "STORAGE_EMULATOR_", "GIT_")
        ):
            monkeypatch.delenv(name)
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    for name, folder in {"XDG_CACHE_HOME": ".cache", "XDG_CONFIG_HOME": ".config", "XDG_DATA_HOME": ".data"}.items():
        monkeypatch.setenv(name, str(home / folder))
    monkeypatch.setenv("OBJREG_CACHE_DIR", str(home / "objreg-cache"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")  # else a chain without keys waits for a machine's identity
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Test Person")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "test@example.com")
    return home


class Servers:
    """The servers of this test process: each starts when it is first asked for, and all end with the session."""

    def __init__(self) -> None:
        self._started: dict[str, Server | Exception] = {}
        self._cleanup = ExitStack()

    def __getitem__(self, name: str) -> Server:
        if name not in self._started:
            module, _, kind = SERVERS[name].partition(":")
            self._started[name] = self._start(getattr(import_module(module), kind))
        started = self._started[name]
        if isinstance(started, Exception):
            raise started
        return started

    def _start(self, kind: type[Server]) -> Server | Exception:
        """Start a server, or return why it cannot: each of its tests then fails at once instead of trying again."""
        try:
            server = kind()
        except (RuntimeError, OSError, subprocess.SubprocessError) as error:
            return error
        self._cleanup.callback(server.stop)
        return server

    def stop(self) -> None:
        self._cleanup.close()


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """Every test server by its name, started on first use: ``servers["ceph"]``."""
    started = Servers()
    yield started
    started.stop()


@pytest.fixture
def s3_server(servers: Servers) -> S3Server:
    """The S3 server that starts quickest, for tests to which the server is all one."""
    return servers["moto"]


@pytest.fixture(params=S3_SERVERS)
def every_s3(request: pytest.FixtureRequest, servers: Servers) -> S3Server:
    """Each of the S3 servers in turn."""
    return servers[request.param]


@pytest.fixture
def proxy(s3_server: S3Server) -> Iterator[Proxy]:
    """A recording, fault-making proxy in front of ``s3_server``: open the store at ``proxy.origin``."""
    forwarder = Proxy(s3_server.origin)
    yield forwarder
    forwarder.stop()


@pytest.fixture
def script() -> Iterator[Script]:
    """A server that answers what the test tells it to."""
    with playing() as told:
        yield told


@pytest.fixture
def new_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mount a file system of its own, as large as is said: ``"128k"``. Only root can."""
    folder = tmp_path / "disk"

    def mount(size: str) -> Path:
        folder.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
        return folder

    yield mount
    subprocess.run(["umount", folder], check=True)


@pytest.fixture
def tiny_disk(new_disk: Callable[[str], Path]) -> Path:
    """A file system on which hardly anything fits."""
    return new_disk("128k")


@pytest.fixture
def held_for_a_second(tmp_path: Path) -> Iterator[Callable[[Path], None]]:
    """Let another process hold the lock of a folder of the cache, as one that fetches it does."""
    holders = []

    def hold(path: Path) -> None:
        def body() -> None:
            with FileLock(f"{path}.lock"):
                (tmp_path / "held").touch()
                time.sleep(1)

        holder = multiprocessing.get_context("fork").Process(target=body)
        holder.start()
        holders.append(holder)
        while not (tmp_path / "held").exists():
            time.sleep(0.02)

    yield hold
    for holder in holders:
        holder.join()
