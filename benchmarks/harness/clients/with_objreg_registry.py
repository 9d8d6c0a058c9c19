"""objreg, with its defaults."""

import os
from collections.abc import Callable
from typing import Any

import registry


def prepare(wanted: dict[str, Any]) -> Callable[[], Any]:
    """Import objreg and the engine that an ``s3://`` address is opened with."""
    import obstore.store  # noqa: F401  # imports are not timed

    import objreg
    import objreg.registry.opening
    import objreg.store.obstore_engine

    return lambda: objreg.open(f"s3://{wanted['bucket']}/registry")


def resolve(opened: Any, _wanted: dict[str, Any]) -> dict[str, Any]:
    """Find the version in production."""
    return {"version": opened.resolve("bench/model@production").version}


def versions(opened: Any, _wanted: dict[str, Any]) -> dict[str, Any]:
    """List all versions with their states."""
    return {"count": len(opened.versions("bench/model"))}


def in_state(opened: Any, _wanted: dict[str, Any]) -> dict[str, Any]:
    """List those in a state that versions share."""
    return {"count": len(opened.versions("bench/model", state="approved"))}


def set_state(opened: Any, wanted: dict[str, Any]) -> None:
    """Move the next version into production."""
    assert opened.set_state(f"bench/model:{wanted['moves'].pop(0)}", "production").changed


def pull(opened: Any, wanted: dict[str, Any]) -> dict[str, Any]:
    """Pull a version that is known by its number."""
    return {"file": os.fspath(opened.pull(f"bench/model:{wanted['version']}") / "model.bin")}


def push(opened: Any, wanted: dict[str, Any]) -> None:
    """Push the next file as a version of the next model."""
    opened.push(f"bench/{wanted['names'].pop(0)}", wanted["sources"].pop(0))


registry.run(prepare, resolve, versions, in_state, set_state, pull, push)
