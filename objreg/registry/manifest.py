"""One domain's manifest, as it is read: find the newest entry, fold the state, walk the history.

Entries fill slots 0, 1, 2, … without gaps, and a slot never changes. The newest is found with one capped listing, also
by a reader that knows entry n: to ask for n + 1 would take one request too, and not show that entry n is gone. Where a
store cannot list in order, a reader asks for entry n and goes on from it; one that knows nothing gallops: it doubles
and halves over which slots exist.

What the listing says of entry n, its size and time, is remembered: where that changes, the entry is read again. So a
registry that was rolled back or forked is refused by the first look at it.
"""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from objreg.core.digest import verify
from objreg.core.entries import Head, fold, read_entry, read_snapshot
from objreg.core.keys import log_key, log_prefix, record_key, seq_of, snapshot_key
from objreg.core.merge import merge
from objreg.errors import IntegrityError, RollbackDetected, StoreUnavailable
from objreg.registry.clock import Clock
from objreg.registry.recall import Recall
from objreg.store.base import ObjectInfo, Store

__all__ = ["Manifest"]

_LONGEST_WALK = 4
_LONGEST_CHASE = 64
_HISTORY_WORKERS = 8
_FRESH_SECONDS = 60.0


class Manifest:
    """The log of one domain, with what this process knows of it. Safe for threads.

    Attributes:
        domain: its folder below the registry's root.
        offline: whether the newest entry that this machine has seen is taken for the newest.
        cold: whether the newest entry had to be found by the operation under way, instead of being known.
        lost_race: when this process last lost a race for a slot, and how many seconds that attempt took.
        listed: the store's own time of the newest entry, as of the last look.
        lock: held while the log is read or added to, so that threads of one process do not race each other.
    """

    def __init__(self, domain: str, store: Store, recall: Recall, clock: Clock, *, offline: bool = False) -> None:
        self.domain = domain
        self.store = store
        self.recall = recall
        self.clock = clock
        self.offline = offline
        self.lock = threading.RLock()
        self._head: Head | None = None
        self._state: dict[str, Any] | None = None
        self._base: tuple[str, dict[str, Any], int] = ("", {}, 0)
        self._modified: datetime | None = None
        self._confirmed = float("-inf")
        self.cold = False
        self.lost_race = (float("-inf"), 0.0)
        self.listed: datetime | None = None

    @property
    def head(self) -> Head | None:
        """The newest entry that this process knows, without asking."""
        return self._head

    @property
    def is_fresh(self) -> bool:
        """Whether the head was confirmed a moment ago, so that a writer may build on it without asking."""
        return self.clock.monotonic() - self._confirmed < _FRESH_SECONDS

    # Finding the newest entry

    def refresh(self) -> Head | None:
        """Return the newest entry, or None for a domain without any.

        Raises:
            RollbackDetected: the log is older than, or forked from, what this machine has seen.
        """
        with self.lock:
            self.cold = self._head is None
            known = self._head or self._remembered()
            if self.offline:
                self._head = known
                return known
            self._confirmed = float("-inf")  # until it is confirmed again: who was refused here writes nothing
            newest = self._newest(-1 if known is None else known.seq)
            if known is not None:
                self._go_on(known, newest)
            elif newest is not None:
                self.advance(self._read_slot(seq_of(newest.key)), newest.modified)
            self._confirmed = self.clock.monotonic()
            return self._head

    def ensure(self) -> Head | None:
        """Return the head as it was known a moment ago, or find it: a writer may build on it and be proved right."""
        with self.lock:
            if not self.is_fresh:
                return self.refresh()
            self.cold = False
            return self._head

    def catch_up(self) -> None:
        """Read on from the newest known entry, as long as there are any: entries are read faster than they are made."""
        with self.lock:
            for _ in range(_LONGEST_CHASE):
                seq = self._head.seq + 1 if self._head else 0
                data = self.store.get(log_key(self.domain, seq))
                if data is None:
                    return
                self.advance(read_entry(data, self.domain, seq, previous=self._head))
            self.refresh()

    def advance(self, head: Head, modified: datetime | None = None) -> None:
        """Take an entry as the newest that is known; ``modified`` is the store's time of it, where it was told."""
        with self.lock:
            known = self._head.seq if self._head else -1
            if head.seq == known + 1 and (self._state is not None or known == -1):
                self._state = merge(self._state or {}, head.entry.patch)
            elif head.seq != known:
                self._state = None
            self._head, self._modified = head, modified
            self._confirmed = self.clock.monotonic()
            self.recall.keep_head(head, modified)

    def forget(self) -> None:
        """Know nothing, so that the next use looks at everything anew."""
        with self.lock:
            self._head = self._state = self._modified = None
            self._confirmed = float("-inf")

    def _remembered(self) -> Head | None:
        seen = self.recall.head(self.domain)
        if seen is None:
            return None
        self._modified = seen.modified
        return seen.head

    def _newest(self, known: int) -> ObjectInfo | None:
        """Return what the store says of its newest entry; of a known one where it cannot list and still has that."""
        if self.store.ordered:
            found = self.store.first(log_prefix(self.domain))
        else:
            found = self._slot(known) or self._slot(self._gallop(-1))
        self.listed = None if found is None else found.modified
        return found

    def _go_on(self, seen: Head, newest: ObjectInfo | None) -> None:
        """Follow the log from an entry that this machine saw earlier: it must still be there, and be the same."""
        found = -1 if newest is None else seq_of(newest.key)
        if newest is None or found < seen.seq:
            there = f"its newest is {found}" if newest is not None else "it has none"
            raise RollbackDetected(
                f"{self.domain} in {self.store.url} is older than what this machine has seen: entry {seen.seq} was"
                f" there, now {there}; find out who restored or replaced the registry, then 'objreg accept'",
                domain=self.domain,
                seen=seen.seq,
                found=found,
            )
        if found == seen.seq:
            self._check_same(seen, newest)
        elif self._head is None:
            self.advance(seen, self._modified)
        if not self.store.ordered:
            self._walk(seen)
        elif found - seen.seq <= _LONGEST_WALK:
            for seq in range(seen.seq + 1, found + 1):
                self.advance(self._read_slot(seq, previous=self._head), newest.modified if seq == found else None)
        else:
            self._jump(seen, found)

    def _check_same(self, seen: Head, info: ObjectInfo) -> None:
        """See to it that the newest entry is the one that was seen: it is read again, unless the store says the same.

        So it is once after a commit of our own, of which the store has said nothing yet.
        """
        is_told = info.modified is not None and info.modified == self._modified
        if not is_told or info.size != len(seen.data):
            self._check_unchanged(seen)
        if self._head is None or self._modified != info.modified:
            self.advance(seen, info.modified)

    def _walk(self, known: Head) -> None:
        """Ask for the slots after a known entry, one by one; far behind, jump."""
        for _ in range(_LONGEST_WALK):
            data = self.store.get(log_key(self.domain, known.seq + 1))
            if data is None:
                return
            known = read_entry(data, self.domain, known.seq + 1, previous=known)
            self.advance(known)
        self._jump(known, self._gallop(known.seq))

    def _jump(self, known: Head, newest: int) -> None:
        """Go to a far entry. Slots never change, so it is enough that the known one still holds what it held."""
        if newest <= known.seq:
            return
        self._check_unchanged(known)
        self.advance(self._read_slot(newest))

    def _check_unchanged(self, known: Head) -> None:
        again = self._read_slot(known.seq)
        if again.digest != known.digest:
            raise RollbackDetected(
                f"entry {known.seq} of {self.domain} in {self.store.url} is not the one that this machine has seen:"
                f" expected {known.digest}, found {again.digest}; the registry holds another history than before",
                expected=known.digest,
                found=again.digest,
            )

    def _gallop(self, known: int) -> int:
        """Return the number of the newest entry, -1 for none; ``known`` is there, or -1."""
        if self._slot(known + 1) is None:
            return known
        low, step = known + 1, 1
        while self._slot(low + step):
            low, step = low + step, step * 2
        high = low + step
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._slot(middle) else (low, middle)
        return low

    def _slot(self, seq: int) -> ObjectInfo | None:
        return None if seq < 0 else self.store.head(log_key(self.domain, seq))

    def _read_slot(self, seq: int, *, previous: Head | None = None) -> Head:
        data = self.store.get(log_key(self.domain, seq))
        if data is None:
            raise StoreUnavailable(
                f"{self.store.url} lists entry {seq} of {self.domain} and then has none: it is not consistent, or a"
                f" cache stands between; try again",
                seq=seq,
            )
        return read_entry(data, self.domain, seq, previous=previous)

    # What the entries say

    def state(self) -> dict[str, Any]:
        """Return the state after the newest known entry, ``{}`` for none; it must not be changed."""
        with self.lock:
            if self._state is None:
                self._state = {} if self._head is None else fold(self._head, self._base_of(self._head))
            return self._state

    def state_size(self) -> int:
        """Return about how many bytes a snapshot of the present state would take."""
        with self.lock:
            if self._head is None:
                return 0
            self._base_of(self._head)
            return self._base[2] + len(self._head.data)

    def _base_of(self, head: Head) -> dict[str, Any]:
        reference = head.entry.snapshot
        if reference is None:
            self._base = ("", {}, 0)
        elif self._base[0] != reference.digest:
            name = f"snapshot {reference.seq} of {self.domain}"
            data = self._read_object(reference.digest, snapshot_key(self.domain, reference.digest), name)
            self._base = (reference.digest, read_snapshot(data, self.domain, reference), len(data))
        return self._base[1]

    def record(self, digest: str) -> bytes:
        """Return a record's bytes, verified.

        Raises:
            IntegrityError: it is not there, or holds other bytes.
        """
        return self._read_object(digest, record_key(self.domain, digest), f"record {digest[:19]}… of {self.domain}")

    def _read_object(self, digest: str, key: str, name: str) -> bytes:
        data = self.recall.object(digest)
        if data is not None:
            return data
        data = self.store.get(key)
        if data is None:
            raise IntegrityError(f"{name} is missing from {self.store.url}, and the manifest names it", key=key)
        verify(data, digest, name)
        self.recall.keep_object(digest, data)
        return data

    def history(self, newest: Head) -> Iterator[Head]:
        """Yield the entries from ``newest`` back to the first; the chain is verified on the way."""
        yield newest
        later = newest
        with ThreadPoolExecutor(_HISTORY_WORKERS, thread_name_prefix="objreg-history") as pool:
            high = newest.seq
            while high > 0:
                low = max(0, high - 8 * _HISTORY_WORKERS)
                for head in pool.map(self._read_past, range(high - 1, low - 1, -1)):
                    if head.digest != later.entry.parent:
                        raise RollbackDetected(
                            f"entry {later.seq} of {self.domain} follows {later.entry.parent}, and entry {head.seq} is"
                            f" {head.digest}: the log was rewritten",
                            expected=later.entry.parent,
                            found=head.digest,
                        )
                    yield head
                    later = head
                high = low

    def _read_past(self, seq: int) -> Head:
        data = self.store.get(log_key(self.domain, seq))
        if data is None:
            raise IntegrityError(
                f"entry {seq} of {self.domain} is missing from {self.store.url}: the log has a gap", seq=seq
            )
        return read_entry(data, self.domain, seq)
