"""The Python API honours the lock file: a model's name alone is the locked version."""

import logging
import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest

import objreg
from objreg.errors import IntegrityError, InvalidInput
from objreg.local.project import find_lock
from objreg.store.wrappers import CountingStore
from tests.budgets.conftest import spent
from tests.cli.conftest import Cli


@pytest.fixture
def locked_project(project: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project that locks fraud/clf to 1.0; the process works in a folder below it."""
    project("add", "fraud/clf@production")
    (tmp_path / "src" / "deep").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "src" / "deep")
    return tmp_path


def test_a_name_alone_is_the_locked_version(locked_project: Path, caplog: pytest.LogCaptureFixture):
    """For resolve, pull and experiments; what is said besides the name wins; and a log line tells of it."""
    registry = objreg.open()
    assert registry.lock_path == locked_project / "objreg.lock"
    assert registry.lock.get("fraud/clf").version == "1.0"
    with caplog.at_level(logging.INFO, logger="objreg"):
        assert registry.resolve("fraud/clf").version == "1.0"
    assert caplog.messages == [f"fraud/clf is fraud/clf:1.0, by {locked_project / 'objreg.lock'}"]
    assert (registry.pull("fraud/clf") / "weights.bin").read_bytes() == b"weights"
    for spec in ("fraud/clf@latest", "fraud/clf:1", "fraud/clf:1.1"):
        assert registry.resolve(spec).version == "1.1"
    assert registry.resolve("nlp/vocab").version == "1.0", "what is not locked is the latest"
    registry.record_experiment("fraud/clf:1.0", "holdout")
    assert [found.name for found in registry.experiments("fraud/clf")] == ["holdout"]


def test_it_can_be_switched_off(locked_project: Path, monkeypatch: pytest.MonkeyPatch):
    """By an argument, and by a variable."""
    registry = objreg.open(lock=False)
    assert (registry.lock, registry.resolve("fraud/clf").version) == (None, "1.1")
    monkeypatch.setenv("OBJREG_LOCK", "0")
    assert objreg.open().resolve("fraud/clf").version == "1.1"
    monkeypatch.setenv("OBJREG_LOCK", "maybe")
    with pytest.raises(InvalidInput, match="OBJREG_LOCK is 'maybe'; use 1 or 0"):
        find_lock()


def test_a_lock_file_of_another_registry_is_not_followed(locked_project: Path, tmp_path: Path):
    """It speaks of another registry's versions."""
    other = objreg.open(tmp_path / "other", create=True)
    (tmp_path / "w.bin").write_text("w")
    other.push("fraud/clf", tmp_path / "w.bin", version="9.0")
    assert other.lock is None
    assert other.resolve("fraud/clf").version == "9.0"
    assert objreg.open(str(tmp_path / "src" / ".." / "registry")).resolve("fraud/clf").version == "1.0"


def test_a_copy_in_another_process_follows_the_same_file(locked_project: Path, monkeypatch: pytest.MonkeyPatch):
    """A pickled registry keeps its lock file, wherever it is opened."""
    registry = objreg.open()
    monkeypatch.chdir("/")
    assert pickle.loads(pickle.dumps(registry)).resolve("fraud/clf").version == "1.0"


def test_pulling_what_the_cache_holds_by_the_lock_file_takes_no_request(locked_project: Path):
    """The budget: 0, and no question after the newest entry."""
    registry = objreg.open()
    registry.pull("fraud/clf")
    session = objreg.Registry.session.fget(registry)
    session.store = counting = CountingStore(session.store)
    registry.pull("fraud/clf")
    assert spent(counting) == {}


def test_a_version_value_is_pulled_as_it_is(locked_project: Path):
    """It has its record, so nothing is resolved: a lock file or a newer version does not matter."""
    registry = objreg.open()
    newest = registry.resolve("fraud/clf@latest")
    assert (registry.pull(newest) / "weights.bin").read_bytes() == b"better"


def test_a_broken_lock_file_stops_only_what_follows_it(locked_project: Path):
    """A conflict must not be in the way of a listing; but a name alone is not taken for the latest."""
    lock = locked_project / "objreg.lock"
    lock.write_text(f"<<<<<<< HEAD\n{lock.read_text()}")
    registry = objreg.open()
    assert registry.models() == ("fraud/clf", "nlp/vocab")
    assert registry.resolve("fraud/clf:1.1").version == "1.1"
    with pytest.raises(InvalidInput, match="unresolved merge conflict"):
        registry.resolve("fraud/clf")


def test_a_lock_file_that_the_registry_contradicts(locked_project: Path):
    """A version that was edited by hand is not the record's."""
    lock = locked_project / "objreg.lock"
    lock.write_text(lock.read_text().replace('version = "1.0"', 'version = "1.1"'))
    with pytest.raises(IntegrityError, match=r"locks fraud/clf:1\.1 by record .* lock --upgrade fraud/clf"):
        objreg.open().pull("fraud/clf")


def test_changes_are_never_narrowed(locked_project: Path):
    """To record or to move by a name alone means the latest, as ever: a lock file says what is used."""
    registry = objreg.open()
    assert registry.record_experiment("fraud/clf", "holdout").version.version == "1.1"
