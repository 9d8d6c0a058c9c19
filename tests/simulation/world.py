"""A whole simulated world: clients that change and read one model, what they were told, and what must hold afterwards."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from objreg.core.digest import digest_of
from objreg.core.encoding import decode_json
from objreg.core.keys import blob_key, log_key, record_key, snapshot_key
from objreg.core.merge import merge
from objreg.core.state import ModelState, model_refs
from objreg.errors import CommitUnknown, ObjregError
from objreg.maintenance.collection import collect, plan_collection
from objreg.maintenance.fsck import fsck
from objreg.registry.clock import SystemClock
from objreg.registry.recall import Recall
from objreg.registry.registry import Registry
from objreg.registry.session import Session
from objreg.store.memory import MemoryStore
from tests.simulation.cache import MemoryCache
from tests.simulation.scheduler import Crash, Scheduler
from tests.simulation.store import ClientStore, Faults, SharedObjects

__all__ = ["MODEL", "World"]

MODEL = "sim/clf"
DOMAIN = "sim/clf.model"


class SimulatedClock:
    """A client's clock: the scheduler's time; a pause is a step of its own."""

    def __init__(self, name: str, scheduler: Scheduler, shared: SharedObjects, store: ClientStore) -> None:
        self._name = name
        self._scheduler = scheduler
        self._shared = shared
        self._store = store
        self.ids: list[str] = []

    def now(self) -> datetime:
        return self._shared.now()

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
    """

    seed: int
    folder: Path
    faults: Faults = field(default_factory=Faults)
    writers: int = 3
    readers: int = 1
    changes: int = 4
    collectors: int = 0
    told: list[Told] = field(default_factory=list)
    reads: list[Seen] = field(default_factory=list)
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
        self.scheduler.run_all(self.shared.tick)
        self.shared.settle()

    def _start(self, name: str, run: Callable[[Registry, SimulatedClock, str], None]) -> None:
        store = ClientStore(name, self.shared, self.faults)
        clock = SimulatedClock(name, self.scheduler, self.shared, store)
        session = Session(store, Recall(MemoryCache(), store.identity), clock, name)  # type: ignore[arg-type]  # the cache's shape
        registry = Registry(store.url, lambda: session)
        self.scheduler.start(name, lambda: run(registry, clock, name))

    def _write(self, registry: Registry, clock: SimulatedClock, name: str) -> None:
        for _ in range(self.changes):
            what, change = self._draw(registry)
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

    def _draw(self, registry: Registry) -> tuple[str, Callable[[], Any]]:
        random = self.random
        file = self.folder / f"content{random.randrange(4)}"
        version = f"2.{random.randrange(3)}"
        name = f"experiment{random.randrange(2)}"

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
                ("push, evaluate and promote", transaction),
            )
        )

    def _read(self, registry: Registry, _clock: SimulatedClock, _name: str) -> None:
        for _ in range(self.changes):
            acknowledged = self.acknowledged
            try:
                seen = registry.head(MODEL).seq
                registry.versions(MODEL)
            except ObjregError:
                continue
            self.reads.append(Seen(acknowledged, seen, self._newest()))

    # What is there

    def _newest(self) -> int:
        seq = -1
        while log_key(DOMAIN, seq + 1) in self.shared.objects:
            seq += 1
        return seq

    def _seq_of(self, ids: list[str]) -> int:
        return max((entry["seq"] for entry in self.entries() if entry["op"] in ids), default=-1)

    def entries(self) -> list[dict[str, Any]]:
        """Return the log, oldest first, as far as it goes without a gap."""
        return [
            decode_json(self.shared.objects[log_key(DOMAIN, seq)], f"entry {seq}") for seq in range(self._newest() + 1)
        ]

    # What must hold

    def check(self) -> None:
        """Raise AssertionError if anything that was promised does not hold."""
        entries = self.entries()
        logs = [key for key in self.shared.objects if key.startswith(f"{DOMAIN}/log/")]
        assert len(logs) == len(entries), (
            f"the log has a gap: {len(entries)} entries follow each other, {len(logs)} are there"
        )
        self._check_told(entries)
        for read in self.reads:
            assert read.acknowledged <= read.seen <= read.existing, f"a read lies outside what there was: {read}"
        state: dict[str, Any] = {}
        parent = None
        retired = {
            change["version"]
            for entry in entries
            for change in entry["patch"]["changes"]
            if change["kind"] == "retirement"
        }
        history = []
        for entry in entries:
            assert entry["parent"] == parent, f"entry {entry['seq']} does not follow the one before it"
            before, state = state, merge(state, entry["patch"])
            history.append(before)
            self._check_fold(entry, before, history)
            self._check_refs(entry, state)
            self._check_records(entry, retired)
            parent = digest_of(self.shared.objects[log_key(DOMAIN, entry["seq"])])
        self._check_uniqueness(entries, msgspec.convert(state, ModelState))

    def verify(self) -> None:
        """Raise AssertionError if ``fsck`` finds an error in what the history left behind."""
        store = MemoryStore()
        for key, data in self.shared.objects.items():
            store.create(key, data)
        session = Session(store, Recall(MemoryCache(), "verify"), SystemClock(), "auditor")  # type: ignore[arg-type]  # the cache's shape
        report = fsck(Registry(store.url, lambda: session), deep=True)
        assert report.ok, [f"{finding.code}: {finding.message}" for finding in report.findings]

    def _check_told(self, entries: list[dict[str, Any]]) -> None:
        ops = [entry["op"] for entry in entries]
        for told in self.told:
            found = sum(ops.count(op) for op in told.ids)
            if told.outcome == "refused":
                assert found == 0, (
                    f"{told.client} was refused ({told.value}), and its commit is in the log: {told.what}"
                )
            elif told.outcome == "done" and not told.what.startswith("retire") and _changed(told.value):
                assert found == 1, (
                    f"{told.client} was told that it is done, and it is in the log {found} times: {told.what}"
                )
            else:
                assert found <= 1, f"{told.client} asked once, and it is in the log {found} times: {told.what}"

    def _check_fold(self, entry: dict[str, Any], before: dict[str, Any], history: list[dict[str, Any]]) -> None:
        base: dict[str, Any] = {}
        if entry["snapshot"]:
            data = self.shared.objects[snapshot_key(DOMAIN, entry["snapshot"]["digest"])]
            base = decode_json(data, "snapshot")["state"]
            assert base == history[entry["snapshot"]["seq"] + 1], "a snapshot differs from the folded log"
        assert merge(base, entry["tail"]) == before, (
            f"snapshot and tail of entry {entry['seq']} differ from the folded log"
        )

    def _check_refs(self, entry: dict[str, Any], state: dict[str, Any]) -> None:
        refs = msgspec.to_builtins(model_refs(msgspec.convert(state, ModelState)))
        assert entry["refs"] == refs, f"the pointers of entry {entry['seq']} are not those of its state"

    def _check_records(self, entry: dict[str, Any], retired: set[str]) -> None:
        for change in entry["patch"]["changes"]:
            if not change["record"] or change["kind"] == "state_change":
                continue
            key = record_key(DOMAIN, change["record"])
            assert key in self.shared.objects, f"entry {entry['seq']} names a record that is not there"
            if change["version"] in retired:
                continue
            record = decode_json(self.shared.objects[key], "record")
            for artifact in record.get("artifacts", ()):
                for part in (part for file in artifact["files"] for part in file["parts"]):
                    blob = blob_key(DOMAIN, part["blob"], part["incarnation"], part["encoding"])
                    assert blob in self.shared.objects, f"entry {entry['seq']}: a record names a blob that is not there"

    def _check_uniqueness(self, entries: list[dict[str, Any]], state: ModelState) -> None:
        changes = [change for entry in entries for change in entry["patch"]["changes"]]
        versions = [change["version"] for change in changes if change["kind"] == "version"]
        assert len(versions) == len(set(versions)) == len(state.versions), (
            f"a version was pushed twice: {sorted(versions)}"
        )
        numbers = [int(change["name"]) for change in changes if change["kind"] == "deployment"]
        assert numbers == list(range(1, len(numbers) + 1)), f"deployments are not numbered one after another: {numbers}"
        experiments = [(change["version"], change["name"]) for change in changes if change["kind"] == "experiment"]
        assert len(experiments) == len(set(experiments)), f"an experiment was recorded twice: {sorted(experiments)}"
        assert len(state.in_state("production")) <= 1, "two versions are in an exclusive state"


def _changed(value: Any) -> bool:
    return getattr(value, "changed", True) is True and getattr(value, "created", True) is True
