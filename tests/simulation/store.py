"""A simulated object store: a create never replaces, and everything else breaks, as a seed decides.

What may happen to a request is what was seen on real stores and clients: a failure before it took effect; success with
the answer lost; the client library's own retry that then meets its own object; an answer delayed past the retry, so
that the object appears later; 409 shown as "exists" though nothing was stored; 429, 500, 503 and timeouts; a delete
that arrives twice; the writer's crash at any of these.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from objreg.errors import StoreUnavailable
from objreg.store.base import ObjectInfo
from tests.simulation.scheduler import Crash, Scheduler

__all__ = ["BEGIN", "ClientStore", "Faults", "SharedObjects"]

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Faults:
    """How likely each fault is, for each request.

    Attributes:
        lost: a write took effect, and no answer came.
        own: a write took effect, no answer came, and the client library's retry met the object.
        refused: a write did not take effect, and an error says so: 429, 500, 503.
        delayed: a write timed out and arrives later.
        conflict: a write did not take effect, and the answer reads as if there was an object.
        unread: a read gave no answer.
        short: a read gave only the beginning of the object, as if that were all.
        crash: the client dies, before or after the request took effect.
        again: a delete arrives a second time, later.
    """

    lost: float = 0.06
    own: float = 0.06
    refused: float = 0.05
    delayed: float = 0.05
    conflict: float = 0.03
    unread: float = 0.04
    short: float = 0.02
    crash: float = 0.01
    again: float = 0.2


@dataclass
class SharedObjects:
    """What is in the bucket, and what is still on its way to it."""

    scheduler: Scheduler
    objects: dict[str, bytes] = field(default_factory=dict)
    modified: dict[str, datetime] = field(default_factory=dict)
    ever: dict[str, bytes] = field(default_factory=dict)
    late: list[tuple[str, str, bytes]] = field(default_factory=list)

    def now(self) -> datetime:
        """Return the store's time."""
        return BEGIN + timedelta(seconds=self.scheduler.now)

    def create(self, key: str, data: bytes) -> bool:
        """Create at once, unless something is there."""
        if key in self.objects:
            return False
        self.objects[key] = data
        self.modified[key] = self.now()
        if "/log/" in key:
            assert key not in self.ever, f"{key} was filled twice"
        self.ever[key] = data
        return True

    def tick(self) -> None:
        """Let some of what is on its way arrive."""
        for item in [item for item in self.late if self.scheduler.random.random() < 0.1]:
            self.late.remove(item)
            self._arrive(*item)

    def settle(self) -> None:
        """Let everything that is on its way arrive."""
        while self.late:
            self._arrive(*self.late.pop(0))

    def _arrive(self, what: str, key: str, data: bytes) -> None:
        if what == "create":
            self.create(key, data)
        else:
            self.objects.pop(key, None)


class ClientStore:
    """One client's connection to the simulated store.

    Args:
        name: of the client, for the scheduler.
        shared: the bucket.
        faults: how likely each is.
    """

    ordered = True
    url = "sim://bucket"
    identity = "sim://bucket"

    def __init__(self, name: str, shared: SharedObjects, faults: Faults) -> None:
        self._name = name
        self._shared = shared
        self._faults = faults
        self._random = shared.scheduler.random
        self.dead = False

    def _begin(self) -> None:
        if self.dead:
            raise Crash
        self._shared.scheduler.step(self._name)

    def _crashes(self) -> bool:
        if self._random.random() < self._faults.crash:
            self.dead = True
        return self.dead

    def create(self, key: str, data: bytes) -> bool:
        self._begin()
        faults, shared = self._faults, self._shared
        if self._crashes():
            if self._random.random() < 0.5:
                shared.create(key, data)
            raise Crash
        drawn = self._random.choices(
            ("fine", "lost", "own", "refused", "delayed", "conflict"),
            (1.0, faults.lost, faults.own, faults.refused, faults.delayed, faults.conflict),
        )[0]
        if drawn == "lost":
            shared.create(key, data)
        elif drawn == "own":
            shared.create(key, data)
            return False
        elif drawn == "delayed":
            shared.late.append(("create", key, data))
        elif drawn == "conflict":
            return False
        elif drawn == "fine":
            return shared.create(key, data)
        raise StoreUnavailable(f"the simulated store gave no answer ({drawn})")

    def _read(self) -> None:
        self._begin()
        if self._crashes():
            raise Crash
        if self._random.random() < self._faults.unread:
            raise StoreUnavailable("the simulated store gave no answer (read)")

    def get(self, key: str) -> bytes | None:
        self._read()
        data = self._shared.objects.get(key)
        if data and self._random.random() < self._faults.short:
            return data[: self._random.randrange(len(data))]
        return data

    def get_range(self, key: str, start: int, length: int) -> bytes | None:
        data = self.get(key)
        return None if data is None else data[start : start + length]

    def head(self, key: str) -> ObjectInfo | None:
        self._read()
        return self._info(key)

    def _info(self, key: str) -> ObjectInfo | None:
        data = self._shared.objects.get(key)
        return None if data is None else ObjectInfo(key, len(data), self._shared.modified[key])

    def first(self, prefix: str) -> ObjectInfo | None:
        self._read()
        key = min((key for key in self._shared.objects if key.startswith(prefix)), default=None)
        return None if key is None else self._info(key)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        self._read()
        keys = [key for key in self._shared.objects if key.startswith(prefix)]
        return iter([info for info in map(self._info, keys) if info is not None])

    def folders(self, prefix: str) -> tuple[str, ...]:
        self._read()
        rests = [key[len(prefix) :] for key in self._shared.objects if key.startswith(prefix)]
        return tuple(sorted({rest.split("/", 1)[0] for rest in rests if "/" in rest}))

    def delete(self, key: str) -> None:
        self._begin()
        if self._crashes():
            raise Crash
        if self._random.random() < self._faults.again:
            self._shared.late.append(("delete", key, b""))
        if self._random.random() < self._faults.refused:
            raise StoreUnavailable("the simulated store gave no answer (delete)")
        self._shared.objects.pop(key, None)

    def close(self) -> None:
        """Nothing to release."""
