"""Machines that use one registry: each with its own cache, clock and actor, over one store in memory."""

import multiprocessing
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from objreg.local.cache import Cache
from objreg.registry.clock import FIRST_PAUSE, SystemClock
from objreg.registry.recall import Recall
from objreg.registry.registry import Registry
from objreg.registry.session import Session, create_marker
from objreg.store.base import Store
from objreg.store.memory import MemoryStore

__all__ = ["Machine", "TickingClock", "kill_while_another_waits", "new_store"]

_FORK = multiprocessing.get_context("fork")


class TickingClock:
    """A clock that never sleeps: a pause only moves it on.

    Attributes:
        skew: how far its time of day is ahead of the real one.
        pauses: how often somebody waited.
    """

    def __init__(self, skew: timedelta = timedelta(0)) -> None:
        self.skew = skew
        self.pauses = 0
        self.seconds = 0.0
        self._system = SystemClock()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.skew

    def monotonic(self) -> float:
        return self.seconds

    def pause(self, attempt: int, unit: float = FIRST_PAUSE) -> None:
        del attempt, unit  # however long, it takes no time
        self.pauses += 1
        self.seconds += 1.0

    def new_id(self) -> str:
        return self._system.new_id()


@dataclass
class Machine:
    """One machine: what its processes remember together is in ``cache``."""

    store: Store
    actor: str = "ci@acme"
    clock: TickingClock = field(default_factory=TickingClock)
    cache: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="objreg-machine-")))

    def registry(self, store: Store | None = None) -> Registry:
        """Return the registry as a new process of this machine opens it, or as it looks through another store."""
        used = store or self.store

        def connect() -> Session:
            return Session(used, Recall(Cache(self.cache), self.store.identity), self.clock, self.actor)

        return Registry(used.url, connect)


def new_store(name: str = "registry") -> MemoryStore:
    """Return a store with a registry in it and nothing else."""
    store = MemoryStore(name)
    create_marker(store, TickingClock())
    return store


def kill_while_another_waits(
    work: Callable[[], None], is_half_way: Callable[[], bool], wait: Callable[[], None]
) -> None:
    """Begin in one process, let another one wait for it, and kill -9 the first: the other must then come to its end."""
    holder, waiter = _FORK.Process(target=work), _FORK.Process(target=wait)
    holder.start()
    end = time.monotonic() + 20
    while not is_half_way():
        assert time.monotonic() < end
        time.sleep(0.02)
    waiter.start()
    waiter.join(0.5)
    assert waiter.is_alive()
    holder.kill()
    waiter.join(20)
    assert waiter.exitcode == 0
