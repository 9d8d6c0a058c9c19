"""Judge state changes by the definitions that they say allowed them."""

from collections.abc import Iterable, Iterator

from objreg.core.audit.claims import Problem
from objreg.core.audit.findings import Finding, finding
from objreg.core.audit.scope import Definitions
from objreg.core.keys import log_key
from objreg.core.state import Change

__all__ = ["Undecided", "judge_move", "judge_moves"]

Undecided = tuple[int, Change]
"""The number of an entry, and a state change in it whose definition is not known yet."""


def judge_moves(domain: str, undecided: Iterable[Undecided], definitions: Definitions) -> Iterator[Finding]:
    """Yield which state changes no definition allowed, now that all definitions are known."""
    for seq, change in undecided:
        for code, message in judge_move(change, definitions):
            yield finding(code, domain, log_key(domain, seq), f"entry {seq}: {message}")


def judge_move(change: Change, definitions: Definitions) -> Iterator[Problem]:
    """Hold a state change against the definition that it says allowed it."""
    before, after, version = set(change.before), set(change.after), change.version
    found = f"from {', '.join(sorted(before)) or 'none'} to {', '.join(sorted(after)) or 'none'}"
    if not change.record:
        if after != before - {version} or version not in before:
            yield "state-rule-broken", f"taking {version} out of state {change.name} took it {found}"
        return
    name, exclusive = definitions.get(change.record, ("", False))
    if name != change.name:
        yield "state-undefined", f"no definition {change.record} of state {change.name} holds for this model"
    elif after != ({version} if exclusive else before | {version}):
        word = "exclusive" if exclusive else "shared"
        yield "state-rule-broken", f"state {name} is {word}, and moving {version} into it took it {found}"
