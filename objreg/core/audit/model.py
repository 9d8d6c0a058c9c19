"""The rules of a model, held against its history: every commit is looked at for what it changed, and whether it might.

Only what a commit touches is looked at, so that a long history costs no more than its length.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from objreg.core.audit.claims import Effects, Problem, check_claims
from objreg.core.audit.findings import Finding, finding
from objreg.core.audit.moves import Undecided, judge_move
from objreg.core.audit.needs import Needs
from objreg.core.audit.pointers import Pointers
from objreg.core.audit.records import check_records
from objreg.core.audit.scope import Definitions
from objreg.core.entries import Entry
from objreg.core.keys import log_key
from objreg.core.records import AnyRecord
from objreg.core.state import DeploymentItem, ModelState, VersionItem
from objreg.core.versions import Scheme
from objreg.errors import FormatError, InvalidInput

__all__ = ["ModelAudit"]

Json = dict[str, Any]
_LARGE = frozenset({"versions", "deployments"})


@dataclass(frozen=True)
class _Touched:
    """What a commit touched, as it is after it.

    Attributes:
        small: the state without versions and deployments.
        versioning: by the state's scheme.
        versions: those that were added or changed.
        deployments: likewise.
    """

    small: ModelState
    versioning: Scheme
    versions: dict[str, VersionItem]
    deployments: dict[str, DeploymentItem]


class ModelAudit:
    """A model's manifest, commit by commit.

    Args:
        domain: the model's.
        definitions: of states, in the registry's and the enclosing namespaces' manifests.

    Attributes:
        needs: the blobs that the records named so far need.
        versions: as they are now.
        small: everything else of the state.
        condemned: physical names of blobs that ever were.
        undecided: state changes whose definition is not known: it may have been made after the scopes were read.
    """

    def __init__(self, domain: str, definitions: Definitions) -> None:
        self.domain = domain
        self.model = domain.removesuffix(".model")
        self.needs = Needs(domain)
        self.versions: dict[str, VersionItem] = {}
        self.deployments: dict[str, DeploymentItem] = {}
        self.small = ModelState()
        self.condemned: set[str] = set()
        self.undecided: list[Undecided] = []
        self._definitions = definitions
        self._pointers = Pointers()
        self._ordered = True

    def load(self, state: Json) -> None:
        """Take a state as it is. Raises FormatError where it is not of its type."""
        try:
            typed = msgspec.convert(state, ModelState)
            versioning = typed.versioning
            for version in typed.versions:
                versioning.check(version)
        except (msgspec.ValidationError, InvalidInput) as error:
            raise FormatError(f"it is not a model's state: {error}") from error
        self.versions, self.deployments = dict(typed.versions), dict(typed.deployments)
        self.small = msgspec.structs.replace(typed, versions={}, deployments={})
        self.condemned.update(typed.condemned)
        self._pointers, self._ordered = Pointers(), True
        for version in self.versions:
            self._pointers.update(version, None, self.versions, versioning)

    def check(self, entry: Entry, after: Json, records: Mapping[str, AnyRecord]) -> Iterator[Finding]:
        """Yield what the commit did that the rules do not allow."""
        key = log_key(self.domain, entry.seq)
        try:
            touched = self._touched(entry.patch, after)
        except (msgspec.ValidationError, InvalidInput) as error:
            yield finding("state-unreadable", self.domain, key, f"what entry {entry.seq} changes: {error}")
            self._ordered = False
            return
        problems = (
            *self._check_scheme(touched),
            *self._check_versions(touched.versions),
            *self._check_deployments(touched.deployments),
            *self._check_collection(touched.small),
            *self._check_changes(entry, touched),
            *self._check_together(touched.versions, touched.deployments),
        )
        self._take(touched)
        for code, message in problems:
            yield finding(code, self.domain, key, f"entry {entry.seq}: {message}")
        yield from self._check_refs(entry, key)
        yield from check_records(self, set(touched.versions), set(touched.deployments), entry.patch, records)

    def _touched(self, patch: Json, after: Json) -> _Touched:
        names = [name for name in ModelState.__struct_fields__ if name in patch and name not in _LARGE]
        typed = msgspec.convert({name: after[name] for name in names}, ModelState)
        small = msgspec.structs.replace(self.small, **{name: getattr(typed, name) for name in names})
        return _Touched(
            small,
            small.versioning,
            _items(patch, after, "versions", VersionItem),
            _items(patch, after, "deployments", DeploymentItem),
        )

    def _take(self, touched: _Touched) -> None:
        old = {version: self.versions.get(version) for version in touched.versions}
        self.small = touched.small
        self.condemned.update(touched.small.condemned)
        self.versions.update(touched.versions)
        self.deployments.update(touched.deployments)
        if self._ordered:
            for version in touched.versions:
                self._pointers.update(version, old[version], self.versions, touched.versioning)

    # What a commit may change

    def _check_scheme(self, touched: _Touched) -> Iterator[Problem]:
        if self.versions and touched.small.scheme != self.small.scheme:
            yield "scheme-changed", f"the scheme was {self.small.scheme} and became {touched.small.scheme}"
            self._ordered = False
        for version in touched.versions.keys() - self.versions.keys():
            try:
                touched.versioning.check(version)
            except InvalidInput as error:
                self._ordered = False
                yield "version-not-of-scheme", str(error)

    def _check_versions(self, versions: dict[str, VersionItem]) -> Iterator[Problem]:
        new = [item.order for version, item in versions.items() if version not in self.versions]
        expected = range(len(self.versions) + 1, len(self.versions) + len(new) + 1)
        if sorted(new) != list(expected):
            yield "order-wrong", f"the new versions are numbered {sorted(new)}, expected {list(expected)}"
        for version, item in versions.items():
            old = self.versions.get(version)
            if old is not None:
                yield from _compare(version, old, item)
            if item.retired and (item.states if old is None or not old.retired else item.states != old.states):
                yield "retired-version-used", f"version {version} is retired, and in state {', '.join(item.states)}"

    def _check_deployments(self, deployments: dict[str, DeploymentItem]) -> Iterator[Problem]:
        count = len(self.deployments)
        new = [number for number in deployments if number not in self.deployments]
        expected = {str(number) for number in range(count + 1, count + len(new) + 1)}
        if set(new) != expected:
            yield "deployment-number-wrong", f"new deployments {', '.join(sorted(new))} after {count}"
        for number, item in deployments.items():
            old = self.deployments.get(number)
            if old is not None and (old.record, old.version) != (item.record, item.version):
                yield "deployment-changed", f"deployment {number} was of {old.version}, and became another record"
            version = self.versions.get(item.version)
            if old is None and version is not None and version.retired:
                yield "retired-version-used", f"version {item.version} is retired, and deployed as {number}"

    def _check_together(
        self, versions: dict[str, VersionItem], deployments: dict[str, DeploymentItem]
    ) -> Iterator[Problem]:
        """Yield where the versions and the deployments of a commit do not fit each other."""
        retired = {version for version, item in versions.items() if item.retired} - {
            version for version in versions if version in self.versions and self.versions[version].retired
        }
        if retired:
            for number, item in {**self.deployments, **deployments}.items():
                if item.version in retired and item.status == "active":
                    yield (
                        "retired-version-used",
                        f"version {item.version} was retired, and deployment {number} of it is active",
                    )
        for number, item in deployments.items():
            if item.version not in self.versions and item.version not in versions:
                yield "deployment-changed", f"deployment {number} is of version {item.version}, which does not exist"

    def _check_collection(self, small: ModelState) -> Iterator[Problem]:
        if small.incarnations is not self.small.incarnations:
            for blob, incarnation in self.small.incarnations.items():
                if small.incarnations.get(blob, 0) < incarnation:
                    yield "incarnation-lowered", f"incarnation {incarnation} of blob {blob} was taken back"

    # What it says that it did

    def _check_changes(self, entry: Entry, touched: _Touched) -> Iterator[Problem]:
        if "changes" not in entry.patch:
            yield "changes-unreadable", "the entry has no changes"
            return
        yield from check_claims(self._effects(touched), touched.small.changes)
        for change in touched.small.changes:
            if change.kind != "state_change":
                continue
            if change.record and change.record not in self._definitions:
                self.undecided.append((entry.seq, change))
            else:
                yield from judge_move(change, self._definitions)

    def _effects(self, touched: _Touched) -> Effects:
        small, versions = touched.small, touched.versions
        effects = Effects(self._standing)
        for version, item in versions.items():
            _add_version(effects, version, self.versions.get(version), item)
        for state in {name for item in (*versions.values(), *self._olds(versions)) for name in item.states}:
            members = {version for version in self._pointers.members(state) if version not in versions}
            members |= {version for version, item in versions.items() if state in item.states}
            effects.move("state_change", state, tuple(sorted(members)))
        for number, deployment in touched.deployments.items():
            if number not in self.deployments:
                effects.add("deployment", number, deployment.version, deployment.record)
            effects.move("deployment_status", number, (deployment.status,))
        effects.move("catalog", "", (small.catalog,) if small.catalog else ())
        for name in set(small.condemned) - set(self.small.condemned):
            effects.add("condemned", name, "")
        for name in set(self.small.condemned) - set(small.condemned):
            effects.add("swept", name, "")
        return effects

    def _olds(self, versions: dict[str, VersionItem]) -> list[VersionItem]:
        return [self.versions[version] for version in versions if version in self.versions]

    def _standing(self, kind: str, name: str) -> tuple[str, ...]:
        if kind == "state_change":
            return self._pointers.members(name)
        if kind == "deployment_status":
            found = self.deployments.get(name)
            return (found.status,) if found else ()
        return (self.small.catalog,) if kind == "catalog" and self.small.catalog else ()

    def _check_refs(self, entry: Entry, key: str) -> Iterator[Finding]:
        expected = self._pointers.refs(self.versions)
        if self._ordered and entry.refs != expected:
            wrong = sorted(
                name for name in entry.refs.keys() | expected.keys() if entry.refs.get(name) != expected.get(name)
            )
            found = ", ".join(
                f"{name} at {entry.refs[name].version if name in entry.refs else 'nothing'} instead of"
                f" {expected[name].version if name in expected else 'nothing'}"
                for name in wrong
            )
            yield finding("refs-wrong", self.domain, key, f"entry {entry.seq} has the pointers {found}")


def _items(patch: Json, after: Json, name: str, kind: type[Any]) -> dict[str, Any]:
    """Return, typed, the items of a part of the state that a patch touches."""
    found = patch.get(name, {})
    if not isinstance(found, dict):
        raise msgspec.ValidationError(f"{name} is not an object")
    return {key: msgspec.convert(after[name][key], kind) for key in found}


def _add_version(effects: Effects, version: str, old: VersionItem | None, new: VersionItem) -> None:
    if old is None:
        effects.add("version", "", version, new.record)
    for name in new.experiments.keys() - (old.experiments.keys() if old else set()):
        effects.add("experiment", name, version, new.experiments[name])
    for name in set(new.expired) - set(old.expired if old else ()):
        effects.add("expiry", name, version, new.experiments.get(name, ""))
    if new.retired and not (old and old.retired):
        effects.add("retirement", "", version, new.retired)


def _compare(version: str, old: VersionItem, new: VersionItem) -> Iterator[Problem]:
    """Yield what of an existing version was changed and must not be."""
    for field in ("record", "created_at", "created_by", "size", "files", "order"):
        was, became = getattr(old, field), getattr(new, field)
        if was != became:
            yield "version-changed", f"{field} of version {version} was {was} and became {became}"
    for name, record in old.experiments.items():
        if new.experiments.get(name) != record:
            yield "experiment-replaced", f"experiment {name} of version {version} was {record} and became another"
    if old.retired:
        if new.retired != old.retired:
            yield "retirement-changed", f"the retirement of version {version} was {old.retired} and became another"
        if new.experiments.keys() - old.experiments.keys():
            yield "retired-version-used", f"version {version} is retired, and an experiment was added to it"
    if set(old.expired) - set(new.expired):
        yield "expiry-undone", f"expired experiments of version {version} came back"
