"""The rules of a registry and of a namespace."""

from typing import Any

import msgspec
import pytest

from objreg.core.records import Namespace, RegistrySettings, StateDefinition
from objreg.core.scopes import define_state, put_description
from objreg.core.state import Change, ScopeState, StateItem
from objreg.errors import Conflict, InvalidInput
from tests.core.conftest import TIME

RECORD = "sha256:" + "1" * 64


def stamped(kind: type, **fields: Any) -> Any:
    return kind(created_at=TIME, created_by="ci@acme", **fields)


def definition(name: str = "production", **fields: Any) -> StateDefinition:
    return stamped(StateDefinition, name=name, **fields)


def scope(**states: bool) -> ScopeState:
    return ScopeState(states={name: StateItem(record=RECORD, exclusive=value) for name, value in states.items()})


def test_a_state_is_defined() -> None:
    """The patch has what set_state needs, so that no record has to be read for it."""
    decision = define_state(ScopeState(), definition(exclusive=True), {}, None)
    (digest,) = decision.records
    assert decision.patch == {"states": {"production": {"record": digest, "exclusive": True}}}
    assert decision.changes == (Change(kind="state_definition", name="production", record=digest, after=(digest,)),)


def test_the_same_definition_changes_nothing() -> None:
    """Whoever repeats it gets the first."""
    first = definition(description="live")
    again = msgspec.structs.replace(first, created_by="other")
    decision = define_state(scope(production=False), again, {}, first)
    assert not decision.patch
    assert decision.value is first


def test_a_description_may_be_improved() -> None:
    """The rule stays, the words change, and the change names both records."""
    decision = define_state(scope(production=False), definition(description="b"), {}, definition(description="a"))
    (change,) = decision.changes
    assert change.before == (RECORD,)
    assert change.after == tuple(decision.records)


def test_exclusivity_never_changes() -> None:
    """Versions were moved by the rule, so another is refused, with both words and the first author."""
    with pytest.raises(
        Conflict, match=r"defined as shared \(2026.* by ci@acme\) and cannot become exclusive.*another name"
    ):
        define_state(scope(production=False), definition(exclusive=True), {}, definition())
    with pytest.raises(Conflict, match=r"defined as exclusive .* cannot become shared"):
        define_state(scope(production=True), definition(), {}, definition(exclusive=True))


def test_a_namespace_cannot_define_what_holds_there_already() -> None:
    """A wider scope's definition rules below it; the message says which it is."""
    wider = {"production": StateItem(record=RECORD, exclusive=True)}
    with pytest.raises(Conflict, match=r"defined for a wider scope and holds here too \(exclusive\)"):
        define_state(ScopeState(), definition(namespace="fraud"), wider, None)


@pytest.mark.parametrize("name", ["latest", "v1", "1.0", ""])
def test_a_state_needs_a_word(name: str) -> None:
    """The grammar of states holds for definitions too."""
    with pytest.raises(InvalidInput):
        define_state(ScopeState(), definition(name), {}, None)


@pytest.mark.parametrize(
    ("kind", "fields", "word"),
    [(RegistrySettings, {}, "registry_settings"), (Namespace, {"namespace": "fraud"}, "namespace")],
)
def test_a_scope_says_what_it_is(kind: type, fields: dict, word: str) -> None:
    """A new text is a change from the earlier record to the new one; the same text is none."""
    first = stamped(kind, owner="risk", **fields)
    decision = put_description(ScopeState(), first, None)
    (digest,) = decision.records
    assert decision.changes == (Change(kind=word, record=digest, after=(digest,)),)
    state = ScopeState(record=digest)
    again = msgspec.structs.replace(first, created_by="other", created_at="2027-01-01T00:00:00.000Z")
    same = put_description(state, again, first)
    assert not same.patch
    assert same.value is first
    (change,) = put_description(state, msgspec.structs.replace(first, owner="fraud"), first).changes
    assert change.before == (digest,)
