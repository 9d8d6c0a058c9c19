"""Entries and snapshots: the objects of a manifest, how they are read, chained and folded.

Nothing here reads or writes: bytes come in, verified values or an error go out.
"""

from typing import Annotated, Any, Literal

import msgspec

from objreg.core.digest import digest_of, verify
from objreg.core.encoding import decode
from objreg.core.fields import Digest, Identifier, Name, Size, Time
from objreg.core.merge import merge
from objreg.core.state import Change, Pointer, typed_state
from objreg.errors import FormatError, RollbackDetected

__all__ = ["Entry", "Head", "Snapshot", "SnapshotReference", "fold", "read_entry", "read_snapshot", "snapshot_is_due"]

_SMALL_STATE = 16 * 1024


class SnapshotReference(msgspec.Struct, frozen=True, kw_only=True):
    """Names the snapshot that an entry's tail goes on from."""

    seq: Size
    digest: Digest


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One atomic commit to a domain.

    Attributes:
        format: 1.
        domain: the domain's folder.
        seq: counts up from 0 without gaps.
        parent: digest of the previous entry's bytes; None for the first.
        time: UTC; later than the parent's.
        actor: who.
        message: why.
        op: 32 random hex digits that the writer made: tells its write from another's.
        patch: what this commit changes, a merge patch of the state.
        snapshot: the latest snapshot, or None.
        tail: the merged patches of the entries after the snapshot and before this one.
        refs: pointers after this commit.
    """

    format: Literal[1] = 1
    domain: Name
    seq: Size
    parent: Digest | None
    time: Time
    actor: Name
    message: Annotated[str, msgspec.Meta(max_length=65536)]
    op: Identifier
    patch: dict[str, Any]
    snapshot: SnapshotReference | None
    tail: dict[str, Any]
    refs: dict[str, Pointer]


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The folded state of a domain after entry ``seq``."""

    format: Literal[1] = 1
    domain: Name
    seq: Size
    state: dict[str, Any]


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """An entry together with its bytes and their digest."""

    entry: Entry
    data: bytes
    digest: str

    @property
    def seq(self) -> int:
        """The entry's number."""
        return self.entry.seq

    @property
    def changes(self) -> tuple[Change, ...]:
        """What the entry did.

        Raises:
            FormatError: it was not written by the format's rules.
        """
        raw = self.entry.patch.get("changes", [])
        return typed_state(raw, tuple[Change, ...], f"{self.entry.domain} at entry {self.seq}")


def read_entry(data: bytes, domain: str, seq: int, *, previous: Head | None = None) -> Head:
    """Return the entry that was read from a slot.

    Args:
        data: the object's bytes.
        domain: whose log it was read from.
        seq: of the slot.
        previous: the entry before it, where that is known: the chain is then checked.

    Raises:
        FormatError: the bytes are not an entry, or one of another place.
        RollbackDetected: it does not follow ``previous``: another history stands in the log.
    """
    name = f"entry {seq} of {domain}"
    entry = decode(data, Entry, name)
    if (entry.domain, entry.seq) != (domain, seq):
        raise FormatError(f"{name} says that it is entry {entry.seq} of {entry.domain}: the log was copied wrongly")
    if (entry.parent is None) != (seq == 0) or (entry.snapshot is not None and entry.snapshot.seq >= seq):
        raise FormatError(f"{name} does not follow from an earlier entry as the format demands")
    if previous is not None and entry.parent != previous.digest:
        raise RollbackDetected(
            f"{name} follows {entry.parent}, and this machine has seen {previous.digest} as entry {previous.seq}:"
            " the registry holds another history than before; find out who replaced it, then 'objreg accept'",
            expected=previous.digest,
            found=entry.parent,
        )
    return Head(entry=entry, data=data, digest=digest_of(data))


def read_snapshot(data: bytes, domain: str, reference: SnapshotReference) -> dict[str, Any]:
    """Return the state that a snapshot holds.

    Raises:
        IntegrityError: the bytes are not those that the entry named.
        FormatError: they are not a snapshot of this domain and entry.
    """
    name = f"snapshot {reference.seq} of {domain}"
    snapshot = decode(verify(data, reference.digest, name), Snapshot, name)
    if (snapshot.domain, snapshot.seq) != (domain, reference.seq):
        raise FormatError(
            f"{name} says that it is snapshot {snapshot.seq} of {snapshot.domain}: the log was copied wrongly"
        )
    return snapshot.state


def fold(head: Head, base: dict[str, Any]) -> dict[str, Any]:
    """Return the state after an entry: ``merge(merge(base, tail), patch)``.

    Args:
        head: the entry.
        base: the state of its snapshot, ``{}`` where it has none.
    """
    return merge(merge(base, head.entry.tail), head.entry.patch)


def snapshot_is_due(head: Head, state_size: int) -> bool:
    """Tell whether the entry after ``head`` should name a new snapshot. Policy, not format.

    The tails of k entries since the last snapshot, growing evenly to their present size t, have cost about k * t / 2
    bytes. Once that is more than a snapshot costs, writing one is cheaper. So the distance between snapshots, and with
    it the size of the largest entry, grows with the square root of the history.

    Args:
        head: the newest entry.
        state_size: of the state after it, in bytes of JSON.
    """
    if state_size < _SMALL_STATE:
        return False
    since = head.entry.seq - (head.entry.snapshot.seq if head.entry.snapshot else -1)
    return since * len(head.data) > 2 * state_size
