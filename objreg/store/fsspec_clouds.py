"""What each cloud's fsspec file system is asked, so that one call is one request; their differences are here.

The public calls of a file system are made for people: they look twice, cache, and repeat. These are narrower.
"""
# ruff: noqa: SLF001 - the coroutines of a file system are private by name and what asynchronous callers are told to use

from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, ClassVar, NamedTuple

from objreg.errors import StoreUnavailable, UnsafeStore
from objreg.store.base import ObjectInfo
from objreg.store.checksums import digest_of_answer, header_of

__all__ = ["CLOUDS", "AzureFilesystem", "CloudFilesystem", "GoogleFilesystem", "Page", "S3Filesystem"]

_PAGE = 1000
_CONNECT_SECONDS = 5
_STALL_SECONDS = 20


class Page(NamedTuple):
    """One answer to a listing: objects, folders with their slash, and the token of the next page."""

    objects: list[ObjectInfo]
    folders: list[str]
    token: str | None


class CloudFilesystem(ABC):
    """A file system and one of its buckets; coroutines run on the file system's own loop, keys are the bucket's.

    Args:
        filesystem: of the cloud.
        bucket: its name.
        claim: gives the digest that is sent with a create, for the cloud to keep; only S3 keeps such.
    """

    def __init__(self, filesystem: Any, bucket: str, claim: Callable[[bytes], str] | None = None) -> None:
        self.filesystem = filesystem
        self.bucket = bucket
        self.claim = claim

    @abstractmethod
    async def get(self, key: str) -> bytes:
        """Return an object's bytes."""

    @abstractmethod
    async def get_range(self, key: str, start: int, length: int) -> bytes:
        """Return a part of an object's bytes."""

    @abstractmethod
    async def create(self, key: str, data: bytes) -> None:
        """Create an object with a condition; an existing one is the cloud's own error."""

    @abstractmethod
    async def page(self, prefix: str, *, token: str | None = None, limit: int = _PAGE, folders: bool = False) -> Page:
        """Return one page of a listing, in byte order."""

    @abstractmethod
    async def head(self, key: str) -> ObjectInfo:
        """Return what the cloud says of an object."""

    async def recorded_sha256(self, key: str) -> str | None:
        """Return the digest that the cloud keeps of an object, or None: Google and Azure keep other checksums."""
        del key
        return None

    @abstractmethod
    async def delete(self, key: str) -> None:
        """Delete an object."""


class S3Filesystem(CloudFilesystem):
    """s3fs."""

    def __init__(self, filesystem: Any, bucket: str, claim: Callable[[bytes], str] | None = None) -> None:
        super().__init__(filesystem, bucket, claim)
        filesystem.retries = 1  # reads are repeated above; a create's doubt is for the caller to settle
        self._condition_known = False

    async def get(self, key: str) -> bytes:
        # max_concurrency=1: otherwise a HEAD comes first, to size the object.
        return await self.filesystem._cat_file(f"{self.bucket}/{key}", max_concurrency=1)

    async def get_range(self, key: str, start: int, length: int) -> bytes:
        path = f"{self.bucket}/{key}"
        return await self.filesystem._cat_file(path, start=start, end=start + length, max_concurrency=1)

    async def create(self, key: str, data: bytes) -> None:
        await self._check_condition_is_sent()
        # Not ChecksumAlgorithm: botocore would send it behind the body, which fewer servers understand.
        claim = {"ChecksumSHA256": header_of(self.claim(data))} if self.claim else {}
        await self._call("put_object", Key=key, Body=data, IfNoneMatch="*", **claim)

    async def _check_condition_is_sent(self) -> None:
        """Refuse a botocore that does not know the condition: s3fs would leave it out silently, and overwrite."""
        if self._condition_known:
            return
        await self.filesystem.set_session()
        shape = self.filesystem._s3.meta.service_model.operation_model("PutObject").input_shape
        if "IfNoneMatch" not in shape.members:
            import botocore

            raise UnsafeStore(
                f"botocore {botocore.__version__} cannot send conditional creates; install botocore 1.36 or newer",
                botocore=botocore.__version__,
            )
        self._condition_known = True

    async def page(self, prefix: str, *, token: str | None = None, limit: int = _PAGE, folders: bool = False) -> Page:
        optional = {**({"ContinuationToken": token} if token else {}), **({"Delimiter": "/"} if folders else {})}
        answer = await self._call("list_objects_v2", Prefix=prefix, MaxKeys=limit, **optional)
        if "Name" not in answer and "IsTruncated" not in answer:
            # botocore makes an empty listing of any well-formed page.
            raise StoreUnavailable(
                f"s3://{self.bucket} answered list {prefix} with something else than a listing; retry"
            )
        return Page(
            [ObjectInfo(e["Key"], e["Size"], e["LastModified"].astimezone(UTC)) for e in answer.get("Contents", ())],
            [entry["Prefix"] for entry in answer.get("CommonPrefixes", ())],
            answer.get("NextContinuationToken"),
        )

    async def head(self, key: str) -> ObjectInfo:
        answer = await self._call("head_object", Key=key)
        return ObjectInfo(key, answer["ContentLength"], answer["LastModified"].astimezone(UTC))

    async def recorded_sha256(self, key: str) -> str | None:
        return digest_of_answer(await self._call("head_object", Key=key, ChecksumMode="ENABLED"))

    async def delete(self, key: str) -> None:
        await self._call("delete_object", Key=key)

    async def _call(self, operation: str, **arguments: object) -> Any:
        return await self.filesystem._call_s3(operation, Bucket=self.bucket, **arguments)


class GoogleFilesystem(CloudFilesystem):
    """gcsfs."""

    def __init__(self, filesystem: Any, bucket: str, claim: Callable[[bytes], str] | None = None) -> None:
        super().__init__(filesystem, bucket, claim)
        import aiohttp

        filesystem.requests_timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=_CONNECT_SECONDS, sock_read=_STALL_SECONDS
        )
        # The same request without the decorator that repeats it for half a minute.
        undecorated = type(filesystem)._request.__wrapped__
        filesystem._request = undecorated.__get__(filesystem)

    async def get(self, key: str) -> bytes:
        _, data = await self.filesystem._call("GET", self.filesystem.url(f"{self.bucket}/{key}"))
        return data

    async def get_range(self, key: str, start: int, length: int) -> bytes:
        headers = {"Range": f"bytes={start}-{start + length - 1}"}
        _, data = await self.filesystem._call("GET", self.filesystem.url(f"{self.bucket}/{key}"), headers=headers)
        return data

    async def create(self, key: str, data: bytes) -> None:
        await self.filesystem._pipe_file(f"{self.bucket}/{key}", data, mode="create")

    async def page(self, prefix: str, *, token: str | None = None, limit: int = _PAGE, folders: bool = False) -> Page:
        optional = {**({"pageToken": token} if token else {}), **({"delimiter": "/"} if folders else {})}
        answer = await self.filesystem._call(
            "GET", "b/{}/o", self.bucket, prefix=prefix, maxResults=limit, json_out=True, **optional
        )
        return Page(
            [_google_info(entry) for entry in answer.get("items", ())],
            list(answer.get("prefixes", ())),
            answer.get("nextPageToken"),
        )

    async def head(self, key: str) -> ObjectInfo:
        return _google_info(await self.filesystem._call("GET", "b/{}/o/{}", self.bucket, key, json_out=True))

    async def delete(self, key: str) -> None:
        await self.filesystem._call("DELETE", "b/{}/o/{}", self.bucket, key)


def _google_info(entry: dict[str, Any]) -> ObjectInfo:
    modified = entry.get("updated")
    return ObjectInfo(entry["name"], int(entry["size"]), datetime.fromisoformat(modified) if modified else None)


class AzureFilesystem(CloudFilesystem):
    """adlfs: its client, which holds its credentials, is asked directly, as its own calls cannot bound repeats."""

    _bounds: ClassVar = {
        "retry_total": 0,
        "connection_timeout": _CONNECT_SECONDS,
        "read_timeout": _STALL_SECONDS,
    }

    @property
    def _container(self) -> Any:
        return self.filesystem.service_client.get_container_client(self.bucket)

    async def get(self, key: str) -> bytes:
        download = await self._container.get_blob_client(key).download_blob(max_concurrency=1, **self._bounds)
        return await download.readall()

    async def get_range(self, key: str, start: int, length: int) -> bytes:
        blob = self._container.get_blob_client(key)
        download = await blob.download_blob(offset=start, length=length, max_concurrency=1, **self._bounds)
        return await download.readall()

    async def create(self, key: str, data: bytes) -> None:
        bounds = {**self._bounds, "read_timeout": 900}  # that clock runs while a long body goes up
        await self._container.get_blob_client(key).upload_blob(data, overwrite=False, **bounds)

    async def page(self, prefix: str, *, token: str | None = None, limit: int = _PAGE, folders: bool = False) -> Page:
        ask = self._container.walk_blobs if folders else self._container.list_blobs
        pages = ask(name_starts_with=prefix or None, results_per_page=limit, **self._bounds).by_page(token)
        objects, found = [], []
        async for page in pages:
            async for entry in page:
                if hasattr(entry, "size"):
                    objects.append(ObjectInfo(entry.name, entry.size, entry.last_modified))
                else:
                    found.append(entry.name)
            break
        return Page(objects, found, pages.continuation_token or None)

    async def head(self, key: str) -> ObjectInfo:
        found = await self._container.get_blob_client(key).get_blob_properties(**self._bounds)
        return ObjectInfo(key, found.size, found.last_modified)

    async def delete(self, key: str) -> None:
        await self._container.get_blob_client(key).delete_blob(**self._bounds)


CLOUDS: dict[str, type[CloudFilesystem]] = {"s3": S3Filesystem, "gs": GoogleFilesystem, "az": AzureFilesystem}
"""By the scheme of ``Location``."""
