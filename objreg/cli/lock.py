"""``objreg lock``."""

import os.path
from pathlib import Path

import click

from objreg.cli.help import Command
from objreg.cli.invocation import Invocation, registry_options
from objreg.cli.output import Table
from objreg.cli.workspace import CHANGES, configured_url, project_registry, tell_changes
from objreg.errors import InvalidInput

__all__ = ["command"]


@click.command(cls=Command)
@click.argument("names", nargs=-1, metavar="[MODEL|FILE]...")
@click.option("--upgrade", is_flag=True, help="Resolve anew: all, or each MODEL; else what is locked is kept.")
@click.option("--check", is_flag=True, help="Change nothing; fail if the lock file is stale.")
@click.option("--offline", is_flag=True, help="With --check: hold the files to each other, without the registry.")
@registry_options
@click.pass_obj
def command(invocation: Invocation, names: tuple[str, ...], upgrade: bool, check: bool, offline: bool) -> None:
    """Lock what objreg.toml asks for: write objreg.lock.

    A version that is locked is kept while its request allows it, also where a state moved on. --check exits with 5 if
    objreg.toml asks for something else, or the registry would now give something else. With --check --offline, each
    FILE stands for the project that it belongs to, as a hook names what is committed. Prints what changed.

    Examples:
      objreg lock
      objreg lock --upgrade
      objreg lock --upgrade fraud/clf
      objreg lock --check --offline
    """
    from objreg.lock.changing import update
    from objreg.lock.workspace import open_workspace

    if names and not (upgrade or offline):
        raise click.UsageError("a MODEL goes with --upgrade, and a FILE with --check --offline")
    if check and upgrade:
        raise click.UsageError("--check changes nothing, so it does not go with --upgrade")
    if offline and not check:
        raise click.UsageError("--offline goes with --check: to lock, the registry is asked")
    if check:
        folders = sorted({_folder_of(name) for name in names}) or [Path()]
        paths = dict.fromkeys(_check(invocation, folder, offline=offline) for folder in folders)
        document = {"path": ", ".join(paths), "changed": False, "changes": []}
        invocation.output.result(document, Table(CHANGES, []))
        return
    workspace = open_workspace()
    registry = project_registry(invocation, workspace)
    lock = update(workspace, registry, (names or None) if upgrade else ())
    tell_changes(invocation, workspace, lock)


def _folder_of(name: str) -> Path:
    """Return the folder that a FILE is in, or that it is."""
    path = Path(name)
    if not os.path.lexists(path):  # a link to nowhere is in a project too
        raise InvalidInput(f"{name} does not exist: name files of the projects to check, or none for this one")
    return path if path.is_dir() else path.parent


def _check(invocation: Invocation, folder: Path, *, offline: bool) -> str:
    """Check a project; return where its lock file is."""
    from objreg.local.config import is_on, process_environment
    from objreg.lock.workspace import open_workspace, stale

    workspace = open_workspace(folder)
    path = str(workspace.project.lock_path)
    workspace.check_fresh()
    url = configured_url(invocation, folder)
    if url is not None:
        workspace.check_registry(url)
    if workspace.lock and not offline and not is_on("OBJREG_OFFLINE", process_environment()):
        from objreg.lock.resolution import outdated

        found = outdated(project_registry(invocation, workspace).session, workspace.lock)
        for item in found:
            if item.retired:
                invocation.output.warning(f"{item.name}: {item.reason}: ask for another version")
        if changed := {item.name: item.reason for item in found if item.is_stale}:
            raise stale(workspace.project.lock_path, changed, "objreg lock --upgrade")
    invocation.output.note(f"{path} is fresh" if workspace.lock else "nothing is wanted, and nothing is locked")
    return path
