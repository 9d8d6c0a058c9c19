"""Rules of trust earn their place: what a machine remembers of a log, and whose clock it believes.

As in ``test_rules``, a rule is switched off in the code that runs, and some seed must break a promise.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from objreg.core.entries import Head, read_entry
from objreg.core.keys import seq_of
from objreg.registry import clock, commit, manifest
from objreg.registry.manifest import Manifest
from objreg.registry.recall import Recall
from objreg.store.base import ObjectInfo
from tests.simulation.promises import Promises
from tests.simulation.restored import RestoredWorld
from tests.simulation.world import World

_SEEDS = 300
_YEAR = timedelta(days=365)

Break = Callable[[pytest.MonkeyPatch], None]


def what_was_seen_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new process does not look at what the machine saw before."""
    monkeypatch.setattr(Recall, "head", lambda self, domain: None)


def an_older_log_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that ends before what was seen is taken as it is."""
    go_on = Manifest._go_on

    def trusting(self: Manifest, seen: Head, newest: ObjectInfo | None) -> None:
        if newest is None or seq_of(newest.key) >= seen.seq:
            return go_on(self, seen, newest)
        self.forget()
        self.recall.forget_head(self.domain)
        return self.advance(self._read_slot(seq_of(newest.key)), newest.modified)

    monkeypatch.setattr(Manifest, "_go_on", trusting)


def another_history_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether an entry is the one that was seen, and whether the next follows from it, is not asked."""
    monkeypatch.setattr(Manifest, "_check_unchanged", lambda self, known: None)
    for module in (manifest, commit):
        monkeypatch.setattr(
            module, "read_entry", lambda data, domain, seq, previous=None: read_entry(data, domain, seq)
        )


@pytest.mark.parametrize(
    ("switch_off", "expected"),
    [
        (what_was_seen_is_forgotten, "on another log"),
        (an_older_log_is_believed, "on another log"),
        (another_history_is_believed, "on another log|does not follow|differs from the folded log"),
    ],
    ids=lambda value: getattr(value, "__name__", "").replace("_", "-"),
)
def test_without_the_rule_another_log_is_trusted(
    switch_off: Break, expected: str, monkeypatch: pytest.MonkeyPatch, contents: Path, prepared: dict[str, bytes]
) -> None:
    """After the bucket was put back to an older copy some seed finds a machine that reads or writes it all the same."""
    switch_off(monkeypatch)
    assert re.search(expected, first_failure(lambda seed: _restored(seed, contents, prepared)))


def test_with_the_rules_another_log_is_refused(contents: Path, prepared: dict[str, bytes]) -> None:
    """No machine trusts it, by whatever process; and the refusals are many."""
    assert sum(_restored(seed, contents, prepared) for seed in range(50)) > 50


def _restored(seed: int, contents: Path, prepared: dict[str, bytes]) -> int:
    world = RestoredWorld(seed, contents, prepared)
    world.run()
    world.check()
    return world.refused


def first_failure(play: Callable[[int], object]) -> str:
    """Return what the first seed says whose history breaks a promise."""
    for seed in range(_SEEDS):
        try:
            play(seed)
        except AssertionError as error:
            return str(error)
    pytest.fail(f"{_SEEDS} histories without this rule broke no promise")


@pytest.fixture
def _short_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock ahead is checked where a request can be spared, which is where no snapshot was read (decision 7)."""
    monkeypatch.setattr("objreg.core.entries._SMALL_STATE", 10**9)


def _skewed(seed: int, contents: Path, prepared: dict[str, bytes], skew: timedelta) -> None:
    world = World(seed, contents, writers=1, strangers=(skew,), changes=3)
    world.run(prepared)
    Promises(world).check()


@pytest.mark.usefixtures("_short_model")
@pytest.mark.parametrize(
    ("rule", "skew"), [("check_same_time", _YEAR), ("check_not_behind", -_YEAR)], ids=["ahead", "behind"]
)
def test_without_the_rule_a_wrong_clock_is_written_down(
    rule: str, skew: timedelta, monkeypatch: pytest.MonkeyPatch, contents: Path, prepared: dict[str, bytes]
) -> None:
    """A client whose clock is a year wrong commits, and its entry says so for ever."""
    for module in (commit, clock):
        monkeypatch.setattr(module, rule, lambda now, stores, url: None)
    assert re.search("and the store's time was", first_failure(lambda seed: _skewed(seed, contents, prepared, skew)))


@pytest.mark.usefixtures("_short_model")
@pytest.mark.parametrize("skew", [_YEAR, -_YEAR], ids=["ahead", "behind"])
def test_with_the_rules_no_wrong_clock_is_written_down(
    skew: timedelta, contents: Path, prepared: dict[str, bytes]
) -> None:
    """Among clients whose clocks are right it is refused each time."""
    for seed in range(_SEEDS // 3):
        _skewed(seed, contents, prepared, skew)
