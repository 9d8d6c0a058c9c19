"""Times as they are written: UTC with milliseconds, ``2026-03-01T12:00:00.000Z``."""

from datetime import UTC, datetime, timedelta

from objreg.errors import FormatError

__all__ = ["after", "format_time", "parse_time"]


def format_time(moment: datetime) -> str:
    """Return a time as text.

    Args:
        moment: with a time zone.
    """
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_time(text: str) -> datetime:
    """Return the time that a text says, in UTC.

    Raises:
        FormatError: the text has the shape of a time and there is no such time, like the 30th of February.
    """
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise FormatError(f"{text!r} is not a time: {error}", text=text) from error


def after(parent: str, moment: datetime) -> str:
    """Return ``moment`` as text, at least a millisecond after ``parent`` (``""`` for none): time never goes back.

    Raises:
        FormatError: the parent's is no time, or the last one that there is.
    """
    now = format_time(moment)
    if not parent or now > parent:
        return now
    try:
        return format_time(parse_time(parent) + timedelta(milliseconds=1))
    except OverflowError as error:
        raise FormatError(f"no time comes after {parent}, which an entry has: it was not written by a clock") from error
