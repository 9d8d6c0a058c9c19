"""A simulated world in which versions are retired and blobs collected, while others push the same contents."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from objreg.core.collection import blob_names, references
from objreg.core.encoding import decode_record
from objreg.core.keys import blob_prefix, record_key
from objreg.core.merge import merge
from objreg.core.records import Retirement
from objreg.core.state import ModelState
from objreg.maintenance import collect, plan_collection
from objreg.registry.recall import Recall
from objreg.registry.registry import Registry
from objreg.registry.session import Session
from tests.simulation.cache import MemoryCache
from tests.simulation.promises import Promises
from tests.simulation.store import ClientStore
from tests.simulation.world import DOMAIN, MODEL, NO_FAULTS, SimulatedClock, World

__all__ = ["CollectingWorld"]

_NEVER = datetime.max.replace(tzinfo=UTC)


class _Watched(dict[str, bytes]):
    """The bucket's objects; tells of every object that goes."""

    def __init__(self, gone: Callable[[str], None]) -> None:
        super().__init__()
        self._gone = gone

    def pop(self, key: str, *default: Any) -> Any:
        if key in self:
            self._gone(key)
        return super().pop(key, *default)


@dataclass
class CollectingWorld(World):
    """Writers push, evaluate and retire the same few contents, so that much is garbage and much comes back.

    Attributes:
        deleted: how many objects were deleted.
        lost: what was deleted at a moment when a live record named it.
    """

    collectors: int = 2
    writers: int = 2
    readers: int = 0
    deleted: int = 0
    lost: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.shared.objects = _Watched(self._gone)

    def draw(self, registry: Registry) -> tuple[str, Callable[[], Any]]:
        file = self.folder / f"content{self.random.randrange(3)}"
        name = f"experiment{self.random.randrange(9)}"
        return self.random.choice(
            (
                ("push the next version", lambda: registry.push(MODEL, file)),
                ("push once more", lambda: registry.push(MODEL, file)),
                ("record an experiment", lambda: registry.record_experiment(MODEL, name, artifacts=file)),
                ("retire the latest", lambda: registry.retire(MODEL, reason="old")),
            )
        )

    # What must hold

    def _gone(self, key: str) -> None:
        self.deleted += 1
        name = key.removeprefix(blob_prefix(DOMAIN))
        if name in self.live():
            self.lost.append(name)

    def state(self) -> ModelState:
        """Return the state that the log tells."""
        state: dict[str, Any] = {}
        for entry in self.entries():
            state = merge(state, entry["patch"])
        return msgspec.convert(state, ModelState)

    def live(self) -> frozenset[str]:
        """Return what the bucket must hold."""

        def load(digest: str) -> Any:
            return decode_record(self.shared.objects[record_key(DOMAIN, digest)], digest)

        def retirement(digest: str) -> Retirement:
            found: Retirement = load(digest)
            return found

        return references(self.state(), lambda digest: blob_names(load(digest)), retirement, _NEVER).live

    def check(self) -> None:
        assert not self.lost, f"a blob that a live record names was deleted: {self.lost}"
        missing = {name for name in self.live() if blob_prefix(DOMAIN) + name not in self.shared.objects}
        assert not missing, f"a live record names a blob that is not there: {missing}"
        Promises(self).check()

    def finish(self) -> None:
        """Let one more machine collect, without any fault: all that crashed is finished, and only what is live is left."""
        store = ClientStore("last", self.shared, NO_FAULTS)
        store._begin = lambda: None  # it is alone: nobody draws it
        clock = SimulatedClock("last", self.scheduler, self.shared, store, timedelta(0))
        session = Session(store, Recall(MemoryCache(), store.identity), clock, "last")
        registry = Registry(store.url, lambda: session)
        for plan in plan_collection(registry, MODEL, grace=timedelta(0)):
            collect(registry, plan)
        prefix = blob_prefix(DOMAIN)
        left = {key.removeprefix(prefix) for key in self.shared.objects if key.startswith(prefix)}
        assert left == self.live(), "a collection without faults left something, or took too much"
        assert self.state().condemned == ()
