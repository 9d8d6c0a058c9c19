"""Order, and doubt: each rule of the commit has a fault test of its name."""

from pathlib import Path

import pytest

import objreg
from objreg.core.encoding import decode_json
from objreg.core.entries import read_entry
from objreg.core.keys import log_key
from objreg.registry.commit import DEADLINE_SECONDS
from objreg.store.memory import MemoryStore
from tests.faults.faulty_store import FaultyStore
from tests.registry.machine import Machine, TickingClock, new_store

MODEL = "fraud/clf"
DOMAIN = "fraud/clf.model"
LOG = f"{DOMAIN}/log/"


class Bucket:
    """A registry with one version, and a writer on it through a store that can fail."""

    def __init__(self, file: Path) -> None:
        self.store: MemoryStore = new_store()
        self.faulty = FaultyStore(self.store)
        self.file = file
        self.clock = TickingClock()
        self.other = Machine(self.store, actor="other@acme").registry()
        self.other.define_state("production", exclusive=True)
        self.first = self.other.push(MODEL, file)
        self.writer = Machine(self.store, actor="writer@acme", clock=self.clock).registry(self.faulty)
        self.writer.versions(MODEL)
        self.faulty.calls.clear()

    def record(self, name: str = "holdout", metric: float = 0.9) -> objreg.Experiment:
        """Let the writer commit an experiment."""
        return self.writer.record_experiment(self.first, name, metrics={"auc": metric})

    def others_record(self, name: str = "holdout", metric: float = 0.5) -> None:
        self.other.record_experiment(self.first, name, metrics={"auc": metric})

    @property
    def changes(self) -> list[tuple[str, str]]:
        """What the log says now: who recorded which experiment, oldest first; the chain is verified on the way."""
        history = list(Machine(self.store).registry().history(MODEL))[::-1]
        assert [item.seq for item in history] == list(range(len(history)))
        return [(item.actor, change.name) for item in history for change in item.changes if change.kind == "experiment"]

    def orphans(self) -> list[str]:
        """Return the objects of the model that no entry names."""
        named: set[str] = set()
        for info in self.store.list(LOG):
            data = self.store.get(info.key) or b""
            named.add(info.key)
            for change in decode_json(data, "entry")["patch"]["changes"]:
                named.add(f"{DOMAIN}/records/{change['record'].removeprefix('sha256:')}.json")
        objects = (info.key for info in self.store.list(f"{DOMAIN}/") if "/blobs/" not in info.key)
        return [key for key in objects if key not in named]


@pytest.fixture
def bucket(tmp_path: Path) -> Bucket:
    file = tmp_path / "model.bin"
    file.write_bytes(b"weights")
    return Bucket(file)


# The answer to the entry's create


def test_a_lost_answer_is_settled_by_reading_back(bucket: Bucket) -> None:
    """The entry landed and the answer was lost: the slot holds our op, so it is committed, once."""
    bucket.faulty.lose_answer("create", LOG)
    assert bucket.record().metrics == {"auc": 0.9}
    assert bucket.changes == [("writer@acme", "holdout")]
    assert bucket.faulty.count("create", LOG) == 1
    assert bucket.faulty.count("get", LOG) == 1


def test_a_lost_request_is_sent_again_to_the_same_slot(bucket: Bucket) -> None:
    """The slot is empty, so the same bytes go to the same slot: none is skipped."""
    bucket.faulty.fail("create", LOG, times=3)
    bucket.record()
    assert bucket.changes == [("writer@acme", "holdout")]
    attempts = [made for made in bucket.faulty.creates if LOG in made[0]]
    assert len(attempts) == 4
    assert len(set(attempts)) == 1
    assert bucket.clock.pauses == 3


def test_404_after_a_timeout_is_not_failure(bucket: Bucket) -> None:
    """A create that timed out may land after its slot was seen empty: it is still ours, and committed once."""

    def land_late() -> None:
        key, data = next(made for made in bucket.faulty.creates if LOG in made[0])
        assert bucket.store.create(key, data)

    bucket.faulty.fail("create", LOG)
    bucket.faulty.before("create", LOG, land_late)
    bucket.record()
    assert bucket.changes == [("writer@acme", "holdout")]


def test_a_clients_own_retry_is_not_taken_for_another_writer(bucket: Bucket) -> None:
    """A library below repeats a create whose answer was lost, and is told that the object exists: it is ours."""

    def repeat() -> None:
        assert bucket.store.create(*bucket.faulty.creates[-1])

    bucket.faulty.before("create", LOG, repeat)
    bucket.record()
    assert bucket.changes == [("writer@acme", "holdout")]
    assert bucket.faulty.count("create", LOG) == 1


def test_anothers_entry_in_the_slot_is_folded_and_the_next_slot_tried(bucket: Bucket) -> None:
    """A lost race: both commits are in the log, one after the other."""
    bucket.faulty.before("create", LOG, lambda: bucket.others_record("theirs"))
    bucket.record("ours")
    assert bucket.changes == [("other@acme", "theirs"), ("writer@acme", "ours")]
    assert bucket.clock.pauses == 1


def test_who_loses_again_reads_on_before_it_tries_again(bucket: Bucket) -> None:
    """Entries are read faster than they are made, so a loser catches up with writers that go on meanwhile."""
    bucket.faulty.before("create", LOG, lambda: bucket.others_record("first"))
    bucket.faulty.before("create", LOG, lambda: [bucket.others_record(f"then{number}") for number in range(9)])
    bucket.record("ours")
    assert len(bucket.changes) == 11
    assert bucket.changes[-1] == ("writer@acme", "ours")
    # Two lost races and the one that is won; nine entries are read, not raced for.
    assert bucket.faulty.count("create", LOG) == 3


def test_who_lost_a_race_gives_way_for_a_while(bucket: Bucket) -> None:
    """Before each commit of the next ten seconds it waits a moment; who lost none, or long ago, does not."""
    bucket.record("alone")
    assert bucket.clock.pauses == 0
    bucket.faulty.before("create", LOG, lambda: bucket.others_record("theirs"))
    bucket.record("ours")
    assert bucket.clock.pauses == 1  # after the race
    bucket.record("soon")
    assert bucket.clock.pauses == 2
    bucket.clock.seconds += 10
    bucket.record("later")
    assert bucket.clock.pauses == 2


class CreatesOnly(FaultyStore):
    """A bucket whose credentials may create and not replace, and which calls a taken key forbidden."""

    def create(self, key: str, data: bytes) -> bool:
        if not super().create(key, data):
            raise objreg.AccessDenied("may not replace")
        return True


def test_a_taken_slot_that_is_called_forbidden_is_a_lost_race(bucket: Bucket) -> None:
    """403 where the slot is taken, by another or by our own repeated request: look, and go on."""
    faulty = CreatesOnly(bucket.store)
    writer = Machine(bucket.store, actor="writer@acme", clock=bucket.clock).registry(faulty)
    faulty.before("create", LOG, lambda: bucket.others_record("theirs"))
    writer.record_experiment(bucket.first, "ours", metrics={"auc": 0.9})
    assert bucket.changes == [("other@acme", "theirs"), ("writer@acme", "ours")]
    faulty.before("create", LOG, lambda: bucket.store.create(*faulty.creates[-1]) and None)
    writer.record_experiment(bucket.first, "again", metrics={"auc": 0.9})
    assert bucket.changes[2:] == [("writer@acme", "again")]


def test_content_that_is_there_may_be_called_forbidden(bucket: Bucket) -> None:
    """A blob and a record that another writer made meanwhile are there, whatever the store calls that."""
    faulty = CreatesOnly(bucket.store)
    writer = Machine(bucket.store, clock=bucket.clock).registry(faulty)
    bucket.file.write_bytes(b"new weights")
    for where in ("/blobs/", "/records/"):
        faulty.before("create", where, lambda: bucket.store.create(*faulty.creates[-1]) and None)
    assert writer.push(MODEL, bucket.file).version == "1.1"


def test_a_lost_answer_and_a_lost_race_at_once(bucket: Bucket) -> None:
    """No answer, and the slot holds another's: ours did not land, and goes to the next."""
    bucket.faulty.before("create", LOG, lambda: bucket.others_record("theirs"))
    bucket.faulty.fail("create", log_key(DOMAIN, 2))
    bucket.record("ours")
    assert bucket.changes == [("other@acme", "theirs"), ("writer@acme", "ours")]


def test_a_decision_is_made_again_after_every_lost_race(bucket: Bucket) -> None:
    """The winner recorded the same experiment: ours is refused with the facts of theirs, and leaves no entry."""
    bucket.faulty.before("create", LOG, bucket.others_record)
    with pytest.raises(objreg.AlreadyExists, match=r"by other@acme: finished, auc=0\.5") as caught:
        bucket.record()
    assert caught.value.facts["experiment"].created_by == "other@acme"
    assert bucket.changes == [("other@acme", "holdout")]


def test_expect_is_checked_against_the_state_that_the_commit_lands_on(bucket: Bucket) -> None:
    """The winner moved the state after the caller looked: the caller's expectation does not hold any more."""
    second = bucket.other.push(MODEL, bucket.file)
    bucket.writer.versions(MODEL)
    bucket.faulty.before("create", LOG, lambda: bucket.other.set_state(second, "production"))
    with pytest.raises(objreg.Conflict, match=r"to be none, and it is 1\.1"):
        bucket.writer.set_state(bucket.first, "production", expect="")
    assert bucket.other.resolve(f"{MODEL}@production").version == "1.1"


def test_a_next_version_is_taken_anew_after_a_lost_race(bucket: Bucket) -> None:
    """Two pushes want 1.1: the loser gets 1.2, and sends its files once."""
    bucket.file.write_bytes(b"new weights")
    bucket.faulty.before("create", LOG, lambda: bucket.other.push(MODEL, bucket.file))
    assert bucket.writer.push(MODEL, bucket.file).version == "1.2"
    assert bucket.faulty.count("create", "/blobs/") == 1


def test_a_lost_answer_then_another_writer_takes_the_next_slot(bucket: Bucket) -> None:
    """Ours landed and was built upon before we could ask: it is committed all the same, and we know no more than that."""
    bucket.faulty.lose_answer("create", LOG)
    bucket.faulty.before("get", LOG, lambda: bucket.others_record("theirs"))
    bucket.record("ours")
    assert bucket.changes == [("writer@acme", "ours"), ("other@acme", "theirs")]
    bucket.record("again")
    assert bucket.changes[-1] == ("writer@acme", "again")


def test_losing_every_race_ends_at_the_deadline_and_commits_nothing(bucket: Bucket) -> None:
    """The error says that nothing was committed, and how often others came first."""
    for number in range(200):
        bucket.faulty.before("create", LOG, lambda number=number: bucket.others_record(f"theirs-{number}"))
    with pytest.raises(objreg.StoreUnavailable, match=r"nothing was committed .* other commits came first") as caught:
        bucket.record("ours")
    assert caught.value.facts["races"] >= DEADLINE_SECONDS - 1
    assert ("writer@acme", "ours") not in bucket.changes


# No answer at all


def test_when_the_deadline_ends_first_the_commit_is_unknown(bucket: Bucket) -> None:
    """No read back says what became of it: the error has the op, which is in the log exactly if it landed."""
    bucket.faulty.lose_answer("create", LOG)
    bucket.faulty.fail("get", LOG, times=float("inf"))
    with pytest.raises(objreg.CommitUnknown, match=r"look for op [0-9a-f]{32} in the log before you repeat") as caught:
        bucket.record()
    assert caught.value.facts["domain"] == DOMAIN
    data = bucket.store.get(log_key(DOMAIN, 1)) or b""
    assert read_entry(data, DOMAIN, 1).entry.op == caught.value.facts["op"]
    assert DEADLINE_SECONDS <= bucket.clock.seconds <= DEADLINE_SECONDS + 2


def test_a_slot_that_stays_empty_is_unknown_too(bucket: Bucket) -> None:
    """Every create is lost and every read says 404: an attempt may still be on its way, so it is not called a failure."""
    bucket.faulty.fail("create", LOG, times=float("inf"))
    with pytest.raises(objreg.CommitUnknown):
        bucket.record()
    assert bucket.changes == []
    assert len({key for key, _ in bucket.faulty.creates if LOG in key}) == 1, "one slot, never another"


def test_a_refusal_after_an_unclear_attempt_is_unknown(bucket: Bucket) -> None:
    """Credentials that run out while it is unclear settle nothing."""
    denied = objreg.AccessDenied("no")
    bucket.faulty.fail("create", LOG)
    bucket.faulty.fail("create", LOG, error=denied)
    with pytest.raises(objreg.CommitUnknown):
        bucket.record()
    bucket.faulty.lose_answer("create", LOG)
    bucket.faulty.fail("get", LOG, error=denied)
    with pytest.raises(objreg.CommitUnknown):
        bucket.record("other")
    assert bucket.changes == [("writer@acme", "other")]


def test_a_refused_read_after_a_taken_slot_is_unknown(bucket: Bucket) -> None:
    """The slot is taken, perhaps by our own bytes that a library sent twice, and nobody may look: that is not clear."""
    bucket.faulty.before("create", LOG, lambda: bucket.store.create(*bucket.faulty.creates[-1]) and None)
    bucket.faulty.fail("get", LOG, error=objreg.AccessDenied("no"))
    with pytest.raises(objreg.CommitUnknown):
        bucket.record()
    assert bucket.changes == [("writer@acme", "holdout")]


def test_a_clear_refusal_is_a_refusal(bucket: Bucket) -> None:
    """403 at the first attempt: nothing was committed, and the error says what to do."""
    bucket.faulty.fail("create", LOG, error=objreg.AccessDenied("may not write; ask for the permission"))
    with pytest.raises(objreg.AccessDenied, match="ask for the permission"):
        bucket.record()
    assert bucket.changes == []


def test_the_writer_goes_on_after_an_unknown_commit(bucket: Bucket) -> None:
    """Whether or not it landed, the next commit finds out and follows it; repeating the change is then refused."""
    bucket.faulty.lose_answer("create", LOG)
    bucket.faulty.fail("get", LOG, times=DEADLINE_SECONDS + 1)
    with pytest.raises(objreg.CommitUnknown):
        bucket.record()
    with pytest.raises(objreg.AlreadyExists, match="by writer@acme"):
        bucket.record()
    bucket.record("next")
    assert bucket.changes == [("writer@acme", "holdout"), ("writer@acme", "next")]


# Order


def test_blobs_then_records_then_the_entry(bucket: Bucket) -> None:
    """The entry's create is the last write, and what it names is there before."""
    bucket.file.write_bytes(b"new weights")
    bucket.writer.push(MODEL, bucket.file)
    folders = [key.removeprefix(f"{DOMAIN}/").partition("/")[0] for key, _ in bucket.faulty.creates]
    assert folders == ["blobs", "records", "log"]


def test_a_snapshot_is_written_before_the_entry_that_names_it(bucket: Bucket) -> None:
    """In a long history, too, the entry comes last."""
    for _ in range(120):
        bucket.writer.push(MODEL, bucket.file)
    creates = [key.removeprefix(f"{DOMAIN}/").partition("/")[0] for key, _ in bucket.faulty.creates]
    assert "snapshots" in creates
    for at, folder in enumerate(creates):
        if folder == "snapshots":
            assert creates[at : at + 3] == ["snapshots", "records", "log"]


class Crash(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("where", ["/blobs/", "/records/", "/log/"])
@pytest.mark.parametrize("applied", [True, False])
def test_a_crash_before_the_entry_leaves_unreferenced_objects_only(bucket: Bucket, where: str, applied: bool) -> None:
    """Wherever a push dies, the registry is as it was or has all of it; the next push goes on from there."""
    bucket.file.write_bytes(b"new weights")
    if applied and where != "/log/":

        def crash() -> None:
            bucket.store.create(*bucket.faulty.creates[-1])
            raise Crash

        bucket.faulty.before("create", where, crash)
    else:
        bucket.faulty.fail("create", where, error=Crash())
    with pytest.raises(Crash):
        bucket.writer.push(MODEL, bucket.file)
    reader = Machine(bucket.store).registry()
    assert [found.version for found in reader.versions(MODEL)] == ["1.0"]
    assert len(bucket.orphans()) <= 1
    again = Machine(bucket.store).registry().push(MODEL, bucket.file)
    assert again.version == "1.1"
    assert (reader.pull(again) / "model.bin").read_bytes() == b"new weights"


def test_a_crash_after_the_entry_is_a_commit(bucket: Bucket) -> None:
    """The entry is the one commit point: once it is there, all of the push is."""
    bucket.file.write_bytes(b"new weights")

    def crash() -> None:
        bucket.store.create(*bucket.faulty.creates[-1])
        raise Crash

    bucket.faulty.before("create", LOG, crash)
    with pytest.raises(Crash):
        bucket.writer.push(MODEL, bucket.file)
    reader = Machine(bucket.store).registry()
    assert (reader.pull(f"{MODEL}:1.1") / "model.bin").read_bytes() == b"new weights"
    assert bucket.orphans() == []


# Blobs and records: their keys name their content


@pytest.mark.parametrize("where", ["/blobs/", "/records/"])
def test_content_is_sent_again_until_it_is_there(bucket: Bucket, where: str) -> None:
    """Lost requests and lost answers alike: a key that names its content can be written any number of times."""
    bucket.file.write_bytes(b"new weights")
    bucket.faulty.fail("create", where, times=2)
    bucket.faulty.lose_answer("create", where)
    version = bucket.writer.push(MODEL, bucket.file)
    assert version.version == "1.1"
    assert bucket.faulty.count("create", where) == 4
    assert (Machine(bucket.store).registry().pull(version) / "model.bin").read_bytes() == b"new weights"


@pytest.mark.parametrize("where", ["/blobs/", "/records/"])
def test_a_store_that_does_not_answer_is_unavailable_and_nothing_is_committed(bucket: Bucket, where: str) -> None:
    """Before the entry there is no doubt: the push failed, and can be repeated."""
    bucket.file.write_bytes(b"new weights")
    bucket.faulty.fail("create", where, times=float("inf"))
    with pytest.raises(objreg.StoreUnavailable):
        bucket.writer.push(MODEL, bucket.file)
    assert bucket.faulty.count("create", LOG) == 0
    assert [found.version for found in bucket.other.versions(MODEL)] == ["1.0"]
    assert bucket.clock.seconds <= 2 * DEADLINE_SECONDS + 2


def test_one_failed_blob_stops_the_others(bucket: Bucket, tmp_path: Path) -> None:
    """A refusal is not sent hundreds of times."""
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(50):
        (folder / str(number)).write_bytes(b"%d" % number)
    bucket.faulty.fail("create", "/blobs/", times=float("inf"), error=objreg.AccessDenied("no"))
    with pytest.raises(objreg.AccessDenied):
        bucket.writer.push(MODEL, folder)
    assert bucket.faulty.count("create", LOG) == 0


# Reading


def test_a_reader_is_told_that_the_store_does_not_answer(bucket: Bucket) -> None:
    """Reads are not repeated here: the engines below do that."""
    for method, action in (
        ("first", lambda: Machine(bucket.store).registry(bucket.faulty).resolve(MODEL)),
        ("get", lambda: Machine(bucket.store).registry(bucket.faulty).versions(MODEL)),
    ):
        bucket.faulty.fail(method, LOG)
        with pytest.raises(objreg.StoreUnavailable):
            action()


def test_a_listing_that_runs_ahead_of_the_object_is_named(bucket: Bucket) -> None:
    """A store that lists an entry and then has none breaks its promise; the error says so, and to try again."""
    bucket.faulty.before("get", LOG, lambda: bucket.store.delete(log_key(DOMAIN, 0)))
    with pytest.raises(objreg.StoreUnavailable, match=r"lists entry 0 of .* and then has none: it is not consistent"):
        Machine(bucket.store).registry(bucket.faulty).versions(MODEL)


def test_a_refused_decision_on_remembered_state_is_made_again_on_the_newest(bucket: Bucket) -> None:
    """What this process remembers may be old: before it says no, it looks."""
    second = bucket.other.push(MODEL, bucket.file)
    assert bucket.writer.record_experiment(second, "late").version.version == "1.1"
    with pytest.raises(objreg.NotFound, match=r"no version 1\.7"):
        bucket.writer.record_experiment(f"{MODEL}:1.7", "late")
