"""A registry with one model to read, in memory, and its file system on another machine that counts its requests."""

from collections.abc import Callable
from pathlib import Path

import pytest

import objreg
from objreg.integrations.fsspec_filesystem import ObjregFileSystem
from objreg.store.memory import MemoryStore
from objreg.store.wrappers import CountingStore
from tests.registry.machine import Machine, new_store

MODEL = "fraud/clf"
FILES = {
    "README.md": b"read me",
    "tokenizer/vocab.txt": b"a\nb\n",
    "tokenizer/x/deep.txt": b"deep",
    "data.csv": b"x,y\n1,2\n",
}


@pytest.fixture
def store() -> MemoryStore:
    """A store with an empty registry in it."""
    return new_store()


@pytest.fixture
def registry(store: MemoryStore, tmp_path: Path) -> objreg.Registry:
    """The registry in ``store``, on the machine that pushes."""
    return Machine(store, cache=tmp_path / "pusher").registry()


@pytest.fixture
def counting(store: MemoryStore) -> CountingStore:
    """Counts what ``fs`` asks of the store."""
    return CountingStore(store)


@pytest.fixture
def fs(store: MemoryStore, counting: CountingStore, tmp_path: Path) -> ObjregFileSystem:
    """The file system of the registry in ``store``, on a machine that has seen nothing."""
    return ObjregFileSystem.of(Machine(store, cache=tmp_path / "reader").registry(counting))


@pytest.fixture
def push(registry: objreg.Registry, tmp_path: Path) -> Callable[..., objreg.Version]:
    """Push a version of a model with some files."""
    count = iter(range(100))

    def make(files: dict[str, bytes] | None = None, model: str = MODEL) -> objreg.Version:
        root = tmp_path / f"push-{next(count)}"
        for name, content in (FILES if files is None else files).items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(content)
        return registry.push(model, root)

    return make


@pytest.fixture
def folder_url(tmp_path: Path, push_to_folder: Callable[..., str]) -> str:
    """A registry in a folder with one version of ``FILES`` in production: what other processes can open."""
    return push_to_folder(FILES)


@pytest.fixture
def push_to_folder(tmp_path: Path) -> Callable[..., str]:
    """Push a version to a registry in a folder, set it into production, and return the registry's URL."""

    def make(files: dict[str, bytes]) -> str:
        url = str(tmp_path / "registry")
        root = tmp_path / "pushed"
        for name, content in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(content)
        with_registry = objreg.open(url, create=True, actor="ci@acme")
        version = with_registry.push(MODEL, root)
        with_registry.define_state("production")
        with_registry.set_state(version, "production")
        with_registry.close()
        return url

    return make
