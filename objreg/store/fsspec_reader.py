"""Any other fsspec file system, for reading: how its conditional create works is not known, so it gets none."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from objreg.errors import StoreError, StoreUnavailable, UnsafeStore
from objreg.store.base import ObjectInfo, Piece

__all__ = ["FilesystemReader"]


class FilesystemReader:
    """Reads below a path of a file system, as fresh as that file system is.

    Args:
        filesystem: of fsspec.
        path: of the root within it.
    """

    ordered = False

    def __init__(self, filesystem: Any, path: str) -> None:
        protocol = filesystem.protocol
        self._protocol = protocol if isinstance(protocol, str) else protocol[0]
        self.url = self.identity = f"{self._protocol}://{path}"
        self._filesystem = filesystem
        self._path = path

    def get(self, key: str) -> bytes | None:
        with self._translated(f"get {key}"):
            try:
                return bytes(self._filesystem.cat_file(self._full(key)))
            except (FileNotFoundError, IsADirectoryError):
                return None

    def get_range(self, key: str, start: int, length: int) -> bytes | None:
        with self._translated(f"get {key}"):
            try:
                return bytes(self._filesystem.cat_file(self._full(key), start=start, end=start + length))
            except (FileNotFoundError, IsADirectoryError):
                return None

    def create(self, key: str, data: Piece) -> bool:
        del data
        raise UnsafeStore(
            f"{self.url} cannot create {key}: that a create of the {self._protocol!r} file system never replaces "
            "is not proven (the general one of fsspec looks, then writes); use s3://, gs://, az:// or a local folder"
        )

    def first(self, prefix: str) -> ObjectInfo | None:
        raise StoreError(f"{self.url} lists in no known order; find {prefix!r} by asking for keys", prefix=prefix)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        with self._translated(f"list {prefix or 'the registry'}"):
            found = self._filesystem.find(self._full(prefix).rstrip("/"), detail=True)
            root = f"{self._path}/" if self._path else ""
            infos = [self._info(str(name).lstrip("/").removeprefix(root), entry) for name, entry in found.items()]
        return iter([info for info in infos if info.key.startswith(prefix)])

    def folders(self, prefix: str) -> tuple[str, ...]:
        with self._translated(f"list {prefix or 'the registry'}"):
            try:
                entries = self._filesystem.ls(self._full(prefix).rstrip("/"), detail=True)
            except FileNotFoundError:
                return ()
        return tuple(sorted(e["name"].rstrip("/").rpartition("/")[2] for e in entries if e["type"] == "directory"))

    def head(self, key: str) -> ObjectInfo | None:
        with self._translated(f"head {key}"):
            try:
                entry = self._filesystem.info(self._full(key))
            except FileNotFoundError:
                return None
        return None if entry["type"] == "directory" else self._info(key, entry)

    def delete(self, key: str) -> None:
        raise UnsafeStore(
            f"{self.url} is only read, so it cannot delete {key}; use s3://, gs://, az:// or a local folder"
        )

    def close(self) -> None:
        """The file system is the caller's."""

    def _full(self, key: str) -> str:
        return f"{self._path}/{key}" if self._path else key

    def _info(self, key: str, entry: dict[str, Any]) -> ObjectInfo:
        return ObjectInfo(key, int(entry.get("size") or 0))

    @contextmanager
    def _translated(self, action: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # the seam: which exceptions a file system raises is not known
            raise StoreUnavailable(f"{self.url} gave no answer to {action} ({type(error).__name__}); retry") from error
