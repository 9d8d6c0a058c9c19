"""A whole simulated world: clients that change and read one model, and what they were told."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from objreg.core.encoding import decode_json
from objreg.core.keys import log_key
from objreg.errors import CommitUnknown, ObjregError
from objreg.maintenance.collection import collect, plan_collection
from objreg.registry.recall import Recall
from objreg.registry.registry import Registry
from objreg.registry.session import Session
from tests.simulation.cache import MemoryCache
from tests.simulation.scheduler import Crash, Scheduler
from tests.simulation.store import ClientStore, Faults, SharedObjects

__all__ = ["DOMAIN", "MODEL", "NO_FAULTS", "SimulatedClock", "World"]

MODEL = "sim/clf"
DOMAIN = "sim/clf.model"
NO_FAULTS = Faults(0, 0, 0, 0, 0, 0, 0, 0, 0)


class SimulatedClock:
    """A client's clock: the scheduler's time, and how far it is wrong; a pause is a step of its own."""

    def __init__(
        self, name: str, scheduler: Scheduler, shared: SharedObjects, store: ClientStore, skew: timedelta
    ) -> None:
        self._name = name
        self._scheduler = scheduler
        self._shared = shared
        self._store = store
        self._skew = skew
        self.ids: list[str] = []

    def now(self) -> datetime:
        return self._shared.now() + self._skew

    def monotonic(self) -> float:
        return self._scheduler.now

    def pause(self, attempt: int, unit: float = 0.02) -> None:
        if self._store.dead:
            raise Crash
        self._scheduler.now += self._scheduler.random.random() * min(1.0, unit * 2**attempt)
        self._scheduler.step(self._name)

    def new_id(self) -> str:
        self.ids.append(f"{self._scheduler.random.getrandbits(128):032x}")
        return self.ids[-1]


@dataclass
class Told:
    """What a client was told of one change.

    Attributes:
        client: who asked.
        what: for a person.
        ids: the ids that its commit may carry.
        outcome: ``done``, ``refused``, ``unknown`` or ``crashed``.
        value: what was returned.
    """

    client: str
    what: str
    ids: list[str]
    outcome: str = "crashed"
    value: Any = None


@dataclass
class Seen:
    """What a reader saw: a read must lie between what was acknowledged before it and what existed after it."""

    acknowledged: int
    seen: int
    existing: int


@dataclass
class World:
    """One simulated history.

    Attributes:
        seed: decides everything.
        folder: for the files to push; one for all seeds.
        faults: how likely each is.
        writers: how many clients change the model.
        readers: how many only read it.
        changes: how many changes each writer makes.
        collectors: how many clients collect what nothing needs, as often.
        strangers: the clocks' errors of clients that are new to the model each time, and whose requests never fail.
    """

    seed: int
    folder: Path
    faults: Faults = field(default_factory=Faults)
    writers: int = 3
    readers: int = 1
    changes: int = 4
    collectors: int = 0
    strangers: tuple[timedelta, ...] = ()
    told: list[Told] = field(default_factory=list)
    reads: list[Seen] = field(default_factory=list)
    contents: list[tuple[str, bytes]] = field(default_factory=list)
    acknowledged: int = -1
    collected: int = 0

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.scheduler = Scheduler(self.random)
        self.shared = SharedObjects(self.scheduler)

    # Running

    def run(self, prepared: dict[str, bytes]) -> None:
        """Run all clients to their end, from a registry with these objects, and let everything late arrive."""
        for key, data in prepared.items():
            self.shared.create(key, data)
        for number in range(self.writers):
            self._start(f"writer{number}", self._write)
        for number in range(self.readers):
            self._start(f"reader{number}", self._read)
        for number in range(self.collectors):
            self._start(f"collector{number}", self._collect)
        for number, skew in enumerate(self.strangers):
            self._start(f"stranger{number}", self._visit, NO_FAULTS, skew)
        self.scheduler.run_all(self.shared.tick)
        self.shared.settle()

    def _start(
        self,
        name: str,
        run: Callable[[Registry, SimulatedClock, str], None],
        faults: Faults | None = None,
        skew: timedelta = timedelta(0),
    ) -> None:
        store = ClientStore(name, self.shared, faults or self.faults)
        clock = SimulatedClock(name, self.scheduler, self.shared, store, skew)
        registry = self.registry(name, store, clock, MemoryCache())
        self.scheduler.start(name, lambda: run(registry, clock, name))

    def registry(self, name: str, store: ClientStore, clock: SimulatedClock, cache: MemoryCache) -> Registry:
        """Return the registry as a new process of a machine opens it."""
        session = Session(store, Recall(cache, store.identity), clock, name)
        return Registry(store.url, lambda: session)

    def _visit(self, registry: Registry, clock: SimulatedClock, name: str) -> None:
        """Describe the model, each time as a process that knows nothing of it."""
        for _ in range(self.changes):
            session = registry.session
            new = self.registry(name, session.store, clock, MemoryCache())
            with suppress(ObjregError):
                new.put_catalog(MODEL, description=str(self.random.random()))

    def _write(self, registry: Registry, clock: SimulatedClock, name: str) -> None:
        for _ in range(self.changes):
            what, change = self.draw(registry)
            told = Told(name, what, [])
            self.told.append(told)
            first = len(clock.ids)
            try:
                told.value = change()
                told.outcome = "done"
            except CommitUnknown:
                told.outcome = "unknown"
            except ObjregError as error:
                told.outcome, told.value = "refused", error
            finally:
                told.ids = clock.ids[first:]
            if told.outcome == "done":
                self.acknowledged = max(self.acknowledged, self._seq_of(told.ids))

    def _collect(self, registry: Registry, clock: SimulatedClock, _name: str) -> None:
        for _ in range(self.changes):
            for _ in range(self.random.randrange(4)):
                clock.pause(1)
            try:
                for plan in plan_collection(registry, MODEL, grace=timedelta(0)):
                    self.collected += len(collect(registry, plan).deleted)
            except ObjregError:
                continue

    def draw(self, registry: Registry) -> tuple[str, Callable[[], Any]]:
        """Return a change to make, and what it is."""
        random = self.random
        file = self.folder / f"content{random.randrange(4)}"
        version = f"2.{random.randrange(3)}"
        name = f"experiment{random.randrange(2)}"

        def unless_it_changed() -> str:
            seen = registry.head(MODEL).digest
            return registry.put_catalog(MODEL, description=str(random.random()), message=seen, expect=seen).description

        def transaction() -> str:
            with registry.transaction(MODEL) as changes:
                pushed = changes.push(MODEL, file)
                changes.set_state(pushed, "production")
                changes.record_experiment(pushed, "holdout", metrics={"auc": 0.5})
            return pushed.version

        return random.choice(
            (
                ("push the next version", lambda: registry.push(MODEL, file)),
                (f"push version {version}", lambda: registry.push(f"{MODEL}:{version}", file)),
                ("deploy", lambda: registry.record_deployment(f"{MODEL}:1.0", endpoint="https://example.com").number),
                ("deploy the latest", lambda: registry.record_deployment(MODEL, endpoint="https://example.com").number),
                ("promote the latest", lambda: registry.set_state(MODEL, "production")),
                ("demote", lambda: registry.unset_state(f"{MODEL}@production", "production")),
                ("share 1.0", lambda: registry.set_state(f"{MODEL}:1.0", "shadow")),
                (f"record {name}", lambda: registry.record_experiment(f"{MODEL}:1.0", name, metrics={"auc": 0.5})),
                (f"retire {version}", lambda: registry.retire(f"{MODEL}:{version}", reason="old")),
                ("retire the latest", lambda: registry.retire(MODEL, reason="old")),
                ("describe", lambda: registry.put_catalog(MODEL, description=str(random.random()))),
                ("describe, unless it changed", unless_it_changed),
                ("push, evaluate and promote", transaction),
            )
        )

    def _read(self, registry: Registry, _clock: SimulatedClock, _name: str) -> None:
        for _ in range(self.changes):
            acknowledged = self.acknowledged
            try:
                seen = registry.head(MODEL).seq
                registry.versions(MODEL)
                self.reads.append(Seen(acknowledged, seen, self.newest()))
                version = registry.resolve(MODEL)
                path = version.artifacts[0].files[0].path
                self.contents.append((path, b"".join(registry.read(f"{version.spec}/{path}"))))
            except ObjregError:
                continue

    # What is there

    def newest(self) -> int:
        """Return the number of the newest entry that follows from the first without a gap."""
        seq = -1
        while log_key(DOMAIN, seq + 1) in self.shared.objects:
            seq += 1
        return seq

    def _seq_of(self, ids: list[str]) -> int:
        return max((entry["seq"] for entry in self.entries() if entry["op"] in ids), default=-1)

    def entries(self) -> list[dict[str, Any]]:
        """Return the log, oldest first, as far as it goes without a gap."""
        return [
            decode_json(self.shared.objects[log_key(DOMAIN, seq)], f"entry {seq}") for seq in range(self.newest() + 1)
        ]
