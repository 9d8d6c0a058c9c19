"""The examination of a store: sound ones pass on real servers, and each way of being unsound is found."""

import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from objreg.core.access.grants import PROBES
from objreg.core.digest import digest_of
from objreg.errors import AccessDenied, StoreError, StoreUnavailable
from objreg.maintenance.bench import Bench
from objreg.maintenance.checks import Check, Diagnosis, Outcome
from objreg.maintenance.doctor import diagnose, examine
from objreg.registry.clock import SystemClock
from objreg.store import MemoryStore, ObjectInfo, open_store

SOUND = [
    ("moto", "obstore"),
    ("moto", "fsspec"),
    ("ministack", "obstore"),
    ("seaweedfs", "obstore"),
    ("ceph", "obstore"),
    ("ceph", "fsspec"),
    ("fake-gcs", "fsspec"),
    ("azurite", "obstore"),
    ("azurite", "fsspec"),
]
RACE = "creates at once"


class Off(SystemClock):
    """A clock that is wrong by a fixed time."""

    def __init__(self, wrong: timedelta) -> None:
        self.wrong = wrong

    def now(self) -> datetime:
        return super().now() + self.wrong


def check(found: Diagnosis | list[Check], name: str) -> Check:
    checks = found.checks if isinstance(found, Diagnosis) else found
    (one,) = [item for item in checks if item.name.endswith(name)]
    return one


def bad(found: Diagnosis) -> list[Check]:
    return [item for item in found.checks if item.outcome is not Outcome.OK]


def on_server(servers, name: str, engine: str, **options) -> tuple[Diagnosis, str]:
    server = servers[name]
    url = f"{server.new_bucket()}/registry"
    racers = min(server.racers, 16 if engine == "obstore" else 4)  # a Python client for each racer is slow to make
    return diagnose(url, storage_options=server.options(engine) | options, engine=engine, racers=racers), url


@pytest.mark.parametrize(("name", "engine"), SOUND, ids="-".join)
def test_a_sound_server_passes(servers, name: str, engine: str):
    """Every probe is well on each real server, but for what is told of single ones. Nothing is left behind."""
    found, url = on_server(servers, name, engine)
    told = {
        "azurite": {("versioning", Outcome.UNKNOWN), ("lifecycle rules", Outcome.UNKNOWN)},
        "ministack": {("checksums", Outcome.WARNING)},
    }
    assert {(item.name, item.outcome) for item in bad(found)} == told.get(name, set())
    assert all("az storage" in item.remedy for item in bad(found) if item.outcome is Outcome.UNKNOWN)
    store = open_store(url, storage_options=servers[name].options(engine), engine=engine)
    assert list(store.list("")) == []
    store.close()


@pytest.mark.parametrize("engine", ["obstore", "fsspec"])
def test_a_server_that_ignores_the_condition_fails(servers, engine: str):
    """The second create wins, all racers win, and the rest of the examination goes on."""
    found, _ = on_server(servers, "nanio", engine)
    assert {item.name for item in bad(found)} == {
        "create never replaces",
        check(found, RACE).name,
        "create over a deleted key",
    }
    assert all(item.outcome is Outcome.FAILED and item.remedy and item.expected for item in bad(found))
    assert found.outcome is Outcome.FAILED


@pytest.mark.parametrize("name", ["moto", "ministack", "seaweedfs", "ceph"])
def test_a_versioned_bucket_is_trusted_if_it_keeps_the_condition(servers, name: str):
    """After a delete there is a history, and still no create may replace: Ceph 16 forgets it there, and is refused."""
    server = servers[name]
    url = server.new_bucket()
    client = server.client()
    client.put_bucket_versioning(Bucket=url[5:], VersioningConfiguration={"Status": "Enabled"})
    client.put_object(Bucket=url[5:], Key="direct", Body=b"first", IfNoneMatch="*")
    try:
        client.put_object(Bucket=url[5:], Key="direct", Body=b"second", IfNoneMatch="*")
        kept = False
    except ClientError:
        kept = True
    client.close()
    found = diagnose(url, storage_options=server.options("obstore"), engine="obstore", racers=4)
    assert check(found, "versioning").found.startswith("on:")
    named = {item.name for item in bad(found)} - {"checksums"}
    assert named == (set() if kept else {"create never replaces", "4 creates at once", "create over a deleted key"})
    assert kept or name == "ceph"


@pytest.mark.parametrize(
    ("name", "outcome", "said"),
    [
        ("seaweedfs", Outcome.OK, "kept and told, and a wrong one refused"),
        ("ministack", Outcome.WARNING, "repeats what it is told, unchecked"),
        ("moto", Outcome.OK, "no SHA-256 is kept"),
        ("ceph", Outcome.OK, "no SHA-256 is kept"),
    ],
)
def test_what_a_server_makes_of_checksums(servers, name: str, outcome: Outcome, said: str):
    """Whether a verification may take the store's word; needed by no registry, so it never fails."""
    server = servers[name]
    found = diagnose(server.new_bucket(), storage_options=server.options("obstore"), engine="obstore", racers=2)
    judged = check(found, "checksums")
    assert judged.outcome is outcome
    assert said in judged.found
    assert ("--stored-checksums" in judged.remedy) == (outcome is Outcome.WARNING)


def test_checksums_are_not_known_without_the_extra(s3_server, monkeypatch: pytest.MonkeyPatch):
    """Wrong checksums are sent through s3fs; without it nothing is known, and the extra is named."""
    monkeypatch.setitem(sys.modules, "s3fs", None)
    options = s3_server.options("obstore")
    found = diagnose(s3_server.new_bucket(), storage_options=options, engine="obstore", racers=2)
    assert check(found, "checksums").outcome is Outcome.UNKNOWN
    assert "objreg[s3]" in check(found, "checksums").remedy


def rule(name: str, prefix: str | None = None, **action) -> dict:
    return {"ID": name, "Status": "Enabled", "Filter": {} if prefix is None else {"Prefix": prefix}, **action}


@pytest.mark.parametrize(
    ("rules", "outcome", "named"),
    [
        ([rule("tidy", "", Expiration={"Days": 30})], Outcome.FAILED, "tidy"),
        ([rule("tidy", "registry/fraud/", Expiration={"Days": 30})], Outcome.FAILED, "tidy"),
        ([rule("cold", "reg", Transitions=[{"Days": 30, "StorageClass": "GLACIER"}])], Outcome.FAILED, "cold"),
        ([rule("other", "logs/", Expiration={"Days": 30})], Outcome.OK, "none of which"),
        ([rule("probes", "registry/_registry/probe/", Expiration={"Days": 1})], Outcome.OK, "none of which"),
        ([rule("old", "", NoncurrentVersionExpiration={"NoncurrentDays": 30})], Outcome.OK, "none of which"),
        ([rule("parts", "", AbortIncompleteMultipartUpload={"DaysAfterInitiation": 1})], Outcome.OK, "none of which"),
        ([rule("tidy", "", Expiration={"Days": 30}) | {"Status": "Disabled"}], Outcome.OK, "none of which"),
        (
            [rule("tagged", Expiration={"Days": 30}) | {"Filter": {"Tag": {"Key": "a", "Value": "b"}}}],
            Outcome.WARNING,
            "tagged",
        ),
    ],
)
def test_a_rule_that_would_delete_a_log_is_named(s3_server, rules: list[dict], outcome: Outcome, named: str):
    """Rules that expire or archive what the registry needs fail with their id; others do not."""
    url = s3_server.new_bucket()
    client = s3_server.client()
    client.put_bucket_lifecycle_configuration(Bucket=url[5:], LifecycleConfiguration={"Rules": rules})
    client.close()
    found = diagnose(f"{url}/registry", storage_options=s3_server.options("obstore"), engine="obstore", racers=2)
    judged = check(found, "lifecycle rules")
    assert judged.outcome is outcome
    assert named in judged.found
    assert [item.name for item in bad(found)] == ([] if outcome is Outcome.OK else ["lifecycle rules"])


@pytest.mark.parametrize("engine", ["obstore", "fsspec"])
@pytest.mark.parametrize("name", ["seaweedfs", "ceph"])
def test_wrong_credentials_are_told_with_what_to_do(servers, name: str, engine: str):
    """Reading fails as denied, the rest is not tried or denied too, and no secret is repeated."""
    server = servers[name]
    options = server.options(engine, wrong_credentials=True)
    found = diagnose(server.new_bucket(), storage_options=options, engine=engine, racers=2)
    assert check(found, "reads").outcome is Outcome.FAILED
    assert "credentials" in check(found, "reads").remedy
    assert check(found, RACE).outcome is Outcome.UNKNOWN
    assert "not-the-secret" not in repr(found)


@pytest.mark.parametrize("engine", ["obstore", "fsspec"])
def test_a_missing_bucket_is_told(servers, engine: str):
    """The bucket is said not to exist."""
    server = servers["ceph"]
    found = diagnose("s3://objreg-not-there", storage_options=server.options(engine), engine=engine, racers=2)
    assert check(found, "reads").outcome is Outcome.FAILED
    assert "does not exist" in check(found, "reads").found


def test_a_store_that_does_not_answer_is_asked_once():
    """Nothing is known then, and each check says so; nobody waits for it a dozen times."""
    options = {"endpoint_url": "http://127.0.0.1:1", "access_key_id": "k", "secret_access_key": "s"}
    found = diagnose("s3://bucket", storage_options=options, engine="obstore", racers=2)
    assert {item.outcome for item in found.checks} == {Outcome.UNKNOWN}
    assert "no answer" in check(found, "reads").found


@pytest.mark.parametrize(
    ("wrong", "outcome", "said"),
    [
        (timedelta(hours=-1), Outcome.FAILED, "behind"),
        (timedelta(hours=1), Outcome.FAILED, "ahead"),
        (timedelta(minutes=-2), Outcome.WARNING, "behind"),
        (timedelta(minutes=2), Outcome.WARNING, "ahead"),
        (timedelta(), Outcome.OK, "agree"),
    ],
)
def test_a_clock_that_is_off_is_found(s3_server, wrong: timedelta, outcome: Outcome, said: str):
    """Measured by an object that was made just now."""
    found = diagnose(
        s3_server.new_bucket(),
        storage_options=s3_server.options("obstore"),
        engine="obstore",
        racers=2,
        clock=Off(wrong),
    )
    assert check(found, "clock").outcome is outcome
    assert said in check(found, "clock").found


def test_a_folder_passes_and_is_left_as_it_was(tmp_path: Path):
    """Links, letter case, room and the file system's kind are told beside the probes."""
    found = diagnose(str(tmp_path / "registry"))
    assert {item.name for item in found.checks} >= {"hard links", "letter case", "free space", "file system"}
    assert [item for item in bad(found) if item.name != "file system"] == []
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert list((tmp_path / "registry" / PROBES).iterdir()) == []


# Stores that lie


class TwoWinners(MemoryStore):
    """Says True to everybody."""

    def create(self, key: str, data: bytes) -> bool:
        super().create(key, data)
        return True


class Overwrites(MemoryStore):
    """Says False, and stores the new bytes all the same."""

    def create(self, key: str, data: bytes) -> bool:
        created = super().create(key, data)
        if not created:
            self.delete(key)
            super().create(key, data)
        return created


class WrongOrder(MemoryStore):
    """Lists the last key first."""

    def first(self, prefix: str) -> ObjectInfo | None:
        return max((info for info in self.list("") if info.key.startswith(prefix)), key=lambda i: i.key, default=None)


class NeighboursToo(MemoryStore):
    """Takes a prefix for one without its slash."""

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        return (info for info in super().list("") if info.key.startswith(prefix.rstrip("/")))


class Forgetful(MemoryStore):
    """Lists all but the newest object."""

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        return iter(list(super().list(prefix))[:-1])


class Remembers(MemoryStore):
    """A cache that keeps what was not there."""

    def __init__(self, name: str = "") -> None:
        super().__init__(name)
        self.missed: set[str] = set()

    def get(self, key: str) -> bytes | None:
        if key in self.missed:
            return None
        found = super().get(key)
        if found is None:
            self.missed.add(key)
        return found


class Undeleting(MemoryStore):
    """Forgets the condition for keys that were deleted once."""

    def __init__(self, name: str = "") -> None:
        super().__init__(name)
        self.deleted: set[str] = set()

    def delete(self, key: str) -> None:
        self.deleted.add(key)
        super().delete(key)

    def create(self, key: str, data: bytes) -> bool:
        if key in self.deleted:
            super().delete(key)
        return super().create(key, data)


class Forbidding(MemoryStore):
    """Says 403 for what is not there."""

    def get(self, key: str) -> bytes | None:
        found = super().get(key)
        if found is None:
            raise AccessDenied("no permission to list")
        return found


class WrongRange(MemoryStore):
    """Is off by one."""

    def get_range(self, key: str, start: int, length: int) -> bytes | None:
        return super().get_range(key, start + 1, length)


class Ghost(MemoryStore):
    """Has something at every key."""

    def head(self, key: str) -> ObjectInfo | None:
        return super().head(key) or ObjectInfo(key, 0)


class Claimed(MemoryStore):
    """A bucket that keeps checksums, as far as a subclass says."""

    refuses_all = refuses_wrong = stores_refused = False

    def __init__(self, name: str = "") -> None:
        super().__init__(name)
        self.url, self.claim, self.kept = "s3://bucket", None, {}

    def claiming(self, claim: Callable[[bytes], str]) -> "Claimed":
        claimed = type(self)()
        claimed._objects, claimed.kept, claimed.claim = self._objects, self.kept, claim
        return claimed

    def create(self, key: str, data: bytes) -> bool:
        said = None if self.claim is None else self.claim(data)
        refused = said is not None and (self.refuses_all or (self.refuses_wrong and said != digest_of(data)))
        if not refused or self.stores_refused:
            super().create(key, data)
            self.kept[key] = said
        if refused:
            raise StoreError("400 (BadDigest)")
        return True

    def recorded_sha256(self, key: str) -> str | None:
        return self.kept.get(key)


class RefusesClaims(Claimed):
    refuses_all = True


class RefusesWrong(Claimed):
    refuses_wrong = True


class StoresWhatItRefuses(Claimed):
    refuses_wrong = stores_refused = True


@pytest.mark.parametrize(
    ("kind", "outcome", "said"),
    [
        (RefusesClaims, Outcome.OK, "leave the option checksum_algorithm out"),
        (RefusesWrong, Outcome.OK, "kept and told"),
        (Claimed, Outcome.WARNING, "unchecked"),
        (StoresWhatItRefuses, Outcome.WARNING, "unchecked"),
    ],
)
def test_each_way_with_checksums_is_told(kind: type[Claimed], outcome: Outcome, said: str):
    """A header that is refused altogether is told; a wrong one that is stored is warned of, whatever was answered."""
    store = kind()
    judged = check(examined(store, claiming=store.claiming), "checksums")
    assert judged.outcome is outcome
    assert said in judged.found


def examined(store: MemoryStore, **options) -> list[Check]:
    return list(examine(Bench(store, lambda: store, SystemClock(), 8, **options)))


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (TwoWinners, "create never replaces"),
        (TwoWinners, RACE),
        (Overwrites, "create never replaces"),
        (Overwrites, RACE),
        (WrongOrder, "listing"),
        (NeighboursToo, "listing"),
        (Forgetful, "listing"),
        (Remembers, "visible at once"),
        (Undeleting, "create over a deleted key"),
        (Forbidding, "missing is missing"),
        (WrongRange, "ranges"),
        (Ghost, "missing is missing"),
    ],
)
def test_a_store_that_lies_is_found_out(kind: Callable[[], MemoryStore], name: str):
    """Each lie fails the check that is about it, and the examination goes on to the clean-up."""
    found = examined(kind())
    named = [item for item in found if item.name in {name, f"8 {name}"}]
    assert [item.outcome for item in named] == [Outcome.FAILED]
    assert found[-1].name == "clean-up"


def test_an_honest_store_is_not_accused():
    """The control of the test above."""
    found = examined(MemoryStore())
    assert {item.outcome for item in found} == {Outcome.OK, Outcome.UNKNOWN}
    assert [item.name for item in found if item.outcome is Outcome.UNKNOWN] == ["capped listing"]


class Page:
    def __init__(self, store: MemoryStore, order: Callable[[list[str]], list[str]]) -> None:
        self.store, self.order = store, order

    def page(self, prefix: str, limit: int) -> list[str]:
        return self.order(sorted(info.key for info in self.store.list(prefix)))


@pytest.mark.parametrize(
    ("order", "outcome"),
    [
        (lambda keys: keys[:2], Outcome.OK),
        (lambda keys: keys, Outcome.WARNING),
        (lambda keys: keys[::-1][:2], Outcome.FAILED),
        (lambda keys: keys[1:3], Outcome.FAILED),
        (lambda _keys: [], Outcome.FAILED),
    ],
)
def test_a_listing_is_capped_and_in_order_on_the_wire(order: Callable[[list[str]], list[str]], outcome: Outcome):
    """A cap that is ignored costs time; an order that is wrong costs commits."""
    store = MemoryStore()
    assert check(examined(store, pages=Page(store, order)), "capped listing").outcome is outcome


class NoDelete(MemoryStore):
    """The credentials of a writer."""

    def delete(self, key: str) -> None:
        raise AccessDenied("deleting is denied")


def test_who_may_not_delete_is_not_blamed():
    """A writer without that permission passes; what stays is told."""
    store = NoDelete()
    found = examined(store)
    assert {item.outcome for item in found} == {Outcome.OK, Outcome.UNKNOWN}
    assert "safer" in check(found, "may delete").found
    left = list(store.list(""))
    assert found[-1].found.startswith(f"{len(left)} tiny objects stay below {PROBES}")
    assert all(info.key.startswith(PROBES) for info in left)


class NoCreate(MemoryStore):
    """The credentials of a reader."""

    def create(self, key: str, data: bytes) -> bool:
        raise AccessDenied("creating is denied")


def test_a_reader_is_told_what_it_cannot_know():
    """Creating is denied: a warning, and what rests on it is not tried."""
    found = examined(NoCreate())
    assert check(found, "may create").outcome is Outcome.WARNING
    assert check(found, RACE).found.startswith("not tried")
    assert not [item for item in found if item.outcome is Outcome.FAILED]


class DeniedNotConflict(MemoryStore):
    """A cloud whose writer may create and not replace, and says so with 403."""

    def create(self, key: str, data: bytes) -> bool:
        if not super().create(key, data):
            raise AccessDenied("replacing is denied")
        return True


def test_a_conflict_that_is_called_forbidden_is_told():
    """Nothing is overwritten, and a loser of a race looks."""
    found = examined(DeniedNotConflict())
    assert "(403)" in check(found, "create never replaces").found
    assert check(found, "create never replaces").outcome is Outcome.OK
    assert check(found, RACE).outcome is Outcome.OK


class LosesAnswers(MemoryStore):
    """Stores, and then says nothing clear to half of its callers."""

    def __init__(self, name: str = "") -> None:
        super().__init__(name)
        self.calls = 0

    def create(self, key: str, data: bytes) -> bool:
        created = super().create(key, data)
        self.calls += 1
        if "race" in key and self.calls % 2:
            raise StoreUnavailable("503")
        return created


def test_answers_that_were_lost_are_not_taken_for_lies():
    """A racer without a clear answer would look; the race still had one winner."""
    found = check(examined(LosesAnswers()), RACE)
    assert found.outcome is Outcome.OK
    assert "got no clear answer" in found.found
