"""Collectors and pushers of the same contents on a store where everything breaks, in an order that a seed decides.

Replay one seed with ``OBJREG_SEED=<seed> python -m pytest tests/maintenance/test_collect_simulated.py``.
"""

import os
from collections.abc import Callable, Collection

import pytest

from objreg.core import collection as core
from objreg.core.rules import Decision
from objreg.core.state import ModelState
from objreg.maintenance import collection
from objreg.registry.sending import Sending
from tests.maintenance.simulated import CollectingWorld
from tests.simulation.conftest import _small_surroundings, contents, prepared  # noqa: F401  # fixtures, used by name
from tests.simulation.store import Faults

_SEEDS = int(os.environ.get("OBJREG_SEEDS", "200"))
_BREAKING_SEEDS = 2000
_FAULTS = Faults(crash=0.005)

Simulated = Callable[[int], CollectingWorld]


@pytest.fixture(autouse=True)
def _one_request_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A simulated client has one request under way at most, so that a seed decides everything."""
    monkeypatch.setattr(collection, "_WORKERS", 1)


@pytest.fixture
def simulated(request: pytest.FixtureRequest) -> Simulated:
    """Run the history of a seed."""
    files, begin = request.getfixturevalue("contents"), request.getfixturevalue("prepared")

    def run(seed: int) -> CollectingWorld:
        world = CollectingWorld(seed, files, _FAULTS)
        world.run(begin)
        return world

    return run


def _seeds() -> range:
    if "OBJREG_SEED" in os.environ:
        seed = int(os.environ["OBJREG_SEED"])
        return range(seed, seed + 1)
    return range(_SEEDS)


def test_no_history_loses_what_is_live(simulated: Simulated) -> None:
    """Nothing live is deleted at any moment, and one more collection leaves exactly what is live."""
    deleted = incarnations = 0
    for seed in _seeds():
        world = simulated(seed)
        try:
            world.check()
            world.finish()
        except AssertionError as error:
            pytest.fail(f"{error}\nreplay with: OBJREG_SEED={seed} python -m pytest {__file__.split('/tests/')[-1]}")
        deleted += world.deleted
        incarnations += sum("." in name.removesuffix(".zst") for name in world.live())
    if "OBJREG_SEED" not in os.environ:
        assert deleted > _SEEDS, "hardly anything was collected: these histories are worth nothing"
        assert incarnations > _SEEDS / 10, "hardly any content came back"


# Each rule earns its place


def the_collector_does_not_look_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it decided on before a lost race is condemned after it."""
    first: dict[frozenset[str], frozenset[str]] = {}
    condemn = core.condemn

    def stubborn(state: ModelState, names: Collection[str], live: Collection[str]) -> Decision:
        return condemn(state, names, first.setdefault(frozenset(names), frozenset(live)))

    collector = collection._Collector
    begin = collector.condemn

    def forget(self: collection._Collector, names: Collection[str]) -> tuple[str, ...]:
        first.clear()
        return begin(self, names)

    monkeypatch.setattr(collection, "condemn", stubborn)
    monkeypatch.setattr(collector, "condemn", forget)
    monkeypatch.setattr(collector, "_check_dead", lambda _self, _names: None)


def nothing_is_condemned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain mark and sweep: what nothing needs is deleted, and no entry says so."""
    collector = collection._Collector
    monkeypatch.setattr(collector, "condemn", lambda _self, names: tuple(names))
    monkeypatch.setattr(collector, "_check_dead", lambda _self, _names: None)


def a_writer_passes_over_the_condemned(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a lost race it does not look whether what it sent was condemned."""
    monkeypatch.setattr(Sending, "_is_condemned", lambda _self, _state: False)


def a_condemned_name_is_written_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same content goes to the same key, so a late delete hits it."""
    condemn = core.condemn

    def forgetful(state: ModelState, names: Collection[str], live: Collection[str]) -> Decision:
        found = condemn(state, names, live)
        patch = {key: value for key, value in found.patch.items() if key != "incarnations"}
        return Decision(found.value, patch, found.changes, found.records)

    monkeypatch.setattr(collection, "condemn", forgetful)


def blobs_are_deleted_before_they_are_condemned(monkeypatch: pytest.MonkeyPatch) -> None:
    """The delete goes out first, and the entry follows."""
    collector = collection._Collector
    begin = collector.condemn

    def hasty(self: collection._Collector, names: Collection[str]) -> tuple[str, ...]:
        for name in names:
            self._delete(name)
        return begin(self, names)

    monkeypatch.setattr(collector, "condemn", hasty)


@pytest.mark.parametrize(
    "switch_off",
    [
        the_collector_does_not_look_again,
        nothing_is_condemned,
        a_writer_passes_over_the_condemned,
        a_condemned_name_is_written_again,
        blobs_are_deleted_before_they_are_condemned,
    ],
    ids=lambda switch_off: switch_off.__name__.replace("_", "-"),
)
def test_without_the_rule_something_live_is_lost(
    switch_off: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch, simulated: Simulated
) -> None:
    """Some seed finds it."""
    switch_off(monkeypatch)
    for seed in range(_BREAKING_SEEDS):
        world = simulated(seed)
        try:
            world.check()
        except AssertionError as error:
            assert "live record names" in str(error), f"seed {seed} broke another promise: {error}"  # noqa: PT017
            return
    pytest.fail(f"{_BREAKING_SEEDS} histories without this rule lost nothing")
