"""Reading versions: which one a spec names, its folder, its files."""

import os
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from objreg.core import rules
from objreg.core.artifacts import File
from objreg.core.provenance import VersionReference
from objreg.core.records import VersionRecord
from objreg.core.selection import select_files
from objreg.core.specs import Spec, parse_spec
from objreg.core.state import Pointer
from objreg.errors import InvalidInput, NotFound
from objreg.registry.cached import cached_told
from objreg.registry.download import file_paths
from objreg.registry.files import RemoteFile, open_file, whole_file
from objreg.registry.pulled import copy_files, pulled_folder
from objreg.registry.sending import Progress
from objreg.registry.session import Connected
from objreg.registry.values import Version

__all__ = ["VersionReading"]

_NAMED = 8
"""Paths in a message: enough to see the shape."""


class VersionReading(Connected):
    """The methods that read one version."""

    @abstractmethod
    def _locked(self, spec: Spec) -> Version | None:
        """Return the locked version, where a spec is a model's name alone and a lock file says which that is."""

    @abstractmethod
    def _offline(self) -> "VersionReading":
        """Return the same registry, to which no request is made."""

    @abstractmethod
    def _replaced(self, spec: Spec) -> Spec | Path:
        """Return what a developer put in the place of a model: another version, a path, or the spec as it is."""

    @abstractmethod
    def _placed(self, folder: Path, version: Version, paths: Iterable[str]) -> Path:
        """Return where a pulled version is for its user: in the folder of assets, or in the cache."""

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

    def _reached(self, local_files_only: bool) -> "VersionReading":
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
            progress: is called with the number of bytes fetched, as they are, by several threads.

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
            raise InvalidInput(f"name a file inside the version, like '{replace(parsed, file='model.joblib')}'")
        version = self._resolve(parsed)
        files = file_paths(version.artifacts)
        if parsed.file not in files:
            raise _no_file(version, parsed.file, files)
        return RemoteFile(lambda: self._session, version, parsed.file, files[parsed.file], verify)


def _whole(remote: RemoteFile) -> Iterator[bytes]:
    with cached_told(remote.session(), remote.version.model):
        yield from whole_file(remote)


def _patterns(patterns: Sequence[str]) -> Sequence[str]:
    """Take one pattern for a list of one; taken for a list of letters it would match nothing, or anything."""
    return (patterns,) if isinstance(patterns, str) else patterns


def _no_file(version: Version, path: str, files: Mapping[str, File]) -> NotFound:
    names = ", ".join(list(files)[:_NAMED]) + (", …" if len(files) > _NAMED else "")
    return NotFound(f"{version.spec} has no file {path}; it has {names}", path=path)
