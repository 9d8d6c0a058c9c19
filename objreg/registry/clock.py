"""Time and chance, in one place, so that a test can hold both."""

import random
import secrets
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

from objreg.errors import Conflict

__all__ = ["FIRST_PAUSE", "Clock", "SystemClock", "check_not_behind", "check_same_time"]

_MOST_SKEW = timedelta(minutes=5)
_TWO_HOURS = 120

FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 1.0


class Clock(Protocol):
    """What the registry asks of its surroundings."""

    def now(self) -> datetime:
        """Return the time, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        ...

    def pause(self, attempt: int, unit: float = FIRST_PAUSE) -> None:
        """Wait before trying again; longer with each attempt, and never as long as another writer does.

        Args:
            attempt: counts up from 1.
            unit: the longest pause before it is doubled with each attempt, in seconds.
        """
        ...

    def new_id(self) -> str:
        """Return 32 random hex digits."""
        ...


class SystemClock:
    """The machine's own."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def pause(self, attempt: int, unit: float = FIRST_PAUSE) -> None:
        time.sleep(random.uniform(0, min(_LONGEST_PAUSE, unit * 2**attempt)))  # noqa: S311  # no secret

    def new_id(self) -> str:
        return secrets.token_hex(16)


def check_same_time(now: datetime, stores: datetime, url: str) -> None:
    """See to it that this machine's clock and the store's agree within five minutes.

    Args:
        now: this machine's time.
        stores: the store's time of an object that was created just now.
        url: of the store.

    Raises:
        Conflict: they do not; a commit would carry a wrong time for ever.
    """
    if now - stores > _MOST_SKEW:
        raise Conflict(
            f"this machine's clock is {_minutes(now - stores)} ahead of the store's ({url}): nothing was committed;"
            f" set the clock right"
        )
    check_not_behind(now, stores, url)


def check_not_behind(now: datetime, stores: datetime, url: str) -> None:
    """See to it that this machine's clock is not minutes behind a time that the store has seen."""
    if stores - now > _MOST_SKEW:
        raise Conflict(
            f"this machine's clock is {_minutes(stores - now)} behind the store's ({url}): nothing was committed; set"
            f" the clock right"
        )


def _minutes(skew: timedelta) -> str:
    minutes = round(skew.total_seconds() / 60)
    return f"{minutes} minutes" if minutes < _TWO_HOURS else f"{minutes // 60} hours"
