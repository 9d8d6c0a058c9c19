"""A bucket that enforces what ``objreg policy`` prints: Ceph, with a second user."""

import json
from contextlib import closing

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

import objreg
from objreg.core.access.policy import policy
from objreg.errors import AccessDenied
from objreg.maintenance.checks import Outcome
from objreg.maintenance.doctor import diagnose

USER, KEY, SECRET = "ci", "ci-key", "hush-of-ci"
LOG = "registry/abc/claim/doc.model/log/999999999999.json"
BLOB = "registry/abc/claim/doc.model/blobs/aa"


@pytest.fixture(scope="module")
def ceph(servers):
    server = servers["ceph"]
    server._run(
        "radosgw-admin",
        "user",
        "create",
        f"--uid={USER}",
        "--display-name=ci",
        f"--access-key={KEY}",
        f"--secret={SECRET}",
    )
    return server


class Site:
    """A bucket of the owner's, and the other user's way to it under a policy."""

    def __init__(self, server) -> None:
        self.server = server
        self.url = f"{server.new_bucket()}/registry"
        self.bucket = self.url.split("/")[2]
        self.owner = server.client()
        self.user = boto3.client(
            "s3",
            endpoint_url=server.origin,
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
            region_name="us-east-1",
            config=Config(s3={"addressing_style": "path"}),
        )

    def options(self) -> dict[str, object]:
        return self.server.options("obstore") | {"access_key_id": KEY, "secret_access_key": SECRET}

    def grant(self, role: str, *namespaces: str) -> None:
        document = policy(
            "s3",
            role,
            bucket=self.bucket,
            prefix="registry",
            namespaces=namespaces,
            principals=[f"arn:aws:iam:::user/{USER}"],
        )
        self.owner.put_bucket_policy(Bucket=self.bucket, Policy=json.dumps(document))

    def answer(self, call, **arguments: object) -> str:
        try:
            call(Bucket=self.bucket, **arguments)
        except ClientError as error:
            return error.response["Error"]["Code"]
        return "ok"


@pytest.fixture
def site(ceph):
    found = Site(ceph)
    yield found
    found.owner.close()
    found.user.close()


CREATES = {
    "reader": set(),
    "promoter": {LOG},
    "writer": {LOG, BLOB},
    "admin": {LOG, BLOB},
}


@pytest.mark.parametrize("role", CREATES)
def test_a_role_is_held_to_its_keys(site: Site, role: str):
    """It creates what it may, deletes no history, and hears 404 and not 403 of what is missing."""
    site.grant(role, "abc/claim")
    elsewhere = LOG.replace("abc/claim", "fraud")
    created = {
        key
        for key in (LOG, BLOB, elsewhere)
        if site.answer(site.user.put_object, Key=key, Body=b"x", IfNoneMatch="*") == "ok"
    }
    assert created == CREATES[role]
    assert site.answer(site.user.get_object, Key=f"{LOG}-missing") == "NoSuchKey"
    assert site.answer(site.user.delete_object, Key=LOG) == "AccessDenied"
    assert site.answer(site.user.delete_object, Key=BLOB) == ("ok" if role == "admin" else "AccessDenied")
    assert site.answer(site.user.get_object, Key=elsewhere) == "NoSuchKey"  # listing is free, so that is told


def test_the_guard_holds_for_the_owner_too(site: Site):
    """Who owns the bucket deletes no entry either, and sets no lifecycle rule, until the guard is taken away."""
    site.owner.put_object(Bucket=site.bucket, Key=LOG, Body=b"x")
    rules = {"Rules": [{"ID": "tidy", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}]}
    site.grant("reader")
    assert site.answer(site.owner.delete_object, Key=LOG) == "AccessDenied"
    expire = site.owner.put_bucket_lifecycle_configuration
    assert site.answer(expire, LifecycleConfiguration=rules) == "AccessDenied"
    site.owner.delete_bucket_policy(Bucket=site.bucket)
    assert site.answer(expire, LifecycleConfiguration=rules) == "ok"
    assert site.answer(site.owner.delete_object, Key=LOG) == "ok"


def test_a_writer_s_policy_is_enough_to_work(site: Site, tmp_path):
    """Under the writer's policy a push, a pull and a change of state succeed; defining a state is the admin's."""
    owner = objreg.open(site.url, storage_options=site.server.options("obstore"), engine="obstore", create=True)
    owner.define_state("production")
    site.grant("writer", "fraud")
    model = tmp_path / "model.bin"
    model.write_bytes(b"weights")
    with closing(objreg.open(site.url, storage_options=site.options(), engine="obstore")) as registry:
        registry.push("fraud/clf", model)
        registry.set_state("fraud/clf:1.0", "production")
        assert registry.pull("fraud/clf@production")
        with pytest.raises(AccessDenied):
            registry.define_state("shadow")
        with pytest.raises(AccessDenied):
            registry.push("other/clf", model)
    site.grant("promoter", "fraud")
    with closing(objreg.open(site.url, storage_options=site.options(), engine="obstore")) as registry:
        registry.unset_state("fraud/clf:1.0", "production")
        model.write_bytes(b"other weights")
        with pytest.raises(AccessDenied):
            registry.push("fraud/clf", model)
    owner.close()


@pytest.mark.parametrize(
    ("role", "expected"), [("reader", Outcome.WARNING), ("writer", Outcome.OK), ("admin", Outcome.OK)]
)
def test_a_role_may_examine_its_store(site: Site, role: str, expected: Outcome):
    """Doctor finds a reader's credentials enough for a reader, and a writer's and an admin's enough for all."""
    site.grant(role)
    found = diagnose(site.url, storage_options=site.options(), engine="obstore", racers=8)
    probes = [check for check in found.checks if check.name not in {"versioning", "lifecycle rules", "retention"}]
    seen = {check.outcome for check in probes} - {Outcome.UNKNOWN}
    assert seen == {Outcome.OK, expected}
