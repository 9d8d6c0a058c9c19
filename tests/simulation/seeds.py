"""Which seeds are run, and what is told of one that failed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

__all__ = ["one_seed", "replayable", "seeds_up_to"]

one_seed = "OBJREG_SEED" in os.environ


def seeds_up_to(count: int) -> range:
    """Return so many seeds, or the one that ``OBJREG_SEED`` names."""
    if one_seed:
        seed = int(os.environ["OBJREG_SEED"])
        return range(seed, seed + 1)
    return range(count)


@contextmanager
def replayable(seed: int) -> Iterator[None]:
    """Add to what a history broke how it is run again, alone."""
    try:
        yield
    except AssertionError as error:
        test = os.environ["PYTEST_CURRENT_TEST"].partition("::")[0]
        pytest.fail(f"{error}\nreplay with: OBJREG_SEED={seed} python -m pytest {test}")
