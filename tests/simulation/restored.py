"""A world whose bucket is put back to an older copy of the log, with machines that saw the newer one."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from objreg.core.keys import log_key
from objreg.errors import ObjregError
from objreg.registry.registry import Registry
from tests.simulation.cache import MemoryCache
from tests.simulation.promises import Promises
from tests.simulation.store import ClientStore, Faults
from tests.simulation.world import DOMAIN, MODEL, NO_FAULTS, SimulatedClock, World

__all__ = ["RestoredWorld"]

_MINUTE = 61.0


@dataclass
class Machine:
    """A machine that was there before: what it remembers, and the process that runs on it.

    Attributes:
        registry: as its process has opened it.
        cache: what the next process knows.
        saw: number and bytes of the newest entry that it saw.
        trusted: what it did to a log that does not hold this entry.
    """

    registry: Registry
    cache: MemoryCache
    saw: tuple[int, bytes] | None = None
    trusted: list[str] = field(default_factory=list)


class RestoredWorld:
    """Three acts: machines use the model; somebody puts an older log back and goes on from it; the machines return.

    Args:
        seed: decides everything.
        folder: for the files to push.
        prepared: the registry at the beginning.
    """

    def __init__(self, seed: int, folder: Path, prepared: dict[str, bytes]) -> None:
        self.world = World(seed, folder, Faults(crash=0, short=0))
        self._random = self.world.random
        self._machines: list[Machine] = []
        self.refused = 0
        for key, data in prepared.items():
            self.world.shared.create(key, data)

    def run(self) -> None:
        """Play."""
        for number in range(3):
            registry, _ = self._client(f"machine{number}", cache := MemoryCache())
            self._machines.append(Machine(registry, cache))
        self._act({f"machine{n}": lambda m=m: self._use(m.registry) for n, m in enumerate(self._machines)})
        for machine in self._machines:
            seen = machine.cache.head("sim://bucket", DOMAIN)
            machine.saw = (seen.seq, seen.data) if seen else None
        self._restore()
        stranger, _ = self._client("stranger", MemoryCache(), NO_FAULTS)
        changes = self._random.randrange(5)
        self._act({"stranger": lambda: self._use(stranger, changes)})
        self.world.scheduler.now += _MINUTE
        for number, machine in enumerate(self._machines):
            if self._random.random() < 0.5:  # as often as not the process was started anew
                machine.registry, _ = self._client(f"machine{number}", machine.cache)
        self._act({f"machine{n}": lambda m=m: self._return(m) for n, m in enumerate(self._machines)})

    def check(self) -> None:
        """Raise AssertionError if a machine trusted a log that does not hold what it saw, or broke the one there is."""
        Promises(self.world).check_log()
        for machine in self._machines:
            assert not machine.trusted, f"a machine that saw entry {machine.saw[0]} {machine.trusted[0]} on another log"

    def _client(self, name: str, cache: MemoryCache, faults: Faults | None = None) -> tuple[Registry, SimulatedClock]:
        world = self.world
        store = ClientStore(name, world.shared, faults or world.faults)
        clock = SimulatedClock(name, world.scheduler, world.shared, store, timedelta(0))
        return world.registry(name, store, clock, cache), clock

    def _act(self, parts: dict[str, object]) -> None:
        for name, part in parts.items():
            self.world.scheduler.start(name, part)
        self.world.scheduler.run_all(self.world.shared.tick)
        self.world.shared.settle()

    def _use(self, registry: Registry, changes: int = 3) -> None:
        for _ in range(changes):
            _, change = self.world.draw(registry)
            try:
                change()
            except ObjregError:
                continue

    def _restore(self) -> None:
        """Put an older log back, more than a minute after the last writer looked at the newer one."""
        shared, newest = self.world.shared, self.world.newest()
        for seq in range(self._random.randint(0, newest) + 1, newest + 1):
            key = log_key(DOMAIN, seq)
            del shared.objects[key], shared.ever[key]
        self.world.scheduler.now += _MINUTE

    def _return(self, machine: Machine) -> None:
        """Read and change the model, and note what worked although the log is not the one that this machine saw."""
        for _ in range(3):
            for what, action in (
                ("read", lambda: machine.registry.head(MODEL)),
                ("changed", lambda: machine.registry.put_catalog(MODEL, description=str(self._random.random()))),
            ):
                try:
                    action()
                except ObjregError:
                    self.refused += 1
                else:
                    if machine.saw and self.world.shared.objects.get(log_key(DOMAIN, machine.saw[0])) != machine.saw[1]:
                        machine.trusted.append(what)
