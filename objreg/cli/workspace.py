"""What the commands of the lock file share: the project, its registry, and how a change is told."""

from pathlib import Path
from typing import TYPE_CHECKING

from objreg.cli.invocation import Invocation
from objreg.cli.output import Table

if TYPE_CHECKING:  # imported by the commands when they are used
    from objreg.core.lock_file import LockFile
    from objreg.lock.workspace import Workspace
    from objreg.registry.registry import Registry

__all__ = ["CHANGES", "configured_url", "project_registry", "tell_changes"]

CHANGES = ("model", "requested", "before", "now")


def configured_url(invocation: Invocation, folder: Path | None = None) -> str | None:
    """Return the URL of the registry that would be opened in a folder; None where none is configured."""
    from objreg.local.config import load_settings
    from objreg.store.urls import parse_location

    settings = load_settings(invocation.url, start=folder)
    if settings.is_default:
        return None
    located = parse_location(settings.url)
    return located[0].url if located else settings.url


def project_registry(invocation: Invocation, workspace: "Workspace") -> "Registry":
    """Open the registry that a project uses: the configured one, else that of its lock file."""
    if workspace.lock is not None and configured_url(invocation) is None:
        registry = workspace.lock.registry
        invocation.url = registry if "://" in registry else str(workspace.project.folder / registry)
    return invocation.registry()


def tell_changes(invocation: Invocation, workspace: "Workspace", lock: "LockFile") -> None:
    """Print in what a new lock file is not the old one."""
    from objreg.lock.changing import changes_between

    changes = changes_between(workspace.lock, lock)
    path = str(workspace.project.lock_path)
    rows = [(change.name, change.requested, change.before, change.after) for change in changes]
    if not changes:
        is_new = workspace.lock is None
        invocation.output.note(f"{path} is new, and locks nothing" if is_new else f"nothing changed in {path}")
    document = {"path": path, "changed": bool(changes), "changes": changes}
    invocation.output.result(document, Table(CHANGES, rows))
