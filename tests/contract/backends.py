"""Every way to open a store that the contract is held against, as data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from objreg.store import Store, open_store

__all__ = ["BACKENDS", "CLOUDS", "Backend", "Combination"]


@dataclass(frozen=True)
class Combination:
    """A server (or a local medium) and the engine that speaks to it."""

    server: str
    engine: str | None = None

    def __str__(self) -> str:
        return self.server if self.engine is None else f"{self.server}-{self.engine}"


CLOUDS = (
    *(
        Combination(server, engine)
        for server in ("moto", "ministack", "seaweedfs", "ceph")
        for engine in ("obstore", "fsspec")
    ),
    Combination("fake-gcs", "fsspec"),
    Combination("azurite", "obstore"),
    Combination("azurite", "fsspec"),
)
LOCALS = (Combination("memory"), Combination("links"), Combination("locks"))
BACKENDS = (*LOCALS, *CLOUDS)


@dataclass(frozen=True)
class Backend:
    """One empty root and how to open it.

    Attributes:
        url: of the root, fresh for each test.
        racers: how many concurrent creates of one key the server bears in reasonable time.
        options: ``storage_options`` of ``open_store``.
    """

    url: str
    racers: int = 16
    engine: str | None = None
    options: Mapping[str, object] = field(default_factory=dict)
    opened: Callable[[Store], Store] = lambda store: store

    def open(self, url: str | None = None, **options: object) -> Store:
        """Open the root (or ``url``) anew, with other ``storage_options`` where they are given."""
        merged = {**self.options, **options}
        return self.opened(open_store(url or self.url, storage_options=merged or None, engine=self.engine))
