"""What is round the objects: settings that cannot be asked, folders of every kind, web servers and their caches."""

import errno
import os
import sys
from pathlib import Path

import pytest

from objreg.core.keys import MARKER
from objreg.maintenance.checks import Check, Outcome
from objreg.maintenance.doctor import diagnose
from objreg.maintenance.surroundings import bucket_checks, folder_checks
from objreg.registry.clock import SystemClock
from objreg.registry.session import create_marker
from objreg.store.folder_inspection import FolderFacts, inspect_folder
from objreg.store.inspection import BucketSettings, LifecycleRule, _google_rules, _s3_rules
from objreg.store.local import LocalStore
from tests.servers.scripted import Script

GIB = 1 << 30


def outcomes(checks) -> dict[str, Outcome]:
    return {check.name: check.outcome for check in checks}


def one(checks, name: str) -> Check:
    (found,) = [check for check in checks if check.name == name]
    return found


def test_what_is_not_told_is_unknown_with_the_reason():
    """No setting is taken for good or bad without an answer."""
    reasons = {name: f"because of {name}" for name in ("versioning", "rules", "retention")}
    found = list(bucket_checks(BucketSettings(reasons=reasons), "registry/"))
    assert set(outcomes(found).values()) == {Outcome.UNKNOWN}
    assert {check.remedy for check in found} == set(reasons.values())


@pytest.mark.parametrize(
    ("prefix", "root", "covered"),
    [
        ("", "", True),
        ("", "registry/", True),
        ("registry/", "registry/", True),
        ("registry/fraud/clf.model/blobs/", "registry/", True),
        ("fraud/", "", True),
        ("logs/", "registry/", False),
        ("registry2/", "registry/", False),
        ("registry/_registry/probe/", "registry/", False),
    ],
)
def test_a_rule_covers_what_its_prefix_or_the_registry_holds(prefix: str, root: str, covered: bool):
    """Above the registry, inside it, or beside it."""
    settings = BucketSettings(rules=(LifecycleRule("tidy", prefix, "deletes"),), reasons={})
    outcome = one(bucket_checks(settings, root), "lifecycle rules").outcome
    assert outcome is (Outcome.FAILED if covered else Outcome.OK)


@pytest.mark.parametrize(
    ("rule", "prefixes", "action"),
    [
        ({"action": {"type": "Delete"}, "condition": {"age": 30}}, [""], "deletes"),
        (
            {"action": {"type": "Delete"}, "condition": {"age": 1, "matchesPrefix": ["a/", "b/"]}},
            ["a/", "b/"],
            "deletes",
        ),
        ({"action": {"type": "Delete"}, "condition": {"isLive": False}}, [""], "other"),
        ({"action": {"type": "Delete"}, "condition": {"numNewerVersions": 3}}, [""], "other"),
        ({"action": {"type": "Delete"}, "condition": {"daysSinceNoncurrentTime": 7}}, [""], "other"),
        ({"action": {"type": "SetStorageClass", "storageClass": "COLDLINE"}, "condition": {"age": 30}}, [""], "other"),
        ({"action": {"type": "AbortIncompleteMultipartUpload"}, "condition": {"age": 1}}, [""], "other"),
    ],
)
def test_googles_rules_are_read(rule: dict, prefixes: list[str], action: str):
    """What deletes the present object, and below which prefixes; no emulator here keeps such rules."""
    found = _google_rules({"lifecycle": {"rule": [rule]}})
    assert [item.prefix for item in found] == prefixes
    assert {item.action for item in found} == {action}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"Prefix": "old/", "Expiration": {"Days": 1}}, LifecycleRule("rule 1", "old/", "deletes")),
        (
            {"Filter": {"And": {"Prefix": "a/", "Tags": [{"Key": "x", "Value": "y"}]}}, "Expiration": {"Date": "2030"}},
            LifecycleRule("rule 1", "a/", "deletes", "Tags"),
        ),
        (
            {"Filter": {"ObjectSizeLessThan": 9}, "Expiration": {"Days": 1}},
            LifecycleRule("rule 1", "", "deletes", "ObjectSizeLessThan"),
        ),
        ({"Filter": {}, "Expiration": {"ExpiredObjectDeleteMarker": True}}, LifecycleRule("rule 1", "", "other")),
        ({"Transitions": [{"StorageClass": "STANDARD_IA"}]}, LifecycleRule("rule 1", "", "other")),
    ],
)
def test_amazons_rules_are_read(rule: dict, expected: LifecycleRule):
    """In the old and the new spelling, with what narrows them."""
    assert _s3_rules({"Rules": [rule | {"Status": "Enabled"}]}) == (expected,)


def test_settings_without_the_extra_name_it(s3_server, monkeypatch: pytest.MonkeyPatch):
    """Where s3fs is missing the probes pass, and what only it could ask is unknown, with what to install."""
    monkeypatch.setitem(sys.modules, "s3fs", None)
    found = diagnose(s3_server.new_bucket(), storage_options=s3_server.options("obstore"), engine="obstore", racers=2)
    unknown = [check for check in found.checks if check.outcome is Outcome.UNKNOWN]
    assert {check.name for check in unknown} == {
        "capped listing",
        "checksums",
        "versioning",
        "lifecycle rules",
        "retention",
    }
    assert all("objreg[s3]" in check.remedy for check in unknown)
    assert found.outcome is Outcome.UNKNOWN


def test_object_lock_is_told(s3_server):
    """The default retention is a fact that an owner wants to know."""
    client = s3_server.client()
    client.create_bucket(Bucket="locked-registry", ObjectLockEnabledForBucket=True)
    client.put_object_lock_configuration(
        Bucket="locked-registry",
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 30}},
        },
    )
    client.close()
    found = diagnose("s3://locked-registry", storage_options=s3_server.options("obstore"), engine="obstore", racers=2)
    assert one(found.checks, "retention").found.startswith("Object Lock, compliance for 30 days")


# Folders


@pytest.mark.parametrize(
    ("facts", "name", "outcome"),
    [
        (FolderFacts(True, True, GIB, "ext4"), "", Outcome.OK),
        (FolderFacts(False, True, GIB, "exfat"), "hard links", Outcome.WARNING),
        (FolderFacts(True, False, GIB, "apfs"), "letter case", Outcome.WARNING),
        (FolderFacts(True, True, GIB - 1, "ext4"), "free space", Outcome.WARNING),
        (FolderFacts(True, True, GIB, "nfs4"), "file system", Outcome.WARNING),
        (FolderFacts(True, True, GIB, "fuse.s3fs"), "file system", Outcome.WARNING),
        (FolderFacts(True, True, GIB, "tmpfs"), "file system", Outcome.WARNING),
        (FolderFacts(True, True, GIB, ""), "file system", Outcome.UNKNOWN),
    ],
)
def test_a_file_system_is_judged(facts: FolderFacts, name: str, outcome: Outcome):
    """One weakness at a time, each by its name; nothing else is blamed."""
    found = outcomes(folder_checks(facts))
    assert {key: value for key, value in found.items() if value is not Outcome.OK} == ({name: outcome} if name else {})


def test_a_folder_without_links_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The probes pass over the lock file, and the lack is told."""

    def refuse(*_paths: object, **_options: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)
    found = diagnose(str(tmp_path / "registry"), racers=8)
    assert one(found.checks, "hard links").outcome is Outcome.WARNING
    assert one(found.checks, "8 creates at once").outcome is Outcome.OK


def test_the_mount_is_the_longest_that_holds_the_folder(tmp_path: Path):
    """Of several mounted file systems above the folder, the nearest counts; a blank in its name is understood."""
    inner = tmp_path / "a b" / "registry"
    inner.mkdir(parents=True)
    table = tmp_path / "mounts"
    table.write_text(
        f"x / ext4 rw 0 0\nserver:/x {tmp_path}/a\\040b nfs4 rw 0 0\nbroken\ny {tmp_path}/elsewhere xfs rw 0 0\n"
    )
    assert inspect_folder(inner.as_uri(), table).kind == "nfs4"
    assert inspect_folder(inner.as_uri(), tmp_path / "none").kind == ""


def test_a_file_where_the_folder_should_be_fails(tmp_path: Path):
    """The examination ends with failures, not with an exception."""
    (tmp_path / "registry").write_text("not a folder")
    found = diagnose(str(tmp_path / "registry"), racers=2)
    assert found.outcome is Outcome.FAILED


# Web servers


def published(script: Script, tmp_path: Path, missing: int = 404) -> None:
    create_marker(LocalStore(tmp_path), SystemClock())
    script.body = (tmp_path / MARKER).read_bytes()
    script.decide = lambda _method, path: 200 if path.endswith(MARKER) else missing


def test_a_web_server_is_asked_what_a_reader_asks(script: Script, tmp_path: Path):
    """The marker, its clock, and 404 for what is not there; whole objects instead of ranges are a warning."""
    published(script, tmp_path)
    found = diagnose(script.origin)
    assert outcomes(found.checks) == {
        "reads": Outcome.OK,
        "clock": Outcome.OK,
        "ranges": Outcome.WARNING,
        "missing is missing": Outcome.OK,
    }
    assert {method for method, _ in script.seen} == {"GET"}


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0),
        ({"Cache-Control": "no-store"}, 0),
        ({"Cache-Control": "private, max-age=60"}, 0),
        ({"Cache-Control": "public, max-age=60"}, 60),
        ({"Cache-Control": "max-age=0, s-maxage=300"}, 300),
        ({"Cache-Control": "max-age=soon"}, 0),
        ({"Age": "12"}, 12),
    ],
)
def test_a_cache_that_hides_new_entries_is_found(script: Script, tmp_path: Path, headers: dict, seconds: int):
    """A repeated "not found" is a warning with its seconds."""
    published(script, tmp_path)
    script.headers = headers
    check = one(diagnose(script.origin).checks, "missing is missing")
    assert check.outcome is (Outcome.WARNING if seconds else Outcome.OK)
    assert not seconds or f"{seconds} s" in check.found


@pytest.mark.parametrize("status", [200, 403])
def test_an_error_page_that_looks_like_an_object_fails(script: Script, tmp_path: Path, status: int):
    """What does not exist must be 404."""
    published(script, tmp_path, missing=status)
    assert one(diagnose(script.origin).checks, "missing is missing").outcome is Outcome.FAILED


def test_a_web_server_without_a_registry_fails(script: Script):
    """There is no marker."""
    script.status = 404
    assert one(diagnose(script.origin).checks, "marker").outcome is Outcome.FAILED


def test_a_web_server_that_is_gone_is_unknown(script: Script):
    """No answer is no verdict."""
    script.status = None
    assert diagnose(script.origin).outcome is Outcome.UNKNOWN
