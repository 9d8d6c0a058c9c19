"""What is wanted becomes what is locked: requests are resolved on the registry, and what is locked already is kept.

As a lock file of packages does, this one holds still: a version that was locked stays, also where a state has moved on
or a newer version continues ``1``, until it is told to upgrade.
"""

import warnings
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from objreg.core import rules
from objreg.core.lock_file import LockedAsset, LockedEntry, LockFile, files_of
from objreg.core.records import Retirement, VersionRecord
from objreg.core.wants import Want, satisfies, spec_of
from objreg.errors import IntegrityError, NotFound
from objreg.registry.download import file_paths
from objreg.registry.session import Session

__all__ = ["Outdated", "make_lock", "outdated", "resolve_want"]

_WORKERS = 8

Item = TypeVar("Item")
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Outdated:
    """A locked model that would now be another version, or whose version should not be used any more.

    Attributes:
        name: the model's path.
        requested: what is asked for.
        locked: the locked version.
        now: what the request names now; ``""`` where it names nothing any more.
        reason: in words.
        retired: whether the locked version was retired.
    """

    name: str
    requested: str
    locked: str
    now: str
    reason: str
    retired: bool = False

    @property
    def is_stale(self) -> bool:
        """Whether an upgrade would change it; a version that was asked for by its number stays, retired or not."""
        return self.now != self.locked or not self.retired


def resolve_want(session: Session, want: Want) -> LockedAsset:
    """Return what is wanted as it would be locked now.

    Raises:
        NotFound: there is no such model or version.
    """
    spec = spec_of(want.name, want.request)
    manifest = session.existing_model(spec.path)
    head = manifest.head
    assert head is not None
    pointer = head.entry.refs.get(spec.pointer) if spec.pointer else None
    if pointer is None:
        view = session.view(spec.path, manifest)
        reference = view.reference(rules.resolve(view, spec))
        version, digest = reference.version, reference.record
    else:
        version, digest = pointer.version, pointer.record
    record = session.record_of(manifest, digest, VersionRecord, model=spec.path, version=version)
    return LockedAsset(
        name=want.name,
        requested=want.request,
        groups=want.groups,
        version=version,
        record=digest,
        entry=LockedEntry(seq=head.seq, digest=head.digest),
        files=files_of(file_paths(record.artifacts)),
    )


def make_lock(
    session: Session,
    wants: Mapping[str, Want],
    registry: str,
    previous: LockFile | None = None,
    upgrade: Collection[str] = (),
) -> LockFile:
    """Return the lock file for what is wanted.

    Args:
        session: the registry.
        wants: by name.
        registry: how the lock file names it.
        previous: what was locked before: it is kept where its request still allows it.
        upgrade: names that are resolved anew in any case.

    Raises:
        NotFound: something that is wanted is not there.
        IntegrityError: a version that is kept has another record in the registry than in the lock file.
    """
    known = {asset.name: asset for asset in previous.assets} if previous else {}

    def settle(want: Want) -> LockedAsset:
        pinned = known.get(want.name)
        if pinned is None or want.name in upgrade or not _is_allowed(want, pinned):
            return resolve_want(session, want)
        _check_exists(session, pinned)
        return msgspec.structs.replace(pinned, requested=want.request, groups=want.groups)

    return LockFile(registry=registry, assets=_in_parallel(settle, wants.values()))


def _is_allowed(want: Want, pinned: LockedAsset) -> bool:
    """Tell whether a request still allows what is locked; a new state or *latest* is looked up."""
    if want.request != pinned.requested and spec_of(want.name, want.request).pointer:
        return False
    return satisfies(want.name, want.request, pinned.version, pinned.record)


def _check_exists(session: Session, pinned: LockedAsset) -> None:
    """See to it that a version that is kept is still what it was; warn if it was retired since."""
    manifest = session.existing_model(pinned.name)
    item = session.view(pinned.name, manifest).state.versions.get(pinned.version)
    if item is None or item.record != pinned.record:
        there = f"its record there is {item.record}" if item else "there is no such version there"
        raise IntegrityError(
            f"{pinned.spec} is locked by record {pinned.record}, and in {session.store.url} {there}: find out who"
            f" replaced the registry, or lock what it has now: objreg lock --upgrade {pinned.name}",
            expected=pinned.record,
            found=item.record if item else "",
        )
    if reason := _retirement(session, pinned):
        warnings.warn(
            f"{pinned.spec} is locked, and {reason}: ask for another version of {pinned.name}",
            stacklevel=2,
        )


def _retirement(session: Session, pinned: LockedAsset) -> str:
    """Return in words that a version was retired and why, or ``""``; its model was asked for before."""
    manifest = session.model(pinned.name)
    item = session.view(pinned.name, manifest).state.versions.get(pinned.version)
    if item is None or not item.retired:
        return ""
    return f"was retired ({session.record_of(manifest, item.retired, Retirement).reason})"


def outdated(session: Session, lock: LockFile) -> tuple[Outdated, ...]:
    """Return what an upgrade would change, and what was retired."""
    found = _in_parallel(lambda asset: _outdated(session, asset), lock.assets)
    return tuple(item for item in found if item is not None)


def _outdated(session: Session, asset: LockedAsset) -> Outdated | None:
    try:
        found = resolve_want(session, Want(asset.name, asset.requested, asset.groups))
    except NotFound as error:
        now, reason = "", error.message
    else:
        is_same = (found.version, found.record) == (asset.version, asset.record)
        if is_same and spec_of(asset.name, asset.requested).pointer:
            return None  # what a pointer names is not retired, so nothing more needs to be read
        now = found.version
        reason = "" if is_same else f"{asset.requested!r} is now version {now}, and {asset.version} is locked"
    retirement = _retirement(session, asset)
    if not reason and not retirement:
        return None
    told = "; ".join(filter(None, (reason, retirement and f"{asset.version} {retirement}")))
    return Outdated(asset.name, asset.requested, asset.version, now, told, bool(retirement))


def _in_parallel(make: Callable[[Item], Made], items: Iterable[Item]) -> tuple[Made, ...]:
    with ThreadPoolExecutor(_WORKERS, thread_name_prefix="objreg-lock") as pool:
        return tuple(pool.map(make, items))
