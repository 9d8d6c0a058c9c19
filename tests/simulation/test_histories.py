"""Thousands of simulated histories: whatever the store does to requests, what was promised holds.

Replay one seed with ``OBJREG_SEED=<seed> python -m pytest tests/simulation/test_histories.py``.
"""

import os
from pathlib import Path

import pytest

from tests.simulation.promises import Promises
from tests.simulation.restored import RestoredWorld
from tests.simulation.seeds import replayable, seeds_up_to
from tests.simulation.world import World

_SEEDS = int(os.environ.get("OBJREG_SEEDS", "300"))
_BATCH = 50


def _batches() -> list[range]:
    seeds = seeds_up_to(_SEEDS)
    return [seeds[first : first + _BATCH] for first in range(0, len(seeds), _BATCH)]


in_batches = pytest.mark.parametrize("seeds", _batches(), ids=lambda seeds: f"seeds-{seeds.start}-{seeds.stop - 1}")


@in_batches
def test_every_history_keeps_the_promises(seeds: range, contents: Path, prepared: dict[str, bytes]) -> None:
    """Acknowledged commits are there once, nothing is overwritten, numbers have no gaps, reads lie in between."""
    for seed in seeds:
        _run_and_check(seed, contents, prepared, collectors=0)


@in_batches
def test_collection_takes_nothing_that_is_needed(seeds: range, contents: Path, prepared: dict[str, bytes]) -> None:
    """With two collectors at work, every blob that a version in use names is there, whatever arrives late or twice."""
    for seed in seeds:
        _run_and_check(seed, contents, prepared, collectors=2)


def _run_and_check(seed: int, contents: Path, prepared: dict[str, bytes], collectors: int) -> None:
    world = World(seed, contents, collectors=collectors)
    world.run(prepared)
    with replayable(seed):
        Promises(world).check()
        if seed % 20 == 0:
            Promises(world).verify()


@in_batches
def test_a_bucket_that_was_put_back_is_noticed(seeds: range, contents: Path, prepared: dict[str, bytes]) -> None:
    """Machines that saw a newer log, or another of the same length, neither read nor write the one that is there now."""
    for seed in seeds:
        world = RestoredWorld(seed, contents, prepared)
        world.run()
        with replayable(seed):
            world.check()


def test_a_seed_gives_the_same_history_each_time(contents: Path, prepared: dict[str, bytes]) -> None:
    """A failing seed can be replayed: all bytes of the bucket come out again."""
    first, second = World(7, contents), World(7, contents)
    first.run(prepared)
    second.run(prepared)

    assert first.shared.objects == second.shared.objects
    assert [(told.what, told.outcome) for told in first.told] == [(told.what, told.outcome) for told in second.told]


def test_the_histories_are_worth_something(contents: Path, prepared: dict[str, bytes]) -> None:
    """Among a hundred seeds every outcome occurs, races are lost, and snapshots are written."""
    outcomes: set[str] = set()
    snapshots = collected = 0
    for seed in range(100):
        world = World(seed, contents, collectors=1)
        world.run(prepared)
        outcomes |= {told.outcome for told in world.told}
        collected += world.collected
        snapshots += sum(1 for key in world.shared.objects if "/snapshots/" in key)

    assert {"done", "refused", "crashed"} <= outcomes
    assert snapshots > 10
    assert collected > 10
