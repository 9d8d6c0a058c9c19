"""What a push sends: the files behind a path, a folder or a mapping of artifacts, checked before anything is sent."""

import hashlib
import mimetypes
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from objreg.core.names import check_file_path, check_part
from objreg.errors import InvalidInput

__all__ = ["DEFAULT_ARTIFACT", "Source", "SourceArtifact", "Sources", "artifact_sources", "file_digest", "media_type"]

DEFAULT_ARTIFACT = "model"
_MEDIA_TYPES = {".safetensors": "application/x-safetensors", ".parquet": "application/vnd.apache.parquet"}

Sources = str | os.PathLike[str] | Mapping[str, str | os.PathLike[str]]


@dataclass(frozen=True)
class Source:
    """One file to send.

    Attributes:
        path: inside the artifact.
        local: where it is.
        size: in bytes.
        changed_ns: its modification time, to see whether it changes while it is sent.
    """

    path: str
    local: Path
    size: int
    changed_ns: int


@dataclass(frozen=True)
class SourceArtifact:
    """One artifact to send: its files in path order."""

    name: str
    folder: str
    files: tuple[Source, ...]


def artifact_sources(sources: Sources) -> tuple[SourceArtifact, ...]:
    """Return the artifacts that ``sources`` names.

    Args:
        sources: a file or a folder: the artifact ``model``, whose files stand at the top of a pulled version. Or a
            mapping of names to files or folders: each stands in a folder of its name.

    Raises:
        InvalidInput: nothing is there, a name is not allowed, or a file cannot be pushed (a device, a link that leaves
            the folder).
    """
    if isinstance(sources, Mapping):
        if not sources:
            raise InvalidInput("a version needs at least one artifact; got an empty mapping")
        for name in sources:
            check_part(name, "artifact name")
        return tuple(SourceArtifact(name, name, _files(_path(sources[name]))) for name in sorted(sources))
    return (SourceArtifact(DEFAULT_ARTIFACT, "", _files(_path(sources))),)


def _path(source: str | os.PathLike[str]) -> Path:
    if not isinstance(source, str | os.PathLike):
        raise InvalidInput(
            f"a {type(source).__name__} cannot be pushed: give the path of a file or a folder, or a mapping of artifact"
            f" names to paths"
        )
    return Path(source)


def _files(path: Path) -> tuple[Source, ...]:
    try:
        if not path.is_dir():
            return (_source(path, path.name),)
        found = tuple(sorted(_walk(path, path, Path(os.path.realpath(path))), key=lambda source: source.path))
    except OSError as error:
        raise InvalidInput(f"{error.filename or path} cannot be read: {error.strerror}", path=str(path)) from error
    if not found:
        raise InvalidInput(f"{path} holds no file: there is nothing to push", path=str(path))
    return found


def _walk(root: Path, folder: Path, real_root: Path) -> Iterator[Source]:
    with os.scandir(folder) as items:
        for item in items:
            path = Path(item.path)
            # not resolve(): on a link to itself it raises what is no OSError
            if item.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(real_root):
                raise InvalidInput(
                    f"{path} is a link that leaves {root}: copy what it points to, or push that", path=str(path)
                )
            if item.is_dir():
                if item.is_symlink():
                    raise InvalidInput(
                        f"{path} is a link to a folder: push the folder itself, or copy it", path=str(path)
                    )
                yield from _walk(root, path, real_root)
            else:
                yield _source(path, path.relative_to(root).as_posix())


def _source(local: Path, path: str) -> Source:
    try:
        found = local.stat()
    except FileNotFoundError as error:
        raise InvalidInput(f"{local} does not exist: there is nothing to push", path=str(local)) from error
    except OSError as error:
        raise InvalidInput(f"{local} cannot be read: {error.strerror}", path=str(local)) from error
    except ValueError as error:
        raise InvalidInput(f"{str(local)!r} cannot be a path on this machine: {error}") from error
    if not stat.S_ISREG(found.st_mode):
        raise InvalidInput(
            f"{local} is not a file (a device, a socket or a pipe) and cannot be pushed", path=str(local)
        )
    return Source(check_file_path(path), local, found.st_size, found.st_mtime_ns)


def media_type(path: str) -> str:
    """Return the media type of a file by its name; ``application/octet-stream`` where it is not known."""
    guessed = _MEDIA_TYPES.get(PurePosixPath(path).suffix.lower()) or mimetypes.guess_type(path)[0]
    return guessed or "application/octet-stream"


def file_digest(source: Source) -> str:
    """Return the digest of a file, read once in pieces."""
    with source.local.open("rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
