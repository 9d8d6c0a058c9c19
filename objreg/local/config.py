"""Which registry, and how to speak to it: the one reader of the environment and of configuration files."""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from objreg.errors import InvalidInput

__all__ = [
    "Settings",
    "absolute",
    "check_keys",
    "folder_tables",
    "is_on",
    "load_settings",
    "process_environment",
    "start_folder",
]

ENGINES = ("fsspec", "obstore")
KEYS = ("assets", "cache", "engine", "groups", "storage_options", "transfer", "url")

CONNECTIONS = 8
_MOST_CONNECTIONS = 256
_DEFAULT_SOURCE = "the user's data folder"
_TRUE = ("1", "true", "yes", "on")
_FALSE = ("", "0", "false", "no", "off")
_SECRET_WORDS = ("key", "secret", "token", "passw", "passphrase", "credential", "connection_string", "connectionstring")
_NOT_SECRET_NAME = re.compile(r"kms|_(file|path)$")
_NOT_SECRET_VALUES = ("anon", "browser", "cache", "cloud", "google_default")
"""gcsfs takes the *name* of a way to authenticate in its option ``token``."""
_SENDS_TOKENS = re.compile(r"(gs|gcs|az|azure|abfss?)://", re.IGNORECASE)
_ENDPOINT = re.compile(r"endpoint|host|proxy|base_url", re.IGNORECASE)
_SECRET_URL = re.compile(r"://[^/@]*:[^/@]+@|[?&]sig=", re.IGNORECASE)


@dataclass(frozen=True)
class Settings:
    """Where the registry is, and what else this machine was told.

    Attributes:
        url: the registry's root: a URL, or a path of a folder.
        source: who said so, for people: "the argument", "OBJREG_URL", a file's path, "the user's data folder".
        storage_options: what the cloud's client is given; may hold secrets, so it is not in the ``repr``.
        engine: "fsspec", "obstore", or None for objreg's choice.
        cache_dir: the folder of the cache, absolute.
        offline: True when the network must not be used.
        connections: how many blobs are sent or fetched at a time.
    """

    url: str
    source: str
    storage_options: Mapping[str, object] = field(repr=False)
    engine: str | None
    cache_dir: Path
    offline: bool
    connections: int = CONNECTIONS

    @property
    def is_default(self) -> bool:
        """Whether nobody named a registry, so that it is the one in the user's data folder."""
        return self.source == _DEFAULT_SOURCE


@dataclass(frozen=True)
class _Configured:
    """What one configuration file says; ``place`` names the file for people."""

    place: str
    url: str
    storage_options: dict[str, object] = field(default_factory=dict, repr=False)
    engine: str | None = None
    connections: int | None = None


def process_environment() -> Mapping[str, str]:
    """Return the environment variables of this process, for those parts of objreg that need them."""
    return os.environ


def load_settings(
    url: str | None = None,
    *,
    storage_options: Mapping[str, object] | None = None,
    engine: str | None = None,
    connections: int | None = None,
    start: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """Find out which registry is meant.

    The URL is the first of: the argument; ``OBJREG_URL``; the key ``url`` of ``objreg.toml``, or of ``[tool.objreg]``
    in ``pyproject.toml``, in the nearest folder from ``start`` upwards that has one; the folder ``objreg/registry`` in
    the user's data folder. A file's ``engine``, ``storage_options`` and ``[transfer]`` belong to its URL: they count
    only with it.

    Args:
        url: the registry's root, when the caller knows it.
        storage_options: for the cloud's client; single options here win over those of a configuration file.
        engine: "fsspec" or "obstore"; else ``OBJREG_ENGINE``, else the file's.
        connections: how many blobs are sent or fetched at a time; else ``OBJREG_CONNECTIONS``, else ``connections`` in
            the file's ``[transfer]``, else 8.
        start: where the search for a file begins; the working directory by default.
        environ: environment variables; those of this process by default.

    Raises:
        InvalidInput: a variable, or a file that was reached by the search, is not what it should be.
    """
    environ = process_environment() if environ is None else environ
    configured = _choose(url, environ, start)
    variable = environ.get("OBJREG_ENGINE") or None
    for place, name in (("the argument", engine), ("OBJREG_ENGINE", variable), (configured.place, configured.engine)):
        if name is not None and name not in ENGINES:
            raise InvalidInput(f"engine {name!r} (from {place}) is unknown; use one of {', '.join(ENGINES)}")
    return Settings(
        url=configured.url,
        source=configured.place,
        storage_options={**configured.storage_options, **(storage_options or {})},
        engine=engine or variable or configured.engine,
        cache_dir=_cache_dir(environ),
        offline=_offline(environ),
        connections=_connections(connections, environ.get("OBJREG_CONNECTIONS") or None, configured),
    )


def _choose(url: str | None, environ: Mapping[str, str], start: Path | None) -> _Configured:
    if url is not None:
        if not url.strip():
            raise InvalidInput("the registry's url is empty; give one, such as s3://bucket/prefix or a folder")
        return _Configured("the argument", url)
    if environ.get("OBJREG_URL"):
        return _Configured("OBJREG_URL", environ["OBJREG_URL"])
    for path, table in _tables(start_folder(start)):
        configured = _configured(path, table)
        if configured is not None:
            return configured
    from platformdirs import user_data_path

    return _Configured(_DEFAULT_SOURCE, str(user_data_path("objreg", appauthor=False) / "registry"))


def start_folder(start: Path | None) -> Path:
    """Return where to look from upwards: a folder, or the working directory.

    Raises:
        InvalidInput: the working directory was removed.
    """
    return absolute(start or Path())


def absolute(path: Path) -> Path:
    """Return a path from the root; its user (``~``) is expanded.

    Raises:
        InvalidInput: it is relative, and the working directory was removed; or it is in the home of nobody.
    """
    try:
        return path.expanduser().absolute()
    except FileNotFoundError as error:
        raise InvalidInput("the working directory was removed: change to one that is there") from error
    except RuntimeError as error:
        raise InvalidInput(f"{str(path)!r} names the home of nobody on this machine") from error


def _tables(start: Path) -> Iterator[tuple[Path, dict[str, object]]]:
    """Yield each configuration file with its table, nearest first."""
    for folder in (start, *start.parents):
        yield from folder_tables(folder)


def folder_tables(folder: Path) -> Iterator[tuple[Path, dict[str, object]]]:
    """Yield the configuration files in a folder with their tables, the one that counts first.

    Raises:
        InvalidInput: a file is not valid TOML, or cannot be read.
    """
    own = _toml(folder / "objreg.toml")
    if own is not None:
        yield folder / "objreg.toml", own
    # Other people's projects are not ours to parse, let alone to complain about.
    project = _toml(folder / "pyproject.toml", only_with=b"objreg")
    tools = {} if project is None else project.get("tool", {})
    table = tools.get("objreg") if isinstance(tools, dict) else None
    if isinstance(table, dict):
        yield folder / "pyproject.toml", table


def _toml(path: Path, only_with: bytes = b"") -> dict[str, object] | None:
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read ({error.strerror}); make it readable, or set OBJREG_URL") from error
    if only_with not in data:
        return None
    import tomllib

    try:
        return tomllib.loads(data.decode())
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InvalidInput(f"{path} is not UTF-8 (at line {line}); save it as UTF-8") from error
    except (ValueError, RecursionError) as error:  # ValueError: what is no TOML, or a number of 5,000 digits
        raise InvalidInput(f"{path} is not valid TOML: {error}; correct that line") from error


def _configured(path: Path, table: Mapping[str, object]) -> _Configured | None:
    check_keys(path, table)
    url, engine, options = table.get("url"), table.get("engine"), table.get("storage_options", {})
    if not isinstance(options, dict):
        raise InvalidInput(f"storage_options in {path} must be a table, not {type(options).__name__}")
    for name, value in (("url", url), ("engine", engine)):
        if value is not None and not (isinstance(value, str) and value.strip()):
            raise InvalidInput(f"{name} in {path} must be a string that is not empty")
    _refuse_secrets(path, "storage_options", options)
    if not isinstance(url, str):
        return None
    if _SECRET_URL.search(url):
        raise _secret(path, "url")
    _refuse_endpoint(path, url, options)
    return _Configured(
        str(path), _located(url, path), options, engine if isinstance(engine, str) else None, _transfer(path, table)
    )


def _transfer(path: Path, table: Mapping[str, object]) -> int | None:
    found = table.get("transfer", {})
    if not isinstance(found, dict):
        raise InvalidInput(f"transfer in {path} must be a table, not {type(found).__name__}")
    for key in found.keys() - {"connections"}:
        raise InvalidInput(f"unknown key {key!r} in [transfer] of {path}; the known one is connections")
    return _number(found["connections"], str(path)) if found else None


def _connections(argument: int | None, variable: str | None, configured: _Configured) -> int:
    if argument is not None:
        return _number(argument, "the argument")
    if variable is not None:
        return _number(int(variable) if re.fullmatch("[0-9]{1,9}", variable) else variable, "OBJREG_CONNECTIONS")
    return configured.connections or CONNECTIONS


def _number(value: object, place: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _MOST_CONNECTIONS:
        raise InvalidInput(f"connections is {value!r} (from {place}); use a number from 1 to {_MOST_CONNECTIONS}")
    return value


def _located(url: str, path: Path) -> str:
    """A relative folder is relative to the file that names it, wherever the process runs."""
    return url if "://" in url else os.path.normpath(path.parent / _expanded(url, str(path)))


def _expanded(text: str, place: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise InvalidInput(f"{text!r} (from {place}) names the home of nobody on this machine") from error


def check_keys(path: Path, table: Mapping[str, object]) -> None:
    """See to it that a configuration file has no key that would be passed over.

    Raises:
        InvalidInput: it has; the message names what may have been meant.
    """
    for key in table:
        if key not in KEYS:
            from difflib import get_close_matches

            close = get_close_matches(key, KEYS, 1)
            meant = f"did you mean {close[0]!r}?" if close else f"known keys are {', '.join(KEYS)}"
            known = f" (known keys are {', '.join(KEYS)})" if close else ""
            raise InvalidInput(f"unknown key {key!r} in {path}; {meant}{known}", key=key, known=KEYS)


def _refuse_secrets(path: Path, where: str, options: Mapping[str, object]) -> None:
    for key, value in options.items():
        place = f"{where}.{key}"
        if isinstance(value, dict):
            _refuse_secrets(path, place, value)
        elif isinstance(value, bool) or value in _NOT_SECRET_VALUES:
            continue
        elif _names_secret(key) or (isinstance(value, str) and _SECRET_URL.search(value)):
            raise _secret(path, place)


def _refuse_endpoint(path: Path, url: str, options: Mapping[str, object]) -> None:
    """Let no file of a project, which may be somebody else's, say where a bearer token is sent.

    On S3 a request carries a signature; on Google Cloud and Azure it carries what anybody who gets it can use.
    """
    query = parse_qs(urlsplit(url).query) if _SENDS_TOKENS.match(url) else {}
    if _SENDS_TOKENS.match(url) and any(_ENDPOINT.search(key) for key in (*options, *query)):
        raise InvalidInput(
            f"{path} names an endpoint for {url.partition('://')[0]}://, which would be sent this machine's token; if"
            " it is yours, name it in OBJREG_URL or in the cloud's own variables instead"
        )


def _names_secret(key: str) -> bool:
    name = key.lower()
    if _NOT_SECRET_NAME.search(name):
        return False
    return any(word in name for word in _SECRET_WORDS) or "sas" in re.split(r"[^a-z]+", name)


def _secret(path: Path, place: str) -> InvalidInput:
    return InvalidInput(
        f"{place} in {path} looks like a secret, which does not belong in a file of a project; remove it, and let the "
        "cloud's own chain find the credentials (its environment variables, profile, or the machine's role)"
    )


def _cache_dir(environ: Mapping[str, str]) -> Path:
    chosen = environ.get("OBJREG_CACHE_DIR")
    if chosen:
        return absolute(_expanded(chosen, "OBJREG_CACHE_DIR"))
    from platformdirs import user_cache_path

    return user_cache_path("objreg", appauthor=False)


def _offline(environ: Mapping[str, str]) -> bool:
    return is_on("OBJREG_OFFLINE", environ)


def is_on(name: str, environ: Mapping[str, str], *, default: bool = False) -> bool:
    """Return what a variable says that is 1 or 0, or the default where it is not set.

    Raises:
        InvalidInput: it is neither.
    """
    value = environ.get(name)
    if value is None:
        return default
    if value.strip().lower() not in _TRUE + _FALSE:
        raise InvalidInput(f"{name} is {value.strip().lower()!r}; use 1 or 0 (or true, false, yes, no, on, off)")
    return value.strip().lower() in _TRUE
