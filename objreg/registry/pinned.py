"""A version as a lock file has it: found by its record's digest alone, and held to all that the lock file says."""

from pathlib import Path

from objreg.core.lock_file import LockedAsset, LockFile, files_of
from objreg.core.records import VersionRecord
from objreg.errors import FormatError, IntegrityError
from objreg.local.project import is_same_place, load_lock
from objreg.registry.download import file_paths
from objreg.registry.session import Session
from objreg.registry.values import Version

__all__ = ["lock_for", "pinned_version"]


def lock_for(path: Path | None, url: str) -> LockFile | None:
    """Return the lock file at a path if it is for a registry, else None.

    Raises:
        InvalidInput: it is not what objreg writes.
        FormatError: it is of a newer version.
    """
    lock = load_lock(path) if path else None
    return lock if lock and path and is_same_place(lock.registry, path.parent, url) else None


def pinned_version(session: Session, asset: LockedAsset, place: str) -> Version:
    """Return a locked version: one request for its record if the cache lacks it, and none for the manifest.

    Args:
        session: the registry.
        asset: from the lock file.
        place: the lock file's path, for messages.

    Raises:
        IntegrityError: the registry has no such record, or it has other files than the lock file says.
    """
    manifest = session.model(asset.name)
    try:
        record = session.record_of(manifest, asset.record, VersionRecord, model=asset.name, version=asset.version)
    except (IntegrityError, FormatError) as error:
        raise IntegrityError(
            f"{place} locks {asset.spec} by record {asset.record}, and {session.store.url} does not hold it as such:"
            f" {error}; find out who replaced it, or lock what is there now: objreg lock --upgrade {asset.name}",
            record=asset.record,
        ) from error
    expected, found = set(asset.files), set(files_of(file_paths(record.artifacts)))
    if expected != found:
        path = min(file.path for file in expected ^ found)
        raise IntegrityError(
            f"{place} and the record of {asset.spec} say different things of {path}: the lock file was edited or merged"
            f" wrongly; restore it from Git, or lock again: objreg lock --upgrade {asset.name}",
            path=path,
        )
    return Version(asset.name, asset.version, asset.record, record)
