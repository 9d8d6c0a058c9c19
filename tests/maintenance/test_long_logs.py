"""The logs that the benchmarks make fast are what objreg would have committed, so what is measured on them holds."""

import pytest

import objreg
from benchmarks.growth import MODEL, Folder, Sampling, begin
from benchmarks.harness.logs import GrowingLog, RotatingLog
from objreg.maintenance.fsck import fsck

LENGTH = 300


@pytest.mark.parametrize(("kind", "versions"), [(RotatingLog, 8), (GrowingLog, 2)])
def test_a_made_log_is_a_valid_one(tmp_path, kind, versions):
    """A long log is verified without a finding, has a snapshot where its state grows, and can be committed to."""
    place = Folder(tmp_path / "registry")
    begin(place.url, versions)
    log = kind(objreg.open(place.url, lock=False), MODEL)
    place.store(log.up_to(LENGTH))
    log.check(objreg.open(place.url, lock=False))
    costs = Sampling(place).measure(1)
    assert costs["warm commit"].requests == 1
    report = fsck(objreg.open(place.url, lock=False))
    assert [found.message for found in report.findings] == []
    assert report.entries > LENGTH
    assert any((tmp_path / "registry" / f"{MODEL}.model").glob("snapshots/*")) == (kind is GrowingLog)
