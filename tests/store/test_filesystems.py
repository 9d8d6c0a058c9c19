"""File systems that a caller made: used with their own credentials, without their caches, or only for reading."""

import pytest

from objreg.errors import InvalidInput, StoreError, UnsafeStore
from objreg.store import open_store
from objreg.store.local import LocalStore


@pytest.fixture
def s3(servers):
    """An s3fs of the caller's, with the caches that it has by default, and a bucket."""
    import s3fs

    server = servers["moto"]
    filesystem = s3fs.S3FileSystem(
        key=server.access_key, secret=server.secret_key, endpoint_url=server.origin, use_listings_cache=True
    )
    return filesystem, server.new_bucket()


def test_a_file_system_with_a_cache_gives_a_store_without(s3) -> None:
    """What another writer created a moment ago is seen, though the caller's own file system does not see it."""
    filesystem, bucket = s3
    store = open_store(f"{bucket}/root", filesystem=filesystem)
    other = open_store(f"{bucket}/root", filesystem=filesystem)
    assert store.create("a/1", b"x")
    filesystem.ls(f"{bucket}/root/a")
    assert other.create("a/2", b"y")
    assert not filesystem.exists(f"{bucket}/root/a/2")
    assert store.get("a/2") == b"y"
    assert [info.key for info in store.list("a/")] == ["a/1", "a/2"]
    assert store.url == f"{bucket}/root"
    assert store.create("a/2", b"z") is False


def test_a_path_without_a_scheme_is_enough(s3) -> None:
    """With a file system the address may be bucket/prefix; without a bucket it is refused."""
    filesystem, bucket = s3
    store = open_store(f"{bucket.removeprefix('s3://')}/root", filesystem=filesystem)
    assert store.url == f"{bucket}/root"
    with pytest.raises(InvalidInput, match="names no bucket"):
        open_store("", filesystem=filesystem)


def test_a_local_file_system_is_a_folder(tmp_path) -> None:
    """The local file system of fsspec checks, then writes; the folder's own store takes its place."""
    import fsspec

    store = open_store(str(tmp_path), filesystem=fsspec.filesystem("file"))
    assert isinstance(store, LocalStore)
    assert store.create("a", b"x")


def test_any_other_file_system_is_read() -> None:
    """Reading works; creating and deleting are refused with what to use instead."""
    import fsspec

    filesystem = fsspec.filesystem("memory", skip_instance_cache=True)
    filesystem.pipe_file("/objreg-read/pre/a/b", b"0123")
    store = open_store("memory://objreg-read/pre", filesystem=filesystem)
    assert store.get("a/b") == b"0123"
    assert store.get_range("a/b", 1, 2) == b"12"
    assert store.get("a") is None
    assert store.get("missing") is None
    assert [info.key for info in store.list("")] == ["a/b"]
    assert list(store.list("b/")) == []
    assert store.folders("") == ("a",)
    assert store.folders("b/") == ()
    assert store.head("a/b").size == 4
    assert store.head("a") is None
    for call in (lambda: store.create("a/c", b"x"), lambda: store.delete("a/b")):
        with pytest.raises(UnsafeStore, match="s3://"):
            call()
    with pytest.raises(StoreError):
        store.first("a/")
