"""S3, Azure and GCS through obstore: the engine of plain URLs."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any, NoReturn

from objreg.errors import AccessDenied, InvalidInput, MissingDependency
from objreg.store.answers import MISSING_BUCKET_CODES, answer_error
from objreg.store.base import ObjectInfo, Piece, Store
from objreg.store.checksums import recorded_sha256
from objreg.store.forked import note_native_runtime
from objreg.store.obstore_settings import RETRIES, ObstoreSettings, settings_for
from objreg.store.options import CloudOptions, Location

__all__ = ["ObstoreStore"]

_LARGE = 1 << 20
_STATUS = re.compile(r"status code: (\d{3})|\(code: (\d{3})\)")
_CODE = re.compile(r"<Code>(\w+)</Code>")
_INSTANCE_CREDENTIALS = ("169.254.169.254", "169.254.170.2", "metadata.google.internal")


class ObstoreStore:
    """One bucket's prefix.

    A False of ``create`` may also come from S3's 409 ConditionalRequestConflict, after which nothing need be stored:
    obstore does not tell the two apart. The protocol says that False means "read it to know", so nothing is lost.

    Args:
        location: of the root.
        options: how to reach it.
    """

    def __init__(self, location: Location, options: CloudOptions) -> None:
        self.url = location.url
        self.ordered = not location.bucket.endswith("--x-s3")  # S3 Express lists in no order
        self._location = location
        self._options = options
        self._settings = settings_for(location, options, os.environ)
        self.identity = self._settings.identity
        # A stalled answer is given up after 20 s; that clock also runs while a long body goes up, hence another client
        # for these, made when it is needed.
        self._objects = _open(location, self._settings, read_timeout="20s")

    @cached_property
    def _uploads(self) -> Any:
        return _open(self._location, self._settings, read_timeout="15m")

    def get(self, key: str) -> bytes | None:
        with self._translated(f"get {key}"):
            try:
                return bytes(self._objects.get(key).bytes())
            except FileNotFoundError as error:
                self._only_the_object_is_missing(error, f"get {key}")
                return None

    def pieces(self, key: str) -> Iterator[Piece] | None:
        with self._translated(f"get {key}"):
            try:
                found = self._objects.get(key)
            except FileNotFoundError as error:
                self._only_the_object_is_missing(error, f"get {key}")
                return None
        return self._arriving(found, key)

    def _arriving(self, found: Any, key: str) -> Iterator[Piece]:
        with self._translated(f"get {key}"):
            for piece in found.stream(min_chunk_size=_LARGE):
                yield memoryview(piece)

    def get_range(self, key: str, start: int, length: int) -> bytes | None:
        with self._translated(f"get {key}"):
            try:
                return bytes(self._objects.get_range(key, start=start, length=length))
            except FileNotFoundError as error:
                self._only_the_object_is_missing(error, f"get {key}")
                return None
            except _obstore_errors() as error:
                # The object ends before the range; the second is obstore's own word for it.
                if _status(error) == 416 or "StartTooLarge" in str(error):
                    return b""
                raise

    def create(self, key: str, data: Piece) -> bool:
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        store = self._uploads if len(data) > _LARGE else self._objects
        with self._translated(f"create {key}"):
            try:
                store.put(key, data, mode="create", use_multipart=False)
            except (AlreadyExistsError, PreconditionError):
                return False
            return True

    def first(self, prefix: str) -> ObjectInfo | None:
        """Take the first of a page: obstore cannot cap it, so it is up to 1,000 keys (Azure: 5,000) in one request.

        A signed GET of the capped listing's address works only where the answer has a Content-Length, which Ceph's and
        Amazon's have not; and another client would need another connection, for a page that is rarely full.
        """
        if not self.ordered:
            raise answer_error(400, "", action=f"find the first of {prefix} in an unordered store", url=self.url)
        with self._translated(f"list {prefix or 'the registry'}"):
            folder = prefix.rpartition("/")[0]
            return next((info for info in self._listed(folder, chunk=1) if info.key.startswith(prefix)), None)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        with self._translated(f"list {prefix or 'the registry'}"):
            yield from self._listed(prefix)

    def _listed(self, prefix: str, *, chunk: int = 1000) -> Iterator[ObjectInfo]:
        for page in self._objects.list(prefix.rstrip("/") or None, chunk_size=chunk):
            for meta in page:
                yield _info(meta)

    def folders(self, prefix: str) -> tuple[str, ...]:
        with self._translated(f"list {prefix or 'the registry'}"):
            found = self._objects.list_with_delimiter(prefix.rstrip("/") or None)
        return tuple(sorted(path.rstrip("/").rpartition("/")[2] for path in found["common_prefixes"]))

    def head(self, key: str) -> ObjectInfo | None:
        """As the protocol says, but an answer to HEAD has no text: a missing bucket looks like a missing object."""
        with self._translated(f"head {key}"):
            try:
                return _info(self._objects.head(key))
            except FileNotFoundError:
                return None

    def recorded_sha256(self, key: str) -> str | None:
        """As the protocol says, through s3fs with the same options: obstore sends checksums, and returns none."""
        return recorded_sha256(self._told_by_fsspec, key)

    @cached_property
    def _told_by_fsspec(self) -> Store:
        from objreg.store.fsspec_opening import open_with_fsspec, respelled_for_fsspec

        return open_with_fsspec(self._location, respelled_for_fsspec(self._location, self._options))

    def delete(self, key: str) -> None:
        with self._translated(f"delete {key}"):
            try:
                self._objects.delete(key)
            except FileNotFoundError as error:
                self._only_the_object_is_missing(error, f"delete {key}")

    def close(self) -> None:
        """Connections are released with the object."""

    def _only_the_object_is_missing(self, error: FileNotFoundError, action: str) -> None:
        if _code(error) in MISSING_BUCKET_CODES:
            self._raise_for(error, action)

    @contextmanager
    def _translated(self, action: str) -> Iterator[None]:
        try:
            yield
        except _obstore_errors() as error:
            self._raise_for(error, action)

    def _raise_for(self, error: Exception, action: str) -> NoReturn:
        from obstore.exceptions import InvalidPathError, PermissionDeniedError, UnauthenticatedError

        status, text = _status(error), str(error)
        if isinstance(error, InvalidPathError):
            raise InvalidInput(
                f"the name to {action} is not a relative path of plain names; use names joined by '/'"
            ) from error
        if status is None and any(host in text for host in _INSTANCE_CREDENTIALS):
            raise AccessDenied(
                f"no credentials for {self.url} were found, and this machine's metadata service gave none; set them in "
                "the environment or in a profile, or open the registry with ?anonymous=true"
            ) from error
        if status is None and isinstance(error, PermissionDeniedError | UnauthenticatedError):
            status = 403
        raise answer_error(status, _code(error), action=action, url=self.url) from error


def _open(location: Location, settings: ObstoreSettings, *, read_timeout: str) -> Any:
    try:
        import obstore.store
        from obstore.exceptions import BaseError, UnknownConfigurationKeyError
    except ImportError as error:
        raise MissingDependency(
            "obstore is needed for this address; install objreg again, with its dependencies"
        ) from error
    note_native_runtime()
    try:
        return getattr(obstore.store, settings.kind)(
            location.bucket,
            prefix=location.prefix or None,
            config=dict(settings.config),
            client_options={
                "allow_http": bool(settings.endpoint and settings.endpoint.startswith("http://")),
                "connect_timeout": "5s",
                "read_timeout": read_timeout,
                "timeout": "15m",
            },
            retry_config=RETRIES,
            credential_provider=settings.provider,
        )
    except UnknownConfigurationKeyError as error:
        known = ", ".join(sorted(CloudOptions.__slots__))
        raise InvalidInput(
            f"an option is unknown to the obstore engine; it knows {known} and the configuration keys of obstore's "
            f"{settings.kind}; got {', '.join(sorted(settings.config))}"
        ) from error
    except (BaseError, ValueError, TypeError) as error:
        # Not repeated: obstore's text can hold a value of the configuration.
        raise InvalidInput(
            f"the options of {location.url} are not complete or not valid; check its account and keys"
        ) from error


def _obstore_errors() -> tuple[type[Exception], ...]:
    from obstore.exceptions import BaseError

    return (BaseError, OSError, ValueError)


def _status(error: Exception) -> int | None:
    found = _STATUS.search(str(error))
    return int(found[1] or found[2]) if found else None


def _code(error: Exception) -> str:
    found = _CODE.search(str(error))
    return found[1] if found else ""


def _info(meta: Any) -> ObjectInfo:
    return ObjectInfo(meta["path"], meta["size"], meta["last_modified"])
