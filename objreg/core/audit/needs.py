"""What records promise of files and blobs: whether it adds up, and which objects must be there for it."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field

from objreg.core.artifacts import Artifact, File, Part
from objreg.core.audit.claims import Problem
from objreg.core.digest import combined_digest, digest_of, hex_of
from objreg.core.keys import blob_key
from objreg.core.names import check_file_path, check_part
from objreg.core.state import VersionItem
from objreg.errors import InvalidInput

__all__ = ["Need", "Needs", "Owner", "check_artifacts"]

Owner = tuple[str, str]
"""The version, and the experiment or ``""``, whose record names a blob."""

_EMPTY = digest_of(b"")


def check_artifacts(artifacts: tuple[Artifact, ...]) -> Iterator[str]:
    """Yield what does not add up in the artifacts of one record."""
    paths: set[str] = set()
    for artifact in artifacts:
        names = [file.path for file in artifact.files]
        if names != sorted(names):
            yield f"the files of artifact {artifact.name} are not in path order"
        if artifact.digest != (found := combined_digest(file.digest for file in artifact.files)):
            yield f"artifact {artifact.name} has the digest {artifact.digest}, and its files give {found}"
        if artifact.size != (size := sum(file.size for file in artifact.files)):
            yield f"artifact {artifact.name} has {artifact.size} bytes, and its files have {size}"
        for file in artifact.files:
            yield from _check_path(artifact, file, paths)
            yield from _check_parts(file)


def _check_path(artifact: Artifact, file: File, paths: set[str]) -> Iterator[str]:
    path = f"{artifact.folder}/{file.path}" if artifact.folder else file.path
    try:
        if artifact.folder:
            check_part(artifact.folder, "artifact folder")
        check_file_path(path)
    except InvalidInput as error:
        yield str(error)
    if path in paths:
        yield f"two files have the path {path!r}"
    paths.add(path)


def _check_parts(file: File) -> Iterator[str]:
    if file.size != (size := sum(part.length for part in file.parts)):
        yield f"file {file.path!r} has {file.size} bytes, and its parts have {size}"
    if not file.parts and file.digest != _EMPTY:
        yield f"file {file.path!r} has no parts, and its digest is not that of no bytes"
    for part in file.parts:
        if part.offset + part.length > part.blob_size:
            yield f"file {file.path!r} needs bytes to {part.offset + part.length} of a blob of {part.blob_size}"
        if not part.encoding and (part.stored_size, part.stored_digest) != (part.blob_size, part.blob):
            yield f"file {file.path!r} names a blob that is stored as it is, with another size or digest"
    whole = len(file.parts) == 1 and file.parts[0].length == file.parts[0].blob_size
    if whole and file.parts[0].blob != file.digest:
        yield f"file {file.path!r} is all of blob {file.parts[0].blob}, and has the digest {file.digest}"


@dataclass(frozen=True)
class Need:
    """A blob that records name.

    Attributes:
        part: one of the parts that are cut from it.
        owners: whose records name it.
    """

    part: Part
    owners: set[Owner] = field(default_factory=set)


@dataclass(frozen=True)
class Needs:
    """The blobs that a model's records name.

    Attributes:
        domain: the model's.
        by_key: what is needed under each key.
    """

    domain: str
    by_key: dict[str, Need] = field(default_factory=dict)

    def add(self, artifacts: tuple[Artifact, ...], owner: Owner) -> Iterator[tuple[str, str]]:
        """Take note of what a record names, and yield the keys of which it says something else than another record."""
        for artifact in artifacts:
            for part in (part for file in artifact.files for part in file.parts):
                key = blob_key(self.domain, part.blob, part.incarnation, part.encoding)
                known = self.by_key.setdefault(key, Need(part))
                known.owners.add(owner)
                if _stored(known.part) != _stored(part):
                    yield key, f"{_words(known.part)} according to one record, {_words(part)} according to {owner[0]}"

    def is_live(self, key: str, versions: Mapping[str, VersionItem]) -> bool:
        """Tell whether a version or an experiment that is still kept needs a blob."""
        return any(_is_live(owner, versions) for owner in self.by_key[key].owners)

    def problems(
        self,
        sizes: Callable[[str], int | None],
        versions: Mapping[str, VersionItem],
        incarnations: Mapping[str, int],
        condemned: Collection[str],
    ) -> Iterator[tuple[str, Problem]]:
        """Yield, with its key, each blob that is not there as it is promised.

        Args:
            sizes: gives the size of what is stored under a key, or None.
            versions: as they are now: blobs that only retired versions and expired experiments name may be collected.
            incarnations: that are written next of blobs that were condemned.
            condemned: names of blobs that were, as far back as the log was read.
        """
        for key, need in self.by_key.items():
            users = sorted(owner for owner in need.owners if _is_live(owner, versions))
            collected = need.part.incarnation < incarnations.get(hex_of(need.part.blob), 0)
            if users and key.rsplit("/", 1)[-1] in condemned:
                yield key, ("condemned-in-use", f"it was condemned, and {_owners(users)} needs it")
            size = sizes(key)
            if size is None and not (collected and not users):
                yield key, ("blob-missing", f"{_owners(sorted(need.owners))} needs it, and it is not there")
            elif size is not None and size != need.part.stored_size:
                yield key, ("blob-size-wrong", f"expected {need.part.stored_size} bytes, found {size}")


def _is_live(owner: Owner, versions: Mapping[str, VersionItem]) -> bool:
    version, experiment = owner
    item = versions.get(version)
    return item is None or not (item.retired or experiment in item.expired)


def _owners(owners: list[Owner]) -> str:
    version, experiment = owners[0]
    more = f" and {len(owners) - 1} more" if len(owners) > 1 else ""
    return (f"experiment {experiment} of version {version}" if experiment else f"version {version}") + more


def _stored(part: Part) -> tuple[int, int, str]:
    return part.blob_size, part.stored_size, part.stored_digest


def _words(part: Part) -> str:
    return f"{part.stored_size} bytes of {part.stored_digest} for {part.blob_size} plain ones"
