"""A registry whose machines and whose store agree on a time that a test sets, and stores that stop at a request."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from objreg.registry.registry import Registry
from objreg.registry.session import create_marker
from objreg.store.base import Store
from objreg.store.memory import MemoryStore
from tests.registry.machine import Machine, TickingClock

__all__ = ["DatedStore", "Interrupted", "Site", "Stopped"]

MODEL = "fraud/clf"


class DatedStore(MemoryStore):
    """Objects in memory, whose times are those of a test's clock."""

    def __init__(self, clock: TickingClock) -> None:
        super().__init__("dated")
        self._clock = clock

    def create(self, key: str, data: bytes) -> bool:
        created = super().create(key, data)
        if created:
            self._objects[key] = (self._objects[key][0], self._clock.now())
        return created


class Interrupted:
    """A store that lets something else happen before one of its requests.

    Args:
        store: the real one.
        at: is asked before each request, with its number from 0, its name and its first argument; where it says yes
            for the first time, ``action`` is called.
        action: what happens.
    """

    def __init__(self, store: Store, at: Callable[[int, str, str], bool], action: Callable[[], object]) -> None:
        self._store = store
        self._at = at
        self._action: Callable[[], object] | None = action
        self._lock = threading.Lock()
        self.requests = 0

    @property
    def happened(self) -> bool:
        """Whether the moment came."""
        return self._action is None

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        if not callable(found):
            return found

        def request(key: str, *arguments: Any) -> Any:
            with self._lock:
                number, self.requests = self.requests, self.requests + 1
                action = self._action if self._action and self._at(number, name, key) else None
                if action:
                    self._action = None
            if action:
                action()
            return found(key, *arguments)

        return request


class Stopped(Exception):
    """The machine died."""


@dataclass
class Site:
    """One registry, the clock of all who use it, and where their files are.

    Attributes:
        folder: for files and caches.
        clock: ``clock.skew`` is how far it is from now; negative for the past.
        store: what is in the bucket.
    """

    folder: Path
    clock: TickingClock = field(default_factory=TickingClock)
    count: int = 0

    def __post_init__(self) -> None:
        self.store = DatedStore(self.clock)
        create_marker(self.store, self.clock)

    def days_ago(self, days: float) -> None:
        """Set the time."""
        self.clock.skew = timedelta(days=-days)

    def registry(self, actor: str = "ci@acme", store: Any = None) -> Registry:
        """Return the registry as a machine opens it that has never seen it."""
        self.count += 1
        machine = Machine(self.store, actor, self.clock, self.folder / f"machine-{self.count}")
        return machine.registry(store)

    def file(self, content: bytes) -> Path:
        """Return a file of some content, always of the same name."""
        self.count += 1
        path = self.folder / f"files-{self.count}" / "model.bin"
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
        return path

    def blobs(self, model: str = MODEL) -> set[str]:
        """Return the physical names of all blobs of a model."""
        prefix = f"{model}.model/blobs/"
        return {info.key.removeprefix(prefix) for info in self.store.list(prefix)}

    def pulled(self, spec: str) -> bytes:
        """Return what a new machine gets of a version."""
        return (self.registry("reader@acme").pull(spec) / "model.bin").read_bytes()
