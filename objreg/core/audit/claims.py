"""Hold what a commit says that it did (its changes) against what it did to the state.

Some changes add something for good: a version, an experiment. Others move something from one value to the next, like
the versions in a state; several of them in one commit must follow one another, from what stood there before the commit
to what stands there after it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from objreg.core.state import Change

__all__ = ["Effects", "Problem", "check_claims"]

Problem = tuple[str, str]
"""A finding's code, and its message."""

Added = tuple[str, str, str, str]
Moved = tuple[str, str]
Values = tuple[str, ...]

_ADDING = frozenset({"version", "experiment", "retirement", "deployment", "expiry"})
_MOVING = frozenset(
    {
        "catalog",
        "deployment_status",
        "namespace",
        "registry_settings",
        "retention_policy",
        "state_change",
        "state_definition",
    }
)


@dataclass(frozen=True)
class Effects:
    """What a commit did to the state.

    Attributes:
        standing: gives what stood at a kind and a name before the commit.
        added: kind, name, version and record of what is new.
        moved: what stands now at a kind and a name where that changed.
    """

    standing: Callable[[str, str], Values]
    added: set[Added] = field(default_factory=set)
    moved: dict[Moved, Values] = field(default_factory=dict)

    def add(self, kind: str, name: str, version: str, record: str = "") -> None:
        """Note something new."""
        self.added.add((kind, name, version, record))

    def move(self, kind: str, name: str, after: Values) -> None:
        """Note what stands somewhere now, if it is not what stood there."""
        if sorted(after) != sorted(self.standing(kind, name)):
            self.moved[kind, name] = after


def check_claims(effects: Effects, changes: tuple[Change, ...]) -> Iterator[Problem]:
    """Yield where a commit's changes and its effects do not agree."""
    unclaimed = set(effects.added)
    reached: dict[Moved, Values] = {}
    unknown = False
    for change in changes:
        claims = _additions(change)
        if claims:
            wrong = [claim for claim in claims if claim not in unclaimed]
            unclaimed -= set(claims)
            if wrong:
                yield "change-without-effect", f"it says {_words(change)}, and the state was not changed so"
        if change.kind in _MOVING or change.kind == "deployment":
            yield from _follow(effects, reached, change)
        elif not claims and change.kind not in {"condemned", "swept"}:
            unknown = True
            yield "change-unknown", f"it says {_words(change)}, which this release does not know"
    if not unknown:
        yield from _unsaid(effects, unclaimed, reached)


def _unsaid(effects: Effects, unclaimed: set[Added], reached: dict[Moved, Values]) -> Iterator[Problem]:
    """Yield the effects that no change told, and the changes that ended elsewhere than the state."""
    for kind, name, version, record in sorted(unclaimed):
        words = " ".join(word for word in (kind, name, version, record) if word)
        yield "change-unlisted", f"it added {words}, and none of its changes says so"
    for (kind, name), after in sorted(effects.moved.items()):
        if (kind, name) not in reached:
            yield "change-unlisted", f"it set {kind} {name} to {_values(after)}, and none of its changes says so"
    for (kind, name), after in sorted(reached.items()):
        expected = effects.moved.get((kind, name), effects.standing(kind, name))
        if sorted(after) != sorted(expected):
            yield (
                "change-without-effect",
                f"its changes end with {kind} {name} at {_values(after)}, and the state has {_values(expected)}",
            )


def _additions(change: Change) -> list[Added]:
    if change.kind in _ADDING:
        return [(change.kind, change.name, change.version, change.record)]
    names = {"condemned": change.after, "swept": change.before}.get(change.kind, ())
    return [(change.kind, name, "", "") for name in names]


def _follow(effects: Effects, reached: dict[Moved, Values], change: Change) -> Iterator[Problem]:
    kind = "deployment_status" if change.kind == "deployment" else change.kind
    stood = reached.get((kind, change.name), effects.standing(kind, change.name))
    if sorted(change.before) != sorted(stood) or sorted(change.after) == sorted(stood):
        yield "change-without-effect", f"it says {_words(change)}, and {_values(stood)} stood there"
    reached[kind, change.name] = change.after


def _words(change: Change) -> str:
    named = " ".join(word for word in (change.kind, change.name, change.version) if word)
    moved = f" from {_values(change.before)} to {_values(change.after)}" if change.before or change.after else ""
    return f"{named}{moved}"


def _values(values: Values) -> str:
    return ", ".join(values) or "none"
