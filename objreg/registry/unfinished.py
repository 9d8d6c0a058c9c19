"""What a push stored before it was interrupted: the next one asks whether it is there, and does not send it again.

Only long parts are noted, because for short ones the question costs as much as the answer saves. A note is a hint:
that the blob is in the store is asked each time.
"""

import threading

import msgspec

from objreg.core.encoding import encode
from objreg.core.records import Part
from objreg.local.notes import Notes

__all__ = ["NOTED_FROM", "Unfinished"]

NOTED_FROM = 1024 * 1024
"""In bytes."""


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
