"""``objreg sync``."""

from typing import TYPE_CHECKING

import click

from objreg.cli.help import Command
from objreg.cli.invocation import Invocation, registry_options
from objreg.cli.output import Table
from objreg.cli.progress import progress_bar
from objreg.cli.workspace import configured_url, project_registry

if TYPE_CHECKING:  # imported by the command when it is used
    from objreg.core.lock_file import LockFile
    from objreg.lock.workspace import Workspace
    from objreg.registry.registry import Registry

__all__ = ["command"]

_COLUMNS = ("model", "version", "path")


@click.command(cls=Command)
@click.option("--frozen", is_flag=True, help="Take objreg.lock as it is, whatever objreg.toml asks for.")
@click.option("--offline", is_flag=True, help="Use what the cache has, and no network.")
@click.option("--group", "groups", metavar="NAME", multiple=True, help="This group too; may be repeated.")
@click.option("--all-groups", is_flag=True, help="All groups too.")
@registry_options
@click.pass_obj
def command(invocation: Invocation, frozen: bool, offline: bool, groups: tuple[str, ...], all_groups: bool) -> None:
    """Fetch the locked versions into the cache.

    First objreg.lock is brought up to date with objreg.toml, unless --frozen or --offline. What the cache has takes no
    request; of the rest, the records and the files are fetched by their digests, and nothing is looked up. Models are
    fetched side by side, over as many connections as one would be. Prints each model with its version and folder.

    Examples:
      objreg sync
      objreg sync --frozen
      objreg sync --group train --offline
    """
    from objreg.local.cache import Cache
    from objreg.local.config import load_settings
    from objreg.lock.sync import missing, sync
    from objreg.lock.workspace import open_workspace

    settings = load_settings(invocation.url)
    offline = offline or settings.offline
    workspace = open_workspace()
    lock = workspace.existing_lock() if frozen else _fresh_lock(invocation, workspace, offline=offline)
    # A registry that is named on the command line may be a copy: the digests hold it to what was locked.
    url = None if invocation.url else configured_url(invocation)
    if url is not None:
        workspace.check_registry(url)
    assets = workspace.selected(lock, groups, every=all_groups)
    cache, place = Cache(settings.cache_dir), str(workspace.project.lock_path)
    total = sum(asset.size for asset in missing(cache, assets))
    with progress_bar("sync", total, quiet=invocation.json or not total) as received:
        opening = None if offline else lambda: _telling_registry(invocation, workspace)
        folders = sync(cache, assets, opening, place, received)
    document = [
        {"model": asset.name, "version": asset.version, "record": asset.record, "path": str(folders[asset.name])}
        for asset in assets
    ]
    invocation.output.result(
        document, Table(_COLUMNS, [(item["model"], item["version"], item["path"]) for item in document])
    )


def _telling_registry(invocation: Invocation, workspace: "Workspace") -> "Registry":
    registry = project_registry(invocation, workspace)
    registry.session.tell = invocation.output.note
    return registry


def _fresh_lock(invocation: Invocation, workspace: "Workspace", *, offline: bool) -> "LockFile":
    """Return the lock file, made anew where it is not what is wanted: that alone asks the registry."""
    if not workspace.differences:
        return workspace.existing_lock()
    if offline:
        workspace.check_fresh()
    from objreg.lock.changing import update

    lock = update(workspace, project_registry(invocation, workspace))
    invocation.output.note(f"{workspace.project.lock_path} was brought up to date: commit it")
    return lock
