"""Each peer in a virtual environment of its own, so that their dependencies do not meet.

What a peer needs is pinned in ``benchmarks/peers/<peer>.txt``. Its environment is made when it is first asked for, in
the user's cache folder, and another one when that file changes. objreg is installed like any other, from this checkout,
so that it starts as it starts for its users.
"""

import hashlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from filelock import FileLock
from platformdirs import user_cache_dir

__all__ = ["TOP", "named_versions", "python_of", "versions_of"]

TOP = Path(__file__).parent.parent.parent
REQUIREMENTS = TOP / "benchmarks" / "peers"
OWN = "objreg"
KEPT = 86_400.0
"""Seconds for which an environment that something changed may still be in use."""


@cache
def python_of(peer: str) -> Path:
    """Return the interpreter of a peer's environment, which is made if there is none."""
    requirements = REQUIREMENTS / f"{peer}.txt"
    folders = Path(user_cache_dir("objreg-benchmarks")) / "peers"
    folders.mkdir(parents=True, exist_ok=True)
    folder = folders / f"{peer}-{_fingerprint(peer, requirements)[:12]}"
    whole = folder / "whole"
    with FileLock(folders / f"{peer}.lock"):
        if not whole.exists():
            print(f"installing {peer} ...", file=sys.stderr)
            for old in (path for path in folders.glob(f"{peer}-*") if path.stat().st_mtime < time.time() - KEPT):
                shutil.rmtree(old)
            _run(sys.executable, "-m", "venv", "--without-pip", str(folder))
            pip = (sys.executable, "-m", "pip", "--python", str(folder), "install", "--quiet")
            _run(*pip, "--requirement", str(requirements))
            if peer == OWN:
                _run(*pip, str(TOP))
            whole.touch()
    return folder / "bin" / "python"


@cache
def versions_of(peer: str) -> dict[str, str]:
    """Return the version of each package that a peer's file of requirements names, and objreg's own."""
    names = [line.partition("==")[0].partition("[")[0].strip() for line in _lines(REQUIREMENTS / f"{peer}.txt")]
    if peer == OWN:
        names.insert(0, OWN)
    code = "import importlib.metadata as m, json, sys; print(json.dumps({n: m.version(n) for n in sys.argv[1:]}))"
    return json.loads(subprocess.run([python_of(peer), "-c", code, *names], check=True, capture_output=True).stdout)


def named_versions(peers: Iterable[str], shown: Iterable[str]) -> str:
    """Return names and versions of the packages ``shown``, as far as these peers have them, for a sentence."""
    versions = {name: found for peer in peers for name, found in versions_of(peer).items()}
    return ", ".join(f"{name} {versions[name]}" for name in shown if name in versions)


def _lines(requirements: Path) -> list[str]:
    found = (line.partition("#")[0].strip() for line in requirements.read_text().splitlines())
    return [line for line in found if line]


def _fingerprint(peer: str, requirements: Path) -> str:
    digest = hashlib.sha256(f"{sys.version}\n{requirements.read_text()}".encode())
    for path in _sources() if peer == OWN else ():
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _sources() -> Iterator[Path]:
    yield TOP / "pyproject.toml"
    yield from sorted((TOP / "objreg").rglob("*.py"))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=sys.stderr)
