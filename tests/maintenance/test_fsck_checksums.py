"""``fsck --deep --stored-checksums`` on real servers: what is believed, what is read all the same, and what is found."""

import base64
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import objreg
from objreg.errors import InvalidInput
from objreg.maintenance.fsck import FsckReport, fsck
from tests.maintenance.sample import Sample, codes
from tests.servers.proxy import Proxy, Request
from tests.servers.server import S3Server

MODEL = "fraud/clf"
BLOBS = 3


@dataclass
class Kept:
    """A registry whose creates carried checksums, behind a proxy."""

    server: S3Server
    engine: str
    folder: Path
    checksum: str | None = "SHA256"
    proxy: Proxy = field(init=False)

    def __post_init__(self) -> None:
        self.proxy = Proxy(self.server.origin)
        self.url = self.server.new_bucket()
        self.client = self.server.client()
        options = self.server.options(self.engine, origin=self.proxy.origin)
        if self.checksum:
            options["checksum_algorithm"] = self.checksum
        self.registry = objreg.open(self.url, storage_options=options, engine=self.engine, create=True, actor="me")
        for number in range(BLOBS - 1):
            self.push(f"model-{number}.bin", os.urandom(4000))
        self.push("vocab.txt", b"word " * 4000)

    def push(self, name: str, data: bytes) -> None:
        (self.folder / name).write_bytes(data)
        self.registry.push(MODEL, self.folder / name)

    def fsck(self, **options) -> FsckReport:
        return fsck(self.registry, deep=True, **options)

    def vouched(self, **options) -> FsckReport:
        return self.fsck(stored_checksums=True, **options)

    def of_blobs(self, method: str, requests: list[Request]) -> int:
        return sum(request.method == method and "/blobs/" in request.path for request in requests)

    @property
    def blobs(self) -> list[str]:
        """The keys of the plain blobs, and last that of the compressed one."""
        listed = self.client.list_objects_v2(Bucket=self.url[5:], Prefix=f"{MODEL}.model/blobs/")["Contents"]
        return sorted((found["Key"] for found in listed), key=lambda key: (key.endswith(".zst"), key))

    def read(self, key: str) -> bytes:
        return self.client.get_object(Bucket=self.url[5:], Key=key)["Body"].read()

    def replace(self, key: str, data: bytes, *, claimed: bytes | None = None) -> None:
        """Write over a blob, as somebody with a program of their own would."""
        digest = hashlib.sha256(data if claimed is None else claimed).digest()
        claim = {"ChecksumSHA256": base64.b64encode(digest).decode()} if claimed is not None else {}
        self.client.put_object(Bucket=self.url[5:], Key=key, Body=data, **claim)

    def close(self) -> None:
        self.registry.close()
        self.client.close()
        self.proxy.stop()


@pytest.fixture
def make(servers, tmp_path: Path) -> Iterator:
    """Makes registries, and closes them."""
    made: list[Kept] = []

    def make(name: str, engine: str = "fsspec", checksum: str | None = "SHA256") -> Kept:
        made.append(Kept(servers[name], engine, tmp_path, checksum))
        return made[-1]

    yield make
    for kept in made:
        kept.close()


@pytest.mark.parametrize("engine", ["obstore", "fsspec"])
def test_no_blob_is_downloaded_where_the_store_vouches(make, engine: str):
    """One HEAD for each blob and not a single GET of one, with both engines; a deep verification reads each."""
    kept = make("seaweedfs", engine)
    assert kept.blobs[-1].endswith(".zst")
    with kept.proxy.recording() as requests:
        report = kept.vouched()
    assert report.findings == ()
    assert (report.blobs, report.blobs_vouched, report.blobs_read, report.bytes_hashed) == (BLOBS, BLOBS, 0, 0)
    assert (kept.of_blobs("HEAD", requests), kept.of_blobs("GET", requests)) == (BLOBS, 0)
    with kept.proxy.recording() as requests:
        report = kept.fsck()
    assert (report.blobs_vouched, report.blobs_read) == (0, BLOBS)
    assert (kept.of_blobs("HEAD", requests), kept.of_blobs("GET", requests)) == (0, BLOBS)


@pytest.mark.parametrize(("name", "checksum"), [("moto", "SHA256"), ("ceph", "SHA256"), ("seaweedfs", None)])
def test_blobs_without_a_checksum_are_read(make, name: str, checksum: str | None):
    """Servers that keep none, and a registry that was filled without the option: everything is read, and said to be."""
    kept = make(name, "obstore", checksum)
    with kept.proxy.recording() as requests:
        report = kept.vouched()
    assert report.findings == ()
    assert (report.blobs_vouched, report.blobs_read) == (0, BLOBS)
    assert kept.of_blobs("GET", requests) == BLOBS
    assert report.bytes_hashed > 0


def test_a_registry_that_took_up_the_option_later(make):
    """Blobs from before are read, those from after are not."""
    kept = make("seaweedfs", checksum=None)
    options = kept.server.options("fsspec") | {"checksum_algorithm": "SHA256"}
    later = objreg.open(kept.url, storage_options=options, engine="fsspec", actor="me")
    (kept.folder / "later.bin").write_bytes(os.urandom(3000))
    later.push(MODEL, kept.folder / "later.bin")
    later.close()
    report = kept.vouched()
    assert report.findings == ()
    assert (report.blobs_vouched, report.blobs_read) == (1, BLOBS)


@pytest.mark.parametrize("position", range(BLOBS))
@pytest.mark.parametrize("claims", [False, True])
def test_a_replaced_blob_is_found(make, position: int, claims: bool):
    """Other bytes of the same size, plain or compressed: the checksum is gone, or another one, so they are read."""
    kept = make("seaweedfs")
    key = kept.blobs[position]
    other = os.urandom(len(kept.read(key)))
    kept.replace(key, other, claimed=other if claims else None)
    report = kept.vouched()
    assert {(found.code, found.key) for found in report.findings} == {("blob-damaged", key)}
    assert (report.blobs_vouched, report.blobs_read) == (BLOBS - 1, 1)
    assert codes(kept.fsck()) == {"blob-damaged"}


def test_a_blob_of_another_size_or_none_is_found_as_before(make):
    """The listing tells, whatever checksums say."""
    kept = make("seaweedfs")
    first, second, _ = kept.blobs
    kept.client.delete_object(Bucket=kept.url[5:], Key=first)
    kept.replace(second, b"short", claimed=b"short")
    assert codes(kept.vouched()) == {"blob-missing", "blob-size-wrong"}


def test_right_bytes_under_a_wrong_checksum_are_no_finding(make):
    """A checksum that is not the record's only means that the blob is read."""
    kept = make("ministack")
    key = kept.blobs[0]
    kept.replace(key, kept.read(key), claimed=b"something else")
    report = kept.vouched()
    assert report.findings == ()
    assert (report.blobs_vouched, report.blobs_read) == (BLOBS - 1, 1)


def test_a_store_that_repeats_what_it_is_told_is_believed(make):
    """What the option costs on a store that does not look (doctor warns of it): this damage, which --deep alone finds."""
    kept = make("ministack")
    key = kept.blobs[0]
    right = kept.read(key)
    kept.replace(key, os.urandom(len(right)), claimed=right)
    assert kept.vouched().findings == ()
    assert codes(kept.fsck()) == {"blob-damaged"}


def test_what_nothing_names_is_read(make):
    """An orphan's name promises its plain bytes, and the next push would take it for its own."""
    kept = make("seaweedfs")
    folder = kept.blobs[0].rpartition("/")[0]
    kept.replace(f"{folder}/{'0' * 64}", b"not of this name", claimed=b"not of this name")
    report = kept.vouched()
    assert codes(report) == {"orphan-damaged"}
    assert (report.blobs_vouched, report.blobs_read, report.bytes_hashed) == (BLOBS, 0, len(b"not of this name"))


def test_the_store_s_word_does_not_stand_for_a_reading(make):
    """With ``since``: a vouched verification covers quick ones and vouched ones, and a deep one covers all."""
    kept = make("seaweedfs")
    kept.vouched()
    assert kept.vouched(since=True).blobs == 0
    assert fsck(kept.registry, since=True).blobs == 0
    assert kept.fsck(since=True).blobs_read == BLOBS
    assert kept.fsck(since=True).blobs == 0
    kept.push("more.bin", os.urandom(3000))
    assert kept.vouched(since=True).blobs_vouched == 1
    kept.push("still-more.bin", os.urandom(3000))
    kept.fsck()
    assert kept.vouched(since=True).blobs == 0


def test_an_error_makes_a_vouched_verification_begin_anew(make):
    """As of the others: where something was found, all of the domain is looked at the next time."""
    kept = make("seaweedfs")
    kept.vouched()
    kept.client.delete_object(Bucket=kept.url[5:], Key=kept.blobs[0])
    assert codes(kept.vouched()) == {"blob-missing"}
    assert codes(kept.vouched(since=True)) == {"blob-missing"}


def test_it_is_refused_where_it_means_nothing(tmp_path: Path):
    """Without deep, and of a storage that keeps no checksums, before anything is read."""
    sample = Sample(tmp_path)
    with pytest.raises(InvalidInput, match="add --deep"):
        sample.fsck(stored_checksums=True)
    with pytest.raises(InvalidInput, match="only S3 does"):
        sample.fsck(deep=True, stored_checksums=True)
