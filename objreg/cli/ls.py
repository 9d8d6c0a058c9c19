"""``objreg ls``."""

from typing import TYPE_CHECKING

import click

from objreg.cli.completers import complete_paths, complete_states
from objreg.cli.help import Command
from objreg.cli.invocation import Invocation, offline_option, registry_options
from objreg.cli.output import Table, plain
from objreg.core.names import parent_namespaces
from objreg.errors import NotFound

if TYPE_CHECKING:  # imported by the command when it opens the registry
    from objreg.registry.registry import Registry
    from objreg.registry.values import VersionSummary

__all__ = ["command"]

_COLUMNS = ("version", "states", "created", "by", "files", "size", "experiments", "retired", "digest")


@click.command(cls=Command)
@click.argument("path", required=False, default="", shell_complete=complete_paths)
@click.option("--state", shell_complete=complete_states, help="Only the versions of a model that are in this state.")
@offline_option
@registry_options
@click.pass_obj
def command(invocation: Invocation, path: str, state: str | None) -> None:
    """List namespaces and models, or a model's versions.

    PATH is a model, whose versions are listed, the newest first; or a namespace, whose models are listed with all below
    it. A slash at the end says that a namespace is meant. Without PATH the whole registry is listed. A model whose
    first push is still sending files, or broke off, is listed before it has a version.

    Examples:
      objreg ls
      objreg ls fraud/
      objreg ls fraud/clf --state production
    """
    registry = invocation.registry()
    versions = None if not path or path.endswith("/") else _versions(registry, path, state)
    if versions is None:
        if state is not None:
            raise click.UsageError("--state needs a model: objreg ls fraud/clf --state production")
        _list_models(invocation, registry, path.removesuffix("/"))
    else:
        rows = [_row(version) for version in versions]
        documents = [{"spec": version.spec, **plain(version)} for version in versions]
        invocation.output.result(documents, Table(_COLUMNS, rows))


def _versions(registry: "Registry", path: str, state: str | None) -> "tuple[VersionSummary, ...] | None":
    """Return the versions of a model, or None if there is none but a namespace of that name."""
    try:
        return registry.versions(path, state=state)
    except NotFound:
        if state is None and registry.models(path):
            return None
        raise


def _list_models(invocation: Invocation, registry: "Registry", namespace: str) -> None:
    models = registry.models(namespace)
    if namespace and not models:
        raise NotFound(f"there is no model in namespace {namespace} of {registry.url}", namespace=namespace)
    found = [("model", path) for path in models]
    found += [("namespace", path) for path in {name for model in models for name in parent_namespaces(model)}]
    items = sorted((item for item in found if item[1].startswith(f"{namespace}/" if namespace else "")), key=_by_path)
    invocation.output.result([{"type": kind, "path": path} for kind, path in items], Table(("type", "path"), items))


def _by_path(item: tuple[str, str]) -> tuple[str, str]:
    kind, path = item
    return path, kind


def _row(version: "VersionSummary") -> tuple[str | int, ...]:
    return (
        version.spec,
        ",".join(version.states),
        plain(version.created_at),
        version.created_by,
        version.files,
        version.size,
        ",".join(version.experiments),
        "retired" if version.retired else "",
        version.digest,
    )
