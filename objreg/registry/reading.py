"""Everything that reads a registry: resolve, list, history, pull."""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO, TypeVar

import msgspec

from objreg.core import rules
from objreg.core.artifacts import File
from objreg.core.diff import Side, VersionDiff, catalog_at, diff_versions
from objreg.core.entries import Head
from objreg.core.keys import REGISTRY_DOMAIN, model_domain, namespace_domain
from objreg.core.names import check_namespace, check_state, is_part
from objreg.core.provenance import VersionReference
from objreg.core.records import (
    AnyRecord,
    Catalog,
    Deployment,
    Experiment,
    Namespace,
    RegistrySettings,
    StateDefinition,
    VersionRecord,
)
from objreg.core.selection import select_files
from objreg.core.specs import Spec, parse_spec
from objreg.core.state import Change, Pointer, ScopeState
from objreg.errors import FormatError, InvalidInput, NotFound
from objreg.registry.cached import cached_told
from objreg.registry.download import file_paths
from objreg.registry.files import RemoteFile, open_file, whole_file
from objreg.registry.objects import find_object
from objreg.registry.pulled import copy_files, pulled_folder
from objreg.registry.sending import Progress
from objreg.registry.session import Session, typed_state
from objreg.registry.values import HistoryItem, Version, VersionSummary

__all__ = ["Reading"]

_WORKERS = 8
_WHOLE_DIGEST = len("sha256:") + 64

Loaded = TypeVar("Loaded")


class Reading(ABC):
    """The methods that read a registry."""

    @property
    @abstractmethod
    def _session(self) -> Session:
        """What this process holds of the registry."""

    @abstractmethod
    def _locked(self, spec: Spec) -> Version | None:
        """Return the locked version, where a spec is a model's name alone and a lock file says which that is."""

    @abstractmethod
    def _offline(self) -> "Reading":
        """Return the same registry, to which no request is made."""

    @abstractmethod
    def _replaced(self, spec: Spec) -> Spec | Path:
        """Return what a developer put in the place of a model: another version, a path, or the spec as it is."""

    @abstractmethod
    def _placed(self, folder: Path, version: Version, paths: Iterable[str]) -> Path:
        """Return where a pulled version is for its user: in the folder of assets, or in the cache."""

    # One version

    def resolve(self, spec: str | Version, *, local_files_only: bool = False) -> Version:
        """Return the version that a spec names.

        Args:
            spec: ``fraud/clf`` (the latest, or the locked version: see ``lock``), ``fraud/clf:1.2``, ``fraud/clf:1``
                (the newest 1.x), ``fraud/clf@production`` (the newest in the state), ``fraud/clf@sha256:…`` (by its
                record).
            local_files_only: make no request at all: use what this machine has seen.

        Raises:
            NotFound: there is no such model or version; the message says what there is.
            InvalidInput: the spec is not one.
        """
        if (reached := self._reached(local_files_only)) is not self:
            return reached.resolve(spec)
        return self._resolve(parse_spec(str(spec)))

    def _reached(self, local_files_only: bool) -> "Reading":
        return self._offline() if local_files_only and not self._session.offline else self

    def _resolve(self, spec: Spec) -> Version:
        with cached_told(self._session, spec.path):
            return self._found(spec)

    def _found(self, spec: Spec) -> Version:
        locked = self._locked(spec)
        if locked is not None:
            return locked
        manifest = self._session.model(spec.path)
        named = spec.version
        digest = self._session.recall.version(spec.path, named) if named else None
        if digest is None:
            self._session.existing_model(spec.path)
            assert manifest.head is not None
            refs: Mapping[str, Pointer | VersionReference] = manifest.head.entry.refs
            pointer = refs.get(spec.pointer) if spec.pointer else None
            if pointer is None:
                view = self._session.view(spec.path, manifest)
                pointer = view.reference(rules.resolve(view, spec))
            named, digest = pointer.version, pointer.record
        record = self._session.record_of(manifest, digest, VersionRecord, model=spec.path, version=named)
        self._session.recall.keep_version(record.model, record.version, digest)
        return Version(record.model, record.version, digest, record)

    def pull(
        self,
        spec: str | Version,
        *,
        destination: str | os.PathLike[str] | None = None,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        local_files_only: bool = False,
        progress: Progress | None = None,
    ) -> Path:
        """Return a complete, read-only folder with the files of a version, or with some of them; or one file of it.

        Args:
            spec: the version; with ``/path/inside`` behind it only that file or folder is fetched, and its path is
                returned.
            destination: a folder to copy the files to, writable; it must not exist, or be empty.
            include: fetch only files that match one of these patterns: paths inside the version in which ``*``, ``?``
                and ``[abc]`` match within one name, ``**`` any number of folders; ``/`` at the end means all below.
            exclude: leave out files that match one of these.
            local_files_only: make no request at all: use what this machine has seen and what is cached.
            progress: is called with the number of bytes fetched, as they are.

        Raises:
            NotFound: there is no such version or file, or the version was retired and its files were collected.
            InvalidInput: the spec or a pattern is not one, or the destination is in use.
            IntegrityError: the bucket holds other bytes than the record promises; nothing is kept.
            StoreError: the store gave no answer, or this machine's disk is full.
        """
        if (reached := self._reached(local_files_only)) is not self:
            return reached.pull(spec, destination=destination, include=include, exclude=exclude, progress=progress)
        parsed = parse_spec(str(spec))
        if isinstance(spec, str) and destination is None:
            replaced = self._replaced(parsed)
            if isinstance(replaced, Path):
                return replaced
            parsed = replaced
        version = spec if isinstance(spec, Version) else self._resolve(parsed)
        files = file_paths(version.artifacts)
        paths = select_files(files, below=parsed.file, include=_patterns(include), exclude=_patterns(exclude))
        if not paths:
            raise _no_file(version, parsed.file if not (include or exclude) else "that the patterns choose", files)
        chosen = {path: files[path] for path in paths}
        exact = destination is None and bool(include or exclude)
        with cached_told(self._session, version.model):
            folder = pulled_folder(self._session, version, files, chosen, exact=exact, progress=progress)
        if destination is not None:
            folder = copy_files(folder, paths, Path(destination))
        elif len(chosen) == len(files):
            folder = self._placed(folder, version, paths)
        return folder.joinpath(*parsed.file.split("/")) if parsed.file else folder

    def open(self, spec: str, *, verify: bool = False, local_files_only: bool = False) -> BinaryIO:
        """Open one file of a version to read in it without fetching all of it: ``fraud/clf:1.2/features.parquet``.

        The file is seekable and read-only, and stays the same whatever happens to ``@production`` meanwhile. Where the
        version or the file was pulled, it is read from disk without a request. Else ranges are asked for as they are
        read; who reads on from where the last read ended fetches more and more at a time.

        **Not every byte is verified.** Digests are of whole blobs, so only what is fetched whole is: compressed parts,
        parts and files of up to 1 MiB, and longer parts where reading on takes all of one. A range out of the middle
        of a longer part is handed out as the store gives it.

        Args:
            spec: the version, with the file's path behind it.
            verify: fetch whole parts (of up to 32 MiB) always, so that every byte is verified before it is handed out.
            local_files_only: make no request at all: use what this machine has seen and what is cached.

        Raises:
            NotFound: there is no such version or file. When reading: its files were collected, or it is not cached and
                no request is to be made.
            IntegrityError: when reading: the bucket holds other bytes than the record promises.
        """
        if (reached := self._reached(local_files_only)) is not self:
            return reached.open(spec, verify=verify)
        return open_file(self._remote_file(spec, verify=verify))

    def read(self, spec: str | Version, *, local_files_only: bool = False) -> Iterator[bytes]:
        """Yield the bytes of one file of a version, without keeping them: ``fraud/clf:1.2/vocab.txt``.

        Where the version or the file was pulled, it is read from disk without a request.

        Args:
            spec: the version, with the file's path behind it.
            local_files_only: make no request at all: use what this machine has seen and what is cached.

        Raises:
            NotFound: there is no such version or file.
            IntegrityError: the bucket holds other bytes than the record promises.
        """
        if (reached := self._reached(local_files_only)) is not self:
            return reached.read(spec)
        return _whole(self._remote_file(spec))

    def _remote_file(self, spec: str | Version, *, verify: bool = False) -> RemoteFile:
        parsed = parse_spec(str(spec))
        if not parsed.file:
            raise InvalidInput(f"name a file inside the version, like '{parsed}/model.joblib'")
        version = self._resolve(parsed)
        files = file_paths(version.artifacts)
        if parsed.file not in files:
            raise _no_file(version, parsed.file, files)
        return RemoteFile(lambda: self._session, version, parsed.file, files[parsed.file], verify)

    # Lists

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

    def models(self, namespace: str = "") -> tuple[str, ...]:
        """Return the paths of all models in a namespace and below, sorted.

        The store is asked for folders, and for nothing in them: a model whose first push is sending files, or broke off
        there, is listed before it has a version.

        Raises:
            NotFound: there is no registry.
            StoreError: the registry cannot be listed (``https://``).
        """
        return tuple(sorted(self._folders(check_namespace(namespace))[0]))

    def namespaces(self) -> tuple[str, ...]:
        """Return the paths of all namespaces, sorted: those that hold a model, or say something of themselves."""
        return tuple(sorted(self._folders("")[1]))

    def _folders(self, namespace: str) -> tuple[set[str], set[str]]:
        """Walk the folders: those that end in ``.model`` are models, all others are namespaces."""
        models: set[str] = set()
        namespaces: set[str] = set()
        level = [namespace]
        with ThreadPoolExecutor(_WORKERS, thread_name_prefix="objreg-list") as pool:
            while level:
                prefixes = [f"{path}/" if path else "" for path in level]
                below = [
                    prefix + name
                    for prefix, names in zip(prefixes, pool.map(self._session.store.folders, prefixes), strict=True)
                    for name in names
                    if is_part(name.removesuffix(".model"))  # no other can be a namespace or a model
                ]
                models |= {path.removesuffix(".model") for path in below if path.endswith(".model")}
                level = [path for path in below if not path.endswith(".model")]
                namespaces |= set(level)
        if not models and not namespaces:
            self._session.check_registry()
        return models, namespaces

    # Objects

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

    # What a namespace or the registry says

    def namespace(self, namespace: str) -> Namespace:
        """Return what a namespace says of itself.

        Raises:
            NotFound: nothing.
        """
        record = self._description(namespace_domain(check_namespace(namespace)))
        if not isinstance(record, Namespace):
            raise NotFound(
                f"namespace {namespace} says nothing of itself; 'objreg namespace put' does", namespace=namespace
            )
        return record

    def settings(self) -> RegistrySettings | None:
        """Return what the registry says of itself, or None."""
        record = self._description(REGISTRY_DOMAIN)
        return record if isinstance(record, RegistrySettings) else None

    def _description(self, domain: str) -> AnyRecord | None:
        manifest = self._session.manifest(domain)
        if manifest.refresh() is None:
            self._session.check_registry()
            return None
        state: ScopeState = self._session.typed(manifest, ScopeState)
        return self._session.record(manifest, state.record) if state.record else None

    def states(self, namespace: str = "") -> tuple[StateDefinition, ...]:
        """Return the definitions of all states that versions in a namespace may be moved into, by name."""
        found = self._session.definitions(check_namespace(namespace))
        if not found:
            self._session.check_registry()
        records = [
            self._session.record(self._session.manifest(domain), item.record)
            for _, (domain, item) in sorted(found.items())
        ]
        return tuple(record for record in records if isinstance(record, StateDefinition))

    # History

    def head(self, model: str) -> HistoryItem:
        """Return the newest commit to a model; its digest is what ``expect=`` takes.

        Raises:
            NotFound: there is no such model.
        """
        manifest = self._session.existing_model(model)
        assert manifest.head is not None
        return _history_item(manifest.head)

    def history(self, model: str) -> Iterator[HistoryItem]:
        """Yield the commits to a model, the newest first: who, when, why, and from what to what.

        The chain is verified on the way.

        Raises:
            NotFound: there is no such model.
            RollbackDetected: the log was rewritten.
        """
        manifest = self._session.existing_model(model)
        assert manifest.head is not None
        return (_history_item(head) for head in manifest.history(manifest.head))

    def scope_history(self, namespace: str = "") -> Iterator[HistoryItem]:
        """Yield the commits to a namespace's own manifest, or to the registry's, the newest first."""
        manifest = self._session.manifest(namespace_domain(check_namespace(namespace)))
        head = manifest.refresh()
        if head is None:
            self._session.check_registry()
            return iter(())
        return (_history_item(item) for item in manifest.history(head))


def _in_parallel(load: Callable[[str], Loaded], names: Iterable[str]) -> tuple[Loaded, ...]:
    with ThreadPoolExecutor(_WORKERS, thread_name_prefix="objreg-records") as pool:
        return tuple(pool.map(load, names))


def _whole(remote: RemoteFile) -> Iterator[bytes]:
    with cached_told(remote.session(), remote.version.model):
        yield from whole_file(remote)


def _history_item(head: Head) -> HistoryItem:
    raw = head.entry.patch.get("changes", [])
    changes: tuple[Change, ...] = typed_state(raw, tuple[Change, ...], f"{head.entry.domain} at entry {head.seq}")
    return HistoryItem.of(head, changes)


def _patterns(patterns: Sequence[str]) -> Sequence[str]:
    """Take one pattern for a list of one; taken for a list of letters it would match nothing, or anything."""
    return (patterns,) if isinstance(patterns, str) else patterns


def _no_file(version: Version, path: str, files: Mapping[str, File]) -> NotFound:
    names = ", ".join(list(files)[:8]) + (", …" if len(files) > 8 else "")  # noqa: PLR2004  # enough to see the shape
    return NotFound(f"{version.spec} has no file {path}; it has {names}", path=path)
