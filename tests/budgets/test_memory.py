"""Memory: what a push or a pull holds does not grow with the size of the file."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from objreg.local.trees import remove_tree

MIB = 1024 * 1024
SMALL, LARGE = 64, 512
SLACK = 256
"""MiB: four parts that wait to be sent, and room for as many compressed ones; a pull's four workers hold no more."""

# Peak memory of a process includes that of its parent up to exec, so the child starts from a small one.
ACTION = """
import pathlib, resource, sys
import objreg
action, url, source = sys.argv[1:]
registry = objreg.open(url, create=True, actor="ci@acme")
if action == "push":
    registry.push("fraud/clf", source)
elif action == "pull":
    registry.pull("fraud/clf:1.0")
else:
    for _ in registry.read("fraud/clf:1.0/" + source):
        pass
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def peak(action: str, url: Path, source: str) -> int:
    """Return the peak memory, in MiB, of a process that does this."""
    command = [sys.executable, "-c", ACTION, action, str(url), source]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
    return int(done.stdout)


def make_file(path: Path, size: int, content: str) -> Path:
    """Make a file of ``size`` MiB: of zeros, which compress to nothing, or random, which does not compress."""
    with path.open("wb") as file:
        if content == "zeros":
            file.truncate(size * MIB)
        else:
            with Path("/dev/urandom").open("rb") as random:
                for _ in range(size):
                    file.write(random.read(MIB))
    return path


@pytest.mark.parametrize("content", ["zeros", "random"])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, content: str) -> None:
    """A file eight times as large takes at most SLACK MiB more to push, to pull and to read.

    A file of 64 MiB is two parts, too few to fill what is allowed to be on its way; from there on it stays the same.
    """
    found = {}
    for size in (SMALL, LARGE):
        source = make_file(tmp_path / f"{size}.bin", size, content)
        url = tmp_path / f"registry-{size}"
        for action in ("push", "pull", "read"):
            found[action, size] = peak(action, url, str(source) if action == "push" else source.name)
        source.unlink()
        remove_tree(url)
        remove_tree(Path(os.environ["OBJREG_CACHE_DIR"]))
    for action in ("push", "pull", "read"):
        assert found[action, LARGE] <= found[action, SMALL] + SLACK, found
