"""What of a model's content the store has already, as far as this process knows: that is neither compressed nor sent.

The records that this machine has read or written are the index; there is no other file that could disagree with them.
That a blob was collected since is no danger: its name is condemned in the state first, so its incarnation is not the
one that is known, and a state that does not say so yet loses the commit and is decided again.
"""

import threading
from collections.abc import Mapping
from heapq import nlargest

from objreg.core.artifacts import Part
from objreg.core.digest import hex_of
from objreg.core.encoding import decode_record, of_kind
from objreg.core.records import VersionRecord
from objreg.core.state import ModelState
from objreg.registry.recall import Recall

__all__ = ["KnownContent"]

_VERSIONS = 256
"""The newest ones; what only older ones have is sent again."""
_RECORD_BYTES = 32 * 1024 * 1024
_MOST_FILES = 500_000

Incarnations = Mapping[str, int]


class KnownContent:
    """The blobs and files of one model. Safe for threads.

    Args:
        domain: the model's.
        recall: what the machine remembers.
    """

    def __init__(self, domain: str, recall: Recall) -> None:
        self._domain = domain
        self._recall = recall
        self._blobs: dict[str, Part] = {}
        self._files: dict[str, tuple[Part, ...]] = {}
        self._records: set[str] = set()
        self._lock = threading.Lock()

    def learn(self, state: ModelState) -> None:
        """Take in the versions of a state whose records are at hand, the newest first; no request is made.

        Raises:
            FormatError: what the state calls a version's record is another one.
        """
        live = (item for item in state.versions.values() if not item.retired)
        newest = nlargest(_VERSIONS, live, key=lambda item: item.order)
        with self._lock:
            if len(self._files) > _MOST_FILES:
                for known in (self._blobs, self._files, self._records):
                    known.clear()
            size = 0
            for digest in (item.record for item in newest):
                data = None if digest in self._records else self._recall.object(digest)
                if data is None:
                    continue
                self._take(digest, data)
                size += len(data)
                if size > _RECORD_BYTES:
                    break

    def _take(self, digest: str, data: bytes) -> None:
        what = f"record {digest[:19]}… of {self._domain}"
        record = of_kind(decode_record(data, what), VersionRecord, what)
        for file in (file for artifact in record.artifacts for file in artifact.files):
            self._files[file.digest] = file.parts
            for part in file.parts:
                self.keep(part)
        self._records.add(digest)

    def keep(self, part: Part) -> None:
        """Take in a part that is in the store; one that is not all of its blob tells nothing."""
        if (part.offset, part.length) == (0, part.blob_size):
            self._blobs[part.blob] = part

    def blob(self, digest: str, incarnations: Incarnations) -> Part | None:
        """Return the part that is all of a blob, or None."""
        part = self._blobs.get(digest)
        return part if part is not None and _is_current(part, incarnations) else None

    def file(self, digest: str, incarnations: Incarnations) -> tuple[Part, ...] | None:
        """Return the parts of a file, or None."""
        parts = self._files.get(digest)
        return parts if parts is not None and all(_is_current(part, incarnations) for part in parts) else None


def _is_current(part: Part, incarnations: Incarnations) -> bool:
    return incarnations.get(hex_of(part.blob), 0) == part.incarnation
