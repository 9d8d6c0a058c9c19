"""Replay one domain's log, entry by entry, and say what is not as the format promises.

Bytes come in, findings go out; nothing stops it. After an entry that is missing or unreadable it goes on from what the
next entry says, so one hole does not hide what comes after it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from objreg.core.audit.findings import Finding, finding
from objreg.core.audit.folding import Folding
from objreg.core.digest import digest_of
from objreg.core.encoding import decode, encode, is_canonical
from objreg.core.entries import Entry
from objreg.core.keys import log_key
from objreg.core.records import AnyRecord
from objreg.core.times import parse_time
from objreg.errors import FormatError

__all__ = ["Checkpoint", "Objects", "Replay", "Rules"]


@dataclass(frozen=True)
class Objects:
    """What the entries of a stretch name, as far as it could be read.

    Attributes:
        records: by digest; whole and decoded.
        snapshots: bytes by digest, as they were found.
    """

    records: Mapping[str, AnyRecord] = field(default_factory=dict)
    snapshots: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Checkpoint:
    """An entry up to which a domain was verified without errors.

    Attributes:
        seq: its number.
        digest: of its bytes.
        state_digest: of the state after it, encoded.
    """

    seq: int
    digest: str
    state_digest: str


class Rules(Protocol):
    """The rules of one kind of domain, fed with one commit after another."""

    def load(self, state: dict[str, Any]) -> None:
        """Take a state as it is. Raises FormatError where it is not of its type."""
        ...

    def check(self, entry: Entry, after: dict[str, Any], records: Mapping[str, AnyRecord]) -> Iterator[Finding]:
        """Yield what the commit did that the rules do not allow; ``after`` is the state that it gives."""
        ...


class Replay:
    """One domain's log so far.

    Args:
        domain: its folder.
        rules: of its kind.

    Attributes:
        findings: what is wrong so far.
    """

    def __init__(self, domain: str, rules: Rules) -> None:
        self.domain = domain
        self.rules = rules
        self.findings: list[Finding] = []
        self._digest = ""  # of the entry before; "" where it is not known
        self._time = ""
        self._ops: dict[str, int] = {}
        self._folding = Folding(domain, self._report)

    @property
    def state(self) -> dict[str, Any] | None:
        """The state after the newest entry, or None where a hole in the log leaves it unknown."""
        return self._folding.state

    def checkpoint(self, seq: int) -> Checkpoint | None:
        """Return what to remember of the newest entry, or None where its state is not known."""
        if self.state is None or not self._digest:
            return None
        return Checkpoint(seq, self._digest, digest_of(encode(self.state)))

    def begin_after(self, seq: int, data: bytes, objects: Objects, expected: Checkpoint | None) -> None:
        """Begin behind an entry that was verified earlier (``expected``), or is taken on trust."""
        key = log_key(self.domain, seq)
        self._digest = digest_of(data)
        entry = self._decoded(seq, key, data)
        if entry is None:
            self._folding.lose()
            return
        self._time = entry.time
        self._ops[entry.op] = seq
        self._folding.adopt(seq, key, entry, objects.snapshots)
        if self._folding.take(seq, key, entry.patch):
            self._load(seq, key)
        found = self.checkpoint(seq)
        if expected is not None and found is not None and found != expected:
            self._report(
                "history-replaced",
                key,
                f"entry {seq} was {expected.digest} with state {expected.state_digest} when this machine verified it,"
                f" and it is {found.digest} with state {found.state_digest} now",
            )

    def skip(self, first: int, last: int) -> None:
        """Take note that there is nothing in the slots from ``first`` to ``last``, and something after them."""
        slots = f"slot {first} is" if first == last else f"slots {first} to {last} are"
        self._report("entry-missing", log_key(self.domain, first), f"later entries exist, and {slots} empty")
        self._digest, self._time = "", ""
        self._folding.lose()

    def step(self, seq: int, data: bytes, objects: Objects) -> None:
        """Take the next slot.

        Args:
            seq: its number; one more than the last time.
            data: what is in it.
            objects: that it names.
        """
        key = log_key(self.domain, seq)
        entry = self._decoded(seq, key, data)
        if entry is None:
            self._folding.lose()
        else:
            self._check_chain(seq, key, entry)
            self._check_commit(seq, key, entry, objects)
        self._digest, self._time = digest_of(data), entry.time if entry else ""

    def _report(self, code: str, key: str, message: str) -> None:
        self.findings.append(finding(code, self.domain, key, message))

    def _decoded(self, seq: int, key: str, data: bytes) -> Entry | None:
        try:
            entry = decode(data, Entry, f"entry {seq}")
        except FormatError as error:
            self._report("entry-unreadable", key, str(error))
            return None
        if not is_canonical(data):
            self._report("not-canonical", key, f"entry {seq} is not written as it should be")
        return entry

    def _check_chain(self, seq: int, key: str, entry: Entry) -> None:
        if (entry.domain, entry.seq) != (self.domain, seq):
            said = f"entry {entry.seq} of {entry.domain}"
            self._report("entry-misplaced", key, f"expected entry {seq}, and it says that it is {said}")
        known = self._digest or seq == 0
        if entry.parent != (self._digest or None) if known else entry.parent is None:
            expected = (self._digest or "nothing") if known else "the entry before it"
            self._report(
                "chain-broken", key, f"entry {seq} should follow {expected}, and follows {entry.parent or 'nothing'}"
            )
        if not _is_time(entry.time) or entry.time <= self._time:
            self._report(
                "time-not-later", key, f"entry {seq} is of {entry.time}, the one before of {self._time or '?'}"
            )
        if entry.op in self._ops:
            self._report("op-repeated", key, f"entries {self._ops[entry.op]} and {seq} have the same op {entry.op}")
        self._ops.setdefault(entry.op, seq)

    def _check_commit(self, seq: int, key: str, entry: Entry, objects: Objects) -> None:
        folding = self._folding
        if folding.state is None:
            folding.adopt(seq, key, entry, objects.snapshots)
            if folding.state is None or not self._load(seq, key):
                return
        else:
            folding.check_tail(seq, key, entry, objects.snapshots)
        if folding.take(seq, key, entry.patch) and folding.state is not None:
            self.findings.extend(self.rules.check(entry, folding.state, objects.records))

    def _load(self, seq: int, key: str) -> bool:
        assert self.state is not None
        try:
            self.rules.load(self.state)
        except FormatError as error:
            self._report("state-unreadable", key, f"the state that entry {seq} gives: {error}")
            self._folding.lose()
            return False
        return True


def _is_time(text: str) -> bool:
    try:
        parse_time(text)
    except FormatError:
        return False
    return True
