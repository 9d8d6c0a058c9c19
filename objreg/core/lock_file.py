"""The lock file: exactly which version each wanted model is. Text comes in or goes out; nothing here reads a file.

It is TOML, sorted, one block a model and one line a file, and holds no time at which it was made: the same versions are
the same bytes, branches that lock different models merge, and a change is read in a review.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from objreg.core.fields import Digest, Name, Size, Text
from objreg.core.names import check_file_path, check_path
from objreg.core.wants import Want, satisfies
from objreg.errors import FormatError, InvalidInput

__all__ = [
    "LOCK_NAME",
    "REVISION",
    "LockFile",
    "LockedAsset",
    "LockedEntry",
    "LockedFile",
    "differences",
    "files_of",
    "read_lock",
]

LOCK_NAME = "objreg.lock"
VERSION = 1
REVISION = 0
"""Raised when fields are added that an older release may pass over; ``version`` when it may not."""

_HEAD = '# Made by "objreg lock" from what objreg.toml asks for. Commit it; objreg changes it.'
_CONFLICT = re.compile(r"^(<{7}|\|{7}|={7}|>{7})( |$)", re.MULTILINE)


class LockedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a locked version: its path inside the version, its digest, its size in bytes."""

    path: Text
    digest: Digest
    size: Size


class LockedEntry(msgspec.Struct, frozen=True, kw_only=True):
    """The newest entry of the model's manifest when the request was resolved."""

    seq: Size
    digest: Digest


class LockedAsset(msgspec.Struct, frozen=True, kw_only=True):
    """One model, as it is locked.

    Attributes:
        name: the model's path.
        requested: what was asked for.
        groups: that ask for it, sorted.
        version: what that is.
        record: the digest of the version's record, which names all bytes of the version.
        entry: which history it was resolved on.
        files: of the version, by path.
    """

    name: Name
    requested: Name
    groups: tuple[Name, ...]
    version: Name
    record: Digest
    entry: LockedEntry
    files: tuple[LockedFile, ...] = ()

    @property
    def spec(self) -> str:
        """The text that names the locked version, like ``fraud/clf:1.2``."""
        return f"{self.name}:{self.version}"

    @property
    def size(self) -> int:
        """Of all its files, in bytes."""
        return sum(file.size for file in self.files)


class LockFile(msgspec.Struct, frozen=True, kw_only=True, rename={"assets": "asset"}):
    """A lock file.

    Attributes:
        version: of its format.
        revision: what else may be in it.
        registry: URL, without credentials; a folder may be written relative to the file's own.
        assets: what is locked, by name.
    """

    version: Literal[1] = 1
    revision: Size = REVISION
    registry: Text
    assets: tuple[LockedAsset, ...] = ()

    def get(self, name: str) -> LockedAsset | None:
        """Return what a model is locked to, or None."""
        return next((asset for asset in self.assets if asset.name == name), None)

    def text(self) -> str:
        """Return the file's content; the same versions are always the same text."""
        lines = [_HEAD, f"version = {VERSION}", f"revision = {REVISION}", f"registry = {_quoted(self.registry)}"]
        for asset in sorted(self.assets, key=lambda asset: asset.name):
            lines += ["", *_block(asset)]
        return "\n".join(lines) + "\n"


def _block(asset: LockedAsset) -> Iterator[str]:
    yield "[[asset]]"
    yield f"name = {_quoted(asset.name)}"
    yield f"requested = {_quoted(asset.requested)}"
    yield f"groups = [{', '.join(map(_quoted, sorted(asset.groups)))}]"
    yield f"version = {_quoted(asset.version)}"
    yield f"record = {_quoted(asset.record)}"
    yield f"entry = {{ seq = {asset.entry.seq}, digest = {_quoted(asset.entry.digest)} }}"
    yield "files = ["
    for file in sorted(asset.files, key=lambda file: file.path):
        yield f"    {{ path = {_quoted(file.path)}, digest = {_quoted(file.digest)}, size = {file.size} }},"
    yield "]"


def _quoted(text: str) -> str:
    # JSON's escapes are TOML's too; TOML wants one more character escaped.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def read_lock(text: str, place: str) -> LockFile:
    """Return what a lock file says.

    Args:
        text: its content.
        place: its path, for messages.

    Raises:
        FormatError: it is of a newer version than this release reads.
        InvalidInput: it holds a merge conflict, or is not what objreg writes.
    """
    if _CONFLICT.search(text):
        raise InvalidInput(
            f"{place} holds an unresolved merge conflict: settle objreg.toml first, take either side of the lock file"
            f" ('git checkout --theirs {LOCK_NAME}'), and run 'objreg lock', which locks what is missing"
        )
    import tomllib

    try:
        found = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{place} is not valid TOML: {error}; {_ANEW}") from error
    version = found.get("version")
    if isinstance(version, int) and version > VERSION:
        raise FormatError(
            f"{place} is of version {version}, and this release of objreg reads version {VERSION}: upgrade objreg",
            version=version,
        )
    try:
        lock = msgspec.convert(found, LockFile)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"{place} is not what objreg writes: {error}; {_ANEW}") from error
    _check_names(lock, place)
    return lock


_ANEW = "restore it from Git, or delete it and run 'objreg lock'"


def _check_names(lock: LockFile, place: str) -> None:
    """See to it that no name can lead out of a folder, and that nothing is said twice, as a merge can leave it."""
    names = [asset.name for asset in lock.assets]
    for asset in lock.assets:
        check_path(asset.name)
        paths = [check_file_path(file.path) for file in asset.files]
        if names.count(asset.name) > 1 or len(set(paths)) < len(paths):
            raise InvalidInput(
                f"{place} holds {asset.name} or one of its files twice, as a merge may leave it: delete its blocks and"
                f" run 'objreg lock'",
                name=asset.name,
            )


def differences(wants: Mapping[str, Want], lock: LockFile | None) -> dict[str, str]:
    """Return in what a lock file is not what is wanted, by model; told without the registry.

    Returns:
        A sentence for each model that is missing, not wanted any more, wanted otherwise, or locked to what its request
        does not allow; ``{}`` where the lock file is right.
    """
    locked = {asset.name: asset for asset in lock.assets} if lock else {}
    found: dict[str, str] = {}
    for name in sorted(wants.keys() | locked.keys()):
        if reason := _difference(wants.get(name), locked.get(name)):
            found[name] = reason
    return found


def _difference(want: Want | None, asset: LockedAsset | None) -> str:
    if asset is None:
        return "it is not locked"
    if want is None:
        return "it is locked, and not wanted any more"
    if want.request != asset.requested:
        return f"{want.request!r} is wanted, and {asset.requested!r} was locked"
    if want.groups != tuple(sorted(asset.groups)):
        return f"groups {', '.join(want.groups)} want it, and it is locked for {', '.join(asset.groups) or 'none'}"
    if not satisfies(asset.name, asset.requested, asset.version, asset.record):
        return f"it is locked to version {asset.version}, which {asset.requested!r} does not allow"
    return ""


def files_of(files: Mapping[str, Any]) -> tuple[LockedFile, ...]:
    """Return files as they stand in a lock file.

    Args:
        files: what has a digest and a size, by path.
    """
    return tuple(LockedFile(path=path, digest=file.digest, size=file.size) for path, file in sorted(files.items()))
