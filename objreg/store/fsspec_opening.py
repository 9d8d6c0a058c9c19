"""How an fsspec file system is made for a store alone: from options, or as the twin of one that a caller hands over."""

import importlib
import inspect
import os
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from objreg.core.digest import digest_of
from objreg.errors import InvalidInput, MissingDependency
from objreg.store.aws_profile import read_aws_profile, s3_endpoint
from objreg.store.base import Store
from objreg.store.forked import ForkSafeStore
from objreg.store.options import CloudOptions, Location

__all__ = ["make_filesystem", "open_with_fsspec", "respelled_for_fsspec", "store_of_filesystem"]

_CLASSES = {
    "s3": ("s3fs", "S3FileSystem", "s3"),
    "gs": ("gcsfs", "GCSFileSystem", "gcs"),
    "az": ("adlfs", "AzureBlobFileSystem", "azure"),
}
_SCHEMES = {"s3": "s3", "s3a": "s3", "gs": "gs", "gcs": "gs", "az": "az", "abfs": "az", "abfss": "az"}
_OBSTORE_NAMES = {"access_key_id": "key", "secret_access_key": "secret", "session_token": "token"}
"""obstore's names, and those of s3fs."""
_UNCACHED = {"use_listings_cache": False, "skip_instance_cache": True, "asynchronous": False}


def open_with_fsspec(location: Location, options: CloudOptions) -> Store:
    """Open a cloud's store over s3fs, gcsfs or adlfs.

    Raises:
        InvalidInput: an option is unknown.
        MissingDependency: the extra is not installed.
    """
    from objreg.store.fsspec_engine import FsspecStore

    filesystem, endpoint = make_filesystem(location, options)
    claim = digest_of if options.checksum_algorithm else None
    return FsspecStore(location, filesystem, location.identity(endpoint), claim)


def make_filesystem(location: Location, options: CloudOptions) -> tuple[Any, str | None]:
    """Return a cloud's file system, without caches, and its endpoint where that is not the cloud's own.

    Raises:
        InvalidInput: an option is unknown.
        MissingDependency: the extra is not installed.
    """
    kind = _filesystem_class(location.scheme)
    arguments, endpoint = {"s3": _s3, "gs": _google, "az": _azure}[location.scheme](options)
    options.refuse(_parameters(kind), engine="fsspec")
    try:
        return kind(**{**arguments, **_UNCACHED}), endpoint
    except (ValueError, TypeError) as error:
        # Not repeated: the library's text can hold a value of the options.
        raise InvalidInput(
            f"the options of {location.url} are not complete or not valid; check account and keys"
        ) from error


def respelled_for_fsspec(location: Location, options: CloudOptions) -> CloudOptions:
    """Return the options of a store that obstore opens as fsspec's file systems take them."""
    names = _OBSTORE_NAMES if location.scheme == "s3" else {}
    return replace(options, native={names.get(name, name): value for name, value in options.native.items()})


def store_of_filesystem(filesystem: Any, url: str) -> Store:
    """Return the store at an address of a file system that a caller made.

    A cloud's file system gets a twin without caches: the caller's own may answer from a listing of yesterday.
    """
    protocols = (filesystem.protocol,) if isinstance(filesystem.protocol, str) else tuple(filesystem.protocol)
    path = str(filesystem._strip_protocol(url.partition("?")[0])).strip("/")  # noqa: SLF001  # fsspec has no public one
    if {"file", "local"} & set(protocols):
        from objreg.store.local import LocalStore

        return LocalStore(Path(str(filesystem._strip_protocol(url))))  # noqa: SLF001  # fsspec has no public one
    scheme = next((_SCHEMES[protocol] for protocol in protocols if protocol in _SCHEMES), None)
    if scheme is None:
        from objreg.store.fsspec_reader import FilesystemReader

        return FilesystemReader(filesystem, path)
    bucket, _, prefix = path.partition("/")
    if not bucket:
        raise InvalidInput("the address within the file system names no bucket; write bucket/prefix")
    opening = partial(
        _open_twin,
        Location(scheme, bucket, prefix),
        type(filesystem),
        tuple(filesystem.storage_args),
        dict(filesystem.storage_options),
    )
    return ForkSafeStore(opening, native=False)


def _open_twin(location: Location, kind: Any, arguments: tuple[Any, ...], options: dict[str, Any]) -> Store:
    from objreg.store.fsspec_engine import FsspecStore

    twin = kind(*arguments, **{**options, **_UNCACHED})
    endpoint = options.get("endpoint_url") or getattr(twin, "account_name", None)
    return FsspecStore(location, twin, location.identity(endpoint))


def _filesystem_class(scheme: str) -> Any:
    module, name, extra = _CLASSES[scheme]
    if scheme == "gs":
        # gcsfs would otherwise ask over gRPC what kind of bucket it is: a minute a call against anything but GCS.
        os.environ.setdefault("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
    try:
        return getattr(importlib.import_module(module), name)
    except ImportError as error:
        raise MissingDependency(f"{module} is needed for {scheme}:// addresses; install objreg[{extra}]") from error


def _parameters(kind: Any) -> set[str]:
    """Return the names that a file system's constructor takes: many swallow what they do not know."""
    names = {"listings_expiry_time", "max_paths", "skip_instance_cache", "use_listings_cache", "profile", "batch_size"}
    for base in kind.__mro__:
        names |= set(inspect.signature(base.__init__).parameters)
    return names - {"self", "args", "kwargs", "storage_options"}


def _s3(options: CloudOptions) -> tuple[dict[str, Any], str | None]:
    profile = read_aws_profile(options.profile, os.environ)
    endpoint = s3_endpoint(options.endpoint_url, profile, os.environ)
    path_style = options.path_style if options.path_style is not None else endpoint is not None
    arguments: dict[str, Any] = {
        "config_kwargs": {
            "connect_timeout": 5,
            "read_timeout": 20,
            "retries": {"total_max_attempts": 1},
            "max_pool_connections": 64,
            "s3": {"addressing_style": "path" if path_style else "auto"},
            # Servers older than the default checksums of botocore refuse them; digests are ours.
            "request_checksum_calculation": "when_required",
            "response_checksum_validation": "when_required",
        },
        "client_kwargs": {"region_name": options.region} if options.region else {},
    }
    if endpoint:
        arguments["endpoint_url"] = endpoint
    if options.anonymous:
        arguments["anon"] = True
    if options.profile:
        arguments["profile"] = options.profile
    if options.kms_key_id:
        arguments["s3_additional_kwargs"] = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": options.kms_key_id}
    return _merged(arguments, options.native), endpoint


def _google(options: CloudOptions) -> tuple[dict[str, Any], str | None]:
    arguments: dict[str, Any] = {}
    endpoint = options.endpoint_url or os.environ.get("STORAGE_EMULATOR_HOST")
    if options.endpoint_url:
        arguments["endpoint_url"] = options.endpoint_url
    if options.anonymous:
        arguments["token"] = "anon"  # noqa: S105  # gcsfs' word for no token
    return _merged(arguments, options.native), endpoint


def _azure(options: CloudOptions) -> tuple[dict[str, Any], str | None]:
    native = dict(options.native)
    account = options.account_name or os.environ.get("AZURE_STORAGE_ACCOUNT_NAME")
    arguments: dict[str, Any] = {"account_name": account} if account else {}
    if options.anonymous:
        arguments["anon"] = True
    if options.endpoint_url and "connection_string" not in native:
        # The only way in which adlfs takes an address that is not https://account.host.
        key = native.pop("account_key", None) or os.environ.get("AZURE_STORAGE_ACCOUNT_KEY")
        sas = native.pop("sas_token", None) or os.environ.get("AZURE_STORAGE_SAS_TOKEN")
        fields = {
            "BlobEndpoint": options.endpoint_url,
            "AccountName": account,
            "AccountKey": key,
            "SharedAccessSignature": None if key else sas,
        }
        arguments["connection_string"] = ";".join(f"{name}={value}" for name, value in fields.items() if value)
    return _merged(arguments, native), options.endpoint_url or account


def _merged(arguments: dict[str, Any], native: Mapping[str, object]) -> dict[str, Any]:
    """Let the caller's own options win, key by key within those that are dictionaries."""
    merged = dict(arguments)
    for name, value in native.items():
        ours = merged.get(name)
        merged[name] = {**ours, **value} if isinstance(ours, dict) and isinstance(value, dict) else value
    return merged
