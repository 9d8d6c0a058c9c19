"""Run an example as a user does: a process of its own, on a machine that knows nothing yet."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

__all__ = ["EXAMPLES", "ROOT", "machine", "run"]

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
# What coverage needs to measure the processes, and where programs are; nothing else of this machine.
_KEPT = ("PATH", "COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START", "COVERAGE_FILE")


def machine(home: Path, **variables: str) -> dict[str, str]:
    """Return the environment of a machine whose home folder is ``home``, with its cache in it."""
    home.mkdir(parents=True, exist_ok=True)
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    kept["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
    own = {"HOME": str(home), "PYTHONPATH": str(ROOT), "OBJREG_ACTOR": "tester@example.com"}
    return kept | own | {"OBJREG_CACHE_DIR": str(home / "cache"), "AWS_EC2_METADATA_DISABLED": "true"} | variables


def run(
    *command: str | Path, environment: Mapping[str, str], fails: bool = False, **options: object
) -> subprocess.CompletedProcess[str]:
    """Run a command from the repository's root; it must succeed, or with ``fails`` must not."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        **options,
    )
    assert (done.returncode != 0) == fails, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done
