"""A model with few or many versions, and how many requests each operation on it takes."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import objreg
from objreg.store.base import Store
from objreg.store.wrappers import CountingStore
from tests.budgets.long_models import write_long_model
from tests.registry.machine import Machine, new_store

MODEL = "fraud/clf"
FILES = 3


@dataclass
class Scene:
    """A registry with one model of ``count`` versions; the newest, ``pushed``, has three files and is in production."""

    store: Store
    count: int
    files: Callable[[str], Path]
    pushed: objreg.Version = field(init=False)

    def __post_init__(self) -> None:
        write_long_model(self.store, MODEL, self.count - 1)
        registry = Machine(self.store).registry()
        registry.define_state("production", exclusive=True)
        registry.define_state("shadow", namespace="fraud")
        self.pushed = registry.push(MODEL, self.files("newest"))
        registry.set_state(self.pushed, "production")

    @contextmanager
    def process(self, machine: Machine | None = None) -> Iterator[tuple[objreg.Registry, CountingStore]]:
        """Yield a registry in a new process, by default on a machine that has seen nothing, and what counts its requests."""
        counting = CountingStore(self.store)
        yield (machine or Machine(self.store)).registry(counting), counting


def spent(counting: CountingStore) -> dict[str, int]:
    """Return the requests since the last call, by kind."""
    found = Counter({name: count for name, count in counting.counts.items() if not name.startswith("bytes_")})
    counting.reset()
    return dict(found)


@pytest.fixture
def files(tmp_path: Path) -> Callable[[str], Path]:
    """Make a folder of three small files that no other folder shares."""

    def make(tag: str, count: int = FILES) -> Path:
        folder = tmp_path / f"files-{tag}"
        folder.mkdir()
        for number in range(count):
            (folder / f"{number}.bin").write_bytes(f"{tag} {number}".encode())
        return folder

    return make


@pytest.fixture(params=[10, 10_000])
def scene(request: pytest.FixtureRequest, files: Callable[[str], Path]) -> Scene:
    """The scene with 10 versions, and with 10,000."""
    return Scene(new_store(), request.param, files)
