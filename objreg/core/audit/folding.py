"""Fold a log's patches into its state, and hold what entries say of it (tail, snapshot) against that.

The history itself is the judge: the state comes from the patches alone. Only behind a hole in the log, or where a
verification begins in the middle, is it taken from what the next entry says.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from objreg.core.digest import digest_of
from objreg.core.encoding import decode, encode, is_canonical
from objreg.core.entries import Entry, Snapshot, SnapshotReference
from objreg.core.keys import snapshot_key
from objreg.core.merge import merge
from objreg.errors import FormatError

__all__ = ["Folding", "Report"]

Json = dict[str, Any]
Report = Callable[[str, str, str], None]
"""Takes a finding: its code, key and message."""


class Folding:
    """The state of one domain so far.

    Args:
        domain: its folder.
        report: takes what is wrong.

    Attributes:
        state: after the newest entry; None where a hole leaves it unknown.
    """

    def __init__(self, domain: str, report: Report) -> None:
        self.state: Json | None = {}
        self._domain = domain
        self._report = report
        self._base: Json = {}
        self._reference: SnapshotReference | None = None
        self._since: list[tuple[int, Json]] = []
        self._tail: Json = {}

    def lose(self) -> None:
        """Take note that the state is not known any more."""
        self.state = None

    def check_tail(self, seq: int, key: str, entry: Entry, snapshots: Mapping[str, bytes]) -> None:
        """Hold an entry's snapshot and tail against what was committed before it; the state must be known."""
        if entry.snapshot != self._reference and not self._follows(seq, key, entry.snapshot, snapshots):
            return
        if entry.tail != self._tail:
            where = _difference(self._tail, entry.tail)
            self._report("tail-wrong", key, f"the tail of entry {seq} is not what was committed before it: {where}")

    def adopt(self, seq: int, key: str, entry: Entry, snapshots: Mapping[str, bytes]) -> None:
        """Take the state before an entry from what it says itself, as there is no history to fold."""
        self.state = None
        base: Json | None = {}
        if entry.snapshot is not None:
            base = self._snapshot_state(key, entry.snapshot, snapshots)
        if base is None:
            return
        self.state = base
        self._base, self._reference, self._tail, self._since = base, entry.snapshot, {}, []
        self.take(seq - 1, key, entry.tail, "tail")

    def take(self, seq: int, key: str, patch: Json, what: str = "patch") -> bool:
        """Add a patch to the state, and return whether that was possible."""
        if self.state is None:
            return False
        try:
            self.state, self._tail = merge(self.state, patch), merge(self._tail, patch)
        except FormatError as error:
            self._report("patch-not-additive", key, f"the {what} of entry {seq}: {error}")
            self.state = None
            return False
        self._since.append((seq, patch))
        return True

    def _follows(self, seq: int, key: str, reference: SnapshotReference | None, snapshots: Mapping[str, bytes]) -> bool:
        """Go on from another snapshot, and return whether the tail behind it can be judged."""
        known = self._reference.seq if self._reference else -1
        earliest = self._since[0][0] if self._since else known + 1
        if reference is None or not max(known + 1, earliest) <= reference.seq < seq:
            said = f"snapshot {reference.seq}" if reference else "no snapshot"
            last = f"snapshot {known}" if self._reference else "none"
            self._report("snapshot-wrong", key, f"entry {seq} names {said}, and the entries before it {last}")
            return False
        earlier = [patch for number, patch in self._since if number <= reference.seq]
        self._base = _merged(self._base, earlier)
        self._since = self._since[len(earlier) :]
        self._tail = _merged({}, [patch for _, patch in self._since])
        self._reference = reference
        self._check_snapshot(key, reference, snapshots)
        return True

    def _check_snapshot(self, key: str, reference: SnapshotReference, snapshots: Mapping[str, bytes]) -> None:
        expected = digest_of(encode(Snapshot(domain=self._domain, seq=reference.seq, state=self._base)))
        if expected == reference.digest:
            self._snapshot_bytes(key, reference, snapshots)
            return
        found = self._snapshot_state(key, reference, snapshots)
        if found is not None and found != self._base:
            where = _difference(self._base, found)
            self._report(
                "snapshot-wrong",
                snapshot_key(self._domain, reference.digest),
                f"snapshot {reference.seq} is not the state that the history gives: {where}",
            )

    def _snapshot_bytes(self, key: str, reference: SnapshotReference, snapshots: Mapping[str, bytes]) -> bytes | None:
        """Return a snapshot's bytes, if they are there and have the digest that the entry names."""
        where, data = snapshot_key(self._domain, reference.digest), snapshots.get(reference.digest)
        if data is None:
            self._report("snapshot-missing", where, f"snapshot {reference.seq} is named by {key} and is not there")
        elif (found := digest_of(data)) != reference.digest:
            self._report("snapshot-damaged", where, f"expected {reference.digest}, found {found} ({len(data)} bytes)")
        else:
            return data
        return None

    def _snapshot_state(self, key: str, reference: SnapshotReference, snapshots: Mapping[str, bytes]) -> Json | None:
        where, data = snapshot_key(self._domain, reference.digest), self._snapshot_bytes(key, reference, snapshots)
        if data is None:
            return None
        try:
            snapshot = decode(data, Snapshot, f"snapshot {reference.seq}")
        except FormatError as error:
            self._report("snapshot-wrong", where, str(error))
            return None
        if (snapshot.domain, snapshot.seq) != (self._domain, reference.seq):
            said = f"snapshot {snapshot.seq} of {snapshot.domain}"
            self._report("snapshot-wrong", where, f"expected snapshot {reference.seq}, it says that it is {said}")
            return None
        if not is_canonical(data):
            self._report("not-canonical", where, "the snapshot is not written as it should be")
        return snapshot.state


def _merged(base: Json, patches: list[Json]) -> Json:
    for patch in patches:
        base = merge(base, patch)
    return base


def _difference(expected: Any, found: Any, path: str = "") -> str:
    """Return where two JSON values differ first, in words."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for name in sorted(expected.keys() | found.keys()):
            if expected.get(name) != found.get(name):
                return _difference(expected.get(name), found.get(name), f"{path}.{name}" if path else name)
    shown = [msgspec.json.encode(value).decode()[:120] for value in (expected, found)]
    return f"at {path or 'the top'} expected {shown[0]}, found {shown[1]}"
