"""A transaction: several changes to one model, decided together, in one commit."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from objreg.core.decisions import Decision, View
from objreg.core.encoding import decode_record
from objreg.core.keys import model_domain
from objreg.core.merge import merge
from objreg.core.records import AnyRecord
from objreg.core.state import Change, ModelState, typed_state
from objreg.errors import Conflict, InvalidInput
from objreg.registry.changes import Operation
from objreg.registry.record_changes import RecordChanges
from objreg.registry.session import Session
from objreg.registry.version_changes import VersionChanges

__all__ = ["Transaction"]


@dataclass(frozen=True)
class _Promised:
    operation: Operation
    promise: object


class Transaction(VersionChanges, RecordChanges):
    """Collects changes to one model; ``Registry.transaction`` makes one and commits it.

    Each change is decided at once, on the model as it was with the changes before it, so a mistake is seen where it is
    made. At the commit all are decided again on the state that the commit lands on.
    """

    def __init__(self, session: Session, model: str, base: View) -> None:
        self._session_ = session
        self._model = model
        self._promised: list[_Promised] = []
        self._view = base
        self._finished = False
        self._lock = threading.Lock()

    @property
    def _session(self) -> Session:
        return self._session_

    @property
    def is_empty(self) -> bool:
        """Whether nothing was asked for."""
        return not self._promised

    def finish(self) -> None:
        """Take no more changes."""
        self._finished = True

    def _base(self, model: str) -> View:
        self._check(model)
        return self._view

    def _check(self, model: str) -> None:
        if self._finished:
            raise InvalidInput("this transaction is over; begin another")
        if model != self._model:
            raise InvalidInput(
                f"this transaction is for {self._model}, and {model} is another model: one commit changes one model"
            )

    def _apply(self, model: str, operation: Operation, message: str) -> Any:
        self._check(model)
        if message:
            raise InvalidInput("a transaction has one message: give it to transaction(…, message=…)")
        with self._lock:
            decision = operation.decide(self._view)
            self._view = _after(self._view, decision)
            self._promised.append(_Promised(operation, operation.promise(decision.value)))
        return operation.present(decision.value)

    def decide(self, view: View) -> Decision:
        """Decide all changes on a state; what they promised must come out again.

        Raises:
            Conflict: another writer took a version or a number that was promised.
        """
        patch: dict[str, Any] = {}
        changes: tuple[Change, ...] = ()
        records: dict[str, bytes] = {}
        for promised in self._promised:
            decision = promised.operation.decide(view)
            found = promised.operation.promise(decision.value)
            if found != promised.promise:
                raise Conflict(
                    f"another writer changed {self._model} while the transaction was open, so {promised.promise}"
                    f" cannot be had any more; nothing was changed: run the transaction again"
                )
            patch = merge(patch, dict(decision.patch))
            changes += decision.changes
            records.update(decision.records)
            view = _after(view, decision)
        return Decision(value=None, patch=patch, changes=changes, records=records)


def _after(view: View, decision: Decision) -> View:
    """Return what the next change sees: the model with this one."""
    if not decision.patch:
        return view
    raw: dict[str, Any] = msgspec.to_builtins(view.state)
    state: ModelState = typed_state(merge(raw, dict(decision.patch)), ModelState, model_domain(view.model))
    return View(view.model, state, view.head, _loader(view, decision.records))


def _loader(view: View, records: Mapping[str, bytes]) -> Any:
    def load(digest: str) -> AnyRecord:
        if digest in records:
            return decode_record(records[digest], f"record {digest[:19]}…")
        return view.load(digest)

    return load
