"""History: who did what, when, why, and from what to what; nothing is missing."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import objreg
from tests.registry.machine import Machine

MODEL = "fraud/clf"


def told(items: list[objreg.HistoryItem]) -> list[tuple[str, str, str, tuple[str, ...], tuple[str, ...]]]:
    """Return what each commit did, in short, oldest first."""
    return [
        (change.kind, change.name, change.version, change.before, change.after)
        for item in reversed(items)
        for change in item.changes
    ]


def test_every_kind_of_change_is_told(
    registry: objreg.Registry, file: Callable[..., Path], new_machine: Callable[..., Machine]
) -> None:
    """An auditor reads from the log alone what was in production, when, and who put it there."""
    registry.define_state("production", exclusive=True)
    registry.push(MODEL, file(b"1"), message="first")
    registry.push(MODEL, file(b"2"))
    registry.set_state(f"{MODEL}:1.0", "production", message="go live")
    registry.set_state(f"{MODEL}:1.1", "production")
    registry.record_experiment(f"{MODEL}:1.1", "holdout")
    registry.record_deployment(f"{MODEL}:1.1", endpoint="https://x")
    registry.set_deployment_status(MODEL, 1, "ended")
    first = registry.put_catalog(MODEL, owner="a")
    registry.put_catalog(MODEL, owner="b")
    registry.unset_state(f"{MODEL}:1.1", "production")
    registry.retire(f"{MODEL}:1.0", reason="biased")
    items = list(new_machine().registry().history(MODEL))
    catalogs = [change.record for item in reversed(items) for change in item.changes if change.kind == "catalog"]
    assert told(items) == [
        ("version", "", "1.0", (), ()),
        ("version", "", "1.1", (), ()),
        ("state_change", "production", "1.0", (), ("1.0",)),
        ("state_change", "production", "1.1", ("1.0",), ("1.1",)),
        ("experiment", "holdout", "1.1", (), ()),
        ("deployment", "1", "1.1", (), ("active",)),
        ("deployment_status", "1", "1.1", ("active",), ("ended",)),
        ("catalog", "", "", (), (catalogs[0],)),
        ("catalog", "", "", (catalogs[0],), (catalogs[1],)),
        ("state_change", "production", "1.1", ("1.1",), ()),
        ("retirement", "", "1.0", (), ()),
    ]
    assert first.owner == "a"
    assert [item.seq for item in items] == list(range(10, -1, -1))
    assert [item.message for item in items] == ["biased", *[""] * 7, "go live", "", "first"]


def test_who_and_when_stand_in_every_commit(new_machine: Callable[..., Machine], file: Callable[..., Path]) -> None:
    """The actor of each, and a time that rises from commit to commit."""
    began = datetime.now(UTC)
    actors = ["ada@acme", "ci@acme", "ada@acme", "bob@acme"]
    for number, actor in enumerate(actors):
        new_machine(actor=actor).registry().push(MODEL, file(b"%d" % number))
    items = list(new_machine().registry().history(MODEL))[::-1]
    assert [item.actor for item in items] == actors
    times = [item.time for item in items]
    assert times == sorted(set(times))
    assert abs((times[0] - began).total_seconds()) < 60
    assert all(time.tzinfo is UTC or time.utcoffset().total_seconds() == 0 for time in times)


def test_the_history_of_a_scope(registry: objreg.Registry, new_machine: Callable[..., Machine]) -> None:
    """Definitions and descriptions, of the registry and of each namespace by itself."""
    registry.define_state("production", exclusive=True, message="agreed on Monday")
    registry.define_state("audited", namespace="bank")
    registry.put_settings(owner="platform")
    registry.put_namespace("bank", owner="risk")
    other = new_machine().registry()
    assert [found[:2] for found in told(list(other.scope_history()))] == [
        ("state_definition", "production"),
        ("registry_settings", ""),
    ]
    assert [found[:2] for found in told(list(other.scope_history("bank")))] == [
        ("state_definition", "audited"),
        ("namespace", ""),
    ]
    assert list(other.scope_history("bank/below")) == []
    assert [item.message for item in other.scope_history()] == ["", "agreed on Monday"]


def test_the_head_is_the_newest_commit(registry: objreg.Registry, file: Callable[..., Path]) -> None:
    """What ``expect=`` takes."""
    registry.push(MODEL, file(b"1"))
    registry.push(MODEL, file(b"2"))
    assert registry.head(MODEL) == next(registry.history(MODEL))


def test_a_long_history_is_told_whole(registry: objreg.Registry, new_machine: Callable[..., Machine]) -> None:
    """Over several snapshots, each commit once, in order."""
    for number in range(300):
        registry.put_catalog(MODEL, owner=str(number))
    items = list(new_machine().registry().history(MODEL))
    assert [item.seq for item in items] == list(range(299, -1, -1))
