"""Times as they are written: UTC, milliseconds, never going back."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from objreg.core.times import after, format_time, parse_time
from objreg.errors import FormatError

moments = st.datetimes(datetime(1970, 1, 1), datetime(9000, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # bounds have no zone: hypothesis adds it


@given(moments)
def test_a_time_is_read_back_to_the_millisecond(moment: datetime) -> None:
    """What is below a millisecond is cut off, and the text has always one length."""
    text = format_time(moment)
    assert len(text) == len("2026-03-01T12:00:00.000Z")
    assert timedelta(0) <= moment - parse_time(text) < timedelta(milliseconds=1)


def test_times_of_other_zones_are_written_in_utc() -> None:
    """A moment is the same wherever it was taken."""
    moment = datetime(2026, 3, 1, 13, 0, tzinfo=timezone(timedelta(hours=1)))
    assert format_time(moment) == "2026-03-01T12:00:00.000Z"


@given(moments, moments)
def test_time_goes_forward_whatever_the_clock_says(parent: datetime, now: datetime) -> None:
    """An entry's time is the clock's, or a millisecond after its parent's where the clock is behind that."""
    before = format_time(parent)
    found = after(before, now)
    assert found > before
    assert found == max(format_time(now), format_time(parse_time(before) + timedelta(milliseconds=1)))


def test_the_first_entry_has_the_clocks_time() -> None:
    """Without a parent there is nothing to be after."""
    assert after("", datetime(2026, 3, 1, tzinfo=UTC)) == "2026-03-01T00:00:00.000Z"


@pytest.mark.parametrize("text", ["2026-13-01T00:00:00.000Z", "2026-02-30T00:00:00.000Z", "2026-01-01T24:61:00.000Z"])
def test_a_time_that_does_not_exist_is_refused(text: str) -> None:
    """The pattern of a record lets it pass, so the reader refuses it, with an error of the tree."""
    with pytest.raises(FormatError, match="is not a time"):
        parse_time(text)


def test_nothing_comes_after_the_last_time() -> None:
    """An entry that a hostile writer dated to the end of time is an error, and no overflow."""
    with pytest.raises(FormatError, match="no time comes after 9999"):
        after("9999-12-31T23:59:59.999Z", datetime(2026, 3, 1, tzinfo=UTC))
