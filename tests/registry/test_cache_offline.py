"""Without a network: what was seen and what is cached is used, and the error says what that is."""

import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

import objreg
from objreg.local.cache import Cache
from objreg.registry.cached import offline_session
from objreg.registry.recall import Recall
from objreg.registry.registry import Registry
from objreg.registry.session import Session
from objreg.store.memory import MemoryStore
from objreg.store.wrappers import CountingStore
from tests.registry.machine import Machine, TickingClock

MODEL = "fraud/clf"


class DeadStore(MemoryStore):
    """A store that cannot be reached."""

    def _gone(self) -> objreg.StoreUnavailable:
        return objreg.StoreUnavailable("memory://registry gave no answer")

    def get(self, key: str) -> bytes | None:
        raise self._gone()

    def first(self, prefix: str) -> None:
        raise self._gone()


@pytest.fixture
def versions(registry: objreg.Registry, folder: Callable[..., Path]) -> objreg.Registry:
    """1.0 (in production) and 1.1 are pulled; 1.2 was pushed elsewhere since."""
    registry.define_state("production", exclusive=True)
    for number in range(2):
        registry.push(MODEL, folder({"a": f"{number}".encode(), "b/c": b"same"}))
    registry.set_state(f"{MODEL}:1.0", "production")
    registry.pull(f"{MODEL}@production")
    registry.pull(f"{MODEL}:1.1")
    return registry


@pytest.fixture
def offline(versions: objreg.Registry, machine: Machine, store: MemoryStore) -> tuple[objreg.Registry, CountingStore]:
    """The registry on the same machine without a network, and what counts requests."""
    counting = CountingStore(store)
    online = Session(counting, Recall(Cache(machine.cache), store.identity), TickingClock(), "x")
    return Registry(store.url, lambda: offline_session(online)), counting


def test_what_was_seen_and_pulled_is_there_without_a_request(
    versions: objreg.Registry, offline: tuple[objreg.Registry, CountingStore], folder: Callable[..., Path]
) -> None:
    """Exact versions, states, the latest and partial ones: as this machine saw them last."""
    reader, counting = offline
    assert reader.pull(f"{MODEL}:1.0") == versions.pull(f"{MODEL}:1.0")
    assert reader.resolve(f"{MODEL}@production").version == "1.0"
    assert reader.resolve(MODEL).version == reader.resolve(f"{MODEL}:1").version == "1.1"
    assert (reader.pull(f"{MODEL}@production") / "a").read_bytes() == b"0"
    assert [found.version for found in reader.versions(MODEL)] == ["1.1", "1.0"]
    with reader.open(f"{MODEL}:1.1/b/c") as opened:
        assert opened.read() == b"same"
    assert reader.head(MODEL).seq == versions.head(MODEL).seq
    assert counting.requests == 0


def test_what_is_not_there_is_an_error_that_says_what_is(
    versions: objreg.Registry,
    offline: tuple[objreg.Registry, CountingStore],
    new_machine: Callable[..., Machine],
    folder: Callable[..., Path],
) -> None:
    """No request is made for it; and nothing can be written."""
    reader, counting = offline
    pushed = new_machine().registry().push(MODEL, folder({"a": b"2"}))
    with pytest.raises(objreg.NotFound, match=r"version 1\.2.*; of fraud/clf the cache has 1\.0, 1\.1$") as caught:
        reader.pull(f"{MODEL}:1.2")
    assert caught.value.facts["cached"] == ["1.0", "1.1"]
    with pytest.raises(objreg.NotFound, match=r"is not to be asked \(offline\).*of fraud/clf the cache has 1\.0, 1\.1"):
        reader.pull(pushed)
    with pytest.raises(objreg.NotFound, match="nothing of other/model is in the cache"):
        reader.resolve("other/model")
    with pytest.raises(objreg.NotFound, match="offline"):
        reader.push("other/model", folder({"a": b"1"}))
    with pytest.raises(objreg.NotFound, match="offline"):
        reader.models()
    assert counting.requests == 0


def test_local_files_only_is_the_same_for_one_call(
    versions: objreg.Registry, counting: CountingStore, counted: objreg.Registry
) -> None:
    """The registry itself stays connected."""
    assert counted.pull(MODEL, local_files_only=True) == versions.pull(f"{MODEL}:1.1")
    assert counting.requests == 0
    counted.pull(MODEL)
    assert counting.requests == 1


def test_a_file_that_was_pulled_is_read_without_a_request(
    versions: objreg.Registry, store: MemoryStore, counting: CountingStore, counted: objreg.Registry
) -> None:
    """An exact version's file by ``read``, ``open`` and ``object``, connected or not; one that was not is fetched."""
    for only in (False, True):
        assert counted.resolve(f"{MODEL}:1.0", local_files_only=only).version == "1.0"
        assert b"".join(counted.read(f"{MODEL}:1.0/b/c", local_files_only=only)) == b"same"
        with counted.open(f"{MODEL}:1.0/b/c", local_files_only=only) as opened:
            assert opened.read() == b"same"
    assert counted.object(f"{MODEL}:1.0/b/c") == b"same"
    assert counted.resolve(f"{MODEL}@production", local_files_only=True).version == "1.0"
    assert b"".join(counted.read(f"{MODEL}@production/a", local_files_only=True)) == b"0"
    assert counting.requests == 0
    stranger = Machine(store).registry(counting)
    with pytest.raises(objreg.NotFound, match="nothing of fraud/clf is in the cache"):
        stranger.resolve(f"{MODEL}:1.0", local_files_only=True)
    assert counting.requests == 0
    stranger.resolve(f"{MODEL}:1.0")
    counting.reset()
    with pytest.raises(objreg.NotFound, match=r"offline.*nothing of fraud/clf is in the cache"):
        list(stranger.read(f"{MODEL}:1.0/a", local_files_only=True))
    with stranger.open(f"{MODEL}:1.0/a", local_files_only=True) as opened, pytest.raises(objreg.NotFound):
        opened.read()
    assert counting.requests == 0
    assert list(stranger.read(f"{MODEL}:1.0/a")) == [b"0"]
    assert counting.counts == {"get": 1, "bytes_read": 1}


def test_an_object_that_was_seen_is_known_by_its_digest(
    versions: objreg.Registry, offline: tuple[objreg.Registry, CountingStore]
) -> None:
    """Records that this machine has read, in one model or anywhere; another digest was not kept."""
    reader, counting = offline
    digest = versions.resolve(f"{MODEL}:1.0").digest
    assert reader.object(digest) == reader.object(f"{MODEL}@{digest}") == versions.object(f"{MODEL}:1.0")
    with pytest.raises(objreg.NotFound, match="offline"):
        reader.object("sha256:" + "0" * 64)
    assert counting.requests == 0


def test_a_registry_that_cannot_be_reached_is_an_error_that_says_what_is_cached(
    versions: objreg.Registry, machine: Machine, store: MemoryStore
) -> None:
    """An exact version needs nobody; what must be asked for is refused, never answered from memory unasked."""
    dead = DeadStore("registry")
    reader = machine.registry(dead)
    assert (reader.pull(f"{MODEL}:1.0") / "a").read_bytes() == b"0"
    message = r"gave no answer; of fraud/clf the cache has 1\.0, 1\.1: name one of these, or .* --offline$"
    for spec in (MODEL, f"{MODEL}@production", f"{MODEL}:1"):
        with pytest.raises(objreg.StoreUnavailable, match=message) as caught:
            reader.pull(spec)
        assert caught.value.facts["cached"] == ["1.0", "1.1"]
    with pytest.raises(objreg.StoreUnavailable, match="gave no answer; nothing of fraud/other is in the cache"):
        reader.resolve("fraud/other")


def test_a_folder_is_known_by_what_it_was(tmp_path: Path, file: Callable[..., Path]) -> None:
    """Offline it is not looked at, so it may be gone; a folder that was never seen is an error."""
    place = tmp_path / "registry"
    registry = objreg.open(place, create=True)
    registry.push(MODEL, file(b"weights"))
    registry.pull(MODEL)
    place.rename(tmp_path / "gone")
    reader = objreg.open(place, offline=True)
    assert (reader.pull(MODEL) / "model.bin").read_bytes() == b"weights"
    assert (pickle.loads(pickle.dumps(reader)).pull(MODEL) / "model.bin").read_bytes() == b"weights"
    with pytest.raises(objreg.NotFound, match="this machine has seen nothing of it"):
        objreg.open(tmp_path / "other", offline=True).resolve(MODEL)
    assert not place.exists()


def test_the_environment_can_say_so(tmp_path: Path, file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """OBJREG_OFFLINE=1; a bucket that is nowhere is not looked for. OBJREG_CACHE_LINK and LAYERS count too."""
    monkeypatch.setenv("OBJREG_OFFLINE", "1")
    with pytest.raises(objreg.NotFound, match=r"s3://nowhere/x is not to be asked \(offline\)"):
        objreg.open("s3://nowhere/x?endpoint_url=http://127.0.0.1:9&region=x").resolve(MODEL)
    monkeypatch.setenv("OBJREG_OFFLINE", "0")
    monkeypatch.setenv("OBJREG_CACHE_LINK", "symlink")
    registry = objreg.open(tmp_path / "registry", create=True)
    registry.push(MODEL, file(b"weights"))
    assert (registry.pull(MODEL) / "model.bin").is_symlink()
    monkeypatch.setenv("OBJREG_CACHE_LAYERS", os.environ["OBJREG_CACHE_DIR"])
    monkeypatch.setenv("OBJREG_CACHE_DIR", str(tmp_path / "above"))
    above = objreg.open(tmp_path / "registry", offline=True)
    assert above.pull(MODEL) == registry.pull(MODEL)
    assert not (tmp_path / "above" / "trees").exists()


# Folders of assets


def test_assets_dir_has_versions_under_their_names(
    tmp_path: Path, folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole, read-only, the same bytes on disk; and put right where somebody changed it."""
    registry = objreg.open(tmp_path / "registry", create=True, assets_dir=tmp_path / "assets")
    registry.push(MODEL, folder({"a": b"1", "b/c": b"2"}))
    pulled = registry.pull(MODEL)
    assert pulled == tmp_path / "assets/fraud/clf/1.0"
    assert registry.pull(f"{MODEL}@latest/b/c") == registry.pull(f"{MODEL}:1.0/b/c")
    assert {path.relative_to(pulled).as_posix() for path in pulled.rglob("*") if path.is_file()} == {"a", "b/c"}
    assert not (pulled / "a").stat().st_mode & 0o222
    inode = pulled.stat().st_ino
    assert registry.pull(MODEL) == pulled
    assert pulled.stat().st_ino == inode, "it was not built again"
    for damage in ("write", "remove", "add"):
        for path in (pulled, pulled / "b", pulled / "a"):
            path.chmod(0o755)
        if damage == "write":
            (pulled / "a").write_bytes(b"x")
        elif damage == "remove":
            (pulled / "a").unlink()
        else:
            (pulled / "b/more").write_bytes(b"")
        assert (registry.pull(MODEL) / "a").read_bytes() == b"1"
        assert not (pulled / "b/more").exists()
    assert [path.name for path in pulled.parent.iterdir() if "partial" in path.name] == []
    monkeypatch.setenv("OBJREG_ASSETS_DIR", str(tmp_path / "by variable"))
    assert objreg.open(tmp_path / "registry").pull(MODEL) == tmp_path / "by variable/fraud/clf/1.0"


def test_a_developer_puts_something_in_the_place_of_a_model(
    tmp_path: Path,
    folder: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A version, a path, a folder of overrides: each wins over the one before, and each says so."""
    model = "fraud/clf-v2.x"
    registry = objreg.open(tmp_path / "registry", create=True)
    registry.push(model, folder({"a": b"0"}))
    second = registry.push(model, folder({"a": b"1"}))
    assert (registry.pull(f"{model}:1.0") / "a").read_bytes() == b"0"
    assert caplog.text == ""
    monkeypatch.setenv("OBJREG_FRAUD_CLF_V2_X_VERSION", "1.1")
    assert registry.pull(f"{model}:1.0/a").read_bytes() == b"1"
    assert "fraud/clf-v2.x:1.0/a is fraud/clf-v2.x:1.1/a, by OBJREG_FRAUD_CLF_V2_X_VERSION" in caplog.text
    assert registry.resolve(f"{model}:1.0").version == "1.0", "what is resolved, locked or promoted is not replaced"
    own = folder({"a": b"mine"})
    monkeypatch.setenv("OBJREG_FRAUD_CLF_V2_X_FILE", str(own))
    assert registry.pull(f"{model}@production") == own
    assert registry.pull(f"{model}:1.0/a") == own / "a"
    assert (registry.pull(second) / "a").read_bytes() == b"1", "a version that is at hand is what it is"
    overrides = tmp_path / "overrides"
    (overrides / model).mkdir(parents=True)
    monkeypatch.setenv("OBJREG_ASSETS_DIR_OVERRIDE", str(overrides))
    assert objreg.open(tmp_path / "registry").pull(model) == overrides / model
    monkeypatch.setenv("OBJREG_FRAUD_CLF_V2_X_FILE", str(tmp_path / "nothing"))
    with pytest.raises(objreg.InvalidInput, match=r"OBJREG_FRAUD_CLF_V2_X_FILE names .* and there is nothing"):
        registry.pull(model)
