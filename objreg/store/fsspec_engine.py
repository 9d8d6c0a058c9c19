"""S3, GCS and Azure through fsspec: s3fs, gcsfs and adlfs, and any other file system for reading."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, NoReturn, TypeVar

from objreg.errors import ObjregError, StoreError, StoreUnavailable
from objreg.store.answers import MISSING_BUCKET_CODES, answer_error
from objreg.store.base import ObjectInfo, Piece
from objreg.store.fsspec_clouds import CLOUDS, CloudFilesystem, Page
from objreg.store.options import Location

__all__ = ["FsspecStore"]

T = TypeVar("T")

_READ_PAUSES = (0.2, 0.8)
_QUICK = 10.0  # seconds after which a failed read is not repeated here: the server is silent, not hasty
_SLOWEST = 128 << 10  # bytes in a second that a create may go up at before it is given up
_PATIENCE = 25.0


class FsspecStore:
    """One bucket's prefix through a cloud's file system, which this store alone uses.

    Args:
        location: of the root.
        filesystem: without caches, see ``fsspec_opening``.
        identity: see the protocol.
        claim: gives the digest that is sent with each create, for S3 to keep; None sends none.
    """

    ordered = True

    def __init__(
        self, location: Location, filesystem: Any, identity: str, claim: Callable[[bytes], str] | None = None
    ) -> None:
        self.url = location.url
        self.identity = identity
        self.ordered = not location.bucket.endswith("--x-s3")  # S3 Express lists in no order
        self._location = location
        self._cloud: CloudFilesystem = CLOUDS[location.scheme](filesystem, location.bucket, claim)
        self._bucket_seen = False

    def get(self, key: str) -> bytes | None:
        full = self._location.full(key)
        return self._read(f"get {key}", lambda: self._cloud.get(full))

    def get_range(self, key: str, start: int, length: int) -> bytes | None:
        full = self._location.full(key)
        return self._read(f"get {key}", lambda: self._cloud.get_range(full, start, length), past_end=b"")

    def create(self, key: str, data: Piece) -> bool:
        action = f"create {key}"
        try:
            self._run(self._cloud.create(self._location.full(key), bytes(data)), _PATIENCE + len(data) / _SLOWEST)
        except ObjregError:
            raise
        except Exception as error:  # noqa: BLE001  # the seam: file systems raise whatever their libraries do
            status, code = _answer(error)
            if status == 412 or code == "BlobAlreadyExists":
                return False
            self._raise_for(error, action)
        self._bucket_seen = True
        return True

    def first(self, prefix: str) -> ObjectInfo | None:
        if not self.ordered:
            raise StoreError(f"{self.url} lists in no order; find {prefix!r} by asking for keys", prefix=prefix)
        # Azure may answer with an empty page and a token.
        return next(self._pages(prefix, limit=1), None)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        return self._pages(prefix)

    def _pages(self, prefix: str, **options: int) -> Iterator[ObjectInfo]:
        token: str | None = None
        while True:
            page = self._page(prefix, token, **options)
            for found in page.objects:
                yield ObjectInfo(self._location.relative(found.key), found.size, found.modified)
            token = page.token
            if token is None:
                return

    def folders(self, prefix: str) -> tuple[str, ...]:
        names: set[str] = set()
        token: str | None = None
        while True:
            page = self._page(prefix, token, folders=True)
            names.update(folder.rstrip("/").rpartition("/")[2] for folder in page.folders)
            token = page.token
            if token is None:
                return tuple(sorted(names))

    def _page(self, prefix: str, token: str | None, **options: Any) -> Page:
        full = self._location.full(prefix)
        action = f"list {prefix or 'the registry'}"
        page = self._read(action, lambda: self._cloud.page(full, token=token, **options))
        if page is None:
            raise answer_error(404, "", action=action, url=self.url)
        return page

    def head(self, key: str) -> ObjectInfo | None:
        full = self._location.full(key)
        found = self._read(f"head {key}", lambda: self._cloud.head(full))
        return None if found is None else ObjectInfo(key, found.size, found.modified)

    def recorded_sha256(self, key: str) -> str | None:
        full = self._location.full(key)
        return self._read(f"head {key}", lambda: self._cloud.recorded_sha256(full))

    def delete(self, key: str) -> None:
        full = self._location.full(key)
        self._read(f"delete {key}", lambda: self._cloud.delete(full))

    def close(self) -> None:
        """The file system closes its connections when it is collected."""

    def _read(self, action: str, ask: Callable[[], Coroutine[Any, Any, T]], past_end: T | None = None) -> T | None:
        """Ask, up to three times where there is no clear answer; what is not there is None."""
        started = time.monotonic()
        for pause in (*_READ_PAUSES, None):
            try:
                answer = self._run(ask())
            except ObjregError:
                raise
            except Exception as error:  # noqa: BLE001  # the seam, as in create
                status, code = _answer(error)
                if status == 404 and code not in MISSING_BUCKET_CODES:
                    self._check_bucket(action, code)
                    return None
                if status == 416 and past_end is not None:
                    return past_end
                too_late = time.monotonic() - started > _QUICK
                if pause is None or too_late or not isinstance(_error_for(error, action, self.url), StoreUnavailable):
                    self._raise_for(error, action)
                time.sleep(pause)
            else:
                self._bucket_seen = True
                return answer
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _check_bucket(self, action: str, code: str) -> None:
        """Tell a missing bucket from a missing object where the 404 does not say, once, until the bucket was seen."""
        if self._bucket_seen or code or action.startswith("list "):
            return
        self._page("", None, limit=1)

    def _run(self, coroutine: Coroutine[Any, Any, T], seconds: float | None = None) -> T:
        from fsspec.asyn import sync

        async def bounded() -> T:
            return await asyncio.wait_for(coroutine, seconds)

        return sync(self._cloud.filesystem.loop, bounded)

    def _raise_for(self, error: Exception, action: str) -> NoReturn:
        raise _error_for(error, action, self.url) from error


def _error_for(error: Exception, action: str, url: str) -> StoreError:
    status, code = _answer(error)
    return answer_error(status, code, action=action, url=url)


def _answer(error: BaseException) -> tuple[int | None, str]:
    """Return the HTTP status and code behind an exception; its type alone is not to be trusted.

    s3fs calls a 412 without ``<Condition>`` an invalid argument; gcsfs calls a 403 an OSError.
    """
    link: BaseException | None = error
    while link is not None:
        response = getattr(link, "response", None)
        if isinstance(response, dict):  # botocore
            said = response.get("Error", {}).get("Code", "")
            status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
            return status, said if not said.isdigit() else ""
        # gcsfs' HttpError; aiohttp's own exceptions have a code, too, which no server sent.
        status = getattr(link, "code" if type(link).__name__ == "HttpError" else "status_code", None)
        if str(status).isdigit():
            return int(str(status)), str(getattr(link, "error_code", None) or "").rpartition(".")[2]
        link = link.__cause__
    return _status_of_type(error), ""


def _status_of_type(error: BaseException) -> int | None:
    """Return what an exception that gcsfs made from a status, and dropped it, stands for."""
    if isinstance(error, FileNotFoundError):
        return 404
    if isinstance(error, FileExistsError):
        return 412
    if isinstance(error, PermissionError) or str(error).startswith("Forbidden: "):
        return 403
    if type(error).__name__ in {"NoCredentialsError", "DefaultCredentialsError", "RefreshError"}:
        return 401
    return None
