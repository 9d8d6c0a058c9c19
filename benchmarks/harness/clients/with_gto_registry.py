"""GTO in a clone of a Git repository: whoever wants to know fetches the tags first, whoever decides pushes one."""

import subprocess
from collections.abc import Callable
from typing import Any

import registry


def prepare(wanted: dict[str, Any]) -> Callable[[], str]:
    """Import GTO; it opens the clone for each operation."""
    import gto.api  # noqa: F401  # imports are not timed

    return lambda: str(wanted["clone"])


def _fetch(clone: str) -> None:
    subprocess.run(["git", "-C", clone, "fetch", "--quiet", "--tags", "origin"], check=True)


def resolve(clone: str, _wanted: dict[str, Any]) -> dict[str, Any]:
    """Find the version in production."""
    from gto.api import find_versions_in_stage

    _fetch(clone)
    return {"version": find_versions_in_stage(clone, "model", "production")[0].version, "exchanges": 1}


def versions(clone: str, _wanted: dict[str, Any]) -> dict[str, Any]:
    """List all versions."""
    from gto.api import show

    _fetch(clone)
    return {"count": len(show(clone, "model")), "exchanges": 1}


def in_state(clone: str, _wanted: dict[str, Any]) -> dict[str, Any]:
    """List those in a stage."""
    from gto.api import find_versions_in_stage

    _fetch(clone)
    return {"count": len(find_versions_in_stage(clone, "model", "approved", versions_per_stage=-1)), "exchanges": 1}


def set_state(clone: str, wanted: dict[str, Any]) -> dict[str, Any]:
    """Assign the stage to the next version, and push the tag."""
    from gto.api import assign

    assign(clone, "model", "production", version=wanted["moves"].pop(0), push=True)
    return {"exchanges": 1}


registry.run(prepare, resolve, versions, in_state, set_state)
