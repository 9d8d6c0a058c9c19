"""The rules of a registry's and a namespace's own manifest, held against its history."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from objreg.core.audit.claims import Effects, check_claims
from objreg.core.audit.findings import Finding, finding
from objreg.core.audit.inventory import digests_among
from objreg.core.entries import Entry
from objreg.core.keys import REGISTRY_DOMAIN, log_key, record_key
from objreg.core.records import AnyRecord, Namespace, RegistrySettings, RetentionPolicy, StateDefinition
from objreg.core.state import ScopeState
from objreg.errors import FormatError

__all__ = ["Definitions", "ScopeAudit", "defined_twice", "scope_records"]

Definitions = Mapping[str, tuple[str, bool]]
"""By a definition's digest: the state that it defines, and whether that is exclusive."""


def scope_records(patch: dict[str, Any]) -> set[str]:
    """Return the digests of records that a patch of a scope names; anything but text is passed over."""
    states = patch.get("states")
    items = states.values() if isinstance(states, dict) else ()
    named = [item.get("record") for item in items if isinstance(item, dict)]
    return digests_among([patch.get("record"), patch.get("retention"), *named])


class ScopeAudit:
    """The registry's or a namespace's manifest, commit by commit.

    Attributes:
        definitions: every one that was ever made here.
    """

    def __init__(self, domain: str) -> None:
        self.domain = domain
        self.namespace = "" if domain == REGISTRY_DOMAIN else domain.removesuffix("/_namespace")
        self.definitions: dict[str, tuple[str, bool]] = {}
        self._state = ScopeState()

    def load(self, state: dict[str, Any]) -> None:
        """Take a state as it is. Raises FormatError where it is not of its type."""
        self._state = _typed(state)
        self.definitions |= {item.record: (name, item.exclusive) for name, item in self._state.states.items()}

    def check(self, entry: Entry, after: dict[str, Any], records: Mapping[str, AnyRecord]) -> Iterator[Finding]:
        """Yield what the commit did that the rules do not allow."""
        key = log_key(self.domain, entry.seq)
        try:
            new = _typed(after)
        except FormatError as error:
            yield finding("state-unreadable", self.domain, key, str(error))
            return
        old, self._state = self._state, new
        if entry.refs:
            yield finding("refs-wrong", self.domain, key, f"expected no pointers, found {', '.join(entry.refs)}")
        effects = Effects(lambda kind, name: _standing(old, kind, name))
        for name, item in new.states.items():
            effects.move("state_definition", name, (item.record,))
            known = old.states.get(name)
            if known is not None and known.exclusive != item.exclusive:
                message = f"state {name} was exclusive={known.exclusive} and became exclusive={item.exclusive}"
                yield finding("definition-changed", self.domain, key, message)
            self.definitions[item.record] = (name, item.exclusive)
        own = "registry_settings" if not self.namespace else "namespace"
        effects.move(own, "", (new.record,) if new.record else ())
        effects.move("retention_policy", "", (new.retention,) if new.retention else ())
        if "changes" not in entry.patch:
            yield finding("changes-unreadable", self.domain, key, "the entry has no changes")
        else:
            for code, message in check_claims(effects, new.changes):
                yield finding(code, self.domain, key, f"entry {entry.seq}: {message}")
        yield from self._check_records(scope_records(entry.patch), records)

    def _check_records(self, named: set[str], records: Mapping[str, AnyRecord]) -> Iterator[Finding]:
        for digest in sorted(named):
            record = records.get(digest)
            if record is not None and (problem := self._mismatch(digest, record)):
                yield finding("record-mismatch", self.domain, record_key(self.domain, digest), problem)

    def _mismatch(self, digest: str, record: AnyRecord) -> str:
        """Return what a record should say and does not, or ``""``."""
        expected: tuple[object, ...]
        found: tuple[object, ...]
        if digest in self.definitions:
            name, exclusive = self.definitions[digest]
            expected = (StateDefinition, self.namespace, name, exclusive)
            found = (type(record), *(getattr(record, field, None) for field in ("namespace", "name", "exclusive")))
        elif digest == self._state.retention:
            expected = (RetentionPolicy, self.namespace)
            found = (type(record), getattr(record, "namespace", None))
        else:
            expected = (Namespace, self.namespace) if self.namespace else (RegistrySettings, "")
            found = (type(record), getattr(record, "namespace", ""))
        return "" if expected == found else f"expected {_words(expected)}, found {_words(found)}"


def defined_twice(domain: str, definitions: Definitions, wider: Mapping[str, Definitions]) -> Iterator[Finding]:
    """Yield the states that a namespace and a wider scope define differently."""
    for other, theirs in wider.items():
        rules = dict(theirs.values())
        for name, exclusive in sorted(set(definitions.values())):
            if rules.get(name, exclusive) != exclusive:
                message = f"state {name} is exclusive={exclusive} here, and exclusive={rules[name]} in {other}"
                yield finding("state-defined-twice", domain, f"{domain}/log/", message)


def _typed(state: dict[str, Any]) -> ScopeState:
    try:
        return msgspec.convert(state, ScopeState)
    except msgspec.ValidationError as error:
        raise FormatError(f"it is not a scope's state: {error}") from error


def _standing(state: ScopeState, kind: str, name: str) -> tuple[str, ...]:
    if kind == "state_definition":
        return (state.states[name].record,) if name in state.states else ()
    found = {"retention_policy": state.retention}.get(kind, state.record)
    return (found,) if found else ()


def _words(values: tuple[object, ...]) -> str:
    return " ".join(value.__name__ if isinstance(value, type) else repr(value) for value in values)
