"""Logs that are right in chain, tails, snapshots and pointers, and break a rule: written by one who knows the format."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from objreg.core.digest import digest_of
from objreg.core.encoding import decode_json, decode_record, encode
from objreg.core.entries import Snapshot, SnapshotReference
from objreg.core.keys import log_key, record_key, snapshot_key
from tests.maintenance.sample import DOMAIN, MODEL, Sample, codes

Json = dict[str, Any]
NOWHERE = "sha256:" + "0" * 64
TIME = "2099-01-01T00:00:00.000Z"


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    """A registry with every kind of record."""
    return Sample(tmp_path)


def state(sample: Sample, domain: str = DOMAIN) -> Json:
    """Return the state of a domain."""
    session = sample.machine().registry().session
    manifest = session.manifest(domain)
    manifest.refresh()
    return manifest.state()


def definition(sample: Sample, name: str) -> str:
    """Return the digest of a state's definition."""
    found = state(sample, "_registry")["states"] | state(sample, "fraud/_namespace")["states"]
    return str(found[name]["record"])


def record(sample: Sample, digest: str) -> Any:
    """Return a record of the model."""
    return decode_record(sample.data(record_key(DOMAIN, digest)), "record")


def moved(name: str, version: str, before: list[str], after: list[str], definition: str) -> Json:
    """Return a change as a state change is told."""
    return {
        "kind": "state_change",
        "name": name,
        "version": version,
        "record": definition,
        "before": before,
        "after": after,
    }


def told(kind: str, name: str = "", version: str = "", record: str = "", **values: list[str]) -> Json:
    """Return any other change."""
    return {"kind": kind, "name": name, "version": version, "record": record, "before": [], "after": []} | values


def versions(**items: Json) -> Json:
    """Return a patch of versions; ``v1_2`` stands for ``1.2``."""
    return {"versions": {name.removeprefix("v").replace("_", "."): item for name, item in items.items()}}


def found(sample: Sample) -> set[str]:
    """Return the errors that a machine without memory finds."""
    return codes(sample.fsck(fresh=True))


def test_the_sample_has_every_kind_of_change(sample: Sample):
    """What is not in the sample is not tested here."""
    kinds = {
        change["kind"]
        for domain in ("_registry", "fraud/_namespace", DOMAIN)
        for entry in sample.entries(domain)
        for change in entry.patch["changes"]
    }
    assert kinds == {
        "registry_settings", "namespace", "catalog", "version", "experiment", "state_definition", "state_change",
        "deployment", "deployment_status", "retirement", "retention_policy", "condemned", "swept",
    }  # fmt: skip
    assert found(sample) == set()


# States


def test_two_versions_in_an_exclusive_state(sample: Sample):
    """An exclusive state holds one version at most."""
    allowed = definition(sample, "production")
    change = moved("production", "1.2", ["2.0"], ["1.2", "2.0"], allowed)
    sample.append(versions(v1_2={"states": ["staging", "production"]}) | {"changes": [change]})
    assert found(sample) == {"state-rule-broken"}


def test_a_state_that_nobody_defined(sample: Sample):
    """A state change names the definition that allowed it."""
    change = moved("secret", "1.2", [], ["1.2"], NOWHERE)
    sample.append(versions(v1_2={"states": ["staging", "secret"]}) | {"changes": [change]})
    assert found(sample) == {"state-undefined"}


def test_the_definition_of_another_state(sample: Sample):
    """A definition allows the state that it defines, and no other."""
    change = moved("production", "1.2", ["2.0"], ["1.2", "2.0"], definition(sample, "staging"))
    sample.append(versions(v1_2={"states": ["staging", "production"]}) | {"changes": [change]})
    assert found(sample) == {"state-undefined"}


def test_a_definition_of_another_namespace(sample: Sample):
    """A definition holds in its own namespace and below it, and nowhere else."""
    registry = sample.maker.registry()
    registry.push("other/clf", sample.files(model_bin=b"x"))
    change = moved("production", "1.0", [], ["1.0"], definition(sample, "production"))
    sample.append(versions(v1_0={"states": ["production"]}) | {"changes": [change]}, "other/clf.model")
    assert found(sample) == {"state-undefined"}


def test_a_shared_state_that_pushes_another_version_out(sample: Sample):
    """Moving a version into a shared state leaves the others where they are."""
    change = moved("staging", "1.1", ["1.2"], ["1.1"], definition(sample, "staging"))
    sample.append(versions(v1_1={"states": ["staging"]}, v1_2={"states": []}) | {"changes": [change]})
    assert found(sample) == {"state-rule-broken"}


def test_a_change_that_starts_from_what_was_not(sample: Sample):
    """The audit trail says from what to what, and both are held against the state."""
    change = moved("staging", "1.1", [], ["1.1"], definition(sample, "staging"))
    sample.append(versions(v1_1={"states": ["staging"]}) | {"changes": [change]})
    assert found(sample) == {"change-without-effect"}


def test_a_retired_version_in_a_state(sample: Sample):
    """A retired version is in no state."""
    change = moved("staging", "1.0", ["1.2"], ["1.0", "1.2"], definition(sample, "staging"))
    sample.append(versions(v1_0={"states": ["staging"]}) | {"changes": [change]})
    assert found(sample) == {"retired-version-used"}


# Versions


def test_a_changed_version(sample: Sample):
    """The record of a version is for ever."""
    other = state(sample)["versions"]["1.1"]["record"]
    sample.append(versions(v1_2={"record": other}) | {"changes": []})
    assert {"version-changed", "record-mismatch"} <= found(sample)


@pytest.mark.parametrize("field", ["created_at", "created_by", "size", "files", "order"])
def test_a_version_whose_line_in_the_list_was_changed(sample: Sample, field: str):
    """What the state says of a version stays as it was."""
    value = {"created_at": TIME, "created_by": "mallory"}.get(field, 7)
    sample.append(versions(v1_2={field: value}) | {"changes": []})
    assert "version-changed" in found(sample)


def test_a_version_that_no_change_tells(sample: Sample):
    """A version was added without a line in the audit trail."""
    sample.forge(1, lambda patch: patch.update(changes=[]))
    assert found(sample) == {"change-unlisted"}


def test_a_change_that_was_not_made(sample: Sample):
    """A line in the audit trail without a change of the state."""
    sample.forge(1, lambda patch: patch["changes"].append(told("version", version="9.9", record=NOWHERE)))
    assert found(sample) == {"change-without-effect"}


def test_an_entry_without_changes(sample: Sample):
    """Every commit says what it did."""
    sample.forge(1, lambda patch: patch.pop("changes"))
    assert "changes-unreadable" in found(sample)


def test_a_skipped_place_in_the_order(sample: Sample):
    """Versions are numbered in the order of their pushes, without gaps."""
    sample.forge(2, lambda patch: patch["versions"]["1.1"].update(order=5))
    assert "order-wrong" in found(sample)


def test_another_scheme(sample: Sample):
    """A model keeps its versioning scheme."""
    sample.append({"scheme": "free", "changes": []})
    assert "scheme-changed" in found(sample)


def test_a_version_that_is_not_of_the_scheme(sample: Sample):
    """``final`` is no major.minor."""
    old = record(sample, state(sample)["versions"]["1.2"]["record"])
    new = sample.record(msgspec.structs.replace(old, version="final"))
    item = state(sample)["versions"]["1.2"] | {"record": new, "order": 5, "states": []}
    patch = {
        "scheme": "major.minor",
        "versions": {"final": item},
        "changes": [told("version", version="final", record=new)],
    }
    last = sample.entries()[-1]
    sample.append({"changes": []}, patch=patch, refs=last.refs)
    assert found(sample) == {"version-not-of-scheme"}


def test_a_version_that_is_taken_away(sample: Sample):
    """Objects of the state are never removed."""
    last = sample.entries()[-1]
    sample.append({"changes": []}, patch={"versions": {"1.2": None}, "changes": []}, refs=last.refs)
    assert found(sample) == {"patch-not-additive"}


# Experiments, deployments, retirement


def test_a_replaced_experiment(sample: Sample):
    """An experiment is recorded once, and never again."""
    digest = state(sample)["versions"]["1.1"]["experiments"]["holdout"]
    better = sample.record(msgspec.structs.replace(record(sample, digest), metrics={"auc": 1.0}))
    change = told("experiment", "holdout", "1.1", better)
    sample.append(versions(v1_1={"experiments": {"holdout": better}}) | {"changes": [change]})
    assert found(sample) == {"experiment-replaced", "change-without-effect"}


def test_an_experiment_of_another_version(sample: Sample):
    """A record says which version it is about."""
    digest = state(sample)["versions"]["1.1"]["experiments"]["holdout"]
    change = told("experiment", "holdout", "1.2", digest)
    sample.append(versions(v1_2={"experiments": {"holdout": digest}}) | {"changes": [change]})
    assert found(sample) == {"record-mismatch"}


def test_a_record_of_another_kind(sample: Sample):
    """Where a catalog is named, there is one."""
    digest = state(sample)["versions"]["1.1"]["experiments"]["holdout"]
    before = state(sample)["catalog"]
    sample.append({"catalog": digest, "changes": [told("catalog", record=digest, before=[before], after=[digest])]})
    assert found(sample) == {"record-mismatch"}


def test_a_skipped_deployment_number(sample: Sample):
    """Deployments are numbered from 1 without gaps."""
    digest = state(sample)["deployments"]["2"]["record"]
    new = sample.record(msgspec.structs.replace(record(sample, digest), number=7))
    change = told("deployment", "7", "1.1", new, after=["active"])
    item = {"record": new, "version": "1.1", "status": "active"}
    sample.append({"deployments": {"7": item}, "changes": [change]})
    assert found(sample) == {"deployment-number-wrong"}


def test_a_changed_deployment(sample: Sample):
    """A deployment stays of the version that was deployed; only its status moves."""
    sample.append({"deployments": {"2": {"version": "1.2"}}, "changes": []})
    assert "deployment-changed" in found(sample)


def test_a_status_that_nobody_set(sample: Sample):
    """A status is moved by a change that says so."""
    sample.append({"deployments": {"2": {"status": "ended"}}, "changes": []})
    assert found(sample) == {"change-unlisted"}


def test_a_retired_version_is_deployed(sample: Sample):
    """A retired version is not deployed any more."""
    item = state(sample)["versions"]["1.0"]
    digest = state(sample)["deployments"]["2"]["record"]
    old = record(sample, digest)
    reference = msgspec.structs.replace(old.version, version="1.0", record=item["record"])
    new = sample.record(msgspec.structs.replace(old, number=4, version=reference))
    change = told("deployment", "4", "1.0", new, after=["active"])
    sample.append({"deployments": {"4": {"record": new, "version": "1.0", "status": "active"}}, "changes": [change]})
    assert found(sample) == {"retired-version-used"}


def test_a_retirement_that_is_undone(sample: Sample):
    """Retired is retired."""
    sample.append(versions(v1_0={"retired": ""}) | {"changes": []})
    assert "retirement-changed" in found(sample)


def test_a_deployed_version_is_retired(sample: Sample):
    """What an active deployment uses is not retired."""
    digest = state(sample)["versions"]["1.0"]["retired"]
    item = state(sample)["versions"]["1.1"]
    old = record(sample, digest)
    reference = msgspec.structs.replace(old.version, version="1.1", record=item["record"])
    new = sample.record(msgspec.structs.replace(old, version=reference))
    sample.append(versions(v1_1={"retired": new}) | {"changes": [told("retirement", version="1.1", record=new)]})
    assert found(sample) == {"retired-version-used"}


# Collection


def test_a_lowered_incarnation(sample: Sample):
    """A condemned name is never written again, so the next incarnation never goes back."""
    blob = next(iter(state(sample)["incarnations"]))
    sample.append({"incarnations": {blob: 0}, "changes": []})
    assert "incarnation-lowered" in found(sample)


def test_a_condemned_blob_that_is_needed(sample: Sample):
    """What a version needs is not condemned."""
    artifact = record(sample, state(sample)["versions"]["2.0"]["record"]).artifacts[0]
    blob = artifact.files[0].parts[0].blob.removeprefix("sha256:")
    patch = {"condemned": [blob], "incarnations": {blob: 1}, "changes": [told("condemned", after=[blob])]}
    sample.append(patch)
    report = sample.fsck(fresh=True)
    assert codes(report) == {"condemned-in-use"}
    assert "condemned-left" in codes(report, "note")
    del sample.objects[f"{DOMAIN}/blobs/{blob}"]
    assert found(sample) == {"condemned-in-use", "blob-missing"}


def test_what_expired_comes_back(sample: Sample):
    """Artifacts that may be collected may be gone: an expired experiment stays expired."""
    digest = state(sample)["versions"]["1.1"]["experiments"]["holdout"]
    sample.append(versions(v1_1={"expired": ["holdout"]}) | {"changes": [told("expiry", "holdout", "1.1", digest)]})
    assert found(sample) == set()
    plot = record(sample, digest).artifacts[0].files[0].parts[0].blob.removeprefix("sha256:")
    sample.append({"condemned": [plot], "incarnations": {plot: 1}, "changes": [told("condemned", after=[plot])]})
    del sample.objects[f"{DOMAIN}/blobs/{plot}"]
    assert found(sample) == set()
    sample.append(versions(v1_1={"expired": []}) | {"changes": []})
    assert {"expiry-undone", "condemned-in-use", "blob-missing"} <= found(sample)


# Scopes


def test_a_definition_that_became_exclusive(sample: Sample):
    """Versions were moved by the rule as it was, so it stays."""
    old = decode_record(sample.data(record_key("_registry", definition(sample, "staging"))), "definition")
    new = sample.record(msgspec.structs.replace(old, exclusive=True), "_registry")
    before = definition(sample, "staging")
    change = told("state_definition", "staging", record=new, before=[before], after=[new])
    sample.append({"states": {"staging": {"record": new, "exclusive": True}}, "changes": [change]}, "_registry")
    assert found(sample) == {"definition-changed"}


def test_a_definition_whose_record_says_otherwise(sample: Sample):
    """The state and the record agree on what is exclusive."""

    def shared(patch: Json) -> None:
        patch["states"]["production"]["exclusive"] = False

    sample.forge(1, shared, "fraud/_namespace")
    assert "record-mismatch" in found(sample)


def test_a_state_that_two_scopes_define(sample: Sample):
    """A narrower definition that says otherwise is worth a warning."""
    sample.maker.registry().define_state("production")
    assert codes(sample.fsck(), "warning") == {"state-defined-twice"}


def test_a_namespace_that_describes_another(sample: Sample):
    """A record in a namespace's manifest is about that namespace."""
    digest = state(sample, "fraud/_namespace")["record"]
    old = decode_record(sample.data(record_key("fraud/_namespace", digest)), "record")
    new = sample.record(msgspec.structs.replace(old, namespace="other"), "fraud/_namespace")
    change = told("namespace", record=new, before=[digest], after=[new])
    sample.append({"record": new, "changes": [change]}, "fraud/_namespace")
    assert found(sample) == {"record-mismatch"}


def test_a_scope_of_another_shape(sample: Sample):
    """A patch of a namespace that is of other types, or says nothing of what it did."""
    sample.append({"states": {"staging": {"exclusive": "no"}}, "changes": []}, "fraud/_namespace")
    assert found(sample) == {"state-unreadable"}
    sample.append({"other": 1}, "_registry")
    assert found(sample) == {"state-unreadable", "changes-unreadable"}


def test_pointers_in_a_namespace(sample: Sample):
    """A namespace has no versions, so nothing to point at."""
    pointer = sample.entries()[-1].refs["latest"]
    sample.append({"changes": []}, "fraud/_namespace", refs={"latest": pointer})
    assert found(sample) == {"refs-wrong"}


# What an entry says of the history


def test_forged_pointers(sample: Sample):
    """``@production`` is what the history gives, not what an entry says."""
    refs = sample.entries()[-1].refs
    sample.append({"changes": []}, refs=refs | {"production": refs["staging"]})
    assert found(sample) == {"refs-wrong"}


def test_a_forged_tail(sample: Sample):
    """Readers fold the tail; it must be what was committed."""
    last = sample.entries()[-1]
    sample.append({"changes": []}, tail=last.tail | {"catalog": NOWHERE})
    assert found(sample) == {"tail-wrong"}


def test_a_forged_snapshot(tmp_path: Path):
    """A snapshot with its right digest, in an entry that names it, and a state that never was."""
    sample = Sample(tmp_path, long=True)
    last = sample.entries("long.model")[-1]
    forged = state(sample, "long.model") | {"catalog": NOWHERE}
    data = encode(Snapshot(domain="long.model", seq=last.seq, state=forged))
    reference = SnapshotReference(seq=last.seq, digest=digest_of(data))
    sample.put(snapshot_key("long.model", reference.digest), data)
    sample.append({"changes": []}, "long.model", snapshot=reference, tail={})
    assert found(sample) == {"snapshot-wrong"}


def test_a_snapshot_that_is_written_otherwise(tmp_path: Path):
    """The right state in other bytes is read rightly, and worth a warning."""
    sample = Sample(tmp_path, long=True)
    last = sample.entries("long.model")[-1]
    data = encode(Snapshot(domain="long.model", seq=last.seq, state=state(sample, "long.model"))) + b"\n"
    reference = SnapshotReference(seq=last.seq, digest=digest_of(data))
    sample.put(snapshot_key("long.model", reference.digest), data)
    sample.append({"changes": []}, "long.model", snapshot=reference, tail={})
    report = sample.fsck(fresh=True)
    assert codes(report) == set()
    assert codes(report, "warning") == {"not-canonical"}


def test_an_older_snapshot(tmp_path: Path):
    """An entry names the latest snapshot, not one of before."""
    sample = Sample(tmp_path, long=True)
    first = next(entry.snapshot for entry in sample.entries("long.model") if entry.snapshot)
    sample.append({"changes": []}, "long.model", snapshot=first)
    assert found(sample) == {"snapshot-wrong"}


@pytest.mark.parametrize("data", [b"{}", b"[", b'{"a":1}'])
def test_a_snapshot_that_is_none(sample: Sample, data: bytes):
    """Bytes with the right digest that are no snapshot."""
    reference = SnapshotReference(seq=len(sample.entries()) - 1, digest=digest_of(data))
    sample.put(snapshot_key(DOMAIN, reference.digest), data)
    sample.append({"changes": []}, snapshot=reference, tail={})
    assert found(sample) == {"snapshot-wrong"}


def test_a_snapshot_of_another_model(sample: Sample):
    """A snapshot says whose state it holds, and after which entry."""
    seq = len(sample.entries()) - 1
    data = encode(Snapshot(domain="other.model", seq=seq, state=state(sample)))
    sample.put(snapshot_key(DOMAIN, digest_of(data)), data)
    sample.append({"changes": []}, snapshot=SnapshotReference(seq=seq, digest=digest_of(data)), tail={})
    assert found(sample) == {"snapshot-wrong"}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"time": "2001-01-01T00:00:00.000Z"}, "time-not-later"),
        ({"time": "2099-02-30T00:00:00.000Z"}, "time-not-later"),
        ({"parent": NOWHERE}, "chain-broken"),
        ({"parent": None}, "chain-broken"),
        ({"domain": "other.model"}, "entry-misplaced"),
        ({"seq": 3}, "entry-misplaced"),
    ],
)
def test_an_entry_that_does_not_follow(sample: Sample, fields: Json, code: str):
    """Place, time and parent of an entry follow from the one before."""
    seq = len(sample.entries())
    sample.append({"changes": []}, **fields)
    if "seq" in fields or "domain" in fields:
        assert code in found(sample)
    else:
        assert found(sample) == {code}, seq


def test_a_repeated_op(sample: Sample):
    """An op is one writer's for one commit: the same one again is the same commit twice."""
    sample.append({"changes": []}, op=sample.entries()[3].op)
    assert found(sample) == {"op-repeated"}


def test_an_entry_nested_without_end(sample: Sample):
    """JSON that no reader can fold is a finding, not a crash."""
    deep: Any = {}
    for _ in range(400):
        deep = {"x": deep}
    refs = sample.entries()[-1].refs
    sample.append({"changes": []}, patch={"x": deep, "changes": []}, refs=refs)
    log = sample.keys(f"{DOMAIN}/log/")[0]
    sample.put(log, sample.data(log).replace(b'{"x":{}}', b'{"x":' * 5000 + b"{}" + b"}" * 5000))
    assert "entry-unreadable" in found(sample)


def test_a_key_at_the_end_of_all_slots(sample: Sample):
    """A gap of a trillion slots is one finding."""
    sample.put(f"{DOMAIN}/log/000000000000.json", b"{}")
    report = sample.fsck(fresh=True)
    assert {"entry-missing", "entry-unreadable"} <= codes(report)
    assert len(report.findings) < 10


# Artifacts


def forged_version(sample: Sample, change: Callable[[Json], None]) -> None:
    """Add version 1.3, a copy of 1.2 in whose first file something was changed."""
    item = state(sample)["versions"]["1.2"]
    raw = decode_json(sample.data(record_key(DOMAIN, item["record"])), "record") | {"version": "1.3"}
    change(raw)
    data = encode(raw)
    digest = digest_of(data)
    sample.put(record_key(DOMAIN, digest), data)
    item = {**item, "record": digest, "order": 5, "states": [], "experiments": {}}
    sample.append(
        {
            "scheme": "major.minor",
            "versions": {"1.3": item},
            "changes": [told("version", version="1.3", record=digest)],
        }
    )


def test_a_forged_copy_is_right_in_itself(sample: Sample):
    """The forger's tool makes no mistake of its own."""
    forged_version(sample, lambda raw: None)
    assert found(sample) == set()


ARTIFACTS: dict[str, tuple[Callable[[Json], None], set[str]]] = {
    "a file's digest": (lambda raw: raw["artifacts"][0]["files"][1].update(digest=NOWHERE), {"artifact-wrong"}),
    "the artifact's digest": (lambda raw: raw["artifacts"][0].update(digest=NOWHERE), {"artifact-wrong"}),
    "the artifact's size": (lambda raw: raw["artifacts"][0].update(size=1), {"artifact-wrong", "record-mismatch"}),
    "a path that leaves the folder": (
        lambda raw: raw["artifacts"][0]["files"][1].update(path="../../etc/passwd"),
        {"artifact-wrong"},
    ),
    "a slice outside of its blob": (
        lambda raw: raw["artifacts"][0]["files"][1]["parts"][0].update(offset=10),
        {"artifact-wrong"},
    ),
    "another stored size": (
        lambda raw: raw["artifacts"][0]["files"][1]["parts"][0].update(stored_size=10),
        {"artifact-wrong", "blob-contradiction"},
    ),
    "a blob that is not there": (
        lambda raw: raw["artifacts"][0]["files"][2]["parts"][0].update(incarnation=3),
        {"blob-missing"},
    ),
    "another model": (lambda raw: raw.update(model="other"), {"record-mismatch"}),
    "another maker": (lambda raw: raw.update(created_by="mallory"), {"record-mismatch"}),
    "a parent that never was": (
        lambda raw: raw.update(parent={"model": MODEL, "version": "9.9", "record": NOWHERE}),
        {"record-mismatch"},
    ),
}


@pytest.mark.parametrize(("change", "expected"), ARTIFACTS.values(), ids=ARTIFACTS.keys())
def test_a_version_record_that_does_not_add_up(sample: Sample, change: Callable[[Json], None], expected: set[str]):
    """Digests, sizes, paths and parts of a record are held against each other and against the state."""
    forged_version(sample, change)
    assert found(sample) == expected


def test_log_keys_are_where_the_tests_think(sample: Sample):
    """The forger writes where readers read."""
    assert log_key(DOMAIN, len(sample.entries()) - 1) == min(sample.keys(f"{DOMAIN}/log/"))
