"""Verify one domain: its log from the first entry to the last, the records that it names, and its folder.

The folder is listed before the log is read to its end, so an object that entries name and the listing lacks is either
gone or younger than the listing: it is asked for once more before it is reported.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from objreg.core.audit.findings import Finding, finding
from objreg.core.audit.inventory import kind_of
from objreg.core.audit.model import ModelAudit
from objreg.core.audit.moves import Undecided
from objreg.core.audit.records import model_records
from objreg.core.audit.replay import Checkpoint, Objects, Replay
from objreg.core.audit.scope import Definitions, ScopeAudit, scope_records
from objreg.core.digest import digest_of
from objreg.core.encoding import decode, decode_record, is_canonical
from objreg.core.entries import Entry, Head, read_entry
from objreg.core.keys import log_key, log_prefix, record_key, seq_of, snapshot_key
from objreg.core.records import AnyRecord
from objreg.errors import FormatError
from objreg.maintenance.depth import Depth
from objreg.maintenance.fetching import Fetching
from objreg.maintenance.folder_check import FolderCheck

__all__ = ["DomainCheck", "DomainResult"]

_STRETCH = 256
"""So many entries, with the records that they name, are in memory at a time."""
_LAST_SLOT = seq_of("000000000000.json")


@dataclass(frozen=True)
class DomainResult:
    """What came of the verification of one domain.

    Attributes:
        domain: its folder.
        findings: all of them.
        entries: how many were replayed.
        records: how many were read.
        blobs: how many are needed by what was replayed.
        blobs_read: how many of them were read and hashed.
        blobs_vouched: how many of them were taken at the store's word.
        bytes_hashed: of blobs that were read.
        head: the newest entry, if it can be read.
        checkpoint: to begin from the next time; None where the state is not known.
        definitions: of states, for a scope.
        undecided: state changes of a model whose definition is not known.
    """

    domain: str
    findings: tuple[Finding, ...]
    entries: int
    records: int
    blobs: int
    blobs_read: int
    blobs_vouched: int
    bytes_hashed: int
    head: Head | None
    checkpoint: Checkpoint | None
    definitions: Definitions = field(default_factory=dict)
    undecided: tuple[Undecided, ...] = ()

    @property
    def has_errors(self) -> bool:
        """Whether a promise is broken."""
        return any(found.severity == "error" for found in self.findings)


class DomainCheck:
    """One domain under verification.

    Args:
        domain: its folder.
        listed: sizes of the objects in its folder, by key.
        fetching: reads.
        seen: the newest entry that this machine saw of it, or None.
        definitions: of states that hold for it.
        depth: whether blobs are read and hashed.
    """

    def __init__(
        self,
        domain: str,
        listed: Mapping[str, int],
        fetching: Fetching,
        *,
        seen: Head | None,
        definitions: Definitions,
        depth: Depth,
    ) -> None:
        self._domain = domain
        self._listed = listed
        self._fetching = fetching
        self._seen = seen
        self._definitions = definitions
        self._folder = FolderCheck(domain, listed, fetching, depth=depth)
        self._findings: list[Finding] = []
        is_model = domain.endswith(".model")
        entries = (key for key in listed if kind_of(key.removeprefix(f"{domain}/"), has_blobs=is_model) == "entry")
        self._slots = {seq_of(key) for key in entries}
        self._records_of = model_records if is_model else scope_records
        self._named: set[str] = set()
        self._snapshots: dict[str, bytes] = {}
        self._entries = self._records = 0
        self._last: tuple[int, bytes] | None = None
        self._start_over()

    def _start_over(self) -> None:
        is_model = self._domain.endswith(".model")
        self._audit = ModelAudit(self._domain, self._definitions) if is_model else ScopeAudit(self._domain)
        self._replay = Replay(self._domain, self._audit)

    def run(self, begin: Checkpoint | int | None, earlier: Definitions) -> DomainResult:
        """Verify.

        Args:
            begin: the entry that was verified the last time, or the number of one to take on trust; None for all.
            earlier: definitions that were made before ``begin``.
        """
        start = 0 if begin is None else self._begin(begin)
        if start and isinstance(self._audit, ScopeAudit):
            self._audit.definitions.update(earlier)
        self._replay_from(start)
        self._check_memory()
        if start:
            self._check_before(start)
        audit = self._audit
        if isinstance(audit, ModelAudit):
            self._named |= audit.needs.by_key.keys()
            self._findings += self._folder.blobs(audit)
        condemned = audit.small.condemned if isinstance(audit, ModelAudit) else ()
        self._findings += self._folder.strangers(self._named, condemned, partial=start > 0)
        return DomainResult(
            domain=self._domain,
            findings=(*self._findings, *self._replay.findings),
            entries=self._entries,
            records=self._records,
            blobs=len(audit.needs.by_key) if isinstance(audit, ModelAudit) else 0,
            blobs_read=self._folder.blobs_read,
            blobs_vouched=self._folder.blobs_vouched,
            bytes_hashed=self._folder.bytes_hashed,
            head=self._head(),
            checkpoint=self._replay.checkpoint(self._last[0]) if self._last else None,
            definitions=dict(audit.definitions) if isinstance(audit, ScopeAudit) else {},
            undecided=tuple(audit.undecided) if isinstance(audit, ModelAudit) else (),
        )

    def _report(self, code: str, key: str, message: str) -> None:
        self._findings.append(finding(code, self._domain, key, message))

    # The log

    def _begin(self, begin: Checkpoint | int) -> int:
        """Take up the replay behind an entry, and return the number of the next; 0 where that cannot be."""
        seq, expected = (begin, None) if isinstance(begin, int) else (begin.seq, begin)
        data = self._fetching.get(log_key(self._domain, seq))
        if data is None:
            return 0  # an older log: all of it is replayed, and what this machine saw tells that it is older
        _, snapshots = self._names(data)
        self._replay.begin_after(seq, data, Objects(snapshots=self._read_snapshots(snapshots)), expected)
        if self._replay.findings:
            self._findings += self._replay.findings
            self._start_over()
            return 0
        if expected is None:
            self._report("started-on-trust", log_key(self._domain, seq), f"entries 0 to {seq} were not verified")
        self._read(seq, data)
        return seq + 1

    def _replay_from(self, start: int) -> None:
        """Replay to the newest entry: past the listed ones, until a slot is empty."""
        following = start
        for stretch in _stretches(sorted(slot for slot in self._slots if slot >= start), start):
            if stretch.start > following:
                self._replay.skip(following, stretch.start - 1)
            self._replay_stretch(stretch)
            following = stretch.stop
        while following <= _LAST_SLOT and (data := self._fetching.get(log_key(self._domain, following))) is not None:
            self._replay.step(following, data, self._read_objects([data]))
            self._read(following, data)
            self._entries += 1
            following += 1

    def _replay_stretch(self, stretch: range) -> None:
        found = self._fetching.many(log_key(self._domain, seq) for seq in stretch)
        objects = self._read_objects(found.values())
        for seq in stretch:
            data = found.get(log_key(self._domain, seq))
            if data is None:
                self._replay.skip(seq, seq)
            else:
                self._replay.step(seq, data, objects)
                self._read(seq, data)
                self._entries += 1

    def _read(self, seq: int, data: bytes) -> None:
        """Take note of an entry as the newest, and compare it with what this machine saw."""
        self._last = seq, data
        if self._seen is not None and seq == self._seen.seq and (found := digest_of(data)) != self._seen.digest:
            message = f"entry {seq} was {self._seen.digest} when this machine last read it, and it is {found} now"
            self._report("history-replaced", log_key(self._domain, seq), message)

    def _head(self) -> Head | None:
        try:
            return None if self._last is None else read_entry(self._last[1], self._domain, self._last[0])
        except FormatError:
            return None

    def _check_memory(self) -> None:
        newest = self._last[0] if self._last else -1
        if self._seen is not None and self._seen.seq > newest:
            there = f"the newest is {newest}" if newest >= 0 else "there is none"
            message = f"this machine has seen entry {self._seen.seq} ({self._seen.entry.time}), and now {there}"
            self._report("rolled-back", log_key(self._domain, self._seen.seq), message)
        if newest < 0 and self._listed:
            self._report("log-absent", log_prefix(self._domain), f"{len(self._listed)} objects, and no entry")

    def _check_before(self, start: int) -> None:
        """See to it that what was verified earlier is still there, without reading it."""
        for seq in sorted(set(range(start)) - self._slots):
            self._report("entry-missing", log_key(self._domain, seq), f"later entries exist, and slot {seq} is empty")
        named = self._records_of(self._replay.state or {})
        keys = {record_key(self._domain, digest) for digest in named} - self._named
        absent = keys - self._listed.keys()
        for key in sorted(absent - self._fetching.sizes(absent).keys()):
            self._report("record-missing", key, "the state names it, and it is not there")

    # What entries name

    def _names(self, data: bytes) -> tuple[set[str], set[str]]:
        """Return the digests of the records and the snapshots that an entry names."""
        try:
            entry = decode(data, Entry, "the entry")
        except FormatError:
            return set(), set()
        return self._records_of(entry.patch), {entry.snapshot.digest} if entry.snapshot else set()

    def _read_objects(self, entries: Iterable[bytes]) -> Objects:
        named = [self._names(data) for data in entries]
        records = set[str]().union(*(found for found, _ in named))
        snapshots = set[str]().union(*(found for _, found in named))
        return Objects(records=dict(self._read_records(records)), snapshots=self._read_snapshots(snapshots))

    def _read_snapshots(self, digests: set[str]) -> dict[str, bytes]:
        keys = {snapshot_key(self._domain, digest): digest for digest in digests}
        self._named |= keys.keys()
        # Entry after entry names the same snapshot: what the last stretch named is kept.
        kept = {digest: data for digest, data in self._snapshots.items() if digest in digests}
        new = self._fetching.many(key for key, digest in keys.items() if digest not in kept)
        self._snapshots = kept | {keys[key]: data for key, data in new.items()}
        return self._snapshots

    def _read_records(self, digests: set[str]) -> Iterator[tuple[str, AnyRecord]]:
        keys = {record_key(self._domain, digest): digest for digest in digests}
        self._named |= keys.keys()
        found = self._fetching.many(sorted(keys))
        self._records += len(found)
        for key, digest in sorted(keys.items()):
            record = self._record(key, digest, found.get(key))
            if record is not None:
                yield digest, record

    def _record(self, key: str, digest: str, data: bytes | None) -> AnyRecord | None:
        if data is None:
            self._report("record-missing", key, "an entry names it, and it is not there")
            return None
        if (found := digest_of(data)) != digest:
            self._report("record-damaged", key, f"expected {digest}, found {found} ({len(data)} bytes)")
            return None
        try:
            record = decode_record(data, "the record")
        except FormatError as error:
            self._report("record-unreadable", key, str(error))
            return None
        if not is_canonical(data):
            self._report("not-canonical", key, "the record is not written as it should be")
        return record


def _stretches(slots: list[int], start: int) -> Iterator[range]:
    """Yield the slots to read, a bounded number at a time.

    Small gaps are read too, for a listing may have missed what was created meanwhile; a wide one is only reported.
    """
    first = following = start
    for slot in slots:
        if slot - following > _STRETCH:
            if following > first:
                yield range(first, following)
            first = slot
        following = slot + 1
        if following - first >= _STRETCH:
            yield range(first, following)
            first = following
    if following > first:
        yield range(first, following)
