"""Open a registry: from a URL or from what is configured, to a value that connects when it is first used."""

import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from objreg.errors import NotFound
from objreg.local.assets import find_assets
from objreg.local.cache import Cache
from objreg.local.cache_settings import CacheSettings, load_cache_settings
from objreg.local.config import Settings, load_settings
from objreg.local.project import find_lock
from objreg.registry.clock import SystemClock
from objreg.registry.recall import Recall
from objreg.registry.registry import Registry
from objreg.registry.session import Session, create_marker, read_marker
from objreg.store.base import Store
from objreg.store.urls import open_store
from objreg.store.wrappers import OfflineStore

__all__ = ["create_registry", "open_registry"]


class _Opened:
    """The store that was opened to see whether its address is right, for the first who needs it; not in a copy."""

    def __init__(self) -> None:
        self._store: Store | None = None
        self._pid = 0

    def __reduce__(self) -> tuple[object, ...]:
        return (_Opened, ())

    def keep(self, store: Store) -> Store:
        self._store, self._pid = store, os.getpid()
        return store

    def take(self) -> Store | None:
        store, self._store = self._store, None
        return store if self._pid == os.getpid() else None


@dataclass(frozen=True)
class _Connect:
    """How to reach a registry; what a pickled ``Registry`` carries."""

    url: str
    storage_options: Mapping[str, object] = field(repr=False)
    engine: str | None
    filesystem: object | None
    cache: CacheSettings
    actor: str | None
    connections: int
    offline: bool = False
    opened: _Opened = field(default_factory=_Opened, compare=False)

    def store(self) -> Store:
        """Open the store, and keep it for the session."""
        return self.opened.keep(self._take_store())

    def _take_store(self) -> Store:
        return self.opened.take() or open_store(
            self.url, storage_options=self.storage_options or None, engine=self.engine, filesystem=self.filesystem
        )

    def __call__(self) -> Session:
        from objreg.local.identity import actor

        cache = self.cache.open()
        store = self._take_store()
        if self.offline:
            return self._offline(store, cache, self.actor or actor())
        identity = store.identity
        if not store.ordered:
            # Such a store is asked for single objects, so the marker is cheap; its id tells a registry that was made
            # anew in the same place from the one that was there before.
            marker = read_marker(store)
            if marker is None:
                raise NotFound(
                    f"there is no registry in {store.url}; check the URL, or create one with 'objreg init' or"
                    f" create=True"
                )
            cache.remember_marker(identity, marker.id)
            identity += f"#{marker.id}"
        recall = Recall(cache, identity)
        return Session(store, recall, SystemClock(), self.actor or actor(), connections=self.connections)

    def _offline(self, store: Store, cache: Cache, actor: str) -> Session:
        """Return a session that makes no request: what it would ask for is remembered, or an error."""
        store.close()
        identity = store.identity
        if not store.ordered:
            marker = cache.marker(identity)
            if marker is None:
                raise NotFound(
                    f"{store.url} is not to be asked (offline), and this machine has seen nothing of it;"
                    f" cache {cache.root}"
                )
            identity += f"#{marker}"
        offline = OfflineStore(store.url, store.identity, ordered=store.ordered)
        return Session(offline, Recall(cache, identity), SystemClock(), actor, offline=True)


def _connect(settings: Settings, filesystem: object | None, actor: str | None) -> _Connect:
    return _Connect(
        settings.url,
        settings.storage_options,
        settings.engine,
        filesystem,
        load_cache_settings(settings.cache_dir),
        actor,
        settings.connections,
    )


def open_registry(
    url: str | os.PathLike[str] | None = None,
    *,
    storage_options: Mapping[str, Any] | None = None,
    create: bool = False,
    engine: str | None = None,
    filesystem: object | None = None,
    actor: str | None = None,
    lock: bool = True,
    offline: bool = False,
    assets_dir: str | os.PathLike[str] | None = None,
    connections: int | None = None,
) -> Registry:
    """Open a registry.

    Opening makes no request to a cloud: a registry that is not there is reported by the first call that finds nothing.
    A folder is looked at when it is first used.

    Args:
        url: ``s3://bucket/prefix``, ``gs://``, ``az://container/prefix``, ``https://`` (to read), ``memory://name``, or
            a folder. Left out: ``OBJREG_URL``; then the key ``url`` of ``objreg.toml`` or ``[tool.objreg]``, found from
            the working directory upwards; then a registry in the user's data folder, which is created if there is none,
            with a warning that says where it is.
        storage_options: how to reach the store: ``endpoint_url``, ``region``, ``profile``, ``anonymous``,
            ``path_style``, ``kms_key_id``, ``account_name``, ``checksum_algorithm``, and whatever the engine knows
            besides. Credentials are best left to the cloud's own chain; they are kept in memory only.
        create: create the registry if there is none.
        engine: ``obstore`` or ``fsspec``. Left out: fsspec where ``storage_options`` or ``filesystem`` are given and
            for ``gs://``, obstore for other clouds.
        filesystem: an fsspec file system to use instead of making one.
        actor: who commits; left out, ``OBJREG_ACTOR``, the CI system's identity, Git's ``user.email`` or the login.
        lock: whether a model's name alone is read as the version in ``objreg.lock``, where one for this registry is
            found from the working directory upwards: ``registry.lock``. ``OBJREG_LOCK=0`` is the same as False.
        offline: make no request at all: use what this machine has seen and what is cached, and refuse the rest.
            ``OBJREG_OFFLINE=1`` is the same as True.
        assets_dir: ``pull`` puts each version into ``<assets_dir>/<model>/<version>`` and returns that folder; left
            out, ``OBJREG_ASSETS_DIR``, or nothing is put anywhere. ``docs/cache.md`` says what can stand in for a model
            in development.
        connections: how many blobs are sent or fetched at a time; left out, ``OBJREG_CONNECTIONS``, ``connections`` in
            the file's ``[transfer]``, or 8.

    Returns:
        The registry.

    Raises:
        InvalidInput: the URL or an option is not known, or the configuration is broken.
        MissingDependency: the engine's package is not installed; the message names the extra.
        UnsafeStore: with ``create``, the store does not keep conditional creates.
    """
    settings = load_settings(
        None if url is None else str(url), storage_options=storage_options, engine=engine, connections=connections
    )
    connect = _connect(settings, filesystem, actor)
    if offline or settings.offline:
        connect = replace(connect, offline=True)
    if settings.is_default:
        warnings.warn(
            f"no registry is configured, so the one in {settings.url} is used; name one with OBJREG_URL or with url"
            f" in objreg.toml",
            stacklevel=2,
        )
    if (create or settings.is_default) and not connect.offline:
        create_marker(connect.store(), SystemClock())
    assets = find_assets(None if assets_dir is None else Path(assets_dir))
    return Registry(connect.store().url, connect, find_lock() if lock else None, assets)


def create_registry(
    url: str | os.PathLike[str] | None = None,
    *,
    storage_options: Mapping[str, Any] | None = None,
    engine: str | None = None,
    filesystem: object | None = None,
    actor: str | None = None,
) -> tuple[Registry, bool]:
    """Create a registry unless there is one, and return it with whether this call created it.

    Arguments and errors as for ``open_registry``.
    """
    settings = load_settings(None if url is None else str(url), storage_options=storage_options, engine=engine)
    connect = _connect(settings, filesystem, actor)
    store = connect.store()
    _, created = create_marker(store, SystemClock())
    return Registry(store.url, connect), created
