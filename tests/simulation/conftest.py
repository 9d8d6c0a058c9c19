"""What every simulated history begins from."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from objreg.core.provenance import Environment
from objreg.local.cache import Cache
from objreg.registry import drafts
from objreg.registry.clock import SystemClock
from objreg.registry.recall import Recall
from objreg.registry.registry import Registry
from objreg.registry.session import Session, create_marker
from objreg.store.base import ObjectInfo
from objreg.store.memory import MemoryStore
from tests.simulation.store import BEGIN
from tests.simulation.world import MODEL


class YesterdaysClock(SystemClock):
    """Tells the time before the simulated one begins."""

    def now(self) -> datetime:
        return BEGIN - timedelta(days=1)


class TimelessStore(MemoryStore):
    """Does not tell when an object was made: it was in another time than the simulated one."""

    def head(self, key: str) -> ObjectInfo | None:
        info = super().head(key)
        return None if info is None else replace(info, modified=None)


@pytest.fixture(scope="session")
def contents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files to push: the same for every seed, so that writers meet each other's blobs."""
    folder = tmp_path_factory.mktemp("contents")
    for number in range(4):
        (folder / f"content{number}").write_bytes(bytes([number]) * (100 if number % 2 else 8000))
    return folder


@pytest.fixture(autouse=True)
def _small_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask neither Git nor the installed packages, and write snapshots early: histories here are short."""
    environment = Environment(python="3", platform="simulated", dependencies={})
    monkeypatch.setattr(drafts, "code", lambda: None)
    monkeypatch.setattr(drafts, "environment", lambda: environment)
    monkeypatch.setattr("objreg.core.entries._SMALL_STATE", 500)
    monkeypatch.setattr("objreg.maintenance.collection._WORKERS", 1)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory, contents: Path) -> dict[str, bytes]:
    """A registry with two states and one version, without any fault."""
    store = TimelessStore()
    create_marker(store, YesterdaysClock())
    cache = Cache(tmp_path_factory.mktemp("cache"))
    registry = Registry(store.url, lambda: Session(store, Recall(cache, store.identity), YesterdaysClock(), "setup"))
    registry.define_state("production", exclusive=True)
    registry.define_state("shadow")
    registry.push(MODEL, contents / "content0")
    return {key: data for info in store.list("") if (data := store.get(key := info.key)) is not None}
