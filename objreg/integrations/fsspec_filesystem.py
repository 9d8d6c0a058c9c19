"""``objreg://`` for fsspec, and so for pandas, pyarrow and DuckDB: versions as folders of files, to read.

Needs the extra ``objreg[fsspec]``. A path is a spec with a file behind it: ``fraud/clf@production/features.parquet``.
"""

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import objreg
from objreg.core.keys import model_domain
from objreg.core.names import check_namespace, is_part
from objreg.errors import InvalidInput, MissingDependency, ObjregError
from objreg.integrations.fsspec_tree import (
    Info,
    PathNotFound,
    VersionTree,
    folder_info,
    split_mark,
    split_spec,
    told_as_missing,
)
from objreg.local.config import Settings, load_settings
from objreg.registry.cached import offline_session
from objreg.registry.files import RemoteFile, open_file, read_range, whole_file
from objreg.registry.registry import Registry
from objreg.registry.session import Session

try:
    from fsspec.callbacks import DEFAULT_CALLBACK, Callback
    from fsspec.spec import AbstractFileSystem
    from fsspec.utils import stringify_path

    from objreg.integrations.fsspec_ranges import Range, read_ranges
except ImportError as error:
    raise MissingDependency("fsspec is needed for objreg:// paths; install objreg[fsspec]") from error

__all__ = ["ObjregFileSystem", "PathNotFound"]

_SCHEME = "objreg://"
_SECONDS = 10.0
_MAX_GAP = 256 * 1024
"""Bytes between two ranges that are fetched too: fewer than what comes while another request would be answered."""
_FOR_ASYNC_ONES = ("asynchronous", "batch_size", "loop", "max_paths")
"""Options that fsspec knows and hands to every file system."""


class ObjregFileSystem(AbstractFileSystem):  # type: ignore[misc]  # fsspec comes without types
    """A registry as a read-only file system.

    ::

        objreg://                               namespaces and models
        objreg://fraud                          the same, of a namespace
        objreg://fraud/clf                      its versions: fraud/clf:1.0, fraud/clf:1.1
        objreg://fraud/clf@production/a.csv     a file of a version; any spec will do, like fraud/clf@latest

    Nothing is fetched but what is read. Which version ``@production`` or ``:1`` is, is asked once and then taken as
    known for ``listings_expiry_time``, so that what is opened together belongs together; a file that is open stays the
    same for as long as it is. ``invalidate_cache`` asks again at once.

    Bytes are verified as ``Registry.open`` says: ranges out of the middle of long parts are not, unless ``verify``.
    Files that are read as a whole with ``cat`` or ``get`` always are.

    Args:
        registry: its URL; None for the configured one, as for ``objreg.open``.
        engine: as for ``objreg.open``.
        verify: fetch whole parts always, so that every byte is verified.
        offline: make no request at all: use what this machine has seen and what is cached, as ``objreg.open`` does; the
            rest is a ``PathNotFound``.
        listings_expiry_time: in seconds; 10 if it is None.
        use_listings_cache: False asks each time.
        options: of the storage, like ``endpoint_url``: the ``storage_options`` of ``objreg.open``.

    Raises:
        InvalidInput: something was to be written.
        PathNotFound: nothing is at the path; it is a ``NotFound`` and a ``FileNotFoundError``.
    """

    protocol = "objreg"
    root_marker = ""

    def __init__(
        self,
        registry: str | os.PathLike[str] | None = None,
        *,
        engine: str | None = None,
        verify: bool = False,
        offline: bool = False,
        listings_expiry_time: float | None = None,
        use_listings_cache: bool = True,
        **options: Any,
    ) -> None:
        super().__init__()
        self._url = None if registry is None else str(registry)
        self._options = {name: value for name, value in options.items() if name not in _FOR_ASYNC_ONES}
        self._engine = engine
        self._verify = verify
        self._offline = offline
        self._seconds = (_SECONDS if listings_expiry_time is None else listings_expiry_time) * use_listings_cache
        self._registry: Registry | None = None
        self._settings: Settings | None = None
        self._is_given = False
        self._trees: dict[str, tuple[float, VersionTree]] = {}

    @classmethod
    def of(cls, registry: Registry, **options: Any) -> "ObjregFileSystem":
        """Return the file system of a registry that is open already; options are the keywords of the class."""
        made: ObjregFileSystem = cls(registry.url, skip_instance_cache=True, **options)
        made._registry, made._is_given = registry, True
        if made._offline:
            made._registry = Registry(registry.url, partial(_offline_session_of, registry))
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        if self._is_given:
            return _of, (type(self), self.registry, self.storage_options)
        found: tuple[Any, ...] = super().__reduce__()
        return found

    @property
    def registry(self) -> Registry:
        """The registry, opened when it is first needed; anew, where none was named and another one is configured now.

        fsspec keeps a file system for the whole life of a process, and gives it to all who ask with the same options.
        """
        if self._registry is not None and (self._is_given or self._url):
            return self._registry
        settings = load_settings(self._url, storage_options=self._options or None, engine=self._engine)
        if self._registry is None or settings != self._settings:
            self._registry = objreg.open(
                self._url, storage_options=self._options or None, engine=self._engine, offline=self._offline
            )
            self._settings = settings
            self._trees.clear()
        return self._registry

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        if isinstance(path, list):
            return [cls._strip_protocol(item) for item in path]
        return str(stringify_path(path)).removeprefix(_SCHEME).strip("/")

    @classmethod
    def _parent(cls, path: Any) -> str:
        """Return the folder of a file, the model of a version, the namespace of a model."""
        model, mark, rest = split_mark(cls._strip_protocol(path))
        if mark and "/" not in rest:
            return model
        return str(cls._strip_protocol(path)).rpartition("/")[0]

    def invalidate_cache(self, path: str | None = None) -> None:
        """Forget which versions pointers name."""
        del path
        self._trees.clear()

    # What is there

    def info(self, path: str, **kwargs: Any) -> Info:
        del kwargs
        path = self._strip_protocol(path)
        with self._asking(path):
            spec, inside = split_spec(path)
            if spec:
                return self._tree(spec).info(spec, inside)
            if path and not self._kinds(path):
                raise PathNotFound(_nothing_at(path), path=path)
        return folder_info(path)

    def ls(self, path: str, detail: bool = True, **kwargs: Any) -> list[Any]:
        del kwargs
        path = self._strip_protocol(path)
        with self._asking(path):
            spec, inside = split_spec(path)
            found = self._tree(spec).below(spec, inside) if spec else self._below(path)
        return found if detail else [info["name"] for info in found]

    def exists(self, path: str, **kwargs: Any) -> bool:
        """Tell whether something is there; that it could not be asked is an error."""
        try:
            self.info(path, **kwargs)
        except FileNotFoundError:
            return False
        return True

    def walk(self, path: str, maxdepth: int | None = None, topdown: bool = True, **kwargs: Any) -> Any:
        """As everywhere in fsspec, but what cannot be read is an error and not an empty folder."""
        return super().walk(path, maxdepth, topdown, **({"on_error": _raise_unless_missing} | kwargs))

    def glob(self, path: str, maxdepth: int | None = None, **kwargs: Any) -> Any:
        """As everywhere in fsspec; versions can be matched too: ``fraud/clf:1.*/metrics.json``."""
        path = self._strip_protocol(path)
        model, mark, rest = split_mark(path)
        version, slash, inside = rest.partition("/")
        if not mark or not set(version) & set("*?["):
            return super().glob(path, maxdepth, **kwargs)
        names = self.ls(model, detail=False) if self.exists(model) else []
        found: dict[str, Info] = {}
        for name in names:
            if fnmatchcase(name, model + mark + version):
                found |= super().glob(name + slash + inside, maxdepth, **kwargs | {"detail": True})
        return found if kwargs.get("detail") else sorted(found)

    def created(self, path: str) -> datetime:
        """Return when the version was pushed."""
        found: datetime = self.info(path)["created"]
        return found

    modified = created

    def ukey(self, path: str) -> str:
        """Return the digest of a file: it tells contents apart, also behind a pointer that moves."""
        return str(self.info(path).get("digest") or super().ukey(path))

    # Reading

    def _open(self, path: str, mode: str = "rb", **kwargs: Any) -> BinaryIO:
        del kwargs
        if mode != "rb":
            self._refuse()
        return open_file(self._remote(path))

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **kwargs: Any) -> bytes:
        del kwargs
        remote = self._remote(path)
        first, last, _ = slice(start, end).indices(remote.file.size)
        return read_range(remote, first, max(0, last - first))

    def cat_ranges(
        self, paths: Any, starts: Any, ends: Any, max_gap: int | None = None, on_error: str = "return", **kwargs: Any
    ) -> list[Any]:
        """Return the bytes of many ranges; those that are near each other are fetched together, all in parallel."""
        firsts = starts if isinstance(starts, list) else [starts] * len(paths)
        lasts = ends if isinstance(ends, list) else [ends] * len(paths)
        try:
            wanted = [self._range(*item) for item in zip(paths, firsts, lasts, strict=True)]
            return read_ranges(wanted, self.cat_file, _MAX_GAP if max_gap is None else max_gap)
        except (ObjregError, OSError):
            if on_error != "return":
                raise
            found: list[Any] = super().cat_ranges(paths, firsts, lasts, on_error=on_error, **kwargs)
            return found  # one by one, so that each error is in its own place

    def _range(self, path: str, start: int | None, end: int | None) -> Range:
        first, last, _ = slice(start, end).indices(self._remote(path).file.size)
        return self._strip_protocol(path), first, max(first, last)

    def get_file(self, rpath: str, lpath: Any, callback: Callback = DEFAULT_CALLBACK, **kwargs: Any) -> None:
        """Copy a file to this machine, all of it verified; nothing stays there if it is not right."""
        del kwargs
        target = Path(os.fspath(lpath))
        if self.isdir(rpath):
            target.mkdir(parents=True, exist_ok=True)
            return
        remote = self._remote(rpath)
        callback.set_size(remote.file.size)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with target.open("wb") as opened:
                for chunk in whole_file(remote):
                    callback.relative_update(opened.write(chunk))
        except BaseException:
            target.unlink(missing_ok=True)
            raise

    def _refuse(self, *args: Any, **kwargs: Any) -> None:
        del args, kwargs
        raise InvalidInput(
            "objreg:// is read-only, for a version never changes: push a new one with 'objreg push' or registry.push"
        )

    mkdir = makedirs = rmdir = rm = rm_file = _rm = cp_file = mv = touch = pipe_file = put_file = _refuse

    # How it is found

    @contextmanager
    def _asking(self, path: str) -> Iterator[None]:
        _ = self.registry.session  # what is wrong with the registry itself is told as it is
        with told_as_missing(path):
            yield

    def _tree(self, spec: str) -> VersionTree:
        known = self._trees.get(spec)
        if known is None or time.monotonic() - known[0] >= self._seconds:
            known = self._trees[spec] = (time.monotonic(), VersionTree.of(self.registry.resolve(spec)))
        return known[1]

    def _remote(self, path: str) -> RemoteFile:
        path = self._strip_protocol(path)
        if self.info(path)["type"] == "directory":
            raise IsADirectoryError(errno.EISDIR, "a folder cannot be read; name a file in it", path)
        spec, inside = split_spec(path)
        tree = self._tree(spec)
        return RemoteFile(lambda: self.registry.session, tree.version, inside, tree.files[inside], self._verify)

    def _names(self, namespace: str) -> set[str]:
        """Return what is directly in a namespace: namespaces, and models with ``.model`` at their end."""
        prefix = f"{check_namespace(namespace)}/" if namespace else ""
        found = self.registry.session.store.folders(prefix)
        return {name for name in found if is_part(name.removesuffix(".model"))}

    def _kinds(self, path: str) -> set[str]:
        """Return what is at a path: a namespace, a model, both or nothing."""
        above, _, name = path.rpartition("/")
        if self._is_seen_offline(path):
            return {f"{name}.model"}
        return self._names(above) & {name, f"{name}.model"}

    def _is_seen_offline(self, path: str) -> bool:
        """Tell whether no request is to be made and this machine has seen that there is a model at a path."""
        session = self.registry.session
        return session.offline and bool(path) and session.recall.head(model_domain(path)) is not None

    def _below(self, path: str) -> list[Info]:
        if path and not (kinds := self._kinds(path)):
            raise PathNotFound(_nothing_at(path), path=path)
        is_model = bool(path) and any(kind.endswith(".model") for kind in kinds)
        below = set() if self._is_seen_offline(path) else self._names(path)
        names = sorted({name.removesuffix(".model") for name in below})
        found = [folder_info(f"{path}/{name}".lstrip("/")) for name in names]
        versions = self.registry.versions(path) if is_model else ()
        return found + [folder_info(version.spec) | {"created": version.created_at} for version in versions]


def _offline_session_of(registry: Registry) -> Session:
    return offline_session(registry.session)


def _of(kind: type[ObjregFileSystem], registry: Registry, options: dict[str, Any]) -> ObjregFileSystem:
    return kind.of(registry, **options)


def _nothing_at(path: str) -> str:
    return (
        f"there is no namespace and no model {path}; a file is named with its version, like"
        f" 'fraud/clf@production/features.parquet'"
    )


def _raise_unless_missing(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error
