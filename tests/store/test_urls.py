"""Addresses: which store each opens, which options it takes, and that no secret comes back out."""

import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from objreg.errors import InvalidInput, MissingDependency
from objreg.store import MemoryStore, open_store
from objreg.store.http import HttpStore
from objreg.store.local import LocalStore
from objreg.store.options import parse_options
from objreg.store.urls import redact


def test_folders(tmp_path: Path, monkeypatch) -> None:
    """A path, a relative path, ~ and a file URL with escapes are folders."""
    monkeypatch.chdir(tmp_path)
    folder = (tmp_path / "a b").as_uri()
    for address in (str(tmp_path / "a b"), "a b", folder):
        store = open_store(address)
        assert isinstance(store, LocalStore)
        assert store.url == folder
    assert open_store("~/x").url == (Path.home() / "x").as_uri()


def test_memory_is_shared_by_name() -> None:
    """The same name is the same objects in one process; another name is another store."""
    one, same, other = (open_store(f"memory://{name}") for name in ("urls-1", "urls-1", "urls-2"))
    assert isinstance(one, MemoryStore)
    one.create("a", b"x")
    assert same.get("a") == b"x"
    assert other.get("a") is None


def test_clouds_are_known_by_address_and_endpoint() -> None:
    """The URL has no options, the identity has the endpoint, and spelling does not matter."""
    store = open_store("s3://bkt//pre/fix/?endpoint_url=http://127.0.0.1:9&region=eu-west-1&anonymous=true")
    assert store.url == "s3://bkt/pre/fix"
    assert store.identity == "s3://bkt/pre/fix@http://127.0.0.1:9"
    assert store.ordered
    assert open_store("s3://bkt/pre/fix?anonymous=1").identity == "s3://bkt/pre/fix"
    assert not open_store("s3://bkt--usw2-az1--x-s3/pre?anonymous=1").ordered
    assert isinstance(open_store("https://example.com/models/"), HttpStore)
    account = open_store("abfs://box@acme.dfs.core.windows.net/pre?anonymous=true")
    assert (account.url, account.identity) == ("az://box/pre", "az://box/pre@acme")


@pytest.mark.parametrize("engine", ["obstore", "fsspec"])
def test_both_engines_give_one_identity(engine: str) -> None:
    """What a machine remembers of a registry does not depend on the engine."""
    store = open_store("s3://bkt/pre?endpoint_url=http://127.0.0.1:9&anonymous=true", engine=engine)
    assert (store.url, store.identity) == ("s3://bkt/pre", "s3://bkt/pre@http://127.0.0.1:9")


@pytest.mark.parametrize(
    "url",
    [
        "s3://AKIA:hunter2@bkt/pre",
        "https://user:hunter2@example.com/",
        "s3://bkt/pre?secret_access_key=hunter2",
        "s3://bkt/pre?token=hunter2",
        "az://box/pre?sas=hunter2",
        "abfs://box:hunter2@acme.dfs.core.windows.net/pre",
    ],
)
def test_credentials_in_an_address_are_refused_unrepeated(url: str) -> None:
    """A secret has no place in an address, and the refusal does not print it."""
    with pytest.raises(InvalidInput) as caught:
        open_store(url)
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in repr(caught.value.facts)
    assert "hunter2" not in redact(url)


@pytest.mark.parametrize(
    ("url", "arguments", "words"),
    [
        ("s3://bkt/pre?regoin=x", {}, "endpoint_url, region"),
        ("s3://bkt/pre?anonymous=perhaps", {}, "neither true nor false"),
        ("s3://bkt/pre?endpoint_url=ftp://x", {}, "http:// or https://"),
        ("s3:///pre", {}, "names no bucket"),
        ("ftp://host/pre", {}, "not known"),
        ("", {}, "empty"),
        ("file://elsewhere/pre", {}, "file:///absolute/path"),
        ("s3://bkt/pre", {"engine": "boto"}, "fsspec, obstore"),
        ("s3://bkt/pre", {"storage_options": {"regoin": "x"}}, "'regoin' is no option of the fsspec engine"),
        ("s3://bkt/pre", {"storage_options": {"regoin": "x"}, "engine": "obstore"}, "regoin"),
        ("memory://x", {"storage_options": {"region": "x"}}, "takes no engine and no storage_options"),
        ("gs://bkt?endpoint_url=http://127.0.0.1:9", {"engine": "obstore"}, "no endpoint_url"),
    ],
)
def test_a_wrong_address_teaches(url: str, arguments: dict, words: str) -> None:
    """Unknown names and values are InvalidInput that says what is known."""
    with pytest.raises(InvalidInput, match=words):
        open_store(url, **arguments)


def test_an_unknown_option_does_not_show_secrets() -> None:
    """The values of options are in no message and in no repr."""
    secret = {"secret_access_key": "hunter2", "access_key_id": "AKIA", "regoin": "x"}
    with pytest.raises(InvalidInput) as caught:
        open_store("s3://bkt/pre", storage_options=secret, engine="obstore")
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in repr(parse_options({}, secret))


def test_redact_keeps_what_is_no_secret() -> None:
    """User names, passwords and secret parameters go, everything else stays."""
    assert redact("s3://k:s@bkt/p?region=x&token=t") == "s3://bkt/p?region=x"
    assert redact("abfs://box@acme.dfs.core.windows.net/p") == "abfs://box@acme.dfs.core.windows.net/p"
    assert redact("/a/folder") == "/a/folder"


def test_a_cloud_store_is_sent_as_how_to_open_it() -> None:
    """A pickle of a store opens an equal one."""
    store = open_store("s3://bkt/pre?endpoint_url=http://127.0.0.1:9&anonymous=true")
    again = pickle.loads(pickle.dumps(store))
    assert (again.url, again.identity, again.ordered) == (store.url, store.identity, store.ordered)


def test_a_missing_extra_is_named(monkeypatch) -> None:
    """Without s3fs the fsspec engine says which extra to install."""
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(MissingDependency, match=r"objreg\[s3\]"):
        open_store("s3://bkt/pre", engine="fsspec")


def test_importing_the_package_imports_no_cloud() -> None:
    """objreg.store costs nothing of obstore, fsspec, boto3 or zstandard until a cloud is spoken to."""
    heavy = "{'obstore', 'fsspec', 'boto3', 'botocore', 'zstandard', 's3fs', 'aiohttp'}"
    code = f"import sys, objreg.store; found = {heavy} & set(sys.modules); assert not found, found"
    subprocess.run([sys.executable, "-c", code], check=True)
