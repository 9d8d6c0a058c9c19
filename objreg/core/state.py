"""The state of a domain, typed. State itself is plain JSON, folded from the manifest; these are views of it.

Objects in the state are only added to. Whatever can be taken back (a version's states, what is condemned) is an array
or text.
"""

from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec

from objreg.core.fields import Digest, Name, OptionalDigest, Size, Time
from objreg.core.versions import DEFAULT_SCHEME, Scheme, scheme
from objreg.errors import FormatError

__all__ = [
    "Change",
    "DeploymentItem",
    "ModelState",
    "Pointer",
    "ScopeState",
    "StateItem",
    "VersionItem",
    "model_refs",
    "typed_state",
]

Typed = TypeVar("Typed")


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a commit did: the line of an audit. Who, when and why stand in the entry.

    Attributes:
        kind: what was changed: ``registry_settings``, ``namespace``, ``catalog``, ``version``, ``experiment``,
            ``state_definition``, ``state_change``, ``deployment``, ``deployment_status``, ``retirement``,
            ``retention_policy``, ``expiry`` (of an experiment's artifacts), ``condemned`` or ``swept`` (physical blob
            names, in ``after`` and in ``before``). Later releases may add kinds, and a reader shows what it does not
            know: a newer writer must not lock it out.
        name: of the experiment, the state, the deployment (its number).
        version: which one it is about, or ``""``.
        record: the record that was added; for a state change, the definition that allowed it.
        before: what stood there: versions in the state, the status, the earlier record.
        after: what stands there now.
    """

    kind: Name
    name: str = ""
    version: str = ""
    record: OptionalDigest = ""
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


class Pointer(msgspec.Struct, frozen=True, kw_only=True):
    """Where ``latest`` or a state leads."""

    version: Name
    record: Digest


class VersionItem(msgspec.Struct, frozen=True, kw_only=True):
    """What the state holds of a version, so that a list of versions needs no record.

    Attributes:
        record: digest of the version's record.
        created_at: as in the record.
        created_by: as in the record.
        size: of all its files, in bytes.
        files: how many.
        order: its place in the order of pushes, from 1.
        states: that it is in, in the order in which it came into them.
        experiments: records by name.
        retired: the retirement's record, or ``""``.
        expired: experiments whose artifacts may be collected; their records stay.
    """

    record: Digest
    created_at: Time
    created_by: Name
    size: Size
    files: Size
    order: Size
    states: tuple[str, ...] = ()
    experiments: dict[str, Digest] = {}
    retired: OptionalDigest = ""
    expired: tuple[str, ...] = ()


class DeploymentItem(msgspec.Struct, frozen=True, kw_only=True):
    """What the state holds of a deployment."""

    record: Digest
    version: Name
    status: Name


class ModelState(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a model.

    Attributes:
        scheme: name of its versioning scheme.
        catalog: the current catalog's record, or ``""``.
        versions: by version.
        deployments: by number, as text.
        incarnations: of blobs that were condemned: the incarnation to write next, by the blob's hex digits.
        condemned: physical blob names that a collector is deleting.
        changes: what the newest commit did.
    """

    scheme: str = DEFAULT_SCHEME
    catalog: OptionalDigest = ""
    versions: dict[str, VersionItem] = {}
    deployments: dict[str, DeploymentItem] = {}
    incarnations: dict[str, Size] = {}
    condemned: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()

    @property
    def versioning(self) -> Scheme:
        """The versioning scheme itself."""
        return scheme(self.scheme)

    def in_state(self, name: str) -> tuple[str, ...]:
        """Return the versions in a state, in the order in which they were pushed."""
        found = (version for version, item in self.versions.items() if name in item.states)
        return tuple(sorted(found, key=lambda version: self.versions[version].order))

    def latest(self) -> str:
        """Return the version that *latest* names, or ``""``: retired ones do not count."""
        return self._newest(version for version, item in self.versions.items() if not item.retired)

    def newest_in(self, name: str) -> str:
        """Return the version that ``@name`` names: the newest of those in the state, or ``""``."""
        return self._newest(version for version, item in self.versions.items() if name in item.states)

    def continuing(self, part: str) -> str:
        """Return the newest version that continues the partial version ``part``, or ``""``."""
        versioning = self.versioning
        if not versioning.is_partial(part):
            return ""
        return self._newest(
            version for version, item in self.versions.items() if not item.retired and versioning.matches(part, version)
        )

    def newest_first(self) -> tuple[str, ...]:
        """Return all versions, the newest first: by the scheme's order, or by the log's where it has none."""
        versioning = self.versioning
        if versioning.ordered:
            return tuple(sorted(self.versions, key=versioning.key, reverse=True))
        return tuple(sorted(self.versions, key=lambda version: self.versions[version].order, reverse=True))

    def _newest(self, versions: Iterable[str]) -> str:
        versioning = self.versioning
        if versioning.ordered:
            return versioning.newest(versions)
        return max(versions, key=lambda version: self.versions[version].order, default="")


class StateItem(msgspec.Struct, frozen=True, kw_only=True):
    """What the state of a registry or a namespace holds of a state's definition."""

    record: Digest
    exclusive: bool


class ScopeState(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a registry or a namespace: its own record, the states that it defines, its retention policy."""

    record: OptionalDigest = ""
    states: dict[str, StateItem] = {}
    retention: OptionalDigest = ""
    changes: tuple[Change, ...] = ()


def typed_state(state: Any, kind: type[Typed], domain: str) -> Typed:
    """Return plain JSON state, or a part of it, as a typed value.

    Raises:
        FormatError: it was not written by the format's rules.
    """
    try:
        return msgspec.convert(state, kind)
    except msgspec.ValidationError as error:
        raise FormatError(f"the state of {domain} is not what format 1 promises: {error}") from error


def model_refs(state: ModelState) -> dict[str, Pointer]:
    """Return the pointers of a model: ``latest``, and each state that a version is in."""
    names = {name for item in state.versions.values() for name in item.states}
    found = {name: state.newest_in(name) for name in sorted(names)}
    if latest := state.latest():
        found["latest"] = latest
    return {name: Pointer(version=version, record=state.versions[version].record) for name, version in found.items()}
