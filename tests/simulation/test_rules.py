"""Each rule of order and doubt earns its place: without it, the simulation fails.

A rule is switched off in the code that runs, nothing else is changed, and some seed must break a promise.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path

import pytest

from objreg.core import rules
from objreg.core.artifacts import Part
from objreg.core.collection import References
from objreg.core.decisions import Decision, View
from objreg.core.keys import record_key
from objreg.core.merge import merge
from objreg.core.state import ModelState
from objreg.errors import StoreUnavailable
from objreg.maintenance.collection import _Collector
from objreg.registry import blobs, commit, download
from objreg.registry.blobs import BlobWriter
from objreg.registry.commit import Commit
from objreg.registry.sending import Sending
from objreg.store.base import Store
from tests.simulation.promises import Promises
from tests.simulation.store import Faults
from tests.simulation.world import World

_SEEDS = 1500
_FAULTS = Faults(lost=0.1, own=0.1, refused=0.05, delayed=0.1, conflict=0.05, unread=0.05, short=0.03, crash=0.03)

Break = Callable[[pytest.MonkeyPatch], None]


class _Skipped(Exception):
    """The slot was left behind."""


def _written(commit: Commit, key: str, data: bytes) -> bytes | None:
    """Send an entry once, and return what is in its slot then."""
    try:
        return data if commit._manifest.store.create(key, data) else commit._manifest.store.get(key)
    except StoreUnavailable as error:
        return commit._read_back(key, error)


def no_read_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is in the slot after an unclear answer is taken for another's: a lost race."""
    attempt = Commit._attempt

    def claim(self: Commit, key: str, data: bytes) -> bytes:
        store = self._manifest.store
        while True:
            try:
                self.created = store.create(key, data)
                occupant = store.get(key)
            except StoreUnavailable:
                self._clock.pause(1)
                continue
            if occupant is not None:
                return occupant

    def forgetful(self: Commit, decision: Decision) -> object:
        head = attempt(self, decision)
        return head if self.created else None

    monkeypatch.setattr(Commit, "_claim", claim)
    monkeypatch.setattr(Commit, "_attempt", forgetful)


def an_empty_slot_means_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a timeout the slot is empty, so the commit is reported as failed."""

    def claim(self: Commit, key: str, data: bytes) -> bytes:
        occupant = _written(self, key, data)
        if occupant is None:
            raise StoreUnavailable("it did not land")
        return occupant

    monkeypatch.setattr(Commit, "_claim", claim)


def a_short_read_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read back from the slot is taken as whole, so the beginning of our own entry is another's."""

    def claim(self: Commit, key: str, data: bytes) -> bytes:
        while True:
            occupant = _written(self, key, data)
            if occupant is not None:
                return occupant
            self._clock.pause(1)

    monkeypatch.setattr(Commit, "_claim", claim)


def a_slot_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """After an unclear answer and an empty slot the writer goes on to the slot after it."""
    attempt, next_seq = Commit._attempt, Commit._next_seq

    def claim(self: Commit, key: str, data: bytes) -> bytes:
        occupant = _written(self, key, data)
        if occupant is None:
            raise _Skipped
        return occupant

    def restless(self: Commit, decision: Decision) -> object:
        while True:
            try:
                return attempt(self, decision)
            except _Skipped:
                self.skipped = getattr(self, "skipped", 0) + 1

    monkeypatch.setattr(Commit, "_claim", claim)
    monkeypatch.setattr(Commit, "_attempt", restless)
    monkeypatch.setattr(Commit, "_next_seq", lambda self: next_seq(self) + getattr(self, "skipped", 0))


def a_decision_is_kept_after_a_lost_race(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was decided on an older state is committed to a newer one."""
    a_decision_is_kept_after_a_lost_race_by(monkeypatch, "")


def a_decision_is_kept_after_a_lost_race_by(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Keep decisions that change something of one kind; ``""`` for all kinds."""
    run = Commit.run

    def stubborn(self: Commit) -> object:
        plan, kept = self._plan, []

        def decide_once() -> Decision:
            if kept:
                return kept[0]
            decision = plan()
            if not kind or any(change.kind == kind for change in decision.changes):
                kept.append(decision)
            return decision

        self._plan = decide_once
        return run(self)

    monkeypatch.setattr(Commit, "run", stubborn)


def the_entry_goes_before_its_records(monkeypatch: pytest.MonkeyPatch) -> None:
    """Records are written after the commit point."""
    attempt = Commit._attempt

    def hasty(self: Commit, decision: Decision) -> object:
        head = attempt(self, Decision(decision.value, decision.patch, decision.changes, {}))
        for digest, data in decision.records.items():
            self._write(record_key(self._manifest.domain, digest), digest, data)
        return head

    monkeypatch.setattr(Commit, "_attempt", hasty)


def exists_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that reads like "it exists" is believed without a look."""

    def credulous(store: Store, key: str, data: bytes, clock: object, deadline: float) -> bool:
        while True:
            try:
                return store.create(key, data)
            except StoreUnavailable:
                continue

    monkeypatch.setattr(commit, "create_durably", credulous)
    monkeypatch.setattr(blobs, "create_durably", credulous)


def an_unclear_record_is_taken_as_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """A record or a blob whose create gave no answer is not sent again."""

    def hopeful(store: Store, key: str, data: bytes, clock: object, deadline: float) -> bool:
        try:
            return store.create(key, data)
        except StoreUnavailable:
            return True

    monkeypatch.setattr(commit, "create_durably", hopeful)
    monkeypatch.setattr(blobs, "create_durably", hopeful)


def the_tail_is_not_carried_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry's tail holds the patch before it alone."""
    snapshot_and_tail = Commit._snapshot_and_tail

    def forgetful(self: Commit) -> object:
        snapshot, tail = snapshot_and_tail(self)
        head = self._manifest.head
        return snapshot, (head.entry.patch if tail and head else tail)

    monkeypatch.setattr(Commit, "_snapshot_and_tail", forgetful)


def a_snapshot_takes_in_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new snapshot is named together with the tail that it already holds, for one entry too many."""
    snapshot_and_tail = Commit._snapshot_and_tail

    def late(self: Commit) -> object:
        snapshot, tail = snapshot_and_tail(self)
        return (snapshot, merge(tail, {"last": "x"})) if snapshot else (snapshot, tail)

    monkeypatch.setattr(Commit, "_snapshot_and_tail", late)


def the_collector_does_not_decide_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a lost race the collector condemns what it had chosen, whatever the winner needs."""
    monkeypatch.setattr(_Collector, "_check_dead", lambda self, names: None)
    a_decision_is_kept_after_a_lost_race_by(monkeypatch, "condemned")


def a_writer_ignores_what_was_condemned(monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that loses a race to a collector commits with the blobs that it found before."""
    monkeypatch.setattr(_Collector, "_check_dead", lambda self, names: None)
    monkeypatch.setattr(Sending, "_is_condemned", lambda self, state: False)


def a_condemned_key_is_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same content is written anew under the key that was condemned, where a late delete can hit it."""
    write = BlobWriter.write

    def same_key(self: BlobWriter, data: bytes, digest: str | None = None) -> Part:
        return write(replace(self, incarnations={}, known={}), data, digest)

    monkeypatch.setattr(_Collector, "_check_dead", lambda self, names: None)
    monkeypatch.setattr(BlobWriter, "write", same_key)
    monkeypatch.setattr(Sending, "_is_condemned", lambda self, state: False)


def existence_is_tested_before_the_base_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer looks for its blobs, reads the newest entry after that, and does not compare the two."""
    is_condemned, run = Sending._is_condemned, Commit.run

    def not_at_first(self: Sending, state: ModelState) -> bool:
        self.asked = getattr(self, "asked", 0) + 1
        return self.asked > 1 and is_condemned(self, state)

    def read_first(self: Commit) -> object:
        self._manifest.refresh()
        return run(self)

    monkeypatch.setattr(_Collector, "_check_dead", lambda self, names: None)
    monkeypatch.setattr(Sending, "_is_condemned", not_at_first)
    monkeypatch.setattr(Commit, "run", read_first)


def blobs_are_deleted_before_they_are_condemned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mark and sweep without an entry between: what was named meanwhile is gone."""
    condemn = _Collector.condemn

    def hasty(self: _Collector, names: Collection[str]) -> tuple[str, ...]:
        for name in names:
            self._session.store.delete(f"{self._manifest.domain}/blobs/{name}")
        return condemn(self, names)

    monkeypatch.setattr(_Collector, "_check_dead", lambda self, names: None)
    monkeypatch.setattr(_Collector, "condemn", hasty)


def the_entry_goes_before_its_blobs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blobs are sent after the commit point."""
    later: dict[int, list[tuple[object, ...]]] = {}
    run = Commit.run

    def put_off(self: BlobWriter, *blob: object) -> bool:
        later.setdefault(id(self.store), []).append((self, *blob))
        return True

    def and_then(self: Commit) -> object:
        committed = run(self)
        for blob in later.pop(id(self._manifest.store), []):
            create(*blob)
        return committed

    create = BlobWriter._create
    monkeypatch.setattr(BlobWriter, "_create", put_off)
    monkeypatch.setattr(Commit, "run", and_then)


def what_is_needed_is_condemned(monkeypatch: pytest.MonkeyPatch) -> None:
    """The collector does not ask which blobs the versions in use name."""
    monkeypatch.setattr(_Collector, "_check_dead", lambda self, names: None)
    monkeypatch.setattr(_Collector, "_references", lambda self, state, keep: References(frozenset(), {}))


def what_is_expected_is_not_checked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """``expect=`` is compared with the state that the caller saw, and not with the one that the commit lands on."""
    check = rules._expect
    passed: set[str | None] = set()

    def once(view: View, expect: str | None, seen: tuple[str, ...], what: str) -> None:
        if expect not in passed:
            check(view, expect, seen, what)
        passed.add(expect)

    monkeypatch.setattr(rules, "_expect", once)


def what_is_read_is_not_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader hands on whatever came."""
    monkeypatch.setattr(blobs, "verify", lambda data, digest, what: data)
    monkeypatch.setattr(download, "check_file", lambda name, file, found: None)


_BREAKS: dict[Break, str] = {
    no_read_back: "in the log 2 times|refused",
    an_empty_slot_means_failure: "was refused .* and its commit is in the log",
    a_short_read_is_believed: "was refused .* and its commit is in the log",
    a_slot_is_skipped: "the log has a gap|in the log 2 times|does not follow",
    a_decision_is_kept_after_a_lost_race: "twice|not numbered|exclusive|pointers|does not stand on",
    the_entry_goes_before_its_records: "names a record that is not there",
    exists_is_believed: "that is not there|snapshots/",
    an_unclear_record_is_taken_as_written: "that is not there|snapshots/",
    the_collector_does_not_decide_again: "names a blob that is not there",
    a_writer_ignores_what_was_condemned: "names a blob that is not there",
    a_condemned_key_is_used_again: "names a blob that is not there",
    existence_is_tested_before_the_base_is_read: "names a blob that is not there",
    blobs_are_deleted_before_they_are_condemned: "names a blob that is not there",
    the_entry_goes_before_its_blobs: "names a blob that is not there",
    what_is_needed_is_condemned: "names a blob that is not there",
    what_is_expected_is_not_checked_again: "does not stand on what its writer expected",
    what_is_read_is_not_verified: "is not what was pushed",
    the_tail_is_not_carried_on: "differ from the folded log",
    a_snapshot_takes_in_too_much: "differ from the folded log",
}


@pytest.mark.parametrize("switch_off", _BREAKS, ids=lambda switch_off: switch_off.__name__.replace("_", "-"))
def test_without_the_rule_a_promise_breaks(
    switch_off: Break, monkeypatch: pytest.MonkeyPatch, contents: Path, prepared: dict[str, bytes]
) -> None:
    """Some seed finds it, in the way that the rule guards against."""
    switch_off(monkeypatch)
    for seed in range(_SEEDS):
        world = World(seed, contents, _FAULTS, collectors=2 if "blob" in _BREAKS[switch_off] else 0)
        if broken := _broken_promise(world, prepared):
            assert re.search(_BREAKS[switch_off], broken), f"seed {seed} broke another promise: {broken}"
            return
    pytest.fail(f"{_SEEDS} histories without this rule broke no promise")


def _broken_promise(world: World, prepared: dict[str, bytes]) -> str:
    try:
        world.run(prepared)
        Promises(world).check()
    except (AssertionError, KeyError) as error:
        return repr(error)
    return ""


def test_with_all_rules_the_same_faults_break_nothing(contents: Path, prepared: dict[str, bytes]) -> None:
    """The faults that find a missing rule are survived by the whole."""
    for seed in range(200):
        world = World(seed, contents, _FAULTS, collectors=seed % 3)
        world.run(prepared)
        Promises(world).check()
