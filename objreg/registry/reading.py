"""Reading models: what they hold and how it came about; and what spans a registry: any object, any two versions."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import msgspec

from objreg.core import rules
from objreg.core.diff import Side, VersionDiff, catalog_at, diff_versions
from objreg.core.keys import REGISTRY_DOMAIN, model_domain, namespace_domain
from objreg.core.names import check_state
from objreg.core.records import Catalog, Deployment, Experiment
from objreg.core.specs import parse_spec
from objreg.errors import FormatError, NotFound
from objreg.registry.objects import find_object
from objreg.registry.scope_reading import ScopeReading
from objreg.registry.values import HistoryItem, Version, VersionSummary
from objreg.registry.version_reading import VersionReading

__all__ = ["Reading"]

_WORKERS = 8
_WHOLE_DIGEST = len("sha256:") + 64

Loaded = TypeVar("Loaded")


class Reading(VersionReading, ScopeReading):
    """The methods that read a registry."""

    def versions(self, model: str, state: str | None = None) -> tuple[VersionSummary, ...]:
        """Return the versions of a model, the newest first.

        Args:
            model: its path.
            state: only those in this state.

        Raises:
            NotFound: there is no such model.
        """
        manifest = self._session.existing_model(model)
        found = self._session.view(model, manifest).state
        wanted = None if state is None else check_state(state)
        return tuple(
            VersionSummary.of(model, version, found.versions[version])
            for version in found.newest_first()
            if wanted is None or wanted in found.versions[version].states
        )

    def experiments(self, spec: str | Version) -> tuple[Experiment, ...]:
        """Return the experiments of a version, in the order of their names.

        Raises:
            NotFound: there is no such version.
        """
        parsed = parse_spec(str(spec))
        manifest = self._session.existing_model(parsed.path)
        view = self._session.view(parsed.path, manifest)
        locked = self._locked(parsed)
        version = locked.version if locked else rules.resolve(view, parsed)
        found, reference = view.state.versions[version].experiments, view.reference(version)

        def load(name: str) -> Experiment:
            return self._session.record_of(manifest, found[name], Experiment, name=name, version=reference)

        return _in_parallel(load, sorted(found))

    def deployments(self, model: str) -> tuple[Deployment, ...]:
        """Return the deployments of a model by number, each with its present status.

        Raises:
            NotFound: there is no such model.
        """
        manifest = self._session.existing_model(model)
        view = self._session.view(model, manifest)

        def load(number: str) -> Deployment:
            item = view.state.deployments[number]
            reference = view.reference(item.version)
            record = self._session.record_of(manifest, item.record, Deployment, version=reference)
            if str(record.number) != number:
                raise FormatError(f"deployment {number[:100]!r} of {model} has a record of number {record.number}")
            return msgspec.structs.replace(record, status=item.status)

        return tuple(sorted(_in_parallel(load, view.state.deployments), key=lambda record: record.number))

    def catalog(self, model: str) -> Catalog:
        """Return what a model is said to be.

        Raises:
            NotFound: there is no such model, or it has no catalog.
        """
        manifest = self._session.existing_model(model)
        digest = self._session.view(model, manifest).state.catalog
        if not digest:
            raise NotFound(f"{model} has no catalog; apply one with 'objreg catalog apply'", model=model)
        return self._session.record_of(manifest, digest, Catalog, model=model)

    def head(self, model: str) -> HistoryItem:
        """Return the newest commit to a model; its digest is what ``expect=`` takes.

        Raises:
            NotFound: there is no such model.
        """
        manifest = self._session.existing_model(model)
        assert manifest.head is not None
        return HistoryItem.of(manifest.head)

    def history(self, model: str) -> Iterator[HistoryItem]:
        """Yield the commits to a model, the newest first: who, when, why, and from what to what.

        The chain is verified on the way.

        Raises:
            NotFound: there is no such model.
            RollbackDetected: the log was rewritten.
        """
        manifest = self._session.existing_model(model)
        assert manifest.head is not None
        return (HistoryItem.of(head) for head in manifest.history(manifest.head))

    def object(self, name: str) -> bytes:
        """Return an object's bytes as they are stored.

        Args:
            name: a spec (the version's record; with a file behind it, that file), or a whole digest: ``sha256:…`` looks
                everywhere, ``fraud/clf@sha256:…`` in one model.

        Raises:
            NotFound: there is no such object.
            IntegrityError: it holds other bytes than its digest promises.
        """
        spec = None if name.startswith("sha256:") else parse_spec(name)
        if spec and spec.file:
            return b"".join(self.read(name))
        digest = spec.digest if spec else name
        if self._session.offline and len(digest) == _WHOLE_DIGEST and (kept := self._session.recall.object(digest)):
            return kept
        if spec is None:
            models, namespaces = self._folders("")
            places = [REGISTRY_DOMAIN, *map(namespace_domain, sorted(namespaces)), *map(model_domain, sorted(models))]
            return find_object(self._session, digest, places)
        if len(digest) == _WHOLE_DIGEST:
            return find_object(self._session, digest, [self._session.existing_model(spec.path).domain])
        return self._session.model(spec.path).record(self._resolve(spec).digest)

    def diff(self, before: str | Version, after: str | Version) -> VersionDiff:
        """Compare two versions, of one model or of two: files, metadata, environment, code, metrics, catalog.

        The catalogs compared are those that stood when the versions were pushed, so the history is read that far back.

        Raises:
            NotFound: there is no such version.
        """
        return diff_versions(self._side(before), self._side(after))

    def _side(self, spec: str | Version) -> Side:
        version = self.resolve(spec)
        experiments = self.experiments(version)
        manifest = self._session.model(version.model)
        current = self._session.view(version.model, manifest).state.catalog
        if current:
            commits = (item.changes for item in self.history(version.model))
            current = catalog_at(commits, current, version.version)
        catalog = self._session.record_of(manifest, current, Catalog) if current else None
        return Side(version.record, version.digest, experiments, catalog)


def _in_parallel(load: Callable[[str], Loaded], names: Iterable[str]) -> tuple[Loaded, ...]:
    with ThreadPoolExecutor(_WORKERS, thread_name_prefix="objreg-records") as pool:
        return tuple(pool.map(load, names))
