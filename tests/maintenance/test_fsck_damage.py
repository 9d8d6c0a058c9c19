"""Every way of damaging a registry that we could think of is done to every object of one, and is found."""

import random
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.maintenance.sample import MODEL, Sample, codes

Damage = Callable[[Sample, str], bool]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """A registry with every kind of record, verified once by the machine that made it."""
    return verified(Sample(tmp_path_factory.mktemp("sample")))


@pytest.fixture(scope="module")
def whole_long(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """A registry with snapshots."""
    return verified(Sample(tmp_path_factory.mktemp("long"), long=True))


def verified(sample: Sample) -> Sample:
    """Return a registry that this machine has verified."""
    assert sample.fsck(deep=True).findings == ()
    return sample


@pytest.fixture
def sample(whole: Sample) -> Iterator[Sample]:
    """The first registry; what a test damages is put back."""
    objects = whole.copy()
    yield whole
    whole.restore(objects)


@pytest.fixture
def long(whole_long: Sample) -> Iterator[Sample]:
    """The one with snapshots."""
    objects = whole_long.copy()
    yield whole_long
    whole_long.restore(objects)


def targets(sample: Sample, long: Sample) -> list[tuple[Sample, str]]:
    """Every object of the one registry, all snapshots of the other, and the ends of its log."""
    log, snapshots = long.keys("long.model/log/"), long.keys("/snapshots/")
    assert snapshots
    return [(sample, key) for key in sample.all_keys] + [(long, key) for key in (*log[:2], log[-1], *snapshots)]


def flipped(data: bytes, position: int, bit: int = 1) -> bytes:
    """Return bytes with one bit changed."""
    return data[:position] + bytes([data[position] ^ bit]) + data[position + 1 :]


def kind(key: str) -> str:
    """Return the folder of a key, with its domain."""
    return key.rpartition("/")[0]


def flip(where: float, bit: int) -> Damage:
    def damage(sample: Sample, key: str) -> bool:
        data = sample.data(key)
        sample.put(key, flipped(data, min(int(len(data) * where), len(data) - 1), bit))
        return True

    return damage


def delete(sample: Sample, key: str) -> bool:
    del sample.objects[key]
    return True


def truncate(sample: Sample, key: str) -> bool:
    sample.put(key, sample.data(key)[: len(sample.data(key)) // 2])
    return True


def empty(sample: Sample, key: str) -> bool:
    sample.put(key, b"")
    return True


def lengthen(sample: Sample, key: str) -> bool:
    sample.put(key, sample.data(key) + b" ")
    return True


def replace_by_another(sample: Sample, key: str) -> bool:
    """Put another object of the same folder in its place."""
    others = [other for other in sample.keys(kind(key)) if kind(other) == kind(key) and other != key]
    if not others or key == "objreg.json":
        return False
    sample.put(key, sample.data(random.Random(key).choice(others)))
    return True


def swap(sample: Sample, key: str) -> bool:
    """Swap it with its neighbour in the folder."""
    keys = [other for other in sample.keys(kind(key)) if kind(other) == kind(key)]
    index = keys.index(key)
    if index + 1 == len(keys) or key == "objreg.json" or sample.data(key) == sample.data(keys[index + 1]):
        return False
    mine, other = sample.data(key), sample.data(keys[index + 1])
    sample.put(key, other)
    sample.put(keys[index + 1], mine)
    return True


DAMAGES: dict[str, Damage] = {
    "flip the first byte": flip(0.0, 1),
    "flip a high bit": flip(0.3, 128),
    "flip in the middle": flip(0.5, 1),
    "flip near the end": flip(0.9, 4),
    "flip the last byte": flip(1.0, 2),
    "delete": delete,
    "truncate": truncate,
    "empty": empty,
    "lengthen": lengthen,
    "replace by another": replace_by_another,
    "swap": swap,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_each_damage_to_each_object_is_found(sample: Sample, long: Sample, damage: Damage):
    """Whatever is done to whichever object, a deep verification on the machine that made the registry says so."""
    done = 0
    for damaged, key in targets(sample, long):
        objects = damaged.copy()
        if damage(damaged, key):
            done += 1
            assert codes(damaged.fsck(deep=True)), key
        damaged.restore(objects)
    assert done > 40


@pytest.mark.parametrize("name", ["flip in the middle", "delete", "truncate", "empty", "replace by another", "swap"])
def test_it_is_found_by_a_machine_that_never_saw_the_registry(sample: Sample, long: Sample, name: str):
    """A stranger finds the same, but for the newest entry of a log and the marker's bytes, which nothing refers to."""
    for damaged, key in targets(sample, long):
        objects = damaged.copy()
        is_newest = "/log/" in key and key == min(damaged.keys(f"{kind(key)}/"))
        if not is_newest and key != "objreg.json" and DAMAGES[name](damaged, key):
            assert codes(damaged.fsck(fresh=True, deep=True)), key
        damaged.restore(objects)


@pytest.mark.parametrize("name", ["delete", "truncate", "empty", "lengthen"])
def test_missing_and_short_objects_are_found_without_reading_blobs(sample: Sample, long: Sample, name: str):
    """A quick verification, which reads no blob, finds whatever changes an object's size or takes it away."""
    for damaged, key in targets(sample, long):
        objects = damaged.copy()
        DAMAGES[name](damaged, key)
        assert codes(damaged.fsck()), key
        damaged.restore(objects)


def test_a_blob_of_the_same_size_takes_a_deep_verification(sample: Sample):
    """A blob that was replaced by other bytes of the same size is found by reading it, and only so."""
    key = next(key for key in sample.keys(f"{MODEL}.model/blobs/") if not key.endswith(".zst"))
    sample.put(key, bytes(len(sample.data(key))))
    assert codes(sample.fsck()) == set()
    assert codes(sample.fsck(deep=True)) == {"blob-damaged"}


def test_findings_do_not_stop_the_verification(sample: Sample):
    """All damages at once are all found, each at its key."""
    blob, record = sample.keys(f"{MODEL}.model/blobs/")[0], sample.keys("fraud/_namespace/records/")[0]
    entry, settings = sample.keys(f"{MODEL}.model/log/")[5], sample.keys("_registry/log/")[-1]
    for key in (blob, record, entry, settings):
        del sample.objects[key]
    found = {(finding.code, finding.key) for finding in sample.fsck().findings}
    assert found >= {
        ("blob-missing", blob),
        ("record-missing", record),
        ("entry-missing", entry),
        ("entry-missing", settings),
    }


def test_a_hole_does_not_hide_what_comes_after_it(sample: Sample):
    """Behind a missing entry the state is taken from the next one, and later damage is still found."""
    log = sorted(sample.keys(f"{MODEL}.model/log/"), reverse=True)
    del sample.objects[log[2]]
    later = sample.entries()[9]
    assert later.seq == 10
    sample.forge_later(log[12])
    report = sample.fsck()
    assert {"entry-missing", "tail-wrong"} <= codes(report)
    assert not codes(report) & {"order-wrong", "change-unlisted", "refs-wrong", "version-changed"}


@given(st.data())
def test_any_single_byte_change_is_found(whole: Sample, whole_long: Sample, data: st.DataObject):
    """Any byte of any object may become any other byte: a deep verification finds it."""
    found = targets(whole, whole_long)
    sample, key = found[data.draw(st.integers(0, len(found) - 1))]
    old = sample.data(key)
    position = data.draw(st.integers(0, len(old) - 1))
    change = data.draw(st.integers(1, 255))
    sample.put(key, flipped(old, position, change))
    try:
        assert codes(sample.fsck(deep=True)), (key, position, change)
    finally:
        sample.put(key, old)


# The log as a whole


def test_an_older_copy_of_the_log_is_found(sample: Sample):
    """A log whose last entries are gone is older than what this machine has seen."""
    del sample.objects[min(sample.keys("fraud/_namespace/log/"))]
    report = sample.fsck()
    assert codes(report) == {"rolled-back"}
    assert codes(report, "note") == {"orphan-record"}


def test_a_log_that_forgot_a_collection_is_found(sample: Sample):
    """Blobs that were collected are missed as soon as the log does not tell of their collection any more."""
    for key in sorted(sample.keys(f"{MODEL}.model/log/"))[:2]:
        del sample.objects[key]
    assert codes(sample.fsck(fresh=True)) == {"blob-missing"}


def test_a_domain_that_is_gone_is_found(long: Sample):
    """A model whose folder was deleted, log and all, is missed by the machine that verified it."""
    for key in long.keys("long.model/"):
        del long.objects[key]
    assert {(found.code, found.domain) for found in long.fsck().findings} == {("rolled-back", "long.model")}
    assert codes(long.fsck("long")) == {"rolled-back"}


def test_a_fork_is_found(sample: Sample):
    """Another history from some entry on, right in itself, is not the one that this machine has seen."""
    ours = sample.copy()
    del sample.objects[min(sample.keys(f"{MODEL}.model/log/"))]
    other = sample.machine().registry()
    for number in range(2):
        other.put_catalog(MODEL, description=f"theirs {number}")
    assert codes(sample.fsck()) == {"history-replaced"}
    assert codes(sample.fsck(fresh=True)) == set()
    # Two histories mixed: their entries below ours. Anybody sees that the chain is broken.
    head = min(key for key in ours if key.startswith(f"{MODEL}.model/log/"))
    sample.put(head, ours[head][0])
    assert "chain-broken" in codes(sample.fsck(fresh=True))


def test_a_log_that_was_copied_from_another_model_is_found(long: Sample):
    """Entries say whose they are."""
    for key in long.keys("long.model/"):
        long.put(key.replace("long.model", "copied.model"), long.data(key))
    assert "entry-misplaced" in codes(long.fsck(fresh=True))


def test_a_registry_made_anew_is_found(sample: Sample):
    """Another marker in the same place is another registry."""
    sample.put("objreg.json", sample.data("objreg.json").replace(b"202", b"203"))
    assert codes(sample.fsck()) == {"marker-changed"}


def test_a_newer_format_is_said_to_be_one(sample: Sample):
    """A marker of format 2 is no damage that a backup would heal."""
    newer = sample.data("objreg.json").replace(b'"format":1', b'"format":2')
    sample.put("objreg.json", newer)
    report = sample.fsck(fresh=True)
    assert codes(report) == {"marker-unreadable"}
    assert "upgrade" in report.findings[0].message
