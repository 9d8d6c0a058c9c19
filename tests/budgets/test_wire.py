"""The same budgets on the wire to S3, for both engines: nothing below the store seam adds a request."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

import objreg
from objreg.registry.session import create_marker
from objreg.store import open_store
from objreg.store.base import Store
from tests.budgets.conftest import FILES, MODEL, Scene
from tests.registry.machine import Machine, TickingClock
from tests.servers.proxy import Proxy, Request
from tests.servers.server import S3Server


@dataclass
class Wire:
    """The scene with 10,000 versions in a bucket, and a proxy that sees every request to it."""

    scene: Scene
    proxied: Store
    proxy: Proxy
    engine: str

    def machine(self) -> Machine:
        return Machine(self.proxied)

    @contextmanager
    def expecting(self, **kinds: int) -> Iterator[None]:
        """See to it that the block makes exactly these requests: ``list``, ``get``, ``head``, ``put``."""
        with self.proxy.recording() as requests:
            yield
        assert dict(Counter(map(kind, requests))) == kinds, [str(request) for request in requests]


def kind(request: Request) -> str:
    is_listing = request.method == "GET" and "list-type" in request.query
    return "list" if is_listing else request.method.lower()


@pytest.fixture(params=["obstore", "fsspec"])
def wire(
    request: pytest.FixtureRequest, s3_server: S3Server, proxy: Proxy, files: Callable[[str], Path]
) -> Iterator[Wire]:
    """The scene, through each engine."""
    url = f"{s3_server.new_bucket()}/registries/one"
    direct = open_store(url, storage_options=s3_server.options(request.param), engine=request.param)
    create_marker(direct, TickingClock())
    scene = Scene(direct, 10_000, files)
    options = s3_server.options(request.param, origin=proxy.origin)
    proxied = open_store(url, storage_options=options, engine=request.param)
    yield Wire(scene, proxied, proxy, request.param)
    proxied.close()
    direct.close()


def test_reading(wire: Wire) -> None:
    """Resolve 3 and 1, a pinned version 0, lists 3 and 1, pull 3 + F and 1 + F and 0."""
    registry = wire.machine().registry()
    with wire.expecting(list=1, get=2):
        registry.resolve(f"{MODEL}@production")
    with wire.expecting(list=1):
        registry.resolve(f"{MODEL}@production")
    with wire.expecting(list=1, get=FILES):
        registry.pull(f"{MODEL}@production")
    with wire.expecting():
        registry.pull(wire.scene.pushed.spec)
    registry = wire.machine().registry()
    with wire.expecting(list=1, get=2):
        registry.versions(MODEL, "production")
    with wire.expecting(list=1):
        registry.versions(MODEL)
    with wire.expecting(list=1, get=2 + FILES):
        wire.machine().registry().pull(MODEL)


def test_writing(wire: Wire, files: Callable[[str], Path]) -> None:
    """Push F + 5 and F + 2, set a state 6 and 1."""
    registry = wire.machine().registry()
    with wire.expecting(list=1, get=2, put=FILES + 2):
        pushed = registry.push(MODEL, files("cold"))
    with wire.expecting(put=FILES + 2):
        registry.push(MODEL, files("warm"))
    registry = wire.machine().registry()
    with wire.expecting(list=2, get=3, put=1):
        registry.set_state(pushed, "production")
    with wire.expecting(put=1):
        registry.set_state(wire.scene.pushed, "production")


def test_opening_a_registry_makes_no_request(wire: Wire, s3_server: S3Server) -> None:
    """``objreg.open`` talks to the cloud when there is something to ask."""
    options = s3_server.options(wire.engine, origin=wire.proxy.origin)
    with wire.expecting():
        objreg.open(wire.proxied.url, storage_options=options, engine=wire.engine)
