"""Why a version is what a project uses: who asked for it, what that was, who pushed it and who moved it there."""

from dataclasses import dataclass

from objreg.core.lock_file import LockedAsset
from objreg.core.wants import Want, spec_of
from objreg.registry.pinned import pinned_version
from objreg.registry.registry import Registry
from objreg.registry.values import HistoryItem, Version

__all__ = ["Why", "why"]


@dataclass(frozen=True)
class Why:
    """What is known of a locked model.

    Attributes:
        want: who asks for it now; None if nobody does any more.
        asset: as it is locked.
        version: with its record, which has who pushed it and when.
        moved: the commit that moved it into the state that was asked for, as things stood when it was locked; None
            where no state was asked for.
    """

    want: Want | None
    asset: LockedAsset
    version: Version
    moved: HistoryItem | None


def why(registry: Registry, asset: LockedAsset, want: Want | None, place: str) -> Why:
    """Return why a version is locked.

    The history is read back from the newest commit to the one that is looked for.

    Args:
        registry: that it is in.
        asset: from the lock file.
        want: from the configuration.
        place: the lock file's path, for messages.
    """
    version = pinned_version(registry.session, asset, place)
    state = spec_of(asset.name, asset.requested).state
    return Why(want, asset, version, _moved(registry, asset, state) if state else None)


def _moved(registry: Registry, asset: LockedAsset, state: str) -> HistoryItem | None:
    for item in registry.history(asset.name):
        if item.seq > asset.entry.seq:
            continue
        for change in item.changes:
            named = (change.kind, change.name) == ("state_change", state)
            if named and asset.version in change.after and asset.version not in change.before:
                return item
    return None
