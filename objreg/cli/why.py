"""``objreg why``."""

from typing import TYPE_CHECKING, Any

import click

from objreg.cli.completers import complete_models
from objreg.cli.help import Command
from objreg.cli.invocation import Invocation, registry_options
from objreg.cli.output import Fields, plain
from objreg.cli.workspace import project_registry
from objreg.errors import NotFound

if TYPE_CHECKING:  # imported by the command when it is used
    from objreg.lock.why import Why

__all__ = ["command"]


@click.command(cls=Command)
@click.argument("model", shell_complete=complete_models)
@registry_options
@click.pass_obj
def command(invocation: Invocation, model: str) -> None:
    """Say why a version is used: who asked for it, what that was, who pushed it and who moved it there.

    Examples:
      objreg why fraud/clf
    """
    from objreg.core.names import check_path
    from objreg.lock.why import why
    from objreg.lock.workspace import open_workspace

    check_path(model)
    workspace = open_workspace()
    asset = workspace.lock.get(model) if workspace.lock else None
    want = workspace.wants.get(model)
    if asset is None:
        said = "it is wanted, and not locked: run 'objreg lock'" if want else "nobody asks for it"
        raise NotFound(f"{model} is not in {workspace.project.lock_path}: {said}", model=model)
    registry = project_registry(invocation, workspace)
    workspace.check_registry(registry.url)
    found = why(registry, asset, want, str(workspace.project.lock_path))
    document = _document(found, str(workspace.project.config))
    invocation.output.result(document, Fields(_fields(document)))


def _document(found: "Why", config: str) -> dict[str, Any]:
    moved = found.moved
    return {
        "model": found.asset.name,
        "file": config if found.want else "",
        "requested": found.asset.requested,
        "groups": found.want.groups if found.want else (),
        "version": found.asset.version,
        "record": found.asset.record,
        "entry": found.asset.entry.seq,
        "pushed_at": found.version.record.created_at,
        "pushed_by": found.version.created_by,
        "moved_at": plain(moved.time) if moved else "",
        "moved_by": moved.actor if moved else "",
        "moved_why": moved.message if moved else "",
    }


def _fields(document: dict[str, Any]) -> list[tuple[str, str | int]]:
    shown = document | {"groups": ", ".join(document["groups"])}
    return [(name, value) for name, value in shown.items() if value != ""]
