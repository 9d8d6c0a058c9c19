"""What ``objreg://`` paths name: the tree of files of a version, and how a path is cut into a spec and the rest."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from objreg.core.artifacts import File
from objreg.errors import InvalidInput, NotFound
from objreg.registry.download import file_paths
from objreg.registry.values import Version

__all__ = ["Info", "PathNotFound", "VersionTree", "folder_info", "split_mark", "split_spec", "told_as_missing"]

Info = dict[str, Any]
"""What fsspec knows of a path: ``name``, ``size``, ``type`` and whatever else there is to say."""

_MARK = re.compile("[:@]")


class PathNotFound(NotFound, FileNotFoundError):
    """Nothing is at a path; also a ``FileNotFoundError``, which is what users of fsspec look for."""


@dataclass(frozen=True)
class VersionTree:
    """The files of one version.

    Attributes:
        version: which one.
        files: by path inside it.
        folders: the names in each folder; ``""`` is the top.
    """

    version: Version
    files: Mapping[str, File]
    folders: Mapping[str, set[str]] = field(repr=False)

    @classmethod
    def of(cls, version: Version) -> "VersionTree":
        """Return the tree of a version."""
        files = file_paths(version.artifacts)
        folders: dict[str, set[str]] = defaultdict(set)
        for path in files:
            below = path
            while below:
                above, _, name = below.rpartition("/")
                folders[above].add(name)
                below = above
        return cls(version, files, dict(folders))

    def info(self, spec: str, path: str) -> Info:
        """Return what is said of a file or a folder.

        Args:
            spec: of the version, as the caller wrote it.
            path: inside the version.

        Raises:
            PathNotFound: there is none.
        """
        name = f"{spec}/{path}" if path else spec
        known = {"name": name, "version": self.version.spec, "created": self.version.created_at}
        file = self.files.get(path)
        if file is not None:
            return known | {"size": file.size, "type": "file", "digest": file.digest, "media_type": file.media_type}
        if path in self.folders:
            return known | {"size": 0, "type": "directory"}
        raise PathNotFound(f"{self.version.spec} has no file or folder {path}", path=name)

    def below(self, spec: str, path: str) -> list[Info]:
        """Return what is in a folder, or the file itself."""
        info = self.info(spec, path)
        if info["type"] == "file":
            return [info]
        prefix = f"{path}/" if path else ""
        return [self.info(spec, prefix + name) for name in sorted(self.folders[path])]


def folder_info(name: str) -> Info:
    """Return what there is to say of a namespace or a model."""
    return {"name": name, "size": 0, "type": "directory"}


def split_mark(path: str) -> tuple[str, str, str]:
    """Return what is before the first ``:`` or ``@``, that mark, and what is behind it.

    >>> split_mark("fraud/clf:1.0/a@b")
    ('fraud/clf', ':', '1.0/a@b')
    """
    found = _MARK.search(path)
    return (path[: found.start()], found[0], path[found.end() :]) if found else (path, "", "")


def split_spec(path: str) -> tuple[str, str]:
    """Return the spec of a version and the path inside it; ``""`` twice where the path names no version.

    >>> split_spec("fraud/clf@production/a/b.csv")
    ('fraud/clf@production', 'a/b.csv')
    """
    model, mark, rest = split_mark(path)
    version, _, inside = rest.partition("/")
    return (model + mark + version, inside) if mark else ("", "")


@contextmanager
def told_as_missing(path: str) -> Iterator[None]:
    """Turn "there is no such thing" and "that can be no name" into what fsspec looks for.

    Raises:
        PathNotFound: in place of ``NotFound`` and ``InvalidInput``.
    """
    try:
        yield
    except PathNotFound:
        raise
    except (NotFound, InvalidInput) as error:
        raise PathNotFound(error.message, **{"path": path} | error.facts) from error
