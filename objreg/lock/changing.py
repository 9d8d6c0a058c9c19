"""Change what a project wants, and its lock file with it: both files are written, or neither."""

from collections.abc import Collection
from dataclasses import dataclass

from objreg.core.lock_file import LockFile
from objreg.core.names import check_path
from objreg.core.specs import Spec
from objreg.core.wants import DEFAULT_GROUP, check_group, read_wants, request_of
from objreg.errors import Conflict, NotFound, StoreError
from objreg.local.project import Project, read_text, write_text
from objreg.lock.editing import with_request
from objreg.lock.resolution import make_lock
from objreg.lock.workspace import Workspace, changed_meanwhile
from objreg.registry.registry import Registry

__all__ = ["LockChange", "add", "changes_between", "remove", "update"]


@dataclass(frozen=True, slots=True)
class LockChange:
    """What became of one model.

    Attributes:
        name: the model's path.
        requested: what is asked for; ``""`` where it is not wanted any more.
        before: the version that was locked, or ``""``.
        after: the version that is locked, or ``""``.
    """

    name: str
    requested: str
    before: str
    after: str


def update(workspace: Workspace, registry: Registry, upgrade: Collection[str] | None = ()) -> LockFile:
    """Lock what a project wants, and write the lock file.

    Args:
        workspace: the project.
        registry: to resolve on.
        upgrade: names that are resolved anew; None for all, whatever was locked before.

    Raises:
        Conflict: the lock file is for another registry.
        InvalidInput: a name to upgrade is none.
        NotFound: something that is wanted is not there, or a name to upgrade is not wanted.
    """
    for name in upgrade or ():
        if check_path(name) not in workspace.wants:
            raise NotFound(f"{name} is not wanted in {workspace.project.config}; add it with 'objreg add {name}'")
    lock = _made(workspace, registry, upgrade)
    workspace.save(lock)
    return lock


def _made(workspace: Workspace, registry: Registry, upgrade: Collection[str] | None = ()) -> LockFile:
    if upgrade is not None:
        workspace.check_registry(registry.url)
    previous = None if upgrade is None else workspace.lock
    name = workspace.registry_name(registry.url)
    return make_lock(registry.session, workspace.wants, name, previous, upgrade or ())


def add(workspace: Workspace, registry: Registry, spec: Spec, group: str = DEFAULT_GROUP) -> LockFile:
    """Want a model, or want it otherwise; lock it, and keep everything else as it is locked.

    Args:
        workspace: the project.
        registry: to resolve on.
        spec: the model with what is asked for.
        group: whose wish it is.

    Raises:
        InvalidInput: the spec names a file, or another group wants another version.
        NotFound: there is no such model or version; nothing was changed.
    """
    return _change(workspace, registry, spec.path, request_of(spec), group)


def remove(workspace: Workspace, registry: Registry, name: str, group: str = DEFAULT_GROUP) -> LockFile:
    """Want a model no more, in one group.

    Raises:
        InvalidInput: the name is none.
        NotFound: the group does not want it; the message says which do.
    """
    want = workspace.wants.get(check_path(name))
    if want is None or group not in want.groups:
        others = f"; group {', '.join(want.groups)} wants it" if want else ""
        raise NotFound(f"group {group} in {workspace.project.config} does not want {name}{others}", name=name)
    return _change(workspace, registry, name, None, group)


def _change(workspace: Workspace, registry: Registry, name: str, request: str | None, group: str) -> LockFile:
    if group != DEFAULT_GROUP:
        check_group(group)
    config = workspace.project.config
    before = read_text(config)
    text = with_request(before or "", config, name, request, group)
    table = _table(text, config.name == "pyproject.toml")
    changed = Workspace(Project(config, table), read_wants(table, str(config)), workspace.lock)
    lock = _made(changed, registry)
    if read_text(config) != before:
        raise changed_meanwhile(config)
    write_text(config, text)
    try:
        changed.save(lock)
    except (Conflict, StoreError):
        if before is None:
            config.unlink()
        else:
            write_text(config, before)
        raise
    return lock


def _table(text: str, below_tool: bool) -> dict[str, object]:
    import tomllib

    found = tomllib.loads(text)
    table: dict[str, object] = found["tool"]["objreg"] if below_tool else found
    return table


def changes_between(before: LockFile | None, after: LockFile) -> tuple[LockChange, ...]:
    """Return what a new lock file locks otherwise than the old one, by name."""
    old = {asset.name: asset for asset in before.assets} if before else {}
    new = {asset.name: asset for asset in after.assets}
    found = []
    for name in sorted(old.keys() | new.keys()):
        was, now = old.get(name), new.get(name)
        if was != now:
            requested = now.requested if now else ""
            found.append(LockChange(name, requested, was.version if was else "", now.version if now else ""))
    return tuple(found)
