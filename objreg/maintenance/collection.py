"""``objreg gc``: delete the blobs that nothing needs, by condemning them first.

The order of steps is what makes it safe, against any number of pushes, pulls and collectors; see
``objreg.core.collection`` and docs/retention.md. A collection that crashed leaves condemned blobs in the state, and the
next one, whoever starts it, finishes their deletion first.
"""

from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from objreg.core.collection import NamedKind, References, blob_names, condemn, named_records, references, swept
from objreg.core.decisions import Decision
from objreg.core.keys import blob_prefix, parse_blob_name
from objreg.core.records import Retirement
from objreg.core.state import ModelState
from objreg.errors import Conflict, StoreUnavailable
from objreg.maintenance.clock_check import check_clock
from objreg.registry.commit import DEADLINE_SECONDS
from objreg.registry.committing import commit_to_model
from objreg.registry.registry import Registry
from objreg.registry.session import Session

__all__ = ["GRACE", "Collected", "CollectionPlan", "Garbage", "collect", "counted", "plan_collection"]

GRACE = timedelta(days=7)
"""A courtesy to slow readers and running pushes; it is not what makes collection safe."""

_BATCH = 500
_NEVER = datetime.max.replace(tzinfo=UTC)
_WORKERS = 8


@dataclass(frozen=True, slots=True)
class Garbage:
    """A blob that nothing needs.

    Attributes:
        name: physical, in the model's folder of blobs.
        key: where it is.
        size: of the stored object, in bytes.
        reason: why it may be collected, for people.
    """

    name: str
    key: str
    size: int
    reason: str


@dataclass(frozen=True, slots=True)
class CollectionPlan:
    """What would be collected of one model.

    Attributes:
        model: its path.
        grace: how long after its retirement a version still counts as needed.
        garbage: what would be deleted, by name.
        unfinished: condemned by an earlier collection, and perhaps not deleted yet.
        spared: blobs that nothing needs, left by the grace: young by the store's own time, or retired recently.
        foreign: keys among the blobs that are none; they are left alone.
    """

    model: str
    grace: timedelta
    garbage: tuple[Garbage, ...]
    unfinished: tuple[str, ...]
    spared: int
    foreign: tuple[str, ...]

    @property
    def size(self) -> int:
        """Bytes that would be freed."""
        return sum(item.size for item in self.garbage)


@dataclass(frozen=True, slots=True)
class Collected:
    """What a collection did.

    Attributes:
        model: its path.
        deleted: the blobs of the plan that were deleted.
        kept: names that the plan had and that came to be needed, or were condemned by another, meanwhile.
        finished: names that an earlier collection had condemned, and whose deletion this one finished.
    """

    model: str
    deleted: tuple[Garbage, ...]
    kept: tuple[str, ...]
    finished: tuple[str, ...]

    @property
    def size(self) -> int:
        """Bytes that were freed."""
        return sum(item.size for item in self.deleted)


def plan_collection(registry: Registry, *models: str, grace: timedelta = GRACE) -> tuple[CollectionPlan, ...]:
    """Return what could be collected; nothing is changed.

    Args:
        registry: which one.
        models: their paths; none means all that have a version.
        grace: blobs younger than this by the store's own time, and versions retired more recently, are left.

    Returns:
        A plan for each model that holds something to collect or to finish, or something foreign.

    Raises:
        NotFound: there is no such model.
    """
    session, now = registry.session, registry.session.clock.now()

    def plan_of(model: str) -> CollectionPlan:
        return _Collector(session, model, now, grace).plan(is_named=bool(models))

    with ThreadPoolExecutor(_WORKERS, thread_name_prefix="objreg-gc") as pool:
        plans = pool.map(plan_of, models or registry.models())
        return tuple(plan for plan in plans if plan.garbage or plan.unfinished or plan.spared or plan.foreign)


def collect(registry: Registry, plan: CollectionPlan) -> Collected:
    """Carry out a plan. What came to be needed meanwhile is left; what was not in the plan is not touched.

    Args:
        registry: which one.
        plan: of ``plan_collection``; a plan made long ago is as safe as a new one.

    Raises:
        CommitUnknown: it is not known whether the blobs were condemned; none was deleted, and the next collection goes
            on from what is true.
        StoreError: the store refused or gave no answer; the next collection finishes this one.
        Conflict: this machine's clock and the store's do not agree, so the grace cannot be counted; or a live record
            names a blob that is condemned, which no writer that keeps to the protocol can make.
    """
    session = registry.session
    collector = _Collector(session, plan.model, session.clock.now(), plan.grace)
    session.existing_model(plan.model)
    if plan.garbage and plan.grace:
        check_clock(session)
    finished = collector.sweep(collector.state.condemned, "finish a collection that was left unfinished")
    deleted: list[Garbage] = []
    for batch in _batches(plan.garbage):
        condemned = collector.condemn({item.name for item in batch})
        chosen = [item for item in batch if item.name in condemned]
        collector.sweep([item.name for item in chosen], f"collected {counted(len(chosen))}")
        deleted += chosen
    gone = {item.name for item in deleted}
    kept = tuple(item.name for item in plan.garbage if item.name not in gone)
    return Collected(plan.model, tuple(deleted), kept, finished)


def counted(count: int) -> str:
    """Return a number of blobs in words."""
    return "1 blob" if count == 1 else f"{count} blobs"


def _batches(garbage: tuple[Garbage, ...]) -> Iterator[tuple[Garbage, ...]]:
    """Cut a plan, so that no entry grows large: it names each blob three times."""
    return (garbage[start : start + _BATCH] for start in range(0, len(garbage), _BATCH))


class _Collector:
    """Collects from one model, as it is at any moment."""

    def __init__(self, session: Session, model: str, now: datetime, grace: timedelta) -> None:
        self._session = session
        self._model = model
        self._manifest = session.model(model)
        self._now = now
        self._grace = grace
        self._names: dict[str, frozenset[str]] = {}
        self._retirements: dict[str, Retirement] = {}

    @property
    def state(self) -> ModelState:
        """What is known of the model now."""
        return self._session.view(self._model, self._manifest).state

    def plan(self, *, is_named: bool) -> CollectionPlan:
        """Decide what may go."""
        if is_named:
            self._session.existing_model(self._model)
        elif self._manifest.refresh() is None:  # its first push is under way, or broke off: no log, and nothing to say
            return CollectionPlan(self._model, self._grace, (), (), 0, ())
        state, since = self.state, self._now - self._grace
        unneeded, collectable = self._references(state, _NEVER), self._references(state, since)
        garbage: list[Garbage] = []
        foreign: list[str] = []
        spared = 0
        prefix = blob_prefix(self._manifest.domain)
        for info in self._session.store.list(prefix):
            name = info.key.removeprefix(prefix)
            if parse_blob_name(name) is None:
                foreign.append(info.key)
            elif name not in state.condemned and unneeded.reason(name):
                reason = collectable.reason(name)
                if not reason or (info.modified is not None and info.modified > since):
                    spared += 1
                else:
                    garbage.append(Garbage(name, info.key, info.size, reason))
        garbage.sort(key=lambda item: item.name)
        return CollectionPlan(self._model, self._grace, tuple(garbage), state.condemned, spared, tuple(sorted(foreign)))

    def _references(self, state: ModelState, keep: datetime) -> References:
        known = self._names.keys() | self._retirements.keys()
        unread = {digest: kind for digest, kind in named_records(state).items() if digest not in known}
        with ThreadPoolExecutor(_WORKERS, thread_name_prefix="objreg-records") as pool:
            list(pool.map(self._read, unread, unread.values()))
        return references(state, self._names.__getitem__, self._retirements.__getitem__, keep)

    def _read(self, digest: str, kind: NamedKind) -> None:
        record = self._session.record_of(self._manifest, digest, kind)
        if isinstance(record, Retirement):
            self._retirements[digest] = record
        else:
            self._names[digest] = blob_names(record)

    def condemn(self, names: Collection[str]) -> tuple[str, ...]:
        """Commit which blobs will be deleted; on every lost race, what the winner needs is dropped first."""

        def plan() -> Decision:
            state = self.state
            return condemn(state, names, self._references(state, self._now - self._grace).live)

        message = "collect blobs that nothing needs"
        chosen: tuple[str, ...] = commit_to_model(self._session, self._manifest, plan, message)
        return chosen

    def sweep(self, names: Collection[str], message: str) -> tuple[str, ...]:
        """Delete condemned blobs, and commit that they are gone; return those that were condemned until now."""
        if not names:
            return ()
        self._check_dead(names)
        with ThreadPoolExecutor(_WORKERS, thread_name_prefix="objreg-sweep") as pool:
            list(pool.map(self._delete, names))
        gone: tuple[str, ...] = commit_to_model(
            self._session, self._manifest, lambda: swept(self.state, names), message
        )
        return gone

    def _check_dead(self, names: Collection[str]) -> None:
        """Trust no other writer with what cannot be undone: one that breaks the protocol may have named these."""
        live = self._references(self.state, _NEVER).live.intersection(names)
        if live:
            raise Conflict(
                f"{counted(len(live))} of {self._model} that a collection condemned are named by live records, like"
                f" {min(live)}: nothing was deleted; find out which writer did that",
                blobs=tuple(sorted(live)),
            )

    def _delete(self, name: str) -> None:
        session, attempt = self._session, 0
        deadline = session.clock.monotonic() + DEADLINE_SECONDS
        while True:
            try:
                session.store.delete(blob_prefix(self._manifest.domain) + name)
            except StoreUnavailable:
                if session.clock.monotonic() >= deadline:
                    raise
                attempt += 1
                session.clock.pause(attempt)
            else:
                return
