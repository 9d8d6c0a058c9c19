"""The rules of a registry and of a namespace: what they say of themselves, and the states that they define."""

from collections.abc import Mapping
from typing import Any

import msgspec

from objreg.core.decisions import Decision, encoded
from objreg.core.names import check_state
from objreg.core.records import AnyRecord, Namespace, RegistrySettings, StateDefinition
from objreg.core.state import Change, ScopeState, StateItem
from objreg.errors import Conflict

__all__ = ["define_state", "put_description"]


def define_state(
    state: ScopeState, draft: StateDefinition, wider: Mapping[str, StateItem], existing: StateDefinition | None
) -> Decision:
    """Define a state. Its value is the record; without a patch it is defined so already.

    Args:
        state: of the registry or the namespace that shall define it.
        draft: the definition.
        wider: definitions that hold here because a wider scope made them: they cannot be narrowed or replaced.
        existing: the scope's own definition of that name, or None.

    Raises:
        Conflict: it is defined otherwise, here or in a wider scope.
    """
    name = check_state(draft.name)
    if name in wider:
        raise Conflict(
            f"state {name} is defined for a wider scope and holds here too"
            f" ({'exclusive' if wider[name].exclusive else 'shared'});"
            " a namespace cannot define it again",
            state=name,
        )
    if existing is not None:
        if existing.exclusive != draft.exclusive:
            raise Conflict(
                f"state {name} is defined as {_word(existing)} ({existing.created_at} by {existing.created_by}) and"
                f" cannot become"
                f" {_word(draft)}: versions were moved by that rule; define a state of another name",
                state=name,
            )
        if existing.description == draft.description:
            return Decision(value=existing)
    before = (state.states[name].record,) if name in state.states else ()
    digest, data = encoded(draft)
    return Decision(
        value=draft,
        patch={"states": {name: {"record": digest, "exclusive": draft.exclusive}}},
        changes=(Change(kind="state_definition", name=name, record=digest, before=before, after=(digest,)),),
        records={digest: data},
    )


def _word(definition: StateDefinition) -> str:
    return "exclusive" if definition.exclusive else "shared"


def put_description(state: ScopeState, draft: RegistrySettings | Namespace, current: AnyRecord | None) -> Decision:
    """Say what a registry or a namespace is. Its value is the record; without a patch it says that already."""
    if current is not None:
        same: Any = msgspec.structs.replace(draft, created_at=current.created_at, created_by=current.created_by)
        if same == current:
            return Decision(value=current)
    digest, data = encoded(draft)
    change = Change(
        kind="namespace" if isinstance(draft, Namespace) else "registry_settings",
        record=digest,
        before=(state.record,) if state.record else (),
        after=(digest,),
    )
    return Decision(value=draft, patch={"record": digest}, changes=(change,), records={digest: data})
