"""What is different between two versions. Values in, a value out: no I/O."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from objreg.core.provenance import CodeState
from objreg.core.records import Catalog, Experiment, VersionRecord
from objreg.core.state import Change

__all__ = ["Difference", "FileDifference", "Side", "VersionDiff", "catalog_at", "diff_versions"]

Status = Literal["added", "removed", "changed", "same"]
_NOTHING = object()


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two versions, with what belongs to it.

    Attributes:
        record: of the version.
        digest: of the record.
        experiments: of the version.
        catalog: of the model, as it was when the version was pushed; None if there was none.
    """

    record: VersionRecord
    digest: str
    experiments: tuple[Experiment, ...] = ()
    catalog: Catalog | None = None


@dataclass(frozen=True, slots=True)
class FileDifference:
    """One file, by its path in a pulled version.

    Attributes:
        path: inside the version's folder.
        status: what became of it.
        before: its digest, or ``""``.
        after: its digest, or ``""``.
        size_before: in bytes; 0 where there was none.
        size_after: in bytes; 0 where there is none.
    """

    path: str
    status: Status
    before: str
    after: str
    size_before: int
    size_after: int


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that differs.

    Attributes:
        name: where it stands, like ``layers.size``.
        status: what became of it.
        before: the value, or None where there was none.
        after: the value, or None where there is none.
    """

    name: str
    status: Literal["added", "removed", "changed"]
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class VersionDiff:
    """What is different between two versions; each part is sorted by name and empty where nothing differs.

    Attributes:
        before: the first version's name.
        after: the second version's name.
        before_digest: of the first version's record.
        after_digest: of the second version's record.
        files: every file of both, also those that are the same.
        description: that people read, and the framework.
        metadata: by dotted name.
        environment: the interpreter, the platform, and each dependency.
        code: the Git state.
        metrics: by experiment and metric, like ``holdout.auc``.
        catalog: by dotted name.
    """

    before: str
    after: str
    before_digest: str
    after_digest: str
    files: tuple[FileDifference, ...]
    description: tuple[Difference, ...]
    metadata: tuple[Difference, ...]
    environment: tuple[Difference, ...]
    code: tuple[Difference, ...]
    metrics: tuple[Difference, ...]
    catalog: tuple[Difference, ...]

    @property
    def is_same(self) -> bool:
        """Whether nothing differs but the names."""
        values = (self.description, self.metadata, self.environment, self.code, self.metrics, self.catalog)
        return not any(values) and all(file.status == "same" for file in self.files)


def diff_versions(before: Side, after: Side) -> VersionDiff:
    """Compare two versions, of one model or of two."""
    one, two = before.record, after.record
    return VersionDiff(
        before=f"{one.model}:{one.version}",
        after=f"{two.model}:{two.version}",
        before_digest=before.digest,
        after_digest=after.digest,
        files=_files(one, two),
        description=_differences(_words(one), _words(two)),
        metadata=_differences(one.metadata, two.metadata),
        environment=_differences(msgspec.to_builtins(one.environment), msgspec.to_builtins(two.environment)),
        code=_differences(_code(one.code), _code(two.code)),
        metrics=_differences(_metrics(before.experiments), _metrics(after.experiments)),
        catalog=_differences(_catalog(before.catalog), _catalog(after.catalog)),
    )


def catalog_at(changes: Iterable[tuple[Change, ...]], current: str, version: str) -> str:
    """Return the record of the catalog that stood when a version was pushed, or ``""``.

    Args:
        changes: of the model's commits, the newest first; read only as far as the version's own commit.
        current: the record of the present catalog, or ``""``.
        version: of the model.
    """
    found = current
    for commit in changes:
        if any(change.kind == "version" and change.version == version for change in commit):
            return found
        for change in commit:
            if change.kind == "catalog":
                found = change.before[0] if change.before else ""
    return found


def _files(one: VersionRecord, two: VersionRecord) -> tuple[FileDifference, ...]:
    before, after = _by_path(one), _by_path(two)
    found = []
    for path in sorted(before.keys() | after.keys()):
        old, old_size = before.get(path, ("", 0))
        new, new_size = after.get(path, ("", 0))
        status: Status = "added" if not old else "removed" if not new else "same" if old == new else "changed"
        found.append(FileDifference(path, status, old, new, old_size, new_size))
    return tuple(found)


def _by_path(record: VersionRecord) -> dict[str, tuple[str, int]]:
    return {
        f"{artifact.folder}/{file.path}" if artifact.folder else file.path: (file.digest, file.size)
        for artifact in record.artifacts
        for file in artifact.files
    }


def _words(record: VersionRecord) -> dict[str, str]:
    return {name: text for name in ("description", "framework") if (text := getattr(record, name))}


def _code(code: CodeState | None) -> dict[str, Any]:
    return {} if code is None else msgspec.structs.asdict(code)


def _metrics(experiments: tuple[Experiment, ...]) -> dict[str, Any]:
    return {
        f"{experiment.name}.{name}": value
        for experiment in experiments
        for name, value in (("status", experiment.status), *experiment.metrics.items())
    }


def _catalog(catalog: Catalog | None) -> dict[str, Any]:
    """Return what a catalog says of the model, without who wrote it when."""
    if catalog is None:
        return {}
    plain: dict[str, Any] = msgspec.to_builtins(catalog)
    return {name: plain[name] for name in ("description", "owner", "url", "data_sources", "inference", "tags")}


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Difference, ...]:
    old, new = dict(_flat(before)), dict(_flat(after))
    found = []
    for name in sorted(old.keys() | new.keys()):
        was, is_now = old.get(name, _NOTHING), new.get(name, _NOTHING)
        if was is _NOTHING:
            found.append(Difference(name, "added", None, is_now))
        elif is_now is _NOTHING:
            found.append(Difference(name, "removed", was, None))
        elif was != is_now or type(was) is not type(is_now):
            found.append(Difference(name, "changed", was, is_now))
    return tuple(found)


def _flat(value: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    """Yield the values inside objects by dotted name; an array, and an empty object, is one value."""
    for name, item in value.items():
        if isinstance(item, Mapping) and item:
            yield from _flat(item, f"{prefix}{name}.")
        else:
            yield prefix + name, item
