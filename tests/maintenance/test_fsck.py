"""What a verification covers, what it costs, and that it may run beside everything else."""

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from objreg.core.audit.findings import MEANINGS
from objreg.core.digest import digest_of
from objreg.core.encoding import encode
from objreg.core.keys import record_key
from objreg.errors import InvalidInput, NotFound, StoreUnavailable
from objreg.maintenance import collect, plan_collection
from objreg.maintenance.fsck import fsck
from objreg.store.memory import MemoryStore
from objreg.store.wrappers import CountingStore
from tests.maintenance.sample import DOMAIN, MODEL, Sample, codes
from tests.registry.machine import Machine


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    """A registry with every kind of record."""
    return Sample(tmp_path)


def test_a_clean_registry_is_clean(sample: Sample):
    """No finding at all, on the machine that made it and on one that never saw it, quick and deep."""
    for fresh in (False, True):
        for deep in (False, True):
            report = sample.fsck(fresh=fresh, deep=deep)
            assert report.findings == ()
            assert report.ok
            assert (report.domains, report.entries) == (3, len(sample.keys("/log/")))
            assert (report.bytes_hashed > 0) == deep


def test_it_does_not_trust_the_cache(sample: Sample):
    """A record that this machine has in its cache is missed in the store all the same."""
    key = sample.keys(f"{DOMAIN}/records/")[0]
    del sample.objects[key]
    assert codes(sample.fsck()) == {"record-missing"}


def test_it_repairs_nothing(sample: Sample):
    """Nothing is written or deleted, whatever is found."""
    del sample.objects[sample.keys(f"{DOMAIN}/log/")[4]]
    sample.put("stray.txt", b"x")
    before = {key: data for key, (data, _) in sample.objects.items()}
    sample.fsck(deep=True)
    assert {key: data for key, (data, _) in sample.objects.items()} == before


# Which part


def test_one_model(sample: Sample):
    """A model is verified with the manifests that define its states, and with nothing else."""
    sample.put("other/x.model/log/999999999999.json", b"{}")
    report = sample.fsck(MODEL)
    assert report.findings == ()
    assert report.domains == 3
    assert not sample.fsck().ok


def test_one_namespace(sample: Sample):
    """A namespace is verified with all that is below it."""
    registry = sample.maker.registry()
    registry.push("other/clf", sample.files(model_bin=b"x"))
    assert sample.fsck("fraud").domains == 3
    assert sample.fsck("fraud/cards").domains == 3
    assert sample.fsck("other").domains == 2
    assert sample.fsck().domains == 4


def test_what_is_not_there(sample: Sample):
    """A name of nothing is said to be one, and so is a place without a registry."""
    with pytest.raises(NotFound, match="no model or namespace nothing"):
        sample.fsck("nothing")
    with pytest.raises(InvalidInput):
        sample.fsck("../etc")
    with pytest.raises(InvalidInput, match=f"write '{MODEL}'"):
        sample.fsck(f"{MODEL}:1.0")
    with pytest.raises(NotFound, match="no registry"):
        fsck(Machine(MemoryStore("empty"), cache=sample.folder / "empty").registry())


def test_a_folder(sample: Sample, tmp_path: Path):
    """A registry in a folder, whose listing has no order, is verified like any other."""
    import objreg

    registry = objreg.open(tmp_path / "registry", create=True, actor="me")
    for key, (data, _) in sample.objects.items():
        path = tmp_path / "registry" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    assert fsck(registry, deep=True).findings == ()


# Everything in the folder


def test_what_a_crashed_push_leaves(sample: Sample):
    """Blobs and records of a push that did not come to its entry are notes, and no errors."""
    registry = sample.maker.registry()
    registry.push(MODEL, sample.files(model_bin=b"never committed"))
    del sample.objects[sample.keys(f"{DOMAIN}/log/")[0]]
    report = sample.fsck(fresh=True, deep=True)
    assert report.ok
    assert codes(report, "note") == {"orphan-blob", "orphan-record"}


def test_an_orphan_of_other_bytes(sample: Sample):
    """What nothing names, under a name that promises other bytes, would be taken by the next push for its own."""
    digits = digest_of(b"the next push").removeprefix("sha256:")
    sample.put(f"{DOMAIN}/blobs/{digits}", b"something else")
    sample.put(f"{DOMAIN}/blobs/{digits}.zst", b"not zstd")
    sample.put(f"{DOMAIN}/records/{digits}.json", b"{}")
    assert sample.fsck(fresh=True).ok
    report = sample.fsck(fresh=True, deep=True)
    assert [found.code for found in report.findings if found.severity == "error"] == ["orphan-damaged"] * 3


def test_what_does_not_belong_there(sample: Sample):
    """Foreign keys are warnings, but for those among the entries, which keep readers from the newest."""
    for key in ("README.md", "fraud/notes.txt", f"{DOMAIN}/blobs/README", "_registry/blobs/" + "0" * 64):
        sample.put(key, b"hello")
    report = sample.fsck(fresh=True)
    assert report.ok
    assert [found.code for found in report.findings] == ["unknown-key"] * 4
    sample.put(f"{DOMAIN}/log/.DS_Store", b"hello")
    assert codes(sample.fsck(fresh=True)) == {"log-foreign-key"}


def test_a_log_that_is_gone_on_a_strange_machine(sample: Sample):
    """Records without a log are a first push that crashed, or worse."""
    for key in sample.keys(f"{DOMAIN}/log/"):
        del sample.objects[key]
    assert "log-absent" in codes(sample.fsck(fresh=True), "warning")
    assert codes(sample.fsck()) == {"rolled-back"}


def test_a_record_that_is_none(sample: Sample):
    """Bytes with the right digest that are no record."""
    data = b'{"kind":"catalog"}'
    digest = digest_of(data)
    sample.put(record_key(DOMAIN, digest), data)
    sample.append({"catalog": digest, "changes": []})
    assert codes(sample.fsck(fresh=True)) == {"record-unreadable", "change-unlisted"}


def test_a_change_of_a_newer_release(sample: Sample):
    """What this release does not know is a note: a newer writer does no wrong."""
    change = {"kind": "blessing", "name": "x", "version": "", "record": "", "before": [], "after": []}
    sample.append({"blessed": ["1.1"], "changes": [change]})
    report = sample.fsck(fresh=True)
    assert report.ok
    assert codes(report, "note") == {"change-unknown"}


def test_a_state_of_another_shape(sample: Sample):
    """A patch whose values are not of the state's types."""
    last = sample.entries()[-1]
    sample.append({"changes": []}, patch={"versions": {"1.2": {"size": "large"}}, "changes": []}, refs=last.refs)
    assert codes(sample.fsck(fresh=True)) == {"state-unreadable"}


def test_a_collection_that_was_not_finished(sample: Sample):
    """Condemned blobs that are still there are a note; when they are gone all is well."""
    registry = sample.maker.registry()
    registry.push(MODEL, sample.files(model_bin=b"to be collected"), version="3.0")
    registry.retire(f"{MODEL}:3.0", reason="test")
    before = sample.copy()
    for plan in plan_collection(registry, MODEL, grace=timedelta(0)):
        collect(registry, plan)
    assert sample.fsck().findings == ()
    gone = before.keys() - sample.objects.keys()
    assert gone
    sample.objects.update({key: before[key] for key in gone})
    del sample.objects[sample.keys(f"{DOMAIN}/log/")[0]]
    report = sample.fsck(fresh=True)
    assert {found.code for found in report.findings} == {"condemned-left"}


# Since


def counted(sample: Sample, **options: Any) -> tuple[CountingStore, Any]:
    """Verify on the machine that made it, and count the requests."""
    store = CountingStore(sample.store)
    return store, fsck(sample.maker.registry(store), **options)


def test_since_costs_what_is_new(sample: Sample):
    """Nothing new: one listing, the marker, and for each domain its last entry and the slot after it."""
    sample.fsck()
    store, report = counted(sample, since=True)
    assert report.findings == ()
    assert report.entries == 0
    assert store.counts["list"] == 1
    assert store.requests == 1 + 1 + 3 * 2
    sample.maker.registry().put_catalog(MODEL, description="new")
    store, report = counted(sample, since=True)
    assert (report.findings, report.entries, report.records) == ((), 1, 1)
    assert store.requests == 1 + 1 + 3 * 2 + 2


def test_since_reads_the_snapshot_that_it_starts_from(tmp_path: Path):
    """In a long log the state comes from the snapshot, and is held against what was verified."""
    sample = Sample(tmp_path, long=True)
    assert sample.fsck().findings == ()
    sample.maker.registry().put_catalog("long", description="new")
    store, report = counted(sample, since=True)
    assert (report.findings, report.entries) == ((), 1)
    assert store.requests == 1 + 1 + 2 * 2 + 1 + 2
    forged = sample.entries("long.model")[-1].snapshot
    assert forged is not None
    key = f"long.model/snapshots/{forged.digest.removeprefix('sha256:')}.json"
    sample.put(key, sample.data(key).replace(b"order", b"odder", 1))
    assert "snapshot-damaged" in codes(sample.fsck(since=True))


def test_since_finds_damage_in_what_is_new(sample: Sample):
    """Later entries are held to everything; a state that was defined before the last verification is known."""
    sample.fsck()
    registry = sample.maker.registry()
    registry.set_state(f"{MODEL}:1.1", "staging")
    assert sample.fsck(since=True).findings == ()
    registry.record_experiment(f"{MODEL}:1.2", "holdout", metrics={"auc": 0.5})
    del sample.objects[record_key(DOMAIN, sample.entries()[-1].patch["changes"][0]["record"])]
    assert codes(sample.fsck(since=True)) == {"record-missing"}
    assert codes(sample.fsck(since=True)) == {"record-missing"}


def test_since_misses_nothing_that_was_deleted(sample: Sample):
    """What was verified earlier is not read again, but it must still be there."""
    sample.fsck()
    objects = sample.copy()
    entry, record = sample.keys(f"{DOMAIN}/log/")[5], sample.keys(f"{DOMAIN}/records/")[0]
    del sample.objects[entry]
    assert codes(sample.fsck(since=True)) == {"entry-missing"}
    sample.restore(objects)
    current = f"{DOMAIN}/records/{sample.entries()[1].patch['versions']['1.0']['record'].removeprefix('sha256:')}.json"
    del sample.objects[current]
    assert codes(sample.fsck(since=True)) == {"record-missing"}
    sample.restore(objects)
    assert record in sample.objects


def test_since_after_an_error(sample: Sample):
    """What was found broken is looked at again from the beginning, until it is mended."""
    sample.fsck()
    objects = sample.copy()
    del sample.objects[sample.keys(f"{DOMAIN}/blobs/")[0]]
    assert codes(sample.fsck()) == {"blob-missing"}
    assert codes(sample.fsck(since=True)) == {"blob-missing"}
    sample.restore(objects)
    assert sample.fsck(since=True).entries > 0
    assert sample.fsck(since=True).entries == 0


def test_since_on_another_history(sample: Sample):
    """Where the last verified entry is another one, all is replayed, and the replacement is an error."""
    sample.fsck()
    sample.forge(3, lambda patch: patch["versions"]["1.2"].update(size=1))
    report = sample.fsck(since=True)
    assert {"history-replaced", "record-mismatch"} <= codes(report)
    assert report.entries >= len(sample.entries())


def test_a_restored_registry_that_was_accepted(sample: Sample):
    """What this machine saw and verified of a registry is forgotten when its present history is accepted."""
    sample.fsck()
    del sample.objects[sample.keys(f"{DOMAIN}/log/")[0]]
    del sample.objects[sample.keys("fraud/_namespace/log/")[0]]
    sample.put("objreg.json", sample.data("objreg.json").replace(b"202", b"203"))
    assert codes(sample.fsck(since=True)) == {"rolled-back", "marker-changed"}
    registry = sample.maker.registry()
    registry.accept_history(MODEL)
    registry.accept_history(namespace="fraud")
    registry.accept_history()
    assert codes(sample.fsck(since=True)) == set()


def test_since_an_entry_that_is_named(sample: Sample):
    """Entries up to a number are taken on trust, which is said."""
    sample.forge(3, lambda patch: patch["versions"]["1.2"].update(size=1))
    assert "record-mismatch" in codes(sample.fsck(MODEL, fresh=True))
    report = sample.fsck(MODEL, fresh=True, since_entry=5)
    assert report.ok
    assert [found.code for found in report.findings] == ["started-on-trust"]
    with pytest.raises(InvalidInput, match="name the model"):
        sample.fsck(since_entry=5)


def test_a_quick_verification_does_not_stand_for_a_deep_one(sample: Sample):
    """Blobs that only a quick verification has seen are read by the next deep one, also with ``since``."""
    sample.fsck()
    assert sample.fsck(deep=True, since=True).bytes_hashed > 0
    assert sample.fsck(deep=True, since=True).bytes_hashed == 0


# Beside others


def test_beside_writers_and_collectors(sample: Sample):
    """A registry in use is no damaged one: pushes, moves, definitions and collections give no finding but notes."""
    stop = threading.Event()
    failed: list[BaseException] = []

    def work() -> None:
        registry = sample.machine().registry()
        number = 0
        try:
            while not stop.is_set():
                number += 1
                version = registry.push(MODEL, sample.files(model_bin=b"%d" % number))
                registry.define_state(f"state-{number}", namespace="fraud")
                registry.set_state(version, f"state-{number}")
                registry.unset_state(version, f"state-{number}")
                registry.retire(version, reason="test")
                for plan in plan_collection(registry, MODEL, grace=timedelta(0)):
                    collect(registry, plan)
        except BaseException as error:
            failed.append(error)
            raise

    worker = threading.Thread(target=work)
    worker.start()
    try:
        for round_number in range(15):
            report = sample.fsck(deep=round_number % 2 == 0, since=round_number % 3 == 0)
            wrong = [found for found in report.findings if found.severity != "note"]
            assert wrong == []
    finally:
        stop.set()
        worker.join()
    assert not failed
    assert sample.fsck(deep=True).findings == ()


class Unclear(CountingStore):
    """A store of which every third answer is lost, until it is repaired."""

    def get(self, key: str) -> bytes | None:
        self._count("get")
        if self.counts["get"] % 3 == 0:
            raise StoreUnavailable("no answer")
        return self._store.get(key)


def test_a_store_that_stutters(sample: Sample):
    """A lost answer is asked for again, and is no finding."""
    store = Unclear(sample.store)
    assert fsck(sample.maker.registry(store), deep=True).findings == ()


def test_progress_is_told(sample: Sample):
    """Whoever waits is told how many objects were read."""
    read: list[int] = []
    report = sample.fsck(deep=True, progress=read.append)
    assert sum(read) > report.entries + report.records


def test_each_finding_says_what_to_do(sample: Sample):
    """A finding has a message with both sides of a mismatch, and a meaning from the one table."""
    key = sample.keys(f"{DOMAIN}/records/")[0]
    sample.put(key, encode({"a": 1}))
    (found,) = (found for found in sample.fsck().findings if found.severity == "error")
    assert (found.code, found.domain, found.key) == ("record-damaged", DOMAIN, key)
    assert "expected sha256:" in found.message
    assert "found sha256:" in found.message
    assert found.meaning == MEANINGS["record-damaged"].text
