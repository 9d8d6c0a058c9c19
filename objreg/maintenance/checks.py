"""What an examination finds: one check after another, each with an outcome and a remedy."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Check", "Diagnosis", "Outcome", "failed", "not_tried", "ok", "unknown", "warning"]


class Outcome(StrEnum):
    """How a check ended, from good to bad."""

    OK = "ok"
    UNKNOWN = "unknown"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True)
class Check:
    """One question to a store, and its answer.

    Attributes:
        name: what was asked.
        outcome: whether a registry can rest on the answer; ``unknown`` where it could not be had.
        found: what was seen.
        expected: what should have been seen; empty where that is the same.
        remedy: what to do; empty where there is nothing to do.
    """

    name: str
    outcome: Outcome
    found: str
    expected: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class Diagnosis:
    """What was found of one store.

    Attributes:
        url: of the registry's root.
        checks: in the order in which they were made.
    """

    url: str
    checks: tuple[Check, ...]

    @property
    def outcome(self) -> Outcome:
        """The worst of all checks."""
        return max((check.outcome for check in self.checks), key=list(Outcome).index)


def ok(name: str, found: str) -> Check:
    """Return a check that went well."""
    return Check(name, Outcome.OK, found)


def failed(name: str, found: str, expected: str, remedy: str) -> Check:
    """Return a check that a registry must not be used without."""
    return Check(name, Outcome.FAILED, found, expected, remedy)


def warning(name: str, found: str, remedy: str, expected: str = "") -> Check:
    """Return a check whose answer costs time, money or care, and no data."""
    return Check(name, Outcome.WARNING, found, expected, remedy)


def unknown(name: str, found: str, remedy: str = "") -> Check:
    """Return a check that has no answer."""
    return Check(name, Outcome.UNKNOWN, found, remedy=remedy)


def not_tried(name: str, why: str) -> Check:
    """Return a check that an earlier one made useless."""
    return unknown(name, f"not tried: {why}")
