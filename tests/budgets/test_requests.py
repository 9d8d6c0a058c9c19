"""The budgets in requests, counted at the store seam, at 10 and at 10,000 versions.

*Cold* is a new process on a machine that has seen nothing. *Warm* is a process that has read the same part of the model
before. F is the number of blobs, here 3.
"""

import math
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

import objreg
from objreg.core.keys import log_key, model_domain
from objreg.store.wrappers import CountingStore
from tests.budgets.conftest import FILES, MODEL, Scene, spent
from tests.budgets.long_models import write_long_model
from tests.registry.machine import Machine, TickingClock, new_store

COLD_HEAD = {"first": 1, "get": 1}


def snapshot_read(scene: Scene) -> int:
    """Return the one request more that a reader of the whole state makes where it is long enough for a snapshot."""
    return 1 if scene.count > 100 else 0


@pytest.mark.parametrize("spec", [MODEL, f"{MODEL}@production"])
def test_resolving_a_pointer(scene: Scene, spec: str) -> None:
    """Cold 3: the listing, the newest entry, the record; at any length no snapshot. Warm 1: is there a newer entry?"""
    with scene.process() as (registry, counting):
        assert registry.resolve(spec).version == scene.pushed.version
        assert spent(counting) == {"first": 1, "get": 2}
        registry.resolve(spec)
        assert spent(counting) == {"first": 1}


def test_resolving_a_pinned_version_again(scene: Scene) -> None:
    """A version never changes, so what was resolved once costs nothing, in this process and in the machine's next."""
    machine = Machine(scene.store)
    with scene.process(machine) as (registry, counting):
        registry.resolve(scene.pushed.spec)
        # Cold it is not in the table: a version that no pointer names needs the whole state.
        assert spent(counting) == {"first": 1, "get": 2 + snapshot_read(scene)}
        registry.resolve(scene.pushed.spec)
        assert spent(counting) == {}
    with scene.process(machine) as (registry, counting):
        registry.resolve(scene.pushed.spec)
        assert spent(counting) == {}


def test_pushing_to_an_existing_model(scene: Scene, files: Callable[[str], Path]) -> None:
    """Cold F + 5, warm F + 2: the blobs, the record, the entry."""
    with scene.process() as (registry, counting):
        registry.push(MODEL, files("cold"))
        # In a short model the fifth is the record's own time, by which this machine's clock is checked. In a long one it
        # is the snapshot: the clock is then checked by the listing alone, which sees one that is behind.
        fifth = {"get": 2} if snapshot_read(scene) else {"get": 1, "head": 1}
        assert spent(counting) == COLD_HEAD | {"create": FILES + 2} | fifth
        registry.push(MODEL, files("warm"))
        assert spent(counting) == {"create": FILES + 2}


def test_pushing_what_is_there_already(scene: Scene, files: Callable[[str], Path]) -> None:
    """Files that the latest version has are not sent again: warm, a version of the same files is the record and the entry."""
    with scene.process() as (registry, counting):
        same = files("same")
        registry.push(MODEL, same)
        spent(counting)
        registry.push(MODEL, same)
        assert spent(counting) == {"create": 2}


def test_pushing_files_that_this_process_does_not_know_of(scene: Scene, files: Callable[[str], Path]) -> None:
    """Not in the table: a blob that is in the bucket already is believed when it is seen, so it costs one request more."""
    same = files("same")
    Machine(scene.store).registry().push(MODEL, same)
    with scene.process() as (registry, counting):
        registry.push(MODEL, same)
        fifth = {"get": 2, "head": FILES} if snapshot_read(scene) else {"get": 1, "head": FILES + 1}
        assert spent(counting) == {"first": 1, "create": FILES + 2} | fifth


def test_listing_versions(scene: Scene) -> None:
    """Cold 3 (2 without a snapshot), warm 1, however many versions there are."""
    with scene.process() as (registry, counting):
        found = registry.versions(MODEL)
        assert spent(counting) == {"first": 1, "get": 1 + snapshot_read(scene)}
        assert len(found) == scene.count
        assert found[0].states == ("production",)
        registry.versions(MODEL)
        assert spent(counting) == {"first": 1}


def test_listing_the_versions_in_a_state(scene: Scene) -> None:
    """As for all versions: cold 3 (2 without a snapshot), warm 1."""
    with scene.process() as (registry, counting):
        assert [found.spec for found in registry.versions(MODEL, "production")] == [scene.pushed.spec]
        assert spent(counting) == {"first": 1, "get": 1 + snapshot_read(scene)}
        registry.versions(MODEL, "production")
        assert spent(counting) == {"first": 1}


def test_setting_a_state(scene: Scene, files: Callable[[str], Path]) -> None:
    """Cold 6 (5 without a snapshot): three to read the model, two for the registry's definitions, one to commit.

    Warm 1, below the budget of 3: definitions hold for ever, and a commit proves that the remembered head was the newest.
    """
    other = Machine(scene.store).registry().push(MODEL, files("other"))
    with scene.process() as (registry, counting):
        registry.set_state(other, "production")
        assert spent(counting) == {"first": 2, "get": 2 + snapshot_read(scene), "create": 1}
        registry.set_state(scene.pushed, "production")
        assert spent(counting) == {"create": 1}


def test_setting_a_state_that_a_namespace_defines(scene: Scene, files: Callable[[str], Path]) -> None:
    """Cold two more than one that the registry defines: the namespace's listing and entry, after the registry's.

    Warm 2: definitions are only added, so each wider scope is asked whether it has one by now.
    """
    other = Machine(scene.store).registry().push(MODEL, files("other"))
    with scene.process() as (registry, counting):
        registry.set_state(other, "shadow")
        assert spent(counting) == {"first": 3, "get": 3 + snapshot_read(scene), "create": 1}
        registry.set_state(scene.pushed, "shadow")
        assert spent(counting) == {"first": 1, "create": 1}


def test_pulling_files(scene: Scene) -> None:
    """Cold 3 + F, warm 1 + F; and nothing at all for a pinned version that the cache holds."""
    with scene.process() as (registry, counting):
        registry.pull(f"{MODEL}@production")
        assert spent(counting) == {"first": 1, "get": 2 + FILES}
    machine = Machine(scene.store)
    with scene.process(machine) as (registry, counting):
        registry.resolve(f"{MODEL}@production")
        spent(counting)
        registry.pull(f"{MODEL}@production")
        assert spent(counting) == {"first": 1, "get": FILES}
    for _ in range(2):
        with scene.process(machine) as (registry, counting):
            registry.pull(scene.pushed.spec)
            assert spent(counting) == {}


def test_recording_experiments_and_deployments(scene: Scene) -> None:
    """Not in the table: cold 5 (and the check of the clock), warm 2, the record and the entry."""
    with scene.process() as (registry, counting):
        registry.record_experiment(scene.pushed, "holdout", metrics={"auc": 0.9})
        fifth = {"get": 2} if snapshot_read(scene) else {"get": 1, "head": 1}
        assert spent(counting) == {"first": 1, "create": 2} | fifth
        registry.record_deployment(scene.pushed, endpoint="https://x")
        assert spent(counting) == {"create": 2}


def test_a_new_process_of_a_machine_that_has_seen_the_head(scene: Scene) -> None:
    """It looks for the newest entry, so that a rollback is seen, and reads nothing else that it has read before: 1 request."""
    machine = Machine(scene.store)
    with scene.process(machine) as (registry, _):
        registry.versions(MODEL)
    with scene.process(machine) as (registry, counting):
        registry.versions(MODEL)
        assert spent(counting) == {"first": 1}
        registry.resolve(MODEL)
        assert spent(counting) == {"first": 1, "get": 1}, (
            "is there a newer entry, and the record, which was not read before"
        )


def test_the_first_look_at_the_whole_state_after_a_pointer() -> None:
    """Whoever has read pointers only has not read the snapshot: one request more, once."""
    store = new_store()
    write_long_model(store, MODEL, 10_000)
    counting = CountingStore(store)
    registry = Machine(store).registry(counting)
    registry.head(MODEL)
    spent(counting)
    registry.versions(MODEL)
    assert spent(counting) == {"first": 1, "get": 1}
    registry.versions(MODEL)
    assert spent(counting) == {"first": 1}


def test_a_commit_that_writes_a_snapshot_costs_one_more(files: Callable[[str], Path]) -> None:
    """In a long history about one commit in many writes the snapshot first; that one is over the table by one."""
    store = new_store()
    counting = CountingStore(store)
    registry = Machine(store).registry(counting)
    source = files("one")
    costs = []
    for number in range(150):
        registry.push(f"{MODEL}:1.{number}", source)
        costs.append(counting.requests)
        counting.reset()
    snapshots = sum(1 for _ in store.list(f"{model_domain(MODEL)}/snapshots/"))
    assert 1 <= snapshots <= 10
    # The first push makes the model, and looks whether there is a registry; all others are warm, and send no file again.
    assert sorted(costs[1:]) == [2] * (149 - snapshots) + [3] * snapshots


def test_a_cold_read_of_a_hundred_thousand_entries_takes_three_requests() -> None:
    """The listing, the newest entry and one snapshot, whatever the length; a pointer takes no snapshot."""
    store = new_store()
    write_long_model(store, MODEL, 100_000)
    counting = CountingStore(store)
    registry = Machine(store).registry(counting)
    found = registry.versions(MODEL)
    assert spent(counting) == {"first": 1, "get": 2}
    assert (len(found), found[0].version) == (100_000, "1.99999")
    other = Machine(store).registry(counting)
    assert other.head(MODEL).seq == 99_999
    assert spent(counting) == {"first": 1, "get": 1}


def test_the_first_look_after_a_commit_costs_one_more() -> None:
    """The store has said nothing yet of an entry that was just made, so it is read once: another could be in its place."""
    counting = CountingStore(new_store())
    registry = Machine(counting).registry(counting)
    registry.put_catalog(MODEL, owner="ada")
    spent(counting)
    registry.head(MODEL)
    assert spent(counting) == {"first": 1, "get": 1}
    registry.head(MODEL)
    assert spent(counting) == {"first": 1}


def test_following_other_writers_costs_one_request_an_entry() -> None:
    """A reader that is behind lists, and reads the entries since; far behind it jumps: it never reads all between."""
    store = new_store()
    registry = Machine(store).registry()
    counting = CountingStore(store)
    clock = TickingClock()
    reader = Machine(store, clock=clock).registry(counting)
    registry.put_catalog(MODEL, owner="0")
    reader.head(MODEL)
    spent(counting)
    registry.put_catalog(MODEL, owner="1")
    assert reader.head(MODEL).seq == 1
    assert spent(counting) == {"first": 1, "get": 1}
    for number in range(2, 60):
        registry.put_catalog(MODEL, owner=str(number))
    assert reader.head(MODEL).seq == 59
    # The listing, a look that the known entry is still what it was, and the newest.
    assert spent(counting) == {"first": 1, "get": 2}


def test_the_clock_is_checked_at_no_request_that_the_table_has_not(files: Callable[[str], Path]) -> None:
    """A machine whose clock is wrong spends no more than one whose clock is right."""
    store = new_store()
    counting = CountingStore(store)
    Machine(store).registry().push(MODEL, files("right"))
    registry = Machine(store, clock=TickingClock(skew=timedelta(days=365))).registry(counting)
    with pytest.raises(objreg.Conflict, match="ahead of the store's"):
        registry.push(MODEL, files("wrong"))
    assert counting.requests <= FILES + 5


def test_a_store_that_cannot_list_in_order_is_probed() -> None:
    """A folder's newest entry is found by doubling and halving: at most 2 log2(n) + 3 looks, then the same reads."""
    store = new_store()
    store.ordered = False
    for seq in range(9_999):
        store.create(log_key(model_domain(MODEL), seq), b"never read")
    write_long_model(store, MODEL, 10_000)
    counting = CountingStore(store)
    registry = Machine(store).registry(counting)
    assert registry.versions(MODEL)[0].version == "1.9999"
    found = spent(counting)
    assert found.pop("head") <= 2 * math.log2(10_000) + 3
    assert found == {"get": 2}
    registry.versions(MODEL)
    # Is the known entry there, and is there one after it?
    assert spent(counting) == {"head": 1, "get": 1}
