"""Collectors and pushers of the same contents on a store where everything breaks, in an order that a seed decides.

That each rule is needed is shown in ``test_rules.py``; this is denser, and looks at every delete.
Replay one seed with ``OBJREG_SEED=<seed> python -m pytest tests/simulation/test_collecting.py``.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.simulation.collecting import CollectingWorld
from tests.simulation.seeds import one_seed, replayable, seeds_up_to
from tests.simulation.store import Faults

_SEEDS = int(os.environ.get("OBJREG_SEEDS", "200"))
_FAULTS = Faults(crash=0.005)

Simulated = Callable[[int], CollectingWorld]


@pytest.fixture
def simulated(contents: Path, prepared: dict[str, bytes]) -> Simulated:
    """Run the history of a seed."""

    def run(seed: int) -> CollectingWorld:
        world = CollectingWorld(seed, contents, _FAULTS)
        world.run(prepared)
        return world

    return run


def test_no_history_loses_what_is_live(simulated: Simulated) -> None:
    """Nothing live is deleted at any moment, and one more collection leaves exactly what is live."""
    deleted = incarnations = 0
    for seed in seeds_up_to(_SEEDS):
        world = simulated(seed)
        with replayable(seed):
            world.check()
            world.finish()
        deleted += world.deleted
        incarnations += sum("." in name.removesuffix(".zst") for name in world.live())
    if not one_seed:
        assert deleted > _SEEDS, "hardly anything was collected: these histories are worth nothing"
        assert incarnations > _SEEDS / 10, "hardly any content came back"
