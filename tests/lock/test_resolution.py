"""What is wanted becomes what is locked, and how many requests that takes."""

from pathlib import Path

import pytest

import objreg
from objreg.core.lock_file import LockFile, read_lock
from objreg.core.wants import Want
from objreg.errors import IntegrityError, NotFound
from objreg.local.cache import Cache
from objreg.lock.resolution import make_lock, outdated
from objreg.lock.sync import sync
from objreg.store.wrappers import CountingStore
from tests.budgets.conftest import spent
from tests.registry.machine import Machine, new_store

NAME = "s3://models/registry"


def wants(**requests: str) -> dict[str, Want]:
    """Return wishes; ``fraud__clf`` is fraud/clf."""
    names = {name.replace("__", "/"): request for name, request in requests.items()}
    return {name: Want(name, request, ("default",)) for name, request in names.items()}


@pytest.fixture
def machine() -> Machine:
    """A machine that uses a new registry."""
    return Machine(new_store())


@pytest.fixture
def registry(machine: Machine, tmp_path: Path) -> objreg.Registry:
    """A registry where fraud/clf has 1.0, in production, and 1.1, 2.0."""
    opened = machine.registry()
    opened.define_state("production", exclusive=True)
    for number, version in enumerate(("1.0", "1.1", "2.0")):
        (tmp_path / "model.bin").write_text(f"weights {number}")
        opened.push("fraud/clf", tmp_path / "model.bin", version=version)
    opened.set_state("fraud/clf:1.0", "production")
    return opened


def lock(registry: objreg.Registry, previous: LockFile | None = None, upgrade=(), **requests: str) -> LockFile:
    return make_lock(registry.session, wants(**requests), NAME, previous, upgrade)


@pytest.mark.parametrize(
    ("request_text", "version"), [("*", "2.0"), ("1", "1.1"), ("1.0", "1.0"), ("@production", "1.0")]
)
def test_a_request_is_resolved_as_its_spec_is(registry: objreg.Registry, request_text: str, version: str):
    """With the record, the files and the entry at which it was resolved."""
    (asset,) = lock(registry, fraud__clf=request_text).assets
    resolved, head = registry.resolve(f"fraud/clf:{version}"), registry.head("fraud/clf")
    assert (asset.requested, asset.version, asset.record) == (request_text, version, resolved.digest)
    assert (asset.entry.seq, asset.entry.digest) == (head.seq, head.digest)
    (file,) = resolved.artifacts[0].files
    assert [(found.path, found.digest, found.size) for found in asset.files] == [("model.bin", file.digest, 9)]
    assert lock(registry, fraud__clf=f"@{resolved.digest[:20]}").assets[0].version == version


def test_what_is_locked_stays(registry: objreg.Registry):
    """Also where the state moved and a newer version continues 1; the entry stays too, so nothing changes."""
    before = lock(registry, fraud__clf="@production")
    registry.set_state("fraud/clf:2.0", "production")
    assert lock(registry, before, fraud__clf="@production") == before
    assert lock(registry, before, ["fraud/clf"], fraud__clf="@production").assets[0].version == "2.0"


def test_a_changed_request_keeps_the_version_that_it_allows(registry: objreg.Registry):
    """As a lock file of packages does; a state or the latest is looked up."""
    before = lock(registry, fraud__clf="1.0")
    assert lock(registry, before, fraud__clf="1").assets[0].version == "1.0"
    assert lock(registry, before, fraud__clf="2").assets[0].version == "2.0"
    assert lock(registry, before, fraud__clf="*").assets[0].version == "2.0"


def test_only_what_is_named_is_upgraded(registry: objreg.Registry, tmp_path: Path):
    """Everything else keeps its version."""
    registry.push("nlp/vocab", tmp_path / "model.bin")
    before = lock(registry, fraud__clf="@production", nlp__vocab="1")
    registry.set_state("fraud/clf:1.1", "production")
    (tmp_path / "model.bin").write_text("words")
    registry.push("nlp/vocab", tmp_path / "model.bin")
    after = lock(registry, before, ["nlp/vocab"], fraud__clf="@production", nlp__vocab="1")
    assert [asset.version for asset in after.assets] == ["1.0", "1.1"]


def test_what_is_not_there_is_told(registry: objreg.Registry):
    """A model, a version, a state that nothing is in."""
    for request_text in ("3", "@shadow"):
        with pytest.raises(NotFound, match="fraud/clf"):
            lock(registry, fraud__clf=request_text)
    with pytest.raises(NotFound, match="there is no model other/clf"):
        lock(registry, other__clf="*")


def test_a_record_that_is_not_there_any_more(registry: objreg.Registry, tmp_path: Path):
    """A registry that was replaced under the same URL is noticed when locking and when pulling."""
    before = lock(registry, fraud__clf="1.0")
    other = Machine(new_store("other")).registry()
    (tmp_path / "model.bin").write_text("something else")
    other.push("fraud/clf", tmp_path / "model.bin")
    with pytest.raises(IntegrityError, match=r"fraud/clf:1\.0 is locked by record .*its record there is.*--upgrade"):
        lock(other, before, fraud__clf="1.0")
    with pytest.raises(IntegrityError, match=r"memory://other does not hold it as such.*is missing"):
        sync(other.session.cache, before.assets, lambda: other, "objreg.lock")
    assert lock(other, before, ["fraud/clf"], fraud__clf="1.0").assets[0].record == other.resolve("fraud/clf").digest


def test_a_locked_version_that_was_retired_is_kept_with_a_warning(registry: objreg.Registry):
    """Its bytes are what was asked for; that it should not be used any more is told with the reason."""
    before = lock(registry, fraud__clf="1")
    registry.retire("fraud/clf:1.1", reason="leaked labels")
    with pytest.warns(UserWarning, match=r"fraud/clf:1\.1 is locked, and was retired \(leaked labels\)"):
        assert lock(registry, before, fraud__clf="1") == before
    assert lock(registry, before, ["fraud/clf"], fraud__clf="1").assets[0].version == "1.0"


def test_outdated_is_what_an_upgrade_would_change(registry: objreg.Registry):
    """A state that moved, a newer version that continues a part; an exact version never is."""
    before = lock(registry, fraud__clf="@production")
    assert outdated(registry.session, before) == ()
    registry.set_state("fraud/clf:1.1", "production")
    (found,) = outdated(registry.session, before)
    assert (found.name, found.requested, found.locked, found.now) == ("fraud/clf", "@production", "1.0", "1.1")
    registry.unset_state("fraud/clf:1.1", "production")
    (found,) = outdated(registry.session, before)
    assert (found.now, "in state production" in found.reason) == ("", True)
    assert outdated(registry.session, lock(registry, fraud__clf="1.0")) == ()


def test_outdated_tells_what_was_retired(registry: objreg.Registry):
    """Also where an upgrade would give the same again, because that version was asked for by its number."""
    exact, partial = lock(registry, fraud__clf="1.1"), lock(registry, fraud__clf="1")
    registry.retire("fraud/clf:1.1", reason="leaked labels")
    (found,) = outdated(registry.session, exact)
    assert (found.now, found.retired, found.is_stale) == ("1.1", True, False)
    assert found.reason == "1.1 was retired (leaked labels)"
    (found,) = outdated(registry.session, partial)
    assert (found.now, found.retired, found.is_stale) == ("1.0", True, True)
    assert found.reason == "'1' is now version 1.0, and 1.1 is locked; 1.1 was retired (leaked labels)"


def test_a_model_that_is_gone_is_outdated(registry: objreg.Registry):
    """That it is not there is the reason."""
    found = lock(registry, fraud__clf="1")
    (gone,) = outdated(Machine(new_store()).registry().session, found)
    assert (gone.now, gone.retired) == ("", False)
    assert "there is no model fraud/clf" in gone.reason


# Requests


def no_registry() -> objreg.Registry:
    raise AssertionError("nothing is missing, so the registry is not needed")


def test_syncing_what_the_cache_holds_takes_no_request(registry: objreg.Registry, machine: Machine):
    """Not even a connection; in the same and in the next process."""
    found = lock(registry, fraud__clf="@production")
    sync(registry.session.cache, found.assets, lambda: registry, "objreg.lock")
    folders = sync(Cache(machine.cache), found.assets, no_registry, "objreg.lock")
    assert [path.name for path in folders["fraud/clf"].iterdir()] == ["model.bin"]
    assert sync(Cache(machine.cache), found.assets, None, "objreg.lock") == folders


def test_syncing_what_is_missing_takes_the_record_and_the_blobs(registry: objreg.Registry):
    """On a machine that has seen nothing: two requests for one file, and none for the manifest."""
    found = lock(registry, fraud__clf="@production")
    machine = Machine(registry.session.store)
    counting = CountingStore(registry.session.store)
    opened = machine.registry(counting)
    folders = sync(Cache(machine.cache), found.assets, lambda: opened, "objreg.lock")
    assert spent(counting) == {"get": 2}
    assert (folders["fraud/clf"] / "model.bin").read_text() == "weights 0"


def test_locking_takes_what_resolving_takes(registry: objreg.Registry):
    """Cold 3 a model: the listing, the newest entry, the record. To keep it 2; where it was seen before, 1."""
    machine = Machine(registry.session.store)
    counting = CountingStore(registry.session.store)
    before = lock(machine.registry(counting), fraud__clf="@production")
    assert spent(counting) == {"first": 1, "get": 2}
    lock(machine.registry(counting), before, fraud__clf="@production")
    assert spent(counting) == {"first": 1}
    lock(Machine(registry.session.store).registry(counting), before, fraud__clf="@production")
    assert spent(counting) == {"first": 1, "get": 1}


def test_what_a_pointer_names_is_not_asked_more(registry: objreg.Registry):
    """A version in a state cannot be retired, so ``outdated`` costs what resolving it costs."""
    found = lock(registry, fraud__clf="@production")
    counting = CountingStore(registry.session.store)
    assert outdated(Machine(registry.session.store).registry(counting).session, found) == ()
    assert spent(counting) == {"first": 1, "get": 2}


def test_a_damaged_folder_is_fetched_again(registry: objreg.Registry, machine: Machine):
    """A file that is shorter than the lock file says is no file of it."""
    found = lock(registry, fraud__clf="@production")
    folder = sync(registry.session.cache, found.assets, lambda: registry, "objreg.lock")["fraud/clf"]
    (folder / "model.bin").chmod(0o600)
    (folder / "model.bin").write_text("short")
    with pytest.raises(NotFound, match=r"lacks fraud/clf:1\.0, and the network is not to be used"):
        sync(Cache(machine.cache), found.assets, None, "objreg.lock")
    sync(Cache(machine.cache), found.assets, lambda: registry, "objreg.lock")
    assert (folder / "model.bin").read_text() == "weights 0"


def test_files_of_the_lock_file_must_be_the_record_s(registry: objreg.Registry):
    """A digest that was edited or merged wrongly is an error before a byte is fetched."""
    text = lock(registry, fraud__clf="@production").text()
    digest = registry.resolve("fraud/clf:1.0").artifacts[0].files[0].digest
    edited = read_lock(text.replace(digest, "sha256:" + "0" * 64), "objreg.lock")
    counting = CountingStore(registry.session.store)
    opened = Machine(registry.session.store).registry(counting)
    with pytest.raises(IntegrityError, match=r"record of fraud/clf:1\.0 say different things of model\.bin"):
        sync(opened.session.cache, edited.assets, lambda: opened, "objreg.lock")
    assert spent(counting) == {"get": 1}
