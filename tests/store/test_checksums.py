"""SHA-256 checksums that S3 keeps: sent where somebody asked for it, and told where there is one of the whole object."""

import re
import sys
from collections.abc import Iterator

import pytest

from objreg.core.digest import digest_of
from objreg.errors import InvalidInput, MissingDependency
from objreg.store import MemoryStore, Store, open_store
from objreg.store.checksums import digest_of_answer, header_of, recorded_sha256
from objreg.store.wrappers import CountingStore, OfflineStore, ReadOnlyStore
from tests.servers.proxy import Proxy

DATA = b"weights"
KEEPS = {"seaweedfs", "ministack"}


@pytest.fixture(params=["obstore", "fsspec"])
def engine(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def wire(every_s3) -> Iterator[Proxy]:
    """A proxy in front of each S3 server in turn."""
    forwarder = Proxy(every_s3.origin)
    yield forwarder
    forwarder.stop()


def opened(server, url: str, engine: str, *, origin: str | None = None, **options: str) -> Store:
    return open_store(url, storage_options=server.options(engine, origin=origin) | options, engine=engine)


def test_what_is_sent_is_told_where_the_server_keeps_it(every_s3, wire: Proxy, engine: str) -> None:
    """With the option each create carries the header, in its one request; one HEAD tells what the server kept."""
    store = opened(every_s3, f"{every_s3.new_bucket()}/deep", engine, origin=wire.origin, checksum_algorithm="SHA256")
    with wire.recording() as creates:
        assert store.create("a/b", DATA)
        assert not store.create("a/b", b"others")
    assert [request.headers["x-amz-checksum-sha256"] for request in creates if request.method == "PUT"] == [
        header_of(digest_of(DATA)),
        header_of(digest_of(b"others")),
    ]
    assert len(creates) == 2
    recorded_sha256(store, "warm/up")
    with wire.recording() as asked:
        found = recorded_sha256(store, "a/b")
    assert found == (digest_of(DATA) if every_s3.name in KEEPS else None)
    assert [request.method for request in asked] == ["HEAD"]
    assert recorded_sha256(store, "not/there") is None
    store.close()


def test_nothing_is_sent_unasked(s3_server, proxy: Proxy, engine: str) -> None:
    """Servers that do not know the header may refuse it: without the option there is none."""
    store = opened(s3_server, s3_server.new_bucket(), engine, origin=proxy.origin)
    with proxy.recording() as requests:
        store.create("a/b", DATA)
    assert [name for request in requests for name in request.headers if "checksum" in name] == []
    store.close()


def test_an_object_without_one_has_none(servers, engine: str) -> None:
    """What was created without a checksum has none on a server that keeps them."""
    server = servers["seaweedfs"]
    store = opened(server, server.new_bucket(), engine)
    store.create("a/b", DATA)
    assert recorded_sha256(store, "a/b") is None
    store.close()


def test_the_default_engine_needs_s3fs_to_be_told(s3_server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checksum that obstore sent is asked for by another client; without it its extra is named."""
    store = opened(s3_server, s3_server.new_bucket(), "obstore")
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(MissingDependency, match=r"objreg\[s3\]"):
        recorded_sha256(store, "a/b")
    store.close()


def test_wrappers_pass_the_question_on(servers) -> None:
    """Counted as one call; a read-only store tells; one that is offline has nothing to tell."""
    server = servers["seaweedfs"]
    store = opened(server, server.new_bucket(), "fsspec", checksum_algorithm="SHA256")
    store.create("a/b", DATA)
    counting = CountingStore(ReadOnlyStore(store))
    assert recorded_sha256(counting, "a/b") == digest_of(DATA)
    assert counting.counts == {"recorded_sha256": 1}
    with pytest.raises(InvalidInput, match="keeps no SHA-256"):
        recorded_sha256(OfflineStore(store.url, store.identity, ordered=True), "a/b")
    store.close()


@pytest.mark.parametrize("wrap", [lambda store: store, ReadOnlyStore, CountingStore])
def test_other_storage_keeps_none(wrap) -> None:
    """Memory, and so a folder and the other clouds, is told apart before anything is asked."""
    with pytest.raises(InvalidInput, match="only S3 does"):
        recorded_sha256(wrap(MemoryStore("checksums")), "a/b")


@pytest.mark.parametrize("name", ["fake-gcs", "azurite"])
def test_other_clouds_keep_other_checksums(servers, name: str) -> None:
    """Google and Azure have MD5 and CRC32C: neither sent nor asked for, and said so."""
    server = servers[name]
    options = server.options("fsspec")
    url = server.new_bucket()
    with pytest.raises(InvalidInput, match=re.escape("keeps MD5 or CRC32C checksums, not SHA256")):
        open_store(url, storage_options={**options, "checksum_algorithm": "SHA256"}, engine="fsspec")
    store = open_store(url, storage_options=options, engine="fsspec")
    with pytest.raises(InvalidInput, match="only S3 does"):
        recorded_sha256(store, "a/b")
    store.close()


def test_the_option_has_one_value() -> None:
    """In an address it is as any other option; another algorithm is refused, with the one that is known."""
    assert open_store("s3://bkt/pre?checksum_algorithm=SHA256&endpoint_url=http://127.0.0.1:9").url == "s3://bkt/pre"
    with pytest.raises(InvalidInput, match="the one that is known is SHA256"):
        open_store("s3://bkt/pre?checksum_algorithm=CRC32")


SHA = header_of(digest_of(DATA))


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"ChecksumSHA256": SHA}, digest_of(DATA)),
        ({"ChecksumSHA256": SHA, "ChecksumType": "FULL_OBJECT"}, digest_of(DATA)),
        ({"ChecksumSHA256": SHA, "ChecksumType": "COMPOSITE"}, None),
        ({"ChecksumSHA256": f"{SHA}-3"}, None),
        ({"ChecksumSHA256": "AAAA"}, None),
        ({"ChecksumSHA256": "ä"}, None),
        ({"ChecksumSHA256": None}, None),
        ({"ChecksumCRC32": "AAAAAA=="}, None),
        ({}, None),
    ],
)
def test_only_a_checksum_of_the_whole_object_counts(answer: dict, expected: str | None) -> None:
    """One over parts, one of another length, and what is no base64 are as good as none."""
    assert digest_of_answer(answer) == expected
