"""A registry to forge."""

from pathlib import Path

import pytest

from tests.hostile.forged import MODEL, Forger
from tests.registry.machine import Machine, new_store


@pytest.fixture
def forger(tmp_path: Path) -> Forger:
    """A registry with one version of everything, and somebody who may write to it."""
    store = new_store()
    registry = Machine(store, cache=tmp_path / "owner").registry()
    file = tmp_path / "model.bin"
    file.write_bytes(b"weights")
    registry.define_state("production")
    registry.push(MODEL, file)
    registry.set_state(f"{MODEL}:1.0", "production")
    registry.record_experiment(MODEL, "backtest", metrics={"auc": 0.9})
    registry.record_deployment(MODEL, endpoint="https://x")
    registry.put_catalog(MODEL, owner="ada")
    return Forger(store, tmp_path / "readers")
