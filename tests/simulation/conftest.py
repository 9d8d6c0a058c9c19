"""What every simulated history begins from."""

from pathlib import Path

import pytest

from objreg.core.records import Environment
from objreg.local.cache import Cache
from objreg.registry import drafts
from objreg.registry.clock import SystemClock
from objreg.registry.recall import Recall
from objreg.registry.registry import Registry
from objreg.registry.session import Session, create_marker
from objreg.store.memory import MemoryStore
from tests.simulation.world import MODEL


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
    store = MemoryStore()
    create_marker(store, SystemClock())
    cache = Cache(tmp_path_factory.mktemp("cache"))
    registry = Registry(store.url, lambda: Session(store, Recall(cache, store.identity), SystemClock(), "setup"))
    registry.define_state("production", exclusive=True)
    registry.define_state("shadow")
    registry.push(MODEL, contents / "content0")
    return {key: data for info in store.list("") if (data := store.get(key := info.key)) is not None}
