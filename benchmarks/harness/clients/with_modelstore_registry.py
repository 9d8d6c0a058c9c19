"""modelstore on S3: a model is a domain, a version a model in it. It has states that models share, and no cache."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import registry


def prepare(wanted: dict[str, Any]) -> Callable[[], Any]:
    """Import modelstore with its storage on S3."""
    import modelstore.storage.aws  # noqa: F401  # imports are not timed
    from modelstore import ModelStore

    return lambda: ModelStore.from_aws_s3(wanted["bucket"])


def begin(store: Any, wanted: dict[str, Any]) -> None:
    """Make the states, and the first version."""
    for state in ("production", "approved", "candidate"):
        store.create_model_state(state)
    store.upload("model", model_id=wanted["version"], model=wanted["source"])


def states(store: Any, wanted: dict[str, Any]) -> None:
    """Put versions into the states."""
    for version in wanted["approved"]:
        store.set_model_state("model", version, "approved")
    store.set_model_state("model", wanted["version"], "production")


def resolve(store: Any, _wanted: dict[str, Any]) -> dict[str, Any]:
    """Find the version in production, in which there may be several."""
    return {"version": store.list_models("model", "production")[0]}


def versions(store: Any, _wanted: dict[str, Any]) -> dict[str, Any]:
    """List all versions, without their states."""
    return {"count": len(store.list_models("model"))}


def in_state(store: Any, _wanted: dict[str, Any]) -> dict[str, Any]:
    """List those in a state."""
    return {"count": len(store.list_models("model", "approved"))}


def set_state(store: Any, wanted: dict[str, Any]) -> None:
    """Put the next version into a state; those that are there stay."""
    store.set_model_state("model", wanted["moves"].pop(0), "candidate")


def pull(store: Any, wanted: dict[str, Any]) -> dict[str, Any]:
    """Download and unpack a version."""
    folder = tempfile.mkdtemp()
    store.download(folder, "model", wanted["version"])
    return {"file": str(Path(folder) / "model.bin")}


def push(store: Any, wanted: dict[str, Any]) -> None:
    """Upload the next file as a version of the next model."""
    store.upload(wanted["names"].pop(0), model=wanted["sources"].pop(0))


registry.run(prepare, begin, states, resolve, versions, in_state, set_state, pull, push)
