"""What a machine refuses to believe: an older registry, another history, a broken chain, a wrong clock, a newer format."""

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

import objreg
from objreg.core.digest import digest_of
from objreg.core.encoding import decode_json, encode
from objreg.core.keys import MARKER, log_key, record_key
from objreg.store.memory import MemoryStore
from tests.registry.machine import Machine, TickingClock, new_store

MODEL = "fraud/clf"
DOMAIN = "fraud/clf.model"


def keep(store: MemoryStore) -> dict[str, bytes]:
    """Return all that is in a store now."""
    return {info.key: store.get(info.key) or b"" for info in store.list("")}


def put_back(store: MemoryStore, objects: dict[str, bytes]) -> None:
    """Make a store hold exactly these objects, as a restored backup does."""
    for info in list(store.list("")):
        store.delete(info.key)
    for key, data in objects.items():
        store.create(key, data)


def put(registry: objreg.Registry, *owners: str) -> None:
    """Commit once for each owner."""
    for owner in owners:
        registry.put_catalog(MODEL, owner=owner)


# Rollback


def test_an_older_copy_of_the_log_is_refused(store: MemoryStore, machine: Machine) -> None:
    """A machine that has seen entry 2 refuses a registry whose newest is 0, in its next process and in this one, at once."""
    registry = machine.registry()
    put(registry, "1")
    backup = keep(store)
    put(registry, "2", "3")
    put_back(store, backup)
    with pytest.raises(
        objreg.RollbackDetected, match=r"entry 2 was there, now its newest is 0.*find out who"
    ) as caught:
        machine.registry().catalog(MODEL)
    assert (caught.value.facts["seen"], caught.value.facts["found"]) == (2, 0)
    with pytest.raises(objreg.RollbackDetected):
        put(machine.registry(), "4")
    with pytest.raises(objreg.RollbackDetected):
        registry.catalog(MODEL)
    with pytest.raises(objreg.RollbackDetected):
        put(registry, "4")
    assert keep(store) == backup


def test_an_older_copy_of_a_folder_is_refused(tmp_path: Path) -> None:
    """The same where the newest entry is found by probing: the folder was put back from yesterday's backup."""
    root = tmp_path / "registry"
    put(objreg.open(root, create=True), "1")
    shutil.copytree(root, tmp_path / "backup")
    put(objreg.open(root), "2", "3")
    shutil.rmtree(root)
    shutil.copytree(tmp_path / "backup", root)
    for action in (lambda: objreg.open(root).catalog(MODEL), lambda: put(objreg.open(root), "4")):
        with pytest.raises(objreg.RollbackDetected, match=r"entry 2 was there, now its newest is 0"):
            action()
    registry = objreg.open(root)
    registry.accept_history(MODEL)
    put(registry, "4")
    assert registry.head(MODEL).seq == 1


def test_an_emptied_log_is_refused(store: MemoryStore, machine: Machine) -> None:
    """Nothing where something was is a rollback too."""
    put(machine.registry(), "1")
    put_back(store, {MARKER: store.get(MARKER) or b""})
    with pytest.raises(objreg.RollbackDetected, match="entry 0 was there, now it has none"):
        machine.registry().catalog(MODEL)


def test_who_has_seen_nothing_believes(
    store: MemoryStore, machine: Machine, new_machine: Callable[..., Machine]
) -> None:
    """A rollback shows only to a machine that was there before."""
    put(machine.registry(), "1")
    backup = keep(store)
    put(machine.registry(), "2")
    put_back(store, backup)
    assert new_machine().registry().catalog(MODEL).owner == "1"


@pytest.mark.parametrize("is_ordered", [True, False], ids=["lists", "gallops"])
@pytest.mark.parametrize("is_told", [True, False], ids=["after-a-look", "after-its-own-commit"])
@pytest.mark.parametrize("length", [2, 3, 4, 9])
def test_a_forked_log_is_refused_by_a_reader(
    store: MemoryStore,
    machine: Machine,
    new_machine: Callable[..., Machine],
    length: int,
    is_told: bool,
    is_ordered: bool,
) -> None:
    """Another entry stands where this machine saw one: the first look sees it, also where the log is as long as before."""
    store.ordered = is_ordered
    put(machine.registry(), "1")
    backup = keep(store)
    registry = machine.registry()
    put(registry, "2")
    if is_told:
        registry.head(MODEL)
    put_back(store, backup)
    put(new_machine().registry(), *("other" + str(number) for number in range(1, length)))
    for reader in (registry, machine.registry()):
        with pytest.raises(objreg.RollbackDetected, match="another history than before"):
            reader.catalog(MODEL)


def test_a_forked_log_is_never_written_to(
    store: MemoryStore, machine: Machine, new_machine: Callable[..., Machine]
) -> None:
    """A fork of the same length is seen before a commit, which would break the chain of the one that is there."""
    registry = machine.registry()
    put(registry, "1")
    backup = keep(store)
    put(registry, "2")
    put_back(store, backup)
    put(new_machine().registry(), "other")
    forked = keep(store)
    with pytest.raises(objreg.RollbackDetected, match="another history than before"):
        put(machine.registry(), "3")
    with pytest.raises(objreg.RollbackDetected, match="another history than before"):
        machine.registry().push(MODEL, __file__)
    machine.clock.seconds += 61  # a writer looks again after a minute
    for _ in range(2):  # refused once, it stays so
        with pytest.raises(objreg.RollbackDetected, match="another history than before"):
            put(registry, "3")
    assert {key: data for key, data in keep(store).items() if "/log/" in key} == {
        key: data for key, data in forked.items() if "/log/" in key
    }


def test_a_history_can_be_accepted(store: MemoryStore, machine: Machine, new_machine: Callable[..., Machine]) -> None:
    """Who has made sure says so, once for each domain; then the registry is taken as it is."""
    registry = machine.registry()
    put(registry, "1")
    registry.define_state("production")
    registry.put_namespace("fraud", owner="ada")
    backup = {key: data for key, data in keep(store).items() if "_" not in key}
    put(registry, "2")
    put_back(store, backup)
    again = machine.registry()
    for accept, read in (
        (lambda: again.accept_history(MODEL), lambda: again.catalog(MODEL)),
        (again.accept_history, again.settings),
        (lambda: again.accept_history(namespace="fraud"), lambda: list(again.scope_history("fraud"))),
    ):
        with pytest.raises(objreg.RollbackDetected):
            read()
        accept()
        read()
    assert again.catalog(MODEL).owner == "1"
    put(again, "3")
    assert new_machine().registry().catalog(MODEL).owner == "3"


def test_an_accepted_history_has_its_own_versions(
    store: MemoryStore, machine: Machine, new_machine: Callable[..., Machine], file: Callable[..., Path]
) -> None:
    """What this machine remembers of a version that the accepted history has not, or has otherwise, does not count."""
    backup = keep(store)
    machine.registry().pull(machine.registry().push(MODEL, file(b"first")).spec)
    put_back(store, backup)
    replaced = new_machine().registry().push(MODEL, file(b"second"))
    registry = machine.registry()
    registry.accept_history(MODEL)
    assert registry.resolve(f"{MODEL}:1.0").digest == replaced.digest
    assert (registry.pull(f"{MODEL}:1.0") / "model.bin").read_bytes() == b"second"


# The chain


def test_the_whole_history_is_verified(
    registry: objreg.Registry, store: MemoryStore, new_machine: Callable[..., Machine]
) -> None:
    """An old entry that was changed does not have the digest that the next one names."""
    put(registry, *map(str, range(100)))
    assert [item.seq for item in new_machine().registry().history(MODEL)] == list(range(99, -1, -1))
    key = log_key(DOMAIN, 40)
    data = store.get(key) or b""
    store.delete(key)
    store.create(key, data.replace(b"ci@acme", b"ci@acmf"))
    history = new_machine().registry().history(MODEL)
    assert [next(history).seq for _ in range(59)][-1] == 41
    with pytest.raises(
        objreg.RollbackDetected, match=r"entry 41 of .* follows sha256:.*, and entry 40 is .*: the log was rewritten"
    ):
        next(history)
    store.delete(key)
    with pytest.raises(objreg.IntegrityError, match=r"entry 40 of .* is missing .*: the log has a gap"):
        list(new_machine().registry().history(MODEL))


@pytest.mark.parametrize("junk", ["x.json", ".DS_Store", "0"])
def test_a_stray_object_among_the_entries_is_named(
    registry: objreg.Registry, store: MemoryStore, new_machine: Callable[..., Machine], junk: str
) -> None:
    """A listing that finds something else first says what, and what to do; it does not take it for an entry."""
    put(registry, "1")
    store.create(f"{DOMAIN}/log/{junk}", b"")
    stray_first = f"{DOMAIN}/log/{junk}" < log_key(DOMAIN, 0)
    reader = new_machine().registry()
    if stray_first:
        with pytest.raises(objreg.FormatError, match=r"stands among the entries of a manifest and is none: remove"):
            reader.catalog(MODEL)
    else:
        assert reader.catalog(MODEL).owner == "1"


def test_a_copy_in_the_wrong_place_is_refused(
    registry: objreg.Registry, store: MemoryStore, new_machine: Callable[..., Machine]
) -> None:
    """A log that was copied under another model's name is not that model's."""
    put(registry, "1")
    store.create(log_key("fraud/copy.model", 0), store.get(log_key(DOMAIN, 0)) or b"")
    with pytest.raises(objreg.FormatError, match=r"entry 0 of fraud/clf\.model: the log was copied wrongly"):
        new_machine().registry().catalog("fraud/copy")


# The clock


@pytest.mark.parametrize("days", [365, 1, 0.01])
def test_a_clock_that_is_ahead_commits_nothing(
    store: MemoryStore, new_machine: Callable[..., Machine], file: Callable[..., Path], days: float
) -> None:
    """Every later commit would carry its time; so the first commit compares it with the store's."""
    new_machine().registry().push("fraud/old", file())
    ahead = new_machine(clock=TickingClock(timedelta(days=days))).registry()
    # Again and again: a refusal must not make the next commit of the process one that is not checked.
    for model in (MODEL, "fraud/old") * 2:
        with pytest.raises(
            objreg.Conflict, match=r"ahead of the store's .*: nothing was committed; set the clock right"
        ):
            ahead.push(model, file(b"more"))
    with pytest.raises(objreg.Conflict, match=r"ahead of the store's"):
        put(ahead, "1")
    reader = new_machine().registry()
    with pytest.raises(objreg.NotFound):
        reader.resolve(MODEL)
    assert reader.head("fraud/old").seq == 0


def test_a_clock_that_is_behind_commits_nothing(
    store: MemoryStore, registry: objreg.Registry, new_machine: Callable[..., Machine], file: Callable[..., Path]
) -> None:
    """On a new model and on one that has history."""
    put(registry, "1")
    behind = new_machine(clock=TickingClock(-timedelta(days=365))).registry()
    for model in (MODEL, "fraud/new"):
        with pytest.raises(objreg.Conflict, match=r"behind the store's .*: nothing was committed; set the clock right"):
            behind.push(model, file())
    assert registry.head(MODEL).seq == 0


def test_a_clock_that_is_a_little_off_is_borne(new_machine: Callable[..., Machine]) -> None:
    """Four minutes either way; times in the log still rise."""
    for minutes in (4, -4, 4, -4):
        put(new_machine(clock=TickingClock(timedelta(minutes=minutes))).registry(), f"{minutes} {id(object())}", "x")
    times = [item.time for item in new_machine().registry().history(MODEL)]
    assert times == sorted(times, reverse=True)
    assert len(set(times)) == len(times)


# The marker


def test_a_newer_registry_asks_for_an_upgrade(new_machine: Callable[..., Machine]) -> None:
    """A marker of format 2 is refused wherever it is read."""
    store = MemoryStore("newer")
    store.create(MARKER, b'{"created_at":"2026-03-01T12:00:00.000Z","format":2,"id":"' + b"a" * 32 + b'"}')
    registry = new_machine(store=store).registry()
    for action in (registry.models, lambda: put(registry, "1"), lambda: registry.resolve(MODEL)):
        with pytest.raises(
            objreg.FormatError, match="is of format 2, and this release of objreg reads format 1: upgrade"
        ):
            action()


@pytest.mark.parametrize("marker", [b"", b"{}", b"[]", b"not json", b'{"format":1}'])
def test_a_broken_marker_is_no_registry_that_can_be_used(new_machine: Callable[..., Machine], marker: bytes) -> None:
    """Something stands where the marker belongs, so it is not called missing, and nothing is created over it."""
    from objreg.registry.session import create_marker

    store = MemoryStore("broken")
    store.create(MARKER, marker)
    with pytest.raises(objreg.FormatError, match=MARKER):
        new_machine(store=store).registry().models()
    with pytest.raises(objreg.FormatError, match=MARKER):
        create_marker(store, TickingClock())


def test_two_registries_do_not_share_what_is_remembered(tmp_path: Path) -> None:
    """One machine, one cache, two stores: the head of one is no memory of the other."""
    one, two = new_store("same"), new_store("same")
    cache = tmp_path / "cache"
    put(Machine(one, cache=cache).registry(), "1", "2", "3")
    put(Machine(two, cache=cache).registry(), "a")
    assert Machine(two, cache=cache).registry().catalog(MODEL).owner == "a"
    assert Machine(one, cache=cache).registry().catalog(MODEL).owner == "3"


def test_a_registry_made_anew_in_a_folder_is_another(tmp_path: Path, file: Callable[..., Path]) -> None:
    """A folder is told apart by the marker's id, so that a test's registry may be thrown away and made again."""
    root = tmp_path / "registry"
    objreg.open(root, create=True).push(MODEL, file(b"first"))
    shutil.rmtree(root)
    registry = objreg.open(root, create=True)
    assert registry.models() == ()
    registry.push(MODEL, file(b"second"))
    assert (registry.pull(f"{MODEL}:1.0") / "model.bin").read_bytes() == b"second"


# What the manifest names


def forge(store: MemoryStore, model: str, digest: str) -> None:
    """Make the newest entry of a model name another record for its only version: its writer is hostile."""
    key = log_key(f"{model}.model", 0)
    entry = decode_json(store.get(key) or b"", "entry")
    entry["patch"]["versions"]["1.0"]["record"] = digest
    entry["refs"]["latest"]["record"] = digest
    store.delete(key)
    store.create(key, encode(entry))


@pytest.mark.parametrize("spec", ["a/mine", "a/mine:1.0", "a/mine:1", "a/mine@latest"])
def test_a_record_of_another_model_is_not_believed(
    store: MemoryStore,
    registry: objreg.Registry,
    new_machine: Callable[..., Machine],
    file: Callable[..., Path],
    spec: str,
) -> None:
    """Who may write one model cannot make a reader take his files for another's: not now, and not from its memory."""
    registry.push("a/mine", file(b"mine"))
    honest = registry.push("b/theirs", file(b"theirs"))
    claim = msgspec.structs.replace(registry.resolve("a/mine").record, model="b/theirs")
    data = encode(claim)
    store.create(record_key("a/mine.model", digest_of(data)), data)
    forge(store, "a/mine", digest_of(data))
    machine = new_machine()
    with pytest.raises(objreg.FormatError):
        machine.registry().pull(spec)
    assert machine.registry().resolve("b/theirs:1.0").digest == honest.digest
    assert (machine.registry().pull("b/theirs:1.0") / "model.bin").read_bytes() == b"theirs"


def test_a_record_of_another_kind_is_not_believed(
    store: MemoryStore, registry: objreg.Registry, new_machine: Callable[..., Machine], file: Callable[..., Path]
) -> None:
    """Where a version belongs, a catalog is an error of the format, whoever reads it."""
    version = registry.push(MODEL, file())
    data = encode(msgspec.structs.replace(registry.put_catalog("fraud/other"), model=MODEL))
    store.create(record_key(DOMAIN, digest_of(data)), data)
    forge(store, MODEL, digest_of(data))
    reader = new_machine().registry()
    for action in (
        lambda: reader.resolve(MODEL),
        lambda: reader.pull(version.spec),
        lambda: reader.push(version.spec, file()),
    ):
        with pytest.raises(objreg.FormatError):
            action()
