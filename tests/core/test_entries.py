"""Entries and snapshots: read, chained and folded; and when a snapshot is due."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from objreg.core.digest import digest_of
from objreg.core.encoding import encode
from objreg.core.entries import (
    Entry,
    Head,
    Snapshot,
    SnapshotReference,
    fold,
    read_entry,
    read_snapshot,
    snapshot_is_due,
)
from objreg.core.merge import merge
from objreg.errors import FormatError, IntegrityError, InvalidInput, RollbackDetected
from tests.core.conftest import TIME

DOMAIN = "fraud/clf.model"


def entry(seq: int, parent: str | None, **fields: Any) -> bytes:
    """Return the bytes of an entry."""
    values: dict[str, Any] = {
        "domain": DOMAIN,
        "seq": seq,
        "parent": parent,
        "time": TIME,
        "actor": "ci@acme",
        "message": "",
        "op": f"{seq:032x}",
        "patch": {"versions": {str(seq): {"order": seq}}},
        "snapshot": None,
        "tail": {},
        "refs": {},
    }
    return encode(Entry(**(values | fields)))


def head(seq: int, parent: str | None, **fields: Any) -> Head:
    return read_entry(entry(seq, parent, **fields), DOMAIN, seq)


def test_an_entry_is_read_with_its_digest() -> None:
    """The digest is of the bytes as they were read."""
    data = entry(0, None)
    found = read_entry(data, DOMAIN, 0)
    assert (found.seq, found.data, found.digest) == (0, data, digest_of(data))


def test_a_chain_is_followed() -> None:
    """An entry whose parent is the one before it is taken."""
    first = head(0, None)
    second = read_entry(entry(1, first.digest), DOMAIN, 1, previous=first)
    assert second.entry.parent == first.digest


def test_another_history_is_refused() -> None:
    """An entry that follows something else is a fork; the message has both digests."""
    first, other = head(0, None), head(0, None, message="another")
    with pytest.raises(RollbackDetected, match=r"entry 1 of fraud/clf\.model follows .*another history") as caught:
        read_entry(entry(1, other.digest), DOMAIN, 1, previous=first)
    assert caught.value.facts == {"expected": first.digest, "found": other.digest}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (entry(5, digest_of(b"")), "says that it is entry 5"),
        (entry(7, digest_of(b""), domain="other.model"), "of other.model: the log was copied wrongly"),
        (entry(7, None), "does not follow"),
        (entry(7, digest_of(b""), snapshot=SnapshotReference(seq=7, digest=digest_of(b""))), "does not follow"),
        (b"{}", "is not what format 1 promises"),
        (b"", "is not JSON"),
    ],
)
def test_an_entry_of_another_place_is_refused(data: bytes, reason: str) -> None:
    """Domain, number, parent and snapshot must fit the slot that it was read from."""
    with pytest.raises(FormatError, match=reason):
        read_entry(data, DOMAIN, 7)


def test_a_first_entry_has_no_parent() -> None:
    """Slot 0 begins the chain."""
    with pytest.raises(FormatError, match="does not follow"):
        read_entry(entry(0, digest_of(b"")), DOMAIN, 0)


def test_an_actor_must_be_named() -> None:
    """Who is part of every commit."""
    with pytest.raises(InvalidInput, match="actor"):
        entry(0, None, actor="")


def test_a_snapshot_is_verified_before_it_is_believed() -> None:
    """Its digest, domain and number must be those that the entry named."""
    data = encode(Snapshot(domain=DOMAIN, seq=3, state={"a": 1}))
    reference = SnapshotReference(seq=3, digest=digest_of(data))
    assert read_snapshot(data, DOMAIN, reference) == {"a": 1}
    with pytest.raises(IntegrityError, match=r"snapshot 3 of fraud/clf\.model holds other bytes"):
        read_snapshot(data.replace(b"1", b"2"), DOMAIN, reference)
    for domain, seq in (("other.model", 3), (DOMAIN, 4)):
        with pytest.raises(FormatError, match="copied wrongly"):
            read_snapshot(data, domain, SnapshotReference(seq=seq, digest=digest_of(data)))


patches = st.dictionaries(st.sampled_from("abc"), st.integers(), max_size=2).map(lambda found: {"versions": found})


@given(st.lists(patches, min_size=2, max_size=8), st.data())
def test_snapshot_tail_and_patch_fold_to_the_whole_history(history: list[dict], data: st.DataObject) -> None:
    """Wherever the snapshot was taken, the newest entry holds what replaying from zero gives."""
    replayed: dict = {}
    for patch in history:
        replayed = merge(replayed, patch)
    taken = data.draw(st.integers(0, len(history) - 1))
    base: dict = {}
    for patch in history[:taken]:
        base = merge(base, patch)
    tail: dict = {}
    for patch in history[taken:-1]:
        tail = merge(tail, patch)
    newest = head(99, digest_of(b""), patch=history[-1], tail=tail)
    assert fold(newest, base) == replayed


def simulate(commits: int, item: int) -> list[int]:
    """Return the size of each entry of a log by the policy, where a commit adds ``item`` bytes to the state."""
    frame = len(entry(0, None, patch={}))
    template = head(0, None)
    sizes = []
    snapshot_seq, tail, state = -1, 0, 0
    for seq in range(commits):
        if seq:
            reference = SnapshotReference(seq=snapshot_seq, digest=digest_of(b"")) if snapshot_seq >= 0 else None
            # The policy looks at two numbers and the length of the newest entry's bytes, so nothing else is made.
            newest = Head(entry=_Numbers(seq - 1, reference), data=_Sized(sizes[-1]), digest=template.digest)
            if snapshot_is_due(newest, state):
                snapshot_seq, tail = seq - 1, 0
            else:
                tail += item
        sizes.append(frame + tail + item)
        state += item
    return sizes


class _Numbers:
    def __init__(self, seq: int, snapshot: SnapshotReference | None) -> None:
        self.seq, self.snapshot = seq, snapshot


class _Sized:
    def __init__(self, size: int) -> None:
        self._size = size

    def __len__(self) -> int:
        return self._size


def test_the_largest_entry_grows_with_the_square_root() -> None:
    """At 230 bytes a commit, the largest of 100,000 entries is about 100 KB; ten times the commits make it root ten times as large."""
    sizes = simulate(100_000, 230)
    largest = {commits: max(sizes[:commits]) for commits in (10_000, 25_000, 100_000)}
    assert 90_000 < largest[100_000] < 112_000
    for fewer in (10_000, 25_000):
        assert largest[100_000] / largest[fewer] == pytest.approx(math.sqrt(100_000 / fewer), rel=0.1)
    # Per commit: what is written grows as slowly.
    assert sum(sizes) / len(sizes) < 72_000


def test_a_small_state_has_no_snapshot() -> None:
    """While the whole state is below 16 KiB the newest entry holds all of it."""
    assert not snapshot_is_due(head(1_000_000, digest_of(b"")), 16 * 1024 - 1)
    assert snapshot_is_due(head(1_000_000, digest_of(b"")), 16 * 1024)


def test_a_snapshot_is_due_when_the_tails_cost_more_than_it_would() -> None:
    """Where k entries since the last one, the newest t bytes long, have cost about k * t / 2."""
    reference = SnapshotReference(seq=100, digest=digest_of(b""))
    newest = head(110, digest_of(b""), snapshot=reference)
    cost = 10 * len(newest.data) // 2
    assert cost < 16 * 1024
    newest = head(300, digest_of(b""), snapshot=reference)
    cost = 200 * len(newest.data) // 2
    assert snapshot_is_due(newest, cost - 1)
    assert not snapshot_is_due(newest, cost + 1)
