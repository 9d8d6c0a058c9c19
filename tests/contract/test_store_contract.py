"""Every backend keeps the contract; the clouds refuse as they should, too."""

import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from objreg.errors import AccessDenied, StoreError, StoreUnavailable
from objreg.store import Store, open_store
from tests.contract.backends import CLOUDS, Backend, Combination
from tests.contract.store_contract import ReadingContract, StoreContract
from tests.servers.process import free_ports

ONE_OF_EACH = (
    Combination("moto", "obstore"),
    Combination("moto", "fsspec"),
    Combination("fake-gcs", "fsspec"),
    Combination("azurite", "obstore"),
    Combination("azurite", "fsspec"),
)
GUARDED = tuple(cloud for cloud in CLOUDS if cloud.server in ("seaweedfs", "ceph", "azurite"))
"""Those whose server checks credentials."""


class TestStore(StoreContract):
    """Each combination of server and engine, and the local media."""


class _Quiet(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


class TestHttp(ReadingContract):
    """A folder behind any web server is a registry to read."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        return tmp_path / "served"

    @pytest.fixture
    def fill(self, folder: Path):
        writer = open_store(folder.as_uri())
        return writer.create

    @pytest.fixture
    def store(self, folder: Path) -> Iterator[Store]:
        folder.mkdir()
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=folder))
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        opened = open_store(f"http://127.0.0.1:{server.server_port}")
        yield opened
        opened.close()
        server.shutdown()
        thread.join()
        server.server_close()

    def test_it_only_reads(self, store: Store, fill) -> None:
        """Writing, deleting and listing are refused, and nothing changes."""
        fill("a/b", b"x")
        for call in (
            lambda: store.create("a/c", b"x"),
            lambda: store.delete("a/b"),
            lambda: list(store.list("")),
            lambda: store.folders(""),
            lambda: store.first("a/"),
        ):
            with pytest.raises(StoreError):
                call()
        assert store.get("a/b") == b"x"


@pytest.mark.parametrize("cloud", CLOUDS, ids=str)
def test_a_whole_bucket_is_a_root(roots, cloud: Combination) -> None:
    """A root without a prefix works as one with: create, read, find, list, folders, delete."""
    backend = roots.backend(cloud)
    bucket = roots.servers[cloud.server].new_bucket()
    store = backend.open(bucket)
    assert store.create("a/log/1.json", b"x")
    assert store.get("a/log/1.json") == b"x"
    assert store.folders("") == ("a",)
    assert [info.key for info in store.list("")] == ["a/log/1.json"]
    found = store.first("a/log/")
    assert found is not None
    assert found.key == "a/log/1.json"
    store.delete("a/log/1.json")
    assert store.first("") is None
    store.close()


@pytest.mark.parametrize("cloud", CLOUDS, ids=str)
def test_roots_of_one_bucket_are_apart(roots, cloud: Combination) -> None:
    """A root sees nothing of another whose prefix only begins like its own."""
    backend = roots.backend(cloud)
    one, longer = backend.open(), backend.open(f"{backend.url}er")
    assert longer.create("a/b", b"x")
    assert list(one.list("")) == []
    assert one.folders("") == ()
    assert one.first("") is None
    assert one.get("a/b") is None
    one.close()
    longer.close()


@pytest.mark.parametrize("cloud", CLOUDS, ids=str)
def test_a_missing_bucket_is_an_error(roots, cloud: Combination) -> None:
    """A bucket that does not exist is told by name, never taken for an empty registry."""
    backend = roots.backend(cloud)
    scheme = backend.url.partition("://")[0]
    store = backend.open(f"{scheme}://objreg-not-there/root")
    for call in (
        lambda: list(store.list("")),
        lambda: store.first("a/log/"),
        lambda: store.create("a/b", b"x"),
        lambda: store.get("a/b"),
    ):
        with pytest.raises(StoreError, match="objreg-not-there"):
            call()
    store.close()


@pytest.mark.parametrize("cloud", GUARDED, ids=str)
def test_wrong_credentials_are_refused(roots, cloud: Combination) -> None:
    """A wrong secret is AccessDenied from every method, and the message does not hold it."""
    backend: Backend = roots.backend(cloud)
    assert cloud.engine is not None
    wrong = roots.servers[cloud.server].options(cloud.engine, wrong_credentials=True)
    store = backend.open(**wrong)
    for call in (
        lambda: store.get("a/b"),
        lambda: store.get_range("a/b", 0, 1),
        lambda: store.create("a/b", b"x"),
        lambda: store.first("a/"),
        lambda: list(store.list("")),
        lambda: store.head("a/b"),
        lambda: store.delete("a/b"),
    ):
        with pytest.raises(AccessDenied) as caught:
            call()
        assert not any(value in str(caught.value) for name, value in wrong.items() if name in ("secret", "account_key"))
    store.close()


@pytest.mark.parametrize("cloud", ONE_OF_EACH, ids=str)
def test_a_dead_endpoint_is_unavailable_in_bounded_time(roots, cloud: Combination) -> None:
    """Where nobody listens the answer is StoreUnavailable, for reads and creates, within a minute."""
    (port,) = free_ports(1)
    backend = roots.backend(cloud, origin=f"http://127.0.0.1:{port}")
    store = backend.open()
    started = time.monotonic()
    with pytest.raises(StoreUnavailable):
        store.get("a/b")
    with pytest.raises(StoreUnavailable):
        store.create("a/b", b"x")
    assert time.monotonic() - started < 60
    store.close()
