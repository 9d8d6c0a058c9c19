"""Where there is no registry, every method says so, whatever it was asked for; and writes nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest

import objreg

CALLS: dict[str, Callable[[objreg.Registry, Path], object]] = {
    "push": lambda registry, file: registry.push("fraud/clf", file),
    "put_catalog": lambda registry, _: registry.put_catalog("fraud/clf"),
    "set_state": lambda registry, _: registry.set_state("fraud/clf:1.0", "production"),
    "unset_state": lambda registry, _: registry.unset_state("fraud/clf:1.0", "production"),
    "record_experiment": lambda registry, _: registry.record_experiment("fraud/clf", "holdout"),
    "record_deployment": lambda registry, _: registry.record_deployment("fraud/clf", endpoint="here"),
    "retire": lambda registry, _: registry.retire("fraud/clf", reason="old"),
    "define_state": lambda registry, _: registry.define_state("production"),
    "put_namespace": lambda registry, _: registry.put_namespace("fraud"),
    "put_settings": lambda registry, _: registry.put_settings(owner="ada"),
    "resolve": lambda registry, _: registry.resolve("fraud/clf"),
    "pull": lambda registry, _: registry.pull("fraud/clf@production"),
    "versions": lambda registry, _: registry.versions("fraud/clf"),
    "history": lambda registry, _: list(registry.history("fraud/clf")),
    "scope_history": lambda registry, _: list(registry.scope_history()),
    "models": lambda registry, _: registry.models(),
    "namespaces": lambda registry, _: registry.namespaces(),
    "states": lambda registry, _: registry.states(),
    "settings": lambda registry, _: registry.settings(),
    "namespace": lambda registry, _: registry.namespace("fraud"),
}


@pytest.mark.parametrize("place", ["memory", "folder"])
@pytest.mark.parametrize("name", CALLS)
def test_every_method_tells_that_there_is_no_registry(name: str, place: str, tmp_path: Path):
    """Opening succeeds without a look; the first call fails with NotFound and how to create a registry."""
    file = tmp_path / "model.bin"
    file.write_bytes(b"weights")
    url = f"memory://{tmp_path.name}" if place == "memory" else str(tmp_path / "registry")
    registry = objreg.open(url)
    with pytest.raises(objreg.NotFound, match=r"there is no registry in .*objreg init"):
        CALLS[name](registry, file)
    assert not (tmp_path / "registry").exists()
