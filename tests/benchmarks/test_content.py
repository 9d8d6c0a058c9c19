"""The files that are sent are what the page says of them, and other bytes than were sent do not go unseen."""

from pathlib import Path

import pytest
import zstandard

from benchmarks.harness.content import check_digests, check_sizes, digests, write_files

MIB = 1024 * 1024


def written(folder: Path, *, compressible: bool = True) -> Path:
    """Two files of a MiB and a half."""
    write_files(folder, 2, 3 * MIB // 2, compressible=compressible)
    return folder


@pytest.mark.parametrize(("compressible", "least", "most"), [(True, 0.25, 0.4), (False, 0.99, 1.01)])
def test_content_compresses_as_it_says(tmp_path, compressible, least, most):
    """To about a third, or not at all; and each MiB begins with bytes that do not look like text."""
    folder = written(tmp_path / "files", compressible=compressible)
    assert [path.name for path in sorted(folder.iterdir())] == ["00000.bin", "00001.bin"]
    for path in folder.iterdir():
        data = path.read_bytes()
        assert len(data) == 3 * MIB // 2
        assert least < len(zstandard.compress(data, 3)) / len(data) < most
        assert not any(data[start : start + 128].isascii() for start in (0, MIB))


def test_content_is_the_same_at_every_run(tmp_path):
    """So runs compare; but no two files of a run are the same, which would be sent once."""
    one, other = digests(written(tmp_path / "one")), digests(written(tmp_path / "other"))
    assert one == other
    assert len(set(one.values())) == 2


def test_what_was_pulled_is_compared(tmp_path):
    """In whatever folder the files lie; another byte, another size and a file too many are each an error."""
    source = written(tmp_path / "source")
    pulled = written(tmp_path / "pulled" / "deep").parent
    check_sizes(source, pulled)
    check_digests(digests(source), pulled)
    changed = pulled / "deep" / "00001.bin"
    with changed.open("r+b") as file:
        file.write(b"other")
    check_sizes(source, pulled)
    with pytest.raises(ValueError, match="other bytes than were sent"):
        check_digests(digests(source), pulled)
    (pulled / "00002.bin").write_bytes(b"")
    with pytest.raises(ValueError, match="other files than"):
        check_sizes(source, pulled)
