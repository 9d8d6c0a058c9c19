"""Links to files of the cache while somebody else puts the same files there."""

import threading
from pathlib import Path

import pytest

from objreg.local.cache_links import HARDLINK, Linker


def test_a_link_to_a_file_that_is_being_replaced_by_its_like(tmp_path: Path):
    """Two that fetched the same small file put it in the cache at a time; neither link fails."""
    source, stop = tmp_path / "stored", threading.Event()
    source.write_text("the same")

    def replace() -> None:
        while not stop.is_set():
            (tmp_path / "fetched").write_text("the same")
            (tmp_path / "fetched").replace(source)

    other = threading.Thread(target=replace)
    other.start()
    try:
        for number in range(5_000):
            Linker(HARDLINK).place(source, tmp_path / str(number))
    finally:
        stop.set()
        other.join()


def test_a_link_to_nothing_is_an_error(tmp_path: Path):
    """A source that is gone, and a folder that is, are told and not waited for."""
    (tmp_path / "stored").write_text("here")
    for source, target in (("gone", "link"), ("stored", "gone/link")):
        with pytest.raises(FileNotFoundError):
            Linker(HARDLINK).place(tmp_path / source, tmp_path / target)
