"""The newest entry that this machine saw of one domain, as the cache keeps it.

A file is one line, ``<seq>[ <the store's time>]``, and the entry.
"""

from dataclasses import dataclass
from datetime import datetime

__all__ = ["SeenHead"]


@dataclass(frozen=True, slots=True)
class SeenHead:
    """An entry, and the store's time of it.

    Attributes:
        seq: its number.
        data: its bytes.
        modified: when the store says that it was made; None where it was not asked yet.
    """

    seq: int
    data: bytes
    modified: datetime | None = None

    def is_newer_than(self, known: "SeenHead") -> bool:
        """Tell whether this says more than what is known: a later entry, or of the same one another time."""
        told = self.modified is not None and self.modified != known.modified
        return self.seq > known.seq or (self.seq == known.seq and told)

    def encode(self) -> bytes:
        """Return it as the bytes of a file."""
        time = f" {self.modified.isoformat()}" if self.modified else ""
        return f"{self.seq}{time}\n".encode() + self.data

    @classmethod
    def decode(cls, content: bytes | None) -> "SeenHead | None":
        """Return what a file holds; None for None."""
        if content is None:
            return None
        line, _, data = content.partition(b"\n")
        seq, _, time = line.decode().partition(" ")
        return cls(int(seq), data, datetime.fromisoformat(time) if time else None)
