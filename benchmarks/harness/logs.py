"""Long logs, made fast: the entries that objreg would have committed, without asking the store before each.

A model is begun with objreg's own pushes. From its newest entry on, entries are decided and encoded by objreg's core,
one after another, and handed out with their keys for somebody to store; so a million take minutes. What comes out is a
valid registry, which ``objreg fsck`` accepts.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import msgspec

from objreg.core import rules
from objreg.core.decisions import Decision, View, encoded
from objreg.core.digest import digest_of
from objreg.core.encoding import decode_json, encode
from objreg.core.entries import Entry, Head, Snapshot, SnapshotReference, fold, snapshot_is_due
from objreg.core.keys import log_key, model_domain, record_key, snapshot_key
from objreg.core.merge import merge
from objreg.core.records import VersionRecord
from objreg.core.specs import parse_spec
from objreg.core.state import Change, ModelState, Pointer, model_refs
from objreg.core.times import after
from objreg.registry.registry import Registry

__all__ = ["STATE", "GrowingLog", "Log", "RotatingLog"]

STATE = "production"
"""An exclusive state that the registry defines, and that a version of the model is in."""


class Log(ABC):
    """The log of one model, from its newest entry on.

    Args:
        registry: where it begins; read once.
        model: with a version in ``STATE``.
    """

    def __init__(self, registry: Registry, model: str) -> None:
        session = registry.session
        manifest = session.model(model)
        head = manifest.refresh()
        assert head is not None
        self.model = model
        self.domain = model_domain(model)
        self._head = head
        self._state = manifest.state()
        self._snapshot_size = manifest.state_size() - len(head.data)
        self._definition = session.definition(model, STATE)
        self._begin(registry)

    @property
    def length(self) -> int:
        """How many entries there are."""
        return self._head.seq + 1

    def up_to(self, length: int) -> Iterator[tuple[str, bytes]]:
        """Yield key and bytes of each object that makes the log so long, in the order of a writer."""
        while self.length < length:
            decision, refs = self._next()
            for digest, data in decision.records.items():
                yield record_key(self.domain, digest), data
            reference, tail = self._head.entry.snapshot, merge(self._head.entry.tail, self._head.entry.patch)
            if snapshot_is_due(self._head, self._snapshot_size + len(self._head.data)):
                data = encode(Snapshot(domain=self.domain, seq=self._head.seq, state=self._state))
                reference, tail = SnapshotReference(seq=self._head.seq, digest=digest_of(data)), {}
                self._snapshot_size = len(data)
                yield snapshot_key(self.domain, reference.digest), data
            self._advance(decision, reference, tail, refs)
            yield log_key(self.domain, self._head.seq), self._head.data

    def _advance(
        self, decision: Decision, reference: SnapshotReference | None, tail: dict[str, Any], refs: dict[str, Pointer]
    ) -> None:
        parent = self._head
        changes = [decode_json(encode(change), change.kind) for change in decision.changes]
        entry = Entry(
            domain=self.domain,
            seq=parent.seq + 1,
            parent=parent.digest,
            time=after(parent.entry.time, datetime.now(UTC)),
            actor="benchmark",
            message="",
            op=uuid4().hex,
            patch=dict(decision.patch) | {"changes": changes},
            snapshot=reference,
            tail=tail,
            refs=refs,
        )
        data = encode(entry)
        self._head = Head(entry=entry, data=data, digest=digest_of(data))
        self._state = merge(self._state, entry.patch)

    def check(self, registry: Registry) -> None:
        """See what objreg reads of the log: its length, its state, and the chain of its newest entries.

        Raises:
            ValueError: it is not what was made.
        """
        manifest = registry.session.model(self.model)
        head = manifest.refresh()
        if head is None or head.digest != self._head.digest or manifest.state() != self._state:
            raise ValueError(f"the log of {self.model} is not the one that was made")
        assert fold(head, manifest._base_of(head)) == self._state  # noqa: SLF001  # the fold that a cold reader makes
        for number, item in enumerate(registry.history(self.model)):
            if number == min(200, head.seq):
                break
            assert item.seq == head.seq - number

    @abstractmethod
    def _begin(self, registry: Registry) -> None:
        """Learn what the next entries need."""

    @abstractmethod
    def _next(self) -> tuple[Decision, dict[str, Pointer]]:
        """Decide the next commit, and return it with the pointers after it."""


class RotatingLog(Log):
    """Each entry moves another version into the state: however long the log is, the state stays as large."""

    def _begin(self, registry: Registry) -> None:
        del registry
        self._versions = list(self._state["versions"])

    def _next(self) -> tuple[Decision, dict[str, Pointer]]:
        state: ModelState = msgspec.convert(self._state, ModelState)
        view = View(self.model, state, self._head.digest, _no_record)
        at = self._versions.index(state.in_state(STATE)[0]) + 1
        spec = parse_spec(f"{self.model}:{self._versions[at % len(self._versions)]}")
        decision = rules.set_state(view, spec, STATE, self._definition)
        after_it: ModelState = msgspec.convert(merge(self._state, dict(decision.patch)), ModelState)
        return decision, model_refs(after_it)


class GrowingLog(Log):
    """Each entry adds a version with the files of the first: the state grows with the log.

    The patch is written down here as ``objreg.core.rules.add_version`` makes it, because that looks at all versions
    each time.
    """

    def _begin(self, registry: Registry) -> None:
        state: ModelState = msgspec.convert(self._state, ModelState)
        newest = state.latest()
        self._record: VersionRecord = registry.resolve(f"{self.model}:{newest}").record
        self._in_state = model_refs(state)[STATE]
        self._newest = newest

    def _next(self) -> tuple[Decision, dict[str, Pointer]]:
        major, _, minor = self._newest.partition(".")
        self._newest = version = f"{major}.{int(minor) + 1}"
        record = msgspec.structs.replace(self._record, version=version)
        digest, data = encoded(record)
        item = dict(self._state["versions"][self._record.version])
        item = {name: item[name] for name in ("created_at", "created_by", "size", "files")}
        item |= {"record": digest, "order": len(self._state["versions"]) + 1}
        decision = Decision(
            value=None,
            patch={"scheme": self._state["scheme"], "versions": {version: item}},
            changes=(Change(kind="version", version=version, record=digest),),
            records={digest: data},
        )
        return decision, {"latest": Pointer(version=version, record=digest), STATE: self._in_state}


def _no_record(digest: str) -> Any:
    raise AssertionError(f"moving a version into a state asks for no record, and {digest} was asked for")
