"""objreg, with its defaults: what a job does not say is said by nobody."""

import os
from typing import Any

import job


def connect(wanted: dict[str, Any]) -> Any:
    """Open the registry; the server and the keys are in the environment."""
    import objreg

    return objreg.open(f"s3://{wanted['bucket']}/registry", create=wanted.get("create", False))


def create(_registry: Any, _wanted: dict[str, Any]) -> None:
    """Do nothing more: ``connect`` has created the registry."""


def push(registry: Any, wanted: dict[str, Any]) -> dict[str, Any]:
    """Push a folder as a version."""
    return {"version": registry.push("bench/model", wanted["source"]).version}


def pull(registry: Any, _wanted: dict[str, Any]) -> dict[str, Any]:
    """Pull the latest version into the cache, and tell where it is."""
    return {"folder": os.fspath(registry.pull("bench/model"))}


job.run(connect, create=create, push=push, pull=pull)
