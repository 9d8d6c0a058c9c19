"""Write the registry that this release keeps for its successors, and what objreg says of it. Done once for a release.

    python -m tests.compatibility.keep_registry

A kept registry is never written again: it shows that what a release wrote can be read for ever, and a release that
cannot read it is broken. So this refuses to touch one that exists. Times and ids are fixed, so that the examples in
docs/format.md can quote it.
"""

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import objreg
from objreg.registry import commit, opening
from tests.compatibility.account import account_of
from tests.compatibility.everything import fill, small_sizes

FOLDER = Path(__file__).parent


class TickingClock:
    """A clock that goes on by a second whenever it is asked, and ids that count up."""

    def __init__(self) -> None:
        self._now = datetime(2026, 3, 1, 12, tzinfo=UTC)
        self._count = 0

    def now(self) -> datetime:
        self._now += timedelta(seconds=1)
        return self._now

    def monotonic(self) -> float:
        return self._now.timestamp()

    def pause(self, attempt: int, unit: float = 0.0) -> None:
        raise AssertionError("nobody else writes here, so there is nothing to wait for")

    def new_id(self) -> str:
        self._count += 1
        return f"{self._count:032x}"


@contextmanager
def fixed_times() -> Iterator[None]:
    """Use a ticking clock, and do not compare it with the disk's."""
    clock = TickingClock()
    with (
        patch.object(opening, "SystemClock", lambda: clock),
        patch.object(commit, "check_same_time", lambda *_: None),
        patch.object(commit, "check_not_behind", lambda *_: None),
    ):
        yield


def write(root: Path) -> dict[str, Any]:
    """Write a registry with one of everything into a folder; return what objreg says of it."""
    with tempfile.TemporaryDirectory() as scratch, patch.dict("os.environ", {"OBJREG_CACHE_DIR": f"{scratch}/cache"}):
        with small_sizes(), fixed_times():
            fill(objreg.open(root, create=True, actor="ci@abc.example"), Path(scratch, "files"))
        return account_of(objreg.open(root))


def main() -> int:
    """Write the registry of this release, unless it exists."""
    root = FOLDER / f"registry-{objreg.__version__}"
    if root.exists():
        sys.stderr.write(f"{root} exists, and a kept registry is never written again\n")
        return 1
    with tempfile.TemporaryDirectory() as scratch:
        account = write(Path(scratch, "registry"))
        shutil.copytree(Path(scratch, "registry"), root)
    expected = FOLDER / f"expected-{objreg.__version__}.json"
    expected.write_text(json.dumps(account, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
