"""The commit: decide, write what the entry names, claim the next slot; after a lost race, decide again.

Order (docs/format.md, "Order"): blobs, then records, then the entry, whose conditional create is the one commit point.
Doubt: any answer but success leaves it unknown whether the entry landed, so the slot is read back. It holds our bytes:
committed. It holds another's: fold them, decide again, try the next slot. It is empty: send the same bytes to the same
slot again, for an earlier attempt may still be on its way; a slot is never skipped.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from objreg.core.decisions import Decision
from objreg.core.digest import digest_of
from objreg.core.encoding import decode_json, encode
from objreg.core.entries import Entry, Head, Snapshot, SnapshotReference, read_entry, snapshot_is_due
from objreg.core.keys import log_key, record_key, snapshot_key
from objreg.core.merge import merge
from objreg.core.state import Change, Pointer
from objreg.core.times import after
from objreg.errors import CommitUnknown, Conflict, ObjregError, StoreError, StoreUnavailable
from objreg.registry.clock import Clock, check_not_behind, check_same_time
from objreg.registry.manifest import Manifest
from objreg.store.base import Piece, Store
from objreg.store.conditional import create_unless_there

__all__ = ["DEADLINE_SECONDS", "Commit", "Committed", "create_durably"]

DEADLINE_SECONDS = 60.0
_MOST_DOUBLED = 3
_CONTENDED_SECONDS = 10.0

Plan = Callable[[], Decision]
Refs = Callable[[dict[str, Any]], dict[str, Pointer]]


@dataclass(frozen=True)
class Committed:
    """What came of a commit.

    Attributes:
        value: of the decision.
        head: the entry, or the newest one there was where nothing had to change.
        changed: whether an entry was written.
    """

    value: Any
    head: Head | None
    changed: bool


def create_durably(store: Store, key: str, data: Piece, clock: Clock, deadline: float) -> bool:
    """Create an object whose key names its content, and return only when it is there.

    "It exists" is confirmed before it is believed: some stores and clients say so of a conflict that stored nothing.

    Returns:
        Whether this call created it; False where an object of that content was there.

    Raises:
        StoreUnavailable: no clear answer before the deadline (of ``clock.monotonic()``).
    """
    attempt = 0
    while True:
        try:
            if create_unless_there(store, key, data):
                return True
            if store.head(key) is not None:
                return False
        except StoreUnavailable:
            if clock.monotonic() >= deadline:
                raise
        if clock.monotonic() >= deadline:
            raise StoreUnavailable(f"{store.url} says that {key} exists, and then that it does not: try again later")
        attempt += 1
        clock.pause(attempt)


class Commit:
    """One commit to one manifest.

    Args:
        manifest: where to.
        plan: decides on the manifest's present state; called again after every lost race.
        refs: gives the pointers of a state.
        actor: who.
        message: why.
        seconds: how long to try.
    """

    def __init__(
        self, manifest: Manifest, plan: Plan, refs: Refs, *, actor: str, message: str, seconds: float = DEADLINE_SECONDS
    ) -> None:
        self._manifest = manifest
        self._plan = plan
        self._refs = refs
        self._actor = actor
        self._message = message
        self._clock = manifest.clock
        self._deadline = self._clock.monotonic() + seconds
        self._op = self._clock.new_id()
        self._written: set[str] = set()

    def run(self) -> Committed:
        """Commit.

        Raises:
            CommitUnknown: the deadline passed before it was known whether the entry landed.
            StoreUnavailable: the deadline passed, and the commit did not land.
            ObjregError: what the plan raised, on the newest state.
        """
        self._give_way()
        with self._manifest.lock:
            confirmed = not self._manifest.is_fresh
            if confirmed:
                self._manifest.refresh()
            if self._manifest.listed is not None:
                check_not_behind(self._clock.now(), self._manifest.listed, self._manifest.store.url)
            races = 0
            while True:
                # Only a commit proves that the state it was decided on is the newest: the slot after it was free.
                # Anything else that was decided on a remembered state is decided again on a confirmed one.
                try:
                    decision = self._plan()
                except ObjregError:
                    if confirmed:
                        raise
                    decision = None
                if decision is None or not (decision.patch or confirmed):
                    self._manifest.refresh()
                    confirmed = True
                    continue
                if not decision.patch:
                    return Committed(decision.value, self._manifest.head, changed=False)
                begun = self._clock.monotonic()
                head = self._attempt(decision)
                if head is not None:
                    return Committed(decision.value, head, changed=True)
                confirmed, races = True, races + 1
                self._lost_race(races, self._clock.monotonic() - begun)

    def _lost_race(self, races: int, seconds: float) -> None:
        """Wait, and read what came first.

        Args:
            races: how many this commit has lost.
            seconds: how long the last attempt took.
        """
        now = self._clock.monotonic()
        self._manifest.lost_race = (now, seconds)
        if now >= self._deadline:
            raise StoreUnavailable(
                f"nothing was committed to {self._manifest.domain}: {races} other commits came first until the time was"
                f" up; try again",
                races=races,
            )
        # Each lost race is another's progress, so a pause need only spread the racers over about as long as one attempt
        # takes.
        self._clock.pause(min(races, _MOST_DOUBLED), seconds / 2)
        if races > 1:
            with suppress(StoreUnavailable):  # then the next attempt finds out, slot by slot
                self._manifest.catch_up()

    def _give_way(self) -> None:
        """Wait a moment before the next commit, if this process lost a race of late.

        Who has just committed knows the newest entry before anybody else, so in a tight loop it would win every race
        against those who must read it first. Who never lost has nobody to wait for.
        """
        lost, seconds = self._manifest.lost_race
        if self._clock.monotonic() - lost < _CONTENDED_SECONDS:
            self._clock.pause(_MOST_DOUBLED, seconds)

    def _attempt(self, decision: Decision) -> Head | None:
        """Write the records and claim the next slot; None after a lost race."""
        snapshot, tail = self._snapshot_and_tail()
        for digest, data in decision.records.items():
            key = record_key(self._manifest.domain, digest)
            if self._write(key, digest, data) and self._manifest.cold and snapshot is None:
                self._check_clock(key)
        data = encode(self._entry(decision, snapshot, tail))
        seq = self._next_seq()
        occupant = self._claim(log_key(self._manifest.domain, seq), data)
        head = read_entry(occupant, self._manifest.domain, seq, previous=self._manifest.head)
        self._manifest.advance(head)
        return head if occupant == data else None

    def _next_seq(self) -> int:
        return self._manifest.head.seq + 1 if self._manifest.head else 0

    def _entry(self, decision: Decision, snapshot: SnapshotReference | None, tail: dict[str, Any]) -> Entry:
        parent = self._manifest.head
        patch = dict(decision.patch) | {"changes": [_plain(change) for change in decision.changes]}
        return Entry(
            domain=self._manifest.domain,
            seq=self._next_seq(),
            parent=parent.digest if parent else None,
            time=after(parent.entry.time if parent else "", self._clock.now()),
            actor=self._actor,
            message=self._message,
            op=self._op,
            patch=patch,
            snapshot=snapshot,
            tail=tail,
            refs=self._refs(merge(self._manifest.state(), patch)),
        )

    def _snapshot_and_tail(self) -> tuple[SnapshotReference | None, dict[str, Any]]:
        """Return what the next entry goes on from: the head's snapshot and a longer tail, or a new snapshot."""
        parent = self._manifest.head
        if parent is None:
            return None, {}
        if not snapshot_is_due(parent, self._manifest.state_size()):
            return parent.entry.snapshot, merge(parent.entry.tail, parent.entry.patch)
        data = encode(Snapshot(domain=self._manifest.domain, seq=parent.seq, state=self._manifest.state()))
        digest = digest_of(data)
        self._write(snapshot_key(self._manifest.domain, digest), digest, data)
        return SnapshotReference(seq=parent.seq, digest=digest), {}

    def _write(self, key: str, digest: str, data: bytes) -> bool:
        """Write what the entry names, and tell whether it is new in the store."""
        if digest in self._written:
            return False
        created = create_durably(self._manifest.store, key, data, self._clock, self._deadline)
        self._written.add(digest)
        self._manifest.recall.keep_object(digest, data)
        return created

    def _check_clock(self, key: str) -> None:
        """Compare clocks by an object that was created just now; once, when the domain was not known before.

        A clock far ahead would spoil ``time`` for every later commit. It costs a request, which a cold commit has to
        spare.
        """
        info = self._manifest.store.head(key)
        try:
            if info is not None and info.modified is not None:
                check_same_time(self._clock.now(), info.modified, self._manifest.store.url)
        except Conflict:
            self._manifest.forget()  # else the next commit would be one to a known domain, and not be checked
            raise
        self._manifest.cold = False

    def _claim(self, key: str, data: bytes) -> bytes:
        """Create an entry in its slot, and return the bytes that are in the slot: ours, or another's."""
        store, unclear, attempt = self._manifest.store, False, 0
        while True:
            try:
                if create_unless_there(store, key, data):
                    return data
                unclear = True  # the slot is taken, perhaps by these bytes: a library below may have sent them twice
                occupant = store.get(key)
            except StoreUnavailable as error:
                unclear, occupant = True, self._read_back(key, error)
            except StoreError as error:
                if unclear:
                    raise self._unknown() from error
                raise
            # The beginning of our own bytes is no other's entry: the read was cut short, and is made again.
            if occupant is not None and (occupant == data or not data.startswith(occupant)):
                return occupant
            attempt += 1
            if self._clock.monotonic() >= self._deadline:
                raise self._unknown()
            self._clock.pause(attempt)

    def _read_back(self, key: str, cause: StoreUnavailable) -> bytes | None:
        attempt = 0
        while True:
            try:
                return self._manifest.store.get(key)
            except StoreError as error:
                if self._clock.monotonic() >= self._deadline or not isinstance(error, StoreUnavailable):
                    raise self._unknown() from cause
                attempt += 1
                self._clock.pause(attempt)

    def _unknown(self) -> CommitUnknown:
        return CommitUnknown(
            f"it is not known whether commit {self._op} to {self._manifest.domain} landed: the store stopped"
            f" answering; when it answers"
            f" again, look for op {self._op} in the log before you repeat the change",
            op=self._op,
            domain=self._manifest.domain,
        )


def _plain(change: Change) -> dict[str, Any]:
    found: dict[str, Any] = decode_json(encode(change), change.kind)
    return found
