"""What retention and collection cost in requests, and that they work on a real server."""

from datetime import timedelta
from pathlib import Path

import pytest

import objreg
from objreg.core.records import RetentionRule
from objreg.maintenance import apply_retention, collect, plan_collection, plan_retention, put_policy
from objreg.store.wrappers import CountingStore
from tests.maintenance.dated import MODEL, Site
from tests.servers.server import S3Server

NONE = timedelta(0)


def test_a_plan_of_collection_costs_one_listing_and_the_records(site: Site) -> None:
    """Cold: the newest entry, the blobs, and each record once; warm: whether there is anything new, and the blobs."""
    writer = site.registry()
    for number in range(5):
        writer.push(MODEL, site.file(b"%d" % number))
    store = CountingStore(site.store)
    registry = site.registry(store=store)

    plan_collection(registry, MODEL)
    assert store.counts["list"] == store.counts["first"] == 1
    assert store.counts["get"] == 1 + 5
    assert store.requests == 8

    store.reset()
    plan_collection(registry, MODEL)
    assert store.requests == 2


def test_collecting_costs_a_delete_for_each_blob_and_two_commits(site: Site) -> None:
    """On what is known already: what is new, condemn, the deletes, swept."""
    writer = site.registry()
    for number in range(5):
        writer.push(MODEL, site.file(b"%d" % number))
    for number in range(4):
        writer.retire(f"{MODEL}:1.{number}", reason="old")
    store = CountingStore(site.store)
    registry = site.registry(store=store)
    (plan,) = plan_collection(registry, MODEL, grace=NONE)
    store.reset()

    collect(registry, plan)

    assert (store.counts["delete"], store.counts["create"]) == (4, 2)
    assert store.requests == 4 + 2 + 1


def test_retention_reads_the_log_only_where_something_may_be_due(site: Site) -> None:
    """Young versions cost no history; old ones cost the entries as far back as the rule reaches."""
    site.days_ago(200)
    writer = site.registry()
    put_policy(writer, {"none": RetentionRule(models=90)})
    for number in range(5):
        writer.push(MODEL, site.file(b"%d" % number))
    site.days_ago(60)
    for number in range(3):
        writer.put_catalog(MODEL, description=f"text {number}")

    def requests(days: float) -> int:
        site.days_ago(days)
        store = CountingStore(site.store)
        plan_retention(site.registry(store=store), MODEL)
        return store.requests

    without, with_history = requests(115), requests(0)
    assert with_history - without <= 8
    assert without <= 2 + 2 + 2 + 1  # the namespace's and the registry's manifests, the model, the policy
    assert with_history > without


@pytest.mark.parametrize("server", ["moto", "ceph"])
def test_retention_and_collection_on_a_real_server(servers: dict[str, S3Server], server: str, tmp_path: Path) -> None:
    """Retired by a policy, collected, gone from the bucket, and the same content pushed again."""
    found = servers[server]
    registry = objreg.open(
        f"{found.new_bucket()}/registry", storage_options=found.options("obstore"), engine="obstore", create=True
    )
    file = tmp_path / "model.bin"
    for content in (b"old" * 4000, b"new"):
        file.write_bytes(content)
        registry.push(MODEL, file)
    put_policy(registry, {"none": RetentionRule(models=0)})
    for plan in plan_retention(registry):
        assert [line.version for line in apply_retention(registry, plan)] == ["1.0"]
    (collection,) = plan_collection(registry, grace=NONE)

    done = collect(registry, collection)

    assert [item.size for item in done.deleted] == [item.size for item in collection.garbage] != []
    assert registry.session.store.head(done.deleted[0].key) is None
    file.write_bytes(b"old" * 4000)
    again = registry.push(MODEL, file)
    assert again.artifacts[0].files[0].parts[0].incarnation == 1
    assert b"".join(registry.read(f"{again}/model.bin")) == b"old" * 4000
    registry.close()
