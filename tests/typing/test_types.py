"""The types that users see: right programs pass, wrong ones do not."""

import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent


def check(name: str, cache: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={cache}", str(HERE / name)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)


def test_a_typed_program_passes(tmp_path: Path) -> None:
    """Every public call has the types that its documentation says, under mypy --strict."""
    done = check("api.py", tmp_path)
    assert done.returncode == 0, done.stdout


def test_mistakes_are_found(tmp_path: Path) -> None:
    """Each line of wrong.py after the first has an error, and no other place has."""
    done = check("wrong.py", tmp_path)
    lines = (HERE / "wrong.py").read_text().splitlines()
    wrong = {number for number, line in enumerate(lines, 1) if line.startswith(("registry.", "objreg."))}
    assert {int(number) for number in re.findall(r"wrong\.py:(\d+): error", done.stdout)} == wrong, done.stdout


def test_the_package_says_that_it_is_typed() -> None:
    """Type checkers read a package's own types only where this file is."""
    assert (ROOT / "objreg" / "py.typed").exists()
