"""What tests of maintenance begin from."""

from pathlib import Path

import pytest

from tests.maintenance.dated import Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """An empty registry, and a clock that a test sets."""
    return Site(tmp_path)
