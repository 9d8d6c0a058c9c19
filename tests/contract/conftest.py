"""Fixtures that open a store of each combination on a fresh, empty root."""

import errno
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from objreg.store import Store
from tests.contract.backends import BACKENDS, Backend, Combination


def _refuse_links(*_paths: object, **_options: object) -> None:
    raise OSError(errno.EPERM, os.strerror(errno.EPERM))


class Roots:
    """Fresh roots, one for each test, in one bucket for each server: making buckets is slow on some."""

    def __init__(self, servers) -> None:
        self.servers = servers
        self._buckets: dict[str, str] = {}

    def backend(self, combination: Combination, *, origin: str | None = None) -> Backend:
        """Return an empty root of a cloud, reached through ``origin`` if it is given."""
        server = self.servers[combination.server]
        if combination.server not in self._buckets:
            self._buckets[combination.server] = server.new_bucket()
        assert combination.engine is not None
        return Backend(
            url=f"{self._buckets[combination.server]}/{fresh_name()}/deep",
            racers=server.racers,
            engine=combination.engine,
            options=server.options(combination.engine, origin=origin),
        )


def fresh_name() -> str:
    return f"root-{uuid.uuid4().hex[:12]}"


@pytest.fixture(scope="session")
def roots(servers) -> Roots:
    return Roots(servers)


@pytest.fixture(params=BACKENDS, ids=str)
def backend(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Backend:
    """An empty root of each combination in turn."""
    combination = request.param
    if combination.server == "memory":
        return Backend(url=f"memory://{fresh_name()}")
    if combination.server in ("links", "locks"):
        if combination.server == "locks":
            monkeypatch.setattr(os, "link", _refuse_links)
        return Backend(url=(tmp_path / "registry").as_uri())
    return request.getfixturevalue("roots").backend(combination)


@pytest.fixture
def store(backend: Backend) -> Iterator[Store]:
    opened = backend.open()
    yield opened
    opened.close()
