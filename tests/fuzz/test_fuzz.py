"""Every decoder takes its corpus, and thousands of inputs that a fuzzer makes of it, and answers with our errors alone."""

import subprocess
import sys
from pathlib import Path

import pytest

from objreg.errors import FormatError
from tests.fuzz.targets import CORPUS, TARGETS, only_ours

_ROOT = Path(__file__).parents[2]
_RUNS = 3000
_CASES = sorted(path for path in CORPUS.rglob("*") if path.is_file())


@pytest.mark.parametrize("path", _CASES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_the_corpus_is_taken(path: Path) -> None:
    """Files that are called ``good`` are accepted; all others are accepted or refused, with an error of ours."""
    taken = only_ours(TARGETS[path.parent.name], path.read_bytes())
    assert taken or not path.name.startswith("good"), path


def test_every_target_has_a_good_start() -> None:
    """A fuzzer that begins with nothing valid stays at the door; and the corpus is small enough to be kept in Git."""
    assert {path.parent.name for path in _CASES if path.name.startswith("good")} == set(TARGETS)
    assert sum(path.stat().st_size for path in _CASES) < 128 * 1024


@pytest.mark.parametrize("target", TARGETS)
def test_a_short_run_finds_nothing(target: str, tmp_path: Path) -> None:
    """The same inputs each time; ``python -m tests.fuzz.run TARGET`` goes on where this stops."""
    options = ["-seed=1", f"-runs={_RUNS}", "-max_len=4096", "-timeout=20", "-rss_limit_mb=2048"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.run", target, *options, f"-artifact_prefix={tmp_path}/"],
        cwd=_ROOT,
        check=False,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=300,
    )
    found = [path.read_bytes() for path in tmp_path.iterdir()]
    assert done.returncode == 0, f"{found}\n{done.stderr[-4000:]}\n{done.stdout[-4000:]}"
    assert f"Done {_RUNS} runs" in done.stderr


def test_another_error_is_a_find() -> None:
    """The harness lets nothing but our errors pass."""

    def broken(_: bytes) -> None:
        raise RecursionError

    def refusing(_: bytes) -> None:
        raise FormatError("it is not of format 1")

    def silent(_: bytes) -> None:
        raise FormatError("")

    assert not only_ours(refusing, b"")
    with pytest.raises(RecursionError):
        only_ours(broken, b"")
    with pytest.raises(AssertionError, match="without a sentence"):
        only_ours(silent, b"")
