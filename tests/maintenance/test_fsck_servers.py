"""Verification of a registry on real servers, with both engines."""

from pathlib import Path

import pytest

import objreg
from objreg.maintenance.fsck import fsck
from objreg.store.urls import open_store
from tests.servers.server import S3Server


@pytest.mark.parametrize("engine", ["obstore", "fsspec"])
def test_a_registry_in_a_bucket(s3_server: S3Server, tmp_path: Path, engine: str):
    """What is in a bucket is verified as in memory: clean, then with a blob deleted and another replaced."""
    url, options = s3_server.new_bucket(), s3_server.options(engine)
    registry = objreg.open(url, storage_options=options, engine=engine, create=True, actor="me")
    (tmp_path / "model.bin").write_bytes(b"weights")
    (tmp_path / "vocab.txt").write_bytes(b"words")
    registry.push("fraud/clf", tmp_path / "model.bin")
    registry.push("fraud/clf", tmp_path / "vocab.txt")
    assert fsck(registry, deep=True).findings == ()
    store = open_store(url, storage_options=options, engine=engine)
    first, second = sorted(info.key for info in store.list("fraud/clf.model/blobs/"))
    store.delete(first)
    data = store.get(second)
    assert data is not None
    store.delete(second)
    store.create(second, bytes(len(data)))
    found = {(finding.code, finding.key) for finding in fsck(registry, "fraud/clf", deep=True).findings}
    assert found == {("blob-missing", first), ("blob-damaged", second)}
    store.close()
    registry.close()
