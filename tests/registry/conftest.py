"""A registry in memory, one in a folder, and files to push."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import objreg
from objreg.store.memory import MemoryStore
from objreg.store.wrappers import CountingStore
from tests.registry.machine import Machine, new_store


@pytest.fixture
def store() -> MemoryStore:
    """A store with an empty registry in it."""
    return new_store()


@pytest.fixture
def new_machine(store: MemoryStore, tmp_path: Path) -> Callable[..., Machine]:
    """Make machines that use the registry in ``store``."""
    count = iter(range(100))

    def make(**fields: object) -> Machine:
        return Machine(**({"store": store, "cache": tmp_path / f"machine-{next(count)}"} | fields))

    return make


@pytest.fixture
def machine(new_machine: Callable[..., Machine]) -> Machine:
    """The machine that most tests need."""
    return new_machine()


@pytest.fixture
def registry(machine: Machine) -> objreg.Registry:
    """The registry in ``store``, in a process of ``machine``."""
    return machine.registry()


@pytest.fixture
def counting(store: MemoryStore) -> CountingStore:
    """The store, with its requests counted."""
    return CountingStore(store)


@pytest.fixture
def counted(machine: Machine, counting: CountingStore) -> objreg.Registry:
    """The registry in another process of ``machine``, whose requests are counted."""
    return machine.registry(counting)


@pytest.fixture
def folder_registry(tmp_path: Path) -> Iterator[objreg.Registry]:
    """A registry in a folder, as a person opens it."""
    opened = objreg.open(tmp_path / "registry", create=True, actor="ada@acme")
    yield opened
    opened.close()


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    """Make a file of some content."""

    def make(content: bytes = b"weights", name: str = "model.bin") -> Path:
        path = tmp_path / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    return make


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """Make a folder with files of some contents, by their paths."""
    count = iter(range(100))

    def build(files: dict[str, bytes]) -> Path:
        root = tmp_path / f"folder-{next(count)}"
        for name, content in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return root

    return build
