"""What a push stored before it was interrupted: the next one asks whether it is there, and does not send it again.

Only long parts are noted, because for short ones the question costs as much as the answer saves. A note is a hint:
that the blob is in the store is asked each time.
"""

import threading

import msgspec

from objreg.core.artifacts import Part
from objreg.core.encoding import encode
from objreg.local.notes import Notes

__all__ = ["NOTED_FROM", "Evidence", "Unfinished"]

NOTED_FROM = 1024 * 1024
"""In bytes."""
_ASKED_FROM = 8 * 1024 * 1024
"""Sending so much takes several times as long as a question."""
_MOST_MISSES = 3


class Unfinished:
    """The long parts of one model that this machine stored of late. Safe for threads.

    Args:
        notes: of the model, in the machine's cache.
    """

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self._parts: dict[str, Part] | None = None
        self._lock = threading.Lock()

    def part(self, digest: str) -> Part | None:
        """Return the part that is all of a blob, if it was stored."""
        with self._lock:
            if self._parts is None:
                found = (msgspec.json.decode(line, type=Part) for line in self._notes.read())
                self._parts = {part.blob: part for part in found}
            return self._parts.get(digest)

    def keep(self, part: Part) -> None:
        """Note a part that is stored."""
        self._notes.add(encode(part))


class Evidence:
    """Whether to ask for a long blob before it is sent, where there is no note: what another machine sent is not known.

    A first push would pay a question for each blob and gain nothing. So nothing is asked until a create says of one
    that it exists, and no more after a few questions in a row whose answer was no. Safe for threads.
    """

    def __init__(self) -> None:
        self._misses = _MOST_MISSES

    def says_ask(self, size: int) -> bool:
        """Tell whether to ask for a blob of so many stored bytes."""
        return size >= _ASKED_FROM and self._misses < _MOST_MISSES

    def asked(self, *, is_there: bool) -> None:
        """Take in an answer."""
        self._misses = 0 if is_there else self._misses + 1

    def found(self, size: int) -> None:
        """Take in that a blob was sent in vain."""
        if size >= _ASKED_FROM:
            self._misses = 0
