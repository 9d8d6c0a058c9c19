"""Collectors and pushers of the same contents on a store where everything breaks, in an order that a seed decides.

That each rule is needed is shown in ``tests/simulation/test_rules.py``; this is denser, and looks at every delete.
Replay one seed with ``OBJREG_SEED=<seed> python -m pytest tests/maintenance/test_collect_simulated.py``.
"""

import os
from collections.abc import Callable

import pytest

from tests.maintenance.simulated import CollectingWorld
from tests.simulation.conftest import _small_surroundings, contents, prepared  # noqa: F401  # fixtures, used by name
from tests.simulation.store import Faults

_SEEDS = int(os.environ.get("OBJREG_SEEDS", "200"))
_FAULTS = Faults(crash=0.005)

Simulated = Callable[[int], CollectingWorld]


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
