"""A project's wishes and its lock file together: read from disk, held to each other, written back."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from objreg.core.lock_file import LOCK_NAME, LockedAsset, LockFile, differences
from objreg.core.wants import DEFAULT_GROUP, Want, read_wants
from objreg.errors import Conflict, InvalidInput, NotFound
from objreg.local.config import check_keys
from objreg.local.project import Project, find_project, is_same_place, load_lock, write_text

__all__ = ["Workspace", "changed_meanwhile", "open_workspace", "stale"]

_NAMED = 3


@dataclass(frozen=True)
class Workspace:
    """What a project says.

    Attributes:
        project: where its files are.
        wants: what it wants, by name.
        lock: what is locked, or None.
    """

    project: Project
    wants: Mapping[str, Want]
    lock: LockFile | None

    @property
    def differences(self) -> dict[str, str]:
        """In what the lock file is not what is wanted, by model; told without the registry."""
        return differences(self.wants, self.lock)

    def registry_name(self, url: str) -> str:
        """Return how the lock file names a registry: a folder as the configuration spells it, so that it can move."""
        configured = self.project.table.get("url")
        if isinstance(configured, str) and "://" not in configured and self._is_same(configured, url):
            return configured
        return url

    def _is_same(self, registry: str, url: str) -> bool:
        return is_same_place(registry, self.project.folder, url)

    def check_registry(self, url: str) -> None:
        """See to it that the lock file is for the registry in use; one that locks nothing is for any.

        Raises:
            Conflict: it is for another.
        """
        if self.lock is not None and self.lock.assets and not self._is_same(self.lock.registry, url):
            raise Conflict(
                f"{self.project.lock_path} was made from {self.lock.registry}, and {url} is in use: name the other one"
                f" with --registry or url, or lock all that is wanted from this one: objreg lock --upgrade",
                expected=self.lock.registry,
                found=url,
            )

    def existing_lock(self) -> LockFile:
        """Return the lock file.

        Raises:
            NotFound: there is none.
        """
        if self.lock is None:
            missing = f"there is no {LOCK_NAME} in {self.project.folder}"
            if self.wants:
                raise NotFound(f"{missing}; make one with 'objreg lock'")
            raise NotFound(f"{missing}, and nothing is wanted there; begin with 'objreg add SPEC'")
        return self.lock

    def check_fresh(self) -> None:
        """See to it that the lock file is what is wanted, as far as that can be told without the registry.

        Raises:
            Conflict: it is not; the message has the first reasons.
        """
        if found := self.differences:
            raise stale(self.project.lock_path, found, "objreg lock")

    def selected(self, lock: LockFile, groups: tuple[str, ...], *, every: bool = False) -> tuple[LockedAsset, ...]:
        """Return what is locked for ``[assets]`` and for some groups.

        Raises:
            InvalidInput: nothing is locked for such a group.
        """
        known = {group for asset in lock.assets for group in asset.groups} | set(self.project.table.get("groups", {}))
        for group in groups:
            if group not in known:
                names = ", ".join(sorted(known - {DEFAULT_GROUP})) or "none"
                raise InvalidInput(f"there is no group {group!r} in {self.project.config}; there are {names}")
        wanted = known if every else {DEFAULT_GROUP, *groups}
        return tuple(asset for asset in lock.assets if wanted & set(asset.groups))

    def save(self, lock: LockFile) -> bool:
        """Write the lock file; return whether it changed.

        Raises:
            Conflict: somebody else wrote it since this workspace was read.
            StoreError: the folder does not take it.
        """
        path = self.project.lock_path
        if load_lock(path) != self.lock:
            raise changed_meanwhile(path)
        return write_text(path, lock.text())


def stale(path: Path, reasons: Mapping[str, str], remedy: str) -> Conflict:
    """Return the error that says why a lock file is stale, and what to do."""
    named = "; ".join(f"{name}: {reason}" for name, reason in list(reasons.items())[:_NAMED])
    more = f"; and {len(reasons) - _NAMED} more" if len(reasons) > _NAMED else ""
    return Conflict(f"{path} is stale: {named}{more}; run '{remedy}' and review the change", differences=dict(reasons))


def changed_meanwhile(path: Path) -> Conflict:
    """Return the error that says that a file is not any more what a change was decided on."""
    return Conflict(f"{path} was changed by somebody else meanwhile, and was left as it is: run the command again")


def open_workspace(start: Path | None = None) -> Workspace:
    """Read the project that a folder is in.

    Args:
        start: the working directory by default.

    Raises:
        InvalidInput: a file of the project is not what it should be, or holds a merge conflict.
        FormatError: the lock file is of a newer version.
    """
    project = find_project(start)
    check_keys(project.config, project.table)  # also where the registry is named elsewhere: an [asset] wants nothing
    return Workspace(project, read_wants(project.table, str(project.config)), load_lock(project.lock_path))
