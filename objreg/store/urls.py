"""From a registry's address to its store: schemes, engines, options; and addresses without secrets."""

import threading
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from objreg.errors import InvalidInput
from objreg.store.base import Store
from objreg.store.forked import ForkSafeStore
from objreg.store.memory import MemoryStore
from objreg.store.options import CloudOptions, Location, is_secret_name, parse_options

__all__ = ["open_store", "parse_location", "redact"]

_CLOUDS = {"s3": "s3", "s3a": "s3", "gs": "gs", "gcs": "gs", "az": "az", "abfs": "az", "abfss": "az"}
_DEFAULT_ENGINE = {"s3": "obstore", "az": "obstore", "gs": "fsspec"}
_ENGINES = ("fsspec", "obstore")
_memory_stores: dict[str, MemoryStore] = {}
_memory_lock = threading.Lock()


def open_store(
    url: str,
    *,
    storage_options: Mapping[str, object] | None = None,
    engine: str | None = None,
    filesystem: object | None = None,
) -> Store:
    """Open the store at an address.

    Args:
        url: a path or ``file://``, ``memory://name``, ``s3://bucket/prefix``, ``gs://``, ``az://``, ``https://``. The
            query of a cloud's address may set ``endpoint_url``, ``region``, ``anonymous``, ``path_style``, ``profile``,
            ``kms_key_id``, ``account_name`` and ``checksum_algorithm``.
        storage_options: the same names, and the engine's own.
        engine: ``fsspec`` or ``obstore``. Without it: fsspec where ``storage_options`` or ``filesystem`` is given and
            for ``gs://``, else obstore.
        filesystem: an fsspec file system to use, with its own credentials.

    Raises:
        InvalidInput: the address or an option is wrong, or the address holds credentials.
        MissingDependency: an extra is needed; the message names it.
    """
    if engine not in {None, *_ENGINES}:
        raise InvalidInput(f"engine {engine!r} is not known; use one of {', '.join(_ENGINES)}", engine=engine)
    if filesystem is not None:
        from objreg.store.fsspec_opening import store_of_filesystem

        return store_of_filesystem(filesystem, url)
    scheme, separator, _ = url.partition("://")
    if separator and scheme in _CLOUDS:
        return _open_cloud(url, storage_options, engine)
    if storage_options or engine:
        raise InvalidInput(f"{redact(url)} takes no engine and no storage_options; leave them out")
    if not separator:
        return _open_folder(url)
    _refuse_secrets(url)
    return _open_plain(scheme, url)


def parse_location(
    url: str, storage_options: Mapping[str, object] | None = None
) -> tuple[Location, CloudOptions] | None:
    """Return where in which cloud an address is, with its options; None for what is in no cloud.

    Raises:
        InvalidInput: the address names no bucket or holds credentials, or an option is wrong.
    """
    scheme = _split(url).scheme
    return _parse_cloud(url, storage_options) if scheme in _CLOUDS and "://" in url else None


def redact(url: str) -> str:
    """Return an address without user name, password and secrets of its query, for messages."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return f"{url.partition('://')[0]}://…"  # what cannot be taken apart cannot be shown in part
    if not parts.scheme or not parts.netloc:
        return url
    if _password_with_slash(parts):
        return f"{parts.scheme}://…"
    user, at, host = parts.netloc.rpartition("@")
    if at and parts.scheme.startswith("abfs") and ":" not in user:
        host = parts.netloc  # abfs://container@account: no secret
    query = [
        (name, redact(value))
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if not is_secret_name(name)
    ]
    return urlunsplit((parts.scheme, host, parts.path, urlencode(query, safe=":/", errors="replace"), ""))


def _open_folder(path: str) -> Store:
    from objreg.store.local import LocalStore

    if not path or "\0" in path:
        raise InvalidInput("a registry's address is empty; name a folder or a URL")
    try:
        return LocalStore(Path(path).expanduser())
    except FileNotFoundError as error:
        raise InvalidInput(
            f"{path!r} is below the working directory, which was removed: change to one that is there"
        ) from error
    except (RuntimeError, ValueError) as error:  # no such user's home; letters that no path can have
        raise InvalidInput(f"{path!r} cannot be a folder on this machine: {error}") from error


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError as error:
        raise InvalidInput(f"{redact(url)} is not an address: {error}") from error


def _password_with_slash(parts: SplitResult) -> bool:
    """Tell whether what looks like bucket and prefix is ``user:pass/word@bucket``: keys of clouds have slashes."""
    port = parts.netloc.partition(":")[2]
    return "@" not in parts.netloc and "@" in parts.path and bool(port) and not port.isdecimal()


def _open_plain(scheme: str, url: str) -> Store:
    parts = _split(url)
    if scheme == "file":
        if parts.netloc not in {"", "localhost"} or parts.query or parts.fragment:
            raise InvalidInput(f"{redact(url)} is not a folder of this machine; write file:///absolute/path")
        return _open_folder(unquote(parts.path))
    if scheme == "memory":
        name = url.removeprefix("memory://")
        with _memory_lock:
            return _memory_stores.setdefault(name, MemoryStore(name))
    if scheme in {"http", "https"}:
        from objreg.store.http import HttpStore

        return HttpStore(url)
    known = ", ".join(sorted({"file", "memory", "http", "https", *_CLOUDS.values()}))
    raise InvalidInput(f"the scheme of {redact(url)} is not known; use a path or one of {known}", scheme=scheme)


def _parse_cloud(url: str, storage_options: Mapping[str, object] | None) -> tuple[Location, CloudOptions]:
    _refuse_secrets(url)
    parts = _split(url)
    options = parse_options(dict(parse_qsl(parts.query, keep_blank_values=True)), storage_options)
    scheme = _CLOUDS[parts.scheme]
    if options.checksum_algorithm and scheme != "s3":
        raise InvalidInput(
            f"{scheme}:// keeps MD5 or CRC32C checksums, not {options.checksum_algorithm}; leave checksum_algorithm out"
        )
    container, at, account_host = parts.netloc.partition("@")
    if at and options.account_name is None:
        options = options.with_account(account_host.partition(".")[0])
    if not container or parts.fragment or "#" in url:
        raise InvalidInput(f"{redact(url)} names no bucket; write {parts.scheme}://bucket/prefix")
    folders = [part for part in unquote(parts.path).split("/") if part]
    if {".", ".."} & set(folders) or not all(part.isprintable() for part in folders):
        raise InvalidInput(f"{redact(url)!r} has '.', '..' or a control character in its prefix; write plain names")
    return Location(scheme, container, "/".join(folders)), options


def _open_cloud(url: str, storage_options: Mapping[str, object] | None, engine: str | None) -> Store:
    location, options = _parse_cloud(url, storage_options)
    chosen = engine or ("fsspec" if storage_options else _DEFAULT_ENGINE[location.scheme])
    native = chosen == "obstore"
    opening = partial(_open_obstore if native else _open_fsspec, location, options)
    return ForkSafeStore(opening, native=native)


def _open_obstore(location: Location, options: CloudOptions) -> Store:
    from objreg.store.obstore_engine import ObstoreStore

    return ObstoreStore(location, options)


def _open_fsspec(location: Location, options: CloudOptions) -> Store:
    from objreg.store.fsspec_opening import open_with_fsspec

    return open_with_fsspec(location, options)


def _refuse_secrets(url: str) -> None:
    parts = _split(url)
    user, at, _ = parts.netloc.rpartition("@")
    container_only = parts.scheme.startswith("abfs") and ":" not in user
    if (at and not container_only) or _password_with_slash(parts):
        raise InvalidInput("a registry's address must not hold credentials (before '@'); set them in the environment")
