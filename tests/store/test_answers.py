"""Every answer of a server is one of objreg's errors, from both engines alike, and none is repeated word for word."""

import json
from contextlib import suppress
from pathlib import Path

import pytest

from objreg.errors import AccessDenied, StoreError, StoreUnavailable, UnsafeStore
from objreg.store import Store, open_store
from tests.servers.scripted import Script

AZURE_KEY = "A" * 86 + "=="


def open_s3(engine: str, origin: str) -> Store:
    names = {"obstore": ("access_key_id", "secret_access_key"), "fsspec": ("key", "secret")}[engine]
    options = {"endpoint_url": origin, "region": "us-east-1", **dict.fromkeys(names, "testkey")}
    return open_store("s3://bkt/root", storage_options=options, engine=engine)


def open_azure(engine: str, origin: str) -> Store:
    options = {"endpoint_url": f"{origin}/acme", "account_name": "acme", "account_key": AZURE_KEY}
    return open_store("az://bkt/root", storage_options=options, engine=engine)


def open_google(engine: str, origin: str) -> Store:
    return open_store("gs://bkt/root", storage_options={"endpoint_url": origin, "anonymous": True}, engine=engine)


OPENERS = {
    "s3-obstore": (open_s3, "obstore"),
    "s3-fsspec": (open_s3, "fsspec"),
    "azure-obstore": (open_azure, "obstore"),
    "azure-fsspec": (open_azure, "fsspec"),
    "google-fsspec": (open_google, "fsspec"),
}


@pytest.fixture(params=OPENERS)
def store(request: pytest.FixtureRequest, script: Script) -> Store:
    """Each cloud over each engine, at the scripted server."""
    opener, engine = OPENERS[request.param]
    return opener(engine, script.origin)


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (401, "Unauthorized", AccessDenied),
        (403, "AccessDenied", AccessDenied),
        (429, "SlowDown", StoreUnavailable),
        (500, "InternalError", StoreUnavailable),
        (503, "SlowDown", StoreUnavailable),
    ],
)
def test_refusals(store: Store, script: Script, status: int, code: str, expected: type) -> None:
    """Refused credentials are AccessDenied, a tired server is StoreUnavailable, for reads and creates."""
    script.error(status, code)
    refused = (lambda: store.get("a/b"), lambda: store.create("a/b", b"x"), lambda: store.first("a/"))
    others = (
        lambda: store.get_range("a/b", 0, 1),
        lambda: list(store.list("a/")),
        lambda: store.folders("a/"),
        lambda: store.head("a/b"),
        lambda: store.delete("a/b"),
    )
    for call in refused + (others if expected is AccessDenied else ()):  # a tired server is asked three times
        with pytest.raises(StoreError) as caught:
            call()
        assert type(caught.value) is expected
        assert str(status) in str(caught.value)
        assert "hush-hush" not in str(caught.value)
        assert caught.value.__cause__ is not None


def test_a_denied_read_hints_at_the_missing_list_permission(store: Store, script: Script) -> None:
    """S3 answers 403 for an object that is not there to whoever may not list."""
    script.error(403, "AccessDenied")
    with pytest.raises(AccessDenied, match="s3:ListBucket"):
        store.get("a/b")


def test_a_conflict_is_never_a_claim(store: Store, script: Script) -> None:
    """409 says nothing of what is stored: False (read it to know) or StoreUnavailable, never True."""
    script.error(409, "ConditionalRequestConflict")
    with suppress(StoreUnavailable):
        assert store.create("a/b", b"x") is False


def test_an_existing_object_is_false(store: Store, script: Script) -> None:
    """412 with and without S3's <Condition>, and Azure's 409, say that something is there."""
    if store.url.startswith("az"):
        script.error(409, "BlobAlreadyExists")
        assert store.create("a/b", b"x") is False
    script.error(412, "PreconditionFailed")
    assert store.create("a/b", b"x") is False
    script.body = script.body.replace(b"<Message>", b"<Condition>If-None-Match</Condition><Message>")
    assert store.create("a/b", b"x") is False


def test_a_missing_bucket_is_an_error(store: Store, script: Script) -> None:
    """NoSuchBucket is an error for every method that can hear it, a missing key is None."""
    script.error(404, "ContainerNotFound" if store.url.startswith("az") else "NoSuchBucket")
    for call in (
        lambda: store.get("a/b"),
        lambda: store.create("a/b", b"x"),
        lambda: store.first("a/"),
        lambda: list(store.list("a/")),
    ):
        with pytest.raises(StoreError, match=r"bucket.* does not exist"):
            call()


def test_no_answer_is_unavailable(store: Store, script: Script) -> None:
    """A server that closes the connection each time gave no clear answer."""
    script.status = None
    for call in (lambda: store.get("a/b"), lambda: store.create("a/b", b"x"), lambda: list(store.list("a/"))):
        with pytest.raises(StoreUnavailable):
            call()
    with pytest.raises(StoreUnavailable, match="to list the registry;"):
        list(store.list(""))


def test_garbage_is_no_listing(store: Store, script: Script, request: pytest.FixtureRequest) -> None:
    """A listing that is none is an error; only obstore's S3 takes it for an empty one, and a create then still asks."""
    script.body = b"<html>welcome to the hotel</html>"
    script.headers = {"Content-Type": "text/html"}
    if request.node.callspec.params["store"] == "s3-obstore":
        assert store.first("a/") is None
        return
    with pytest.raises(StoreError):
        store.first("a/")


@pytest.mark.parametrize("engine", ["obstore", "fsspec"])
def test_a_server_without_the_condition_is_unsafe(engine: str, script: Script) -> None:
    """501 to a conditional create is UnsafeStore."""
    script.error(501, "NotImplemented")
    with pytest.raises(UnsafeStore):
        open_s3(engine, script.origin).create("a/b", b"x")


@pytest.mark.parametrize("engine", ["obstore", "fsspec"])
def test_a_wrong_clock_and_a_wrong_region_are_said(engine: str, script: Script) -> None:
    """The two refusals that no permission cures name their cure."""
    store = open_s3(engine, script.origin)
    script.error(403, "RequestTimeTooSkewed")
    with pytest.raises(AccessDenied, match="clock"):
        store.create("a/b", b"x")
    script.error(400, "AuthorizationHeaderMalformed")
    with pytest.raises(StoreError, match="region"):
        store.create("a/b", b"x")


def test_the_condition_that_botocore_does_not_know(script: Script, tmp_path: Path, monkeypatch) -> None:
    """A botocore whose PutObject has no IfNoneMatch would overwrite silently: UnsafeStore, and nothing is sent."""
    from botocore.loaders import Loader

    model = Loader().load_service_model("s3", "service-2")
    del model["shapes"]["PutObjectRequest"]["members"]["IfNoneMatch"]
    folder = tmp_path / "s3" / "2006-03-01"
    folder.mkdir(parents=True)
    (folder / "service-2.json").write_text(json.dumps(model))
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    with pytest.raises(UnsafeStore, match=r"botocore .* install botocore 1\.36"):
        open_s3("fsspec", script.origin).create("a/b", b"x")
    assert script.seen == []
