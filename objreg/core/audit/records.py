"""Hold the records that a commit to a model names against what the state says of them."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from objreg.core.artifacts import Artifact
from objreg.core.audit.findings import Finding, finding
from objreg.core.audit.inventory import digests_among
from objreg.core.audit.needs import Needs, check_artifacts
from objreg.core.keys import record_key
from objreg.core.provenance import VersionReference
from objreg.core.records import AnyRecord, Catalog, Deployment, Experiment, Record, Retirement, VersionRecord
from objreg.core.state import DeploymentItem, ModelState, VersionItem

__all__ = ["Model", "check_records", "model_records"]


class Model(Protocol):
    """What is known of a model."""

    domain: str
    model: str
    needs: Needs
    versions: dict[str, VersionItem]
    deployments: dict[str, DeploymentItem]
    small: ModelState


def model_records(patch: dict[str, Any]) -> set[str]:
    """Return the digests of records that a patch of a model names; anything but text is passed over."""
    found: list[Any] = [patch.get("catalog")]
    for name in ("versions", "deployments"):
        items = patch.get(name)
        for item in items.values() if isinstance(items, dict) else ():
            if isinstance(item, dict):
                experiments = item.get("experiments")
                found += [item.get("record"), item.get("retired")]
                found += experiments.values() if isinstance(experiments, dict) else ()
    return digests_among(found)


def check_records(
    model: Model, versions: set[str], deployments: set[str], patch: dict[str, Any], records: Mapping[str, AnyRecord]
) -> Iterator[Finding]:
    """Yield where a record that a commit names does not say what the state says of it.

    Args:
        model: with the commit.
        versions: that it touched.
        deployments: that it touched.
        patch: of the commit; only the records that it names are looked at.
        records: by digest, as far as they could be read.
    """
    check = _Check(model, {digest: records[digest] for digest in model_records(patch) if digest in records})
    for version in sorted(versions):
        yield from check.version(version, model.versions[version])
    for number in sorted(deployments):
        item = model.deployments[number]
        reference = check.reference(item.version)
        found = check.fields(item.record, Deployment, number=int(number), version=reference)
        yield from found
    if model.small.catalog:
        yield from check.fields(model.small.catalog, Catalog, model=model.model)


class _Check:
    def __init__(self, model: Model, records: Mapping[str, AnyRecord]) -> None:
        self._model = model
        self._records = records

    def reference(self, version: str) -> VersionReference | None:
        item = self._model.versions.get(version)
        if item is None:
            return None
        return VersionReference(model=self._model.model, version=version, record=item.record)

    def version(self, version: str, item: VersionItem) -> Iterator[Finding]:
        record = self._records.get(item.record)
        yield from self.fields(
            item.record,
            VersionRecord,
            model=self._model.model,
            version=version,
            created_at=item.created_at,
            created_by=item.created_by,
        )
        if isinstance(record, VersionRecord):
            sums = (sum(a.size for a in record.artifacts), sum(len(a.files) for a in record.artifacts))
            if sums != (item.size, item.files):
                found = f"it has {sums[0]} bytes in {sums[1]} files, expected {item.size} in {item.files}"
                yield self._finding("record-mismatch", item.record, found)
            parent = record.parent
            if parent and parent.model == self._model.model and parent != self.reference(parent.version):
                yield self._finding("record-mismatch", item.record, "its parent is not a version of this model")
            yield from self._artifacts(item.record, record.artifacts, (version, ""))
        for name, digest in item.experiments.items():
            yield from self.fields(digest, Experiment, name=name, version=self.reference(version))
            experiment = self._records.get(digest)
            if isinstance(experiment, Experiment):
                yield from self._artifacts(digest, experiment.artifacts, (version, name))
        if item.retired:
            yield from self.fields(item.retired, Retirement, version=self.reference(version))

    def fields(self, digest: str, kind: type[Record], **expected: object) -> Iterator[Finding]:
        """Yield what a record should say and does not; nothing of one that the commit does not name."""
        record = self._records.get(digest)
        if record is None:
            return
        if not isinstance(record, kind):
            yield self._finding(
                "record-mismatch", digest, f"expected a {kind.__name__}, found a {type(record).__name__}"
            )
            return
        for name, value in expected.items():
            found = getattr(record, name)
            if found != value:
                yield self._finding("record-mismatch", digest, f"its {name} is {found}, expected {value}")

    def _artifacts(self, digest: str, artifacts: tuple[Artifact, ...], owner: tuple[str, str]) -> Iterator[Finding]:
        for problem in check_artifacts(artifacts):
            yield self._finding("artifact-wrong", digest, problem)
        for key, problem in self._model.needs.add(artifacts, owner):
            yield finding("blob-contradiction", self._model.domain, key, problem)

    def _finding(self, code: str, digest: str, message: str) -> Finding:
        return finding(code, self._model.domain, record_key(self._model.domain, digest), message)
