"""One change to a model, and what carries it out: a registry commits it at once, a transaction with others.

A method of ``VersionChanges`` or ``RecordChanges`` checks and prepares what the caller gave, sends files if there are
any, and hands an ``Operation`` to ``_apply``.
"""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from objreg.core.decisions import Decision, View
from objreg.core.provenance import VersionReference
from objreg.registry.session import Connected

__all__ = ["NO_VERSION", "Changes", "Operation"]

NO_VERSION = VersionReference(model="-", version="-", record="sha256:" + "0" * 64)
"""Stands in a draft until the rule says which version the spec names."""


@dataclass(frozen=True)
class Operation:
    """One change to a model.

    Attributes:
        decide: the rule, with what the caller asked for.
        present: makes what the caller gets from the decision's value.
        promise: what of the value the caller may rely on before the commit (a version, a number).
    """

    decide: Callable[[View], Decision]
    present: Callable[[Any], Any] = lambda value: value
    promise: Callable[[Any], object] = lambda _: None


class Changes(Connected):
    """What carries out the changes to a model."""

    @abstractmethod
    def _apply(self, model: str, operation: Operation, message: str) -> Any:
        """Carry out an operation, and return its value."""

    @abstractmethod
    def _base(self, model: str) -> View:
        """Return a model as it is known; read if nothing is known of it."""
