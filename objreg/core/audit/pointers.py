"""The pointers of a model, kept up to date commit by commit: ``latest``, and the newest version in each state.

``objreg.core.state.model_refs`` computes them from a whole state; over a long history that would be quadratic. A test
holds the two to each other.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from objreg.core.names import LATEST
from objreg.core.state import Pointer, VersionItem
from objreg.core.versions import Scheme

__all__ = ["Pointers"]


class Pointers:
    """Which versions are in each state, and which of them its pointer names."""

    def __init__(self) -> None:
        self._members: dict[str, set[str]] = defaultdict(set)
        self._newest: dict[str, str] = {}

    def members(self, state: str) -> tuple[str, ...]:
        """Return the versions in a state, in no particular order."""
        return tuple(self._members.get(state, ()))

    def update(
        self, version: str, old: VersionItem | None, versions: Mapping[str, VersionItem], versioning: Scheme
    ) -> None:
        """Take note of one version.

        Args:
            version: that changed, or is new.
            old: what the state held of it before.
            versions: all, with the change.
            versioning: the model's scheme.
        """
        before, after = _names(old), _names(versions[version])
        for name in after - before:
            self._members[name].add(version)
            known = self._newest.get(name)
            self._newest[name] = _newest((known, version) if known else (version,), versions, versioning)
        for name in before - after:
            self._members[name].discard(version)
            if self._newest[name] == version:
                self._newest[name] = _newest(self._members[name], versions, versioning)

    def refs(self, versions: Mapping[str, VersionItem]) -> dict[str, Pointer]:
        """Return the pointers as an entry must have them."""
        return {
            name: Pointer(version=version, record=versions[version].record)
            for name, version in self._newest.items()
            if version
        }


def _names(item: VersionItem | None) -> set[str]:
    if item is None:
        return set()
    return set(item.states) if item.retired else {*item.states, LATEST}


def _newest(found: Iterable[str], versions: Mapping[str, VersionItem], versioning: Scheme) -> str:
    if versioning.ordered:
        return versioning.newest(found)
    return max(found, key=lambda version: versions[version].order, default="")
