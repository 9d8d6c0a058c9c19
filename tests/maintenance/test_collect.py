"""Collection: what it takes, what it leaves, and that a crash at any moment is finished by the next."""

from datetime import timedelta
from typing import Any

import pytest

import objreg
from objreg.core.collection import ORPHAN, condemn, swept
from objreg.core.decisions import Decision
from objreg.core.digest import digest_of
from objreg.core.keys import blob_key
from objreg.core.records import RetentionRule
from objreg.errors import AccessDenied, CommitUnknown, Conflict, FormatError, IntegrityError, NotFound, StoreUnavailable
from objreg.maintenance import (
    Collected,
    CollectionPlan,
    apply_retention,
    collect,
    plan_collection,
    plan_retention,
    put_policy,
)
from objreg.registry.committing import commit_to_model
from tests.maintenance.dated import MODEL, DatedStore, Interrupted, Site, Stopped

NONE = timedelta(0)
TEXT = b"compressible " * 2000
CURVE = b"curve"


def blob(content: bytes, rest: str = "") -> str:
    return digest_of(content).removeprefix("sha256:") + rest


def planned(registry: objreg.Registry, **options: Any) -> CollectionPlan:
    (plan,) = plan_collection(registry, MODEL, **options)
    return plan


def collected(registry: objreg.Registry, **options: Any) -> Collected:
    return collect(registry, planned(registry, **options))


def condemned(site: Site) -> tuple[str, ...]:
    registry = site.registry()
    manifest = registry.session.existing_model(MODEL)
    return registry.session.view(MODEL, manifest).state.condemned


def retired(site: Site) -> objreg.Registry:
    """Return a registry with a live version, and one that was retired 30 days ago and has files of its own."""
    site.days_ago(60)
    registry = site.registry()
    registry.push(MODEL, {"model": site.file(b"old"), "vocabulary": site.file(b"shared")})
    registry.record_experiment(MODEL, "holdout", artifacts=site.file(CURVE))
    registry.push(MODEL, {"model": site.file(TEXT), "vocabulary": site.file(b"shared")})
    site.days_ago(30)
    registry.retire(f"{MODEL}:1.0", reason="biased")
    site.days_ago(0)
    return registry


def orphaned(site: Site, content: bytes) -> None:
    """Let a push crash after its blobs and before its entry."""

    def stop() -> None:
        raise Stopped

    store = Interrupted(site.store, lambda _, what, key: what == "create" and "/records/" in key, stop)
    with pytest.raises(Stopped):
        site.registry("crashed@acme", store).push(MODEL, site.file(content))


# What is taken, and what is left


def test_a_plan_names_each_blob_with_its_size_and_reason(site: Site) -> None:
    """What only a retired version and its experiments have; nothing is changed by looking."""
    registry = retired(site)
    before = dict(site.store._objects)

    plan = planned(registry)

    assert site.store._objects == before
    assert {item.name: (item.size, item.reason) for item in plan.garbage} == {
        blob(b"old"): (3, "only in version 1.0, retired on " + f"{site.clock.now() - timedelta(days=30):%Y-%m-%d}"),
        blob(CURVE): (5, "only in version 1.0, retired on " + f"{site.clock.now() - timedelta(days=30):%Y-%m-%d}"),
    }
    assert plan.size == 8
    assert (plan.unfinished, plan.spared, plan.foreign) == ((), 0, ())


def test_collection_leaves_what_is_live(site: Site) -> None:
    """Shared blobs stay, live versions are pulled whole by a machine that has nothing."""
    registry = retired(site)

    done = collected(registry)

    assert {item.name for item in done.deleted} == {blob(b"old"), blob(CURVE)}
    assert (done.kept, done.finished, done.size) == ((), (), 8)
    assert site.blobs() == {blob(TEXT, ".zst"), blob(b"shared")}
    folder = site.registry().pull(MODEL)
    assert (folder / "model/model.bin").read_bytes() == TEXT
    assert plan_collection(registry, MODEL) == ()


def test_what_a_crashed_push_left_is_taken_once_it_is_old(site: Site) -> None:
    """Young ones are left by default: their push may still be running."""
    site.days_ago(8)
    registry = site.registry()
    registry.push(MODEL, site.file(b"weights"))
    orphaned(site, b"crashed long ago")
    site.days_ago(2)
    orphaned(site, b"crashed just now")
    site.days_ago(0)

    plan = planned(registry)

    assert [(item.name, item.reason) for item in plan.garbage] == [(blob(b"crashed long ago"), ORPHAN)]
    assert plan.spared == 1
    assert {item.name for item in collected(registry, grace=NONE).deleted} == {
        blob(b"crashed long ago"),
        blob(b"crashed just now"),
    }


def test_a_machine_whose_clock_is_ahead_collects_nothing(site: Site) -> None:
    """It would not see that the grace has not passed; without a grace nothing is counted, so no clock is asked."""
    retired(site)
    site.days_ago(29)
    fast = site.registry()
    fast.session.clock = type(site.clock)(timedelta(0))

    with pytest.raises(Conflict, match="this machine's clock is 696 hours ahead of the store's"):
        collected(fast)
    assert len(collected(fast, grace=NONE).deleted) == 2


def test_what_was_retired_within_the_grace_is_left(site: Site) -> None:
    """Those who still read it are given time, though its blobs are old."""
    registry = retired(site)

    kept = planned(registry, grace=timedelta(days=31))
    assert (kept.garbage, kept.spared) == ((), 2)
    assert collect(registry, kept).deleted == ()
    assert len(planned(registry, grace=timedelta(days=29)).garbage) == 2


def test_artifacts_of_an_expired_experiment_are_taken(site: Site) -> None:
    """Its record stays, and so do its version's files."""
    site.days_ago(60)
    registry = site.registry()
    registry.push(MODEL, site.file(b"weights"))
    registry.record_experiment(MODEL, "holdout", metrics={"auc": 0.9}, artifacts=site.file(CURVE))
    put_policy(registry, {"none": RetentionRule(runs=30)})
    site.days_ago(0)
    for plan in plan_retention(registry):
        apply_retention(registry, plan)

    (item,) = collected(registry).deleted

    assert item.name == blob(CURVE)
    assert item.reason == "only in experiment holdout of version 1.0, whose artifacts expired"
    assert site.registry().experiments(MODEL)[0].metrics == {"auc": 0.9}
    assert site.pulled(MODEL) == b"weights"


def test_what_is_no_blob_is_named_and_left(site: Site) -> None:
    """Whoever put it there may need it."""
    registry = retired(site)
    site.store.create(f"{MODEL}.model/blobs/README", b"hello")

    assert planned(registry).foreign == (f"{MODEL}.model/blobs/README",)
    collected(registry)
    assert "README" in site.blobs()


def test_all_models_are_looked_at_unless_some_are_named(site: Site) -> None:
    """Only those with something to say have a plan; one that is not there is an error."""
    registry = retired(site)
    registry.push("clean/model", site.file(b"weights"))

    assert [plan.model for plan in plan_collection(registry)] == [MODEL]
    assert plan_collection(registry, "clean/model") == ()
    with pytest.raises(NotFound, match="there is no model nothing/here"):
        plan_collection(registry, "nothing/here")


# What readers are told


def test_a_collected_version_says_that_it_was_collected(site: Site) -> None:
    """Pull and read name who retired it, and why; its record is still there."""
    collected(retired(site))
    reader = site.registry()

    with pytest.raises(
        NotFound, match=r"the files of fraud/clf:1\.0 are gone: .* by ci@acme \(biased\), and collected"
    ):
        reader.pull(f"{MODEL}:1.0")
    with pytest.raises(NotFound, match="and collected since; its record stays") as raised:
        list(reader.read(f"{MODEL}:1.0/model/model.bin"))
    assert raised.value.facts["reason"] == "biased"
    assert isinstance(raised.value.__cause__, IntegrityError)
    assert reader.resolve(f"{MODEL}:1.0").record.artifacts[0].name == "model"
    assert b"".join(reader.read(f"{MODEL}:1.0/vocabulary/model.bin")) == b"shared"


def test_damage_is_not_taken_for_collection(site: Site) -> None:
    """A blob that is missing and was never condemned is damage, of a retired version too."""
    retired(site)
    for content, spec in ((b"old", f"{MODEL}:1.0"), (b"shared", MODEL)):
        site.store.delete(f"{MODEL}.model/blobs/{blob(content)}")
        with pytest.raises(IntegrityError, match="is missing from"):
            site.registry().pull(spec)


def test_a_live_version_that_a_bad_collector_took_is_damaged(site: Site) -> None:
    """Only what was retired is said to be collected."""
    registry = retired(site)
    session = registry.session
    manifest = session.existing_model(MODEL)
    names = [blob(b"shared")]
    for decide in (lambda state: condemn(state, names, []), lambda state: swept(state, names)):
        commit_to_model(session, manifest, lambda decide=decide: decide(session.view(MODEL, manifest).state), "bad")
    site.store.delete(f"{MODEL}.model/blobs/{names[0]}")

    with pytest.raises(IntegrityError, match="is missing from"):
        site.registry().pull(MODEL)


# The history


def test_the_history_tells_who_collected_what(site: Site) -> None:
    """Two commits: what was condemned, and that it is gone."""
    retired(site)
    collected(site.registry("janitor@acme"))

    deletion, condemnation, retirement, *_ = site.registry().history(MODEL)

    assert retirement.changes[0].kind == "retirement"
    names = tuple(sorted([blob(b"old"), blob(CURVE)]))
    assert (condemnation.actor, condemnation.changes[0].kind, condemnation.changes[0].after) == (
        "janitor@acme",
        "condemned",
        names,
    )
    assert (deletion.actor, deletion.changes[0].kind, deletion.changes[0].before) == ("janitor@acme", "swept", names)


def test_many_blobs_are_collected_in_batches(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that no entry grows large: each batch is two commits."""
    monkeypatch.setattr("objreg.maintenance.collection._BATCH", 2)
    registry = site.registry()
    registry.push(MODEL, site.file(b"weights"))
    for number in range(5):
        orphaned(site, b"orphan %d" % number)
    seq = registry.head(MODEL).seq

    assert len(collected(registry, grace=NONE).deleted) == 5
    assert registry.head(MODEL).seq == seq + 6
    assert site.blobs() == {blob(b"weights")}


# Crashes and doubt


class Failing(DatedStore):
    """Passes on to another store, but for one kind of request: that one fails from some number on."""

    def __init__(self, site: Site, method: str, folder: str, error: Exception, first: int = 0) -> None:
        super().__init__(site.clock)
        self._objects = site.store._objects
        self.identity = site.store.identity
        self._method, self._folder, self._error, self._left = method, folder, error, first

    def _fail(self, method: str, key: str) -> None:
        if method == self._method and self._folder in key:
            if not self._left:
                raise self._error
            self._left -= 1

    def create(self, key: str, data: bytes) -> bool:
        self._fail("create", key)
        created = super().create(key, data)
        if created and (self._method, self._folder) == ("create, then no answer", "/log/") and "/log/" in key:
            self._method = "get"
            raise self._error
        return created

    def get(self, key: str) -> bytes | None:
        self._fail("get", key)
        return super().get(key)

    def delete(self, key: str) -> None:
        self._fail("delete", key)
        super().delete(key)


@pytest.mark.parametrize("deleted", [0, 1], ids=["after condemning", "in the middle of the deletes"])
def test_a_collection_that_crashed_is_finished_by_the_next(
    site: Site, monkeypatch: pytest.MonkeyPatch, deleted: int
) -> None:
    """The blobs stay condemned until somebody has deleted them all; that it was left unfinished is told."""
    monkeypatch.setattr("objreg.maintenance.collection._WORKERS", 1)
    retired(site)
    with pytest.raises(Stopped):
        collected(site.registry("crashed@acme", Failing(site, "delete", "/blobs/", Stopped(), deleted)))
    names = tuple(sorted([blob(b"old"), blob(CURVE)]))
    assert condemned(site) == names
    assert len(site.blobs() & set(names)) == 2 - deleted

    other = site.registry("ada@acme")
    plan = planned(other)
    done = collect(other, plan)

    assert (plan.garbage, plan.unfinished) == ((), names)
    assert (done.deleted, done.finished) == ((), names)
    assert site.blobs().isdisjoint(names)
    assert condemned(site) == ()
    assert other.head(MODEL).message == "finish a collection that was left unfinished"
    assert plan_collection(other, MODEL) == ()


def test_a_collection_that_crashed_before_it_said_swept_is_finished_too(site: Site) -> None:
    """All blobs are gone, and the next collection only says so."""
    retired(site)
    crashing = Failing(site, "create", "/log/", Stopped(), 1)
    with pytest.raises(Stopped):
        collected(site.registry("crashed@acme", crashing))
    assert site.blobs() == {blob(TEXT, ".zst"), blob(b"shared")}

    assert len(collected(site.registry()).finished) == 2
    assert condemned(site) == ()


def test_nothing_is_deleted_while_it_is_not_known_whether_it_is_condemned(site: Site) -> None:
    """Whichever it was, the next collection goes on from what is true."""
    retired(site)
    before = site.blobs()
    store = Failing(site, "create, then no answer", "/log/", StoreUnavailable("no answer"))
    registry = site.registry("doubt@acme", store)

    with pytest.raises(CommitUnknown):
        collected(registry)

    assert site.blobs() == before
    assert len(collected(site.registry()).finished) == 2


def test_a_delete_without_a_clear_answer_is_sent_again(site: Site) -> None:
    """Deleting twice is harmless, since a condemned name is never written again."""
    retired(site)
    store = Failing(site, "delete", "/blobs/", StoreUnavailable("no answer"))
    registry = site.registry("ci@acme", store)

    def recover() -> None:
        store._method = ""

    site.clock.pause = lambda attempt, unit=0.0: recover()

    assert len(collected(registry).deleted) == 2
    assert site.blobs() == {blob(TEXT, ".zst"), blob(b"shared")}


def test_whoever_may_not_delete_is_told(site: Site) -> None:
    """Writers may commit and not delete, as the least-privilege policies say: the next one who may finishes."""
    retired(site)
    store = Failing(site, "delete", "/blobs/", AccessDenied("no permission to delete"))

    with pytest.raises(AccessDenied, match="no permission to delete"):
        collected(site.registry("writer@acme", store))

    assert len(planned(site.registry()).unfinished) == 2


def test_a_writer_that_breaks_the_protocol_cannot_make_a_collector_delete_live_blobs(site: Site) -> None:
    """What is condemned and named by a live record is not deleted, and somebody has to look."""
    registry = retired(site)
    session = registry.session
    manifest = session.existing_model(MODEL)
    commit_to_model(
        session,
        manifest,
        lambda: condemn(session.view(MODEL, manifest).state, [blob(b"shared")], []),
        "a collector that does not look",
    )

    with pytest.raises(Conflict, match=r"1 blob of fraud/clf that a collection condemned are named by live records"):
        collected(site.registry())

    assert blob(b"shared") in site.blobs()


def test_a_record_of_another_kind_is_not_taken_for_one_that_needs_nothing(site: Site) -> None:
    """A manifest that was tampered with must not make live blobs garbage."""
    registry = retired(site)
    session = registry.session
    manifest = session.existing_model(MODEL)
    retirement = session.view(MODEL, manifest).state.versions["1.0"].retired
    forged = Decision(value=None, patch={"versions": {"1.1": {"record": retirement}}})
    commit_to_model(session, manifest, lambda: forged, "forged")

    with pytest.raises(FormatError):
        collected(site.registry(), grace=NONE)

    assert blob(TEXT, ".zst") in site.blobs()


# Content that comes back


def test_content_that_was_collected_comes_back_under_another_name(site: Site) -> None:
    """A delete of the old name that arrives late hits nothing."""
    registry = retired(site)
    old = [item.key for item in collected(registry).deleted]

    version = registry.push(MODEL, site.file(b"old"))

    (part,) = version.artifacts[0].files[0].parts
    assert part.incarnation == 1
    for key in old:
        assert key != blob_key(f"{MODEL}.model", part.blob, part.incarnation, part.encoding)
        site.store.delete(key)
    assert site.pulled(version.spec) == b"old"
    assert plan_collection(registry, MODEL, grace=NONE) == ()


def test_content_is_collected_again_and_again(site: Site) -> None:
    """Each time under the next incarnation, and every name is used once."""
    registry = site.registry()
    registry.push(MODEL, site.file(b"first"))
    names = set()
    for round_ in range(3):
        version = registry.push(MODEL, site.file(b"again"))
        registry.retire(version, reason="round and round")
        (item,) = collected(registry, grace=NONE).deleted
        assert item.name == blob(b"again", f".{round_}" if round_ else "")
        names.add(item.name)
    assert len(names) == 3
