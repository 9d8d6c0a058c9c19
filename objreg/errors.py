"""The error tree: every error that objreg raises on purpose, cut by what the caller does next.

::

    ObjregError
    ├── InvalidInput       (ValueError)   the call is wrong: fix the name, the spec, the option or the document
    ├── NotFound           (LookupError)  what was named does not exist: create it, or name another
    ├── AlreadyExists                     it exists and stays as it is: use it, or choose another name
    ├── Conflict                          ``expect=`` did not hold, or a rule refused: look again, then decide
    ├── IntegrityError                    bytes are not what their digest promises: do not use them
    │   └── RollbackDetected              the registry is older than, or forked from, what this machine has seen
    ├── FormatError                       the object is not of a format that this release reads: upgrade objreg
    ├── CommitUnknown                     the commit may or may not have landed: look for its ``op``
    ├── MissingDependency  (ImportError)  an optional package is needed: install the extra that is named
    └── StoreError                        the store said no
        ├── StoreUnavailable              no clear answer: try again later
        ├── AccessDenied (PermissionError) credentials are missing or not enough: ask for the permission
        └── UnsafeStore                   the store does not keep the promise that objreg rests on: use another

Facts are attributes (``error.facts``), the message is one sentence that names both sides of a mismatch and the
remedy where there is one. ``docs/errors.md`` lists the tree with the exit code of each.
"""

from typing import ClassVar

__all__ = [
    "AccessDenied",
    "AlreadyExists",
    "CommitUnknown",
    "Conflict",
    "FormatError",
    "IntegrityError",
    "InvalidInput",
    "MissingDependency",
    "NotFound",
    "ObjregError",
    "RollbackDetected",
    "StoreError",
    "StoreUnavailable",
    "UnsafeStore",
]


class ObjregError(Exception):
    """The root of everything that objreg raises on purpose.

    Args:
        message: one lower-case sentence, with the remedy if there is one.
        facts: what the message speaks of, for programs; kept as ``error.facts``.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, **facts: object) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.message, self.facts))


def _rebuild(cls: type[ObjregError], message: str, facts: dict[str, object]) -> ObjregError:
    return cls(message, **facts)


class InvalidInput(ObjregError, ValueError):
    """The call is wrong: a name, a spec, an option or a document is not what the grammar allows."""

    exit_code = 2


class NotFound(ObjregError, LookupError):
    """What was named does not exist in this registry."""

    exit_code = 3


class AlreadyExists(ObjregError):
    """It exists, with other content, and is never replaced."""

    exit_code = 4


class Conflict(ObjregError):
    """``expect=`` did not hold, or a rule of the registry refused the change as things stand."""

    exit_code = 5


class IntegrityError(ObjregError):
    """Bytes are not what their digest, size or place promises."""

    exit_code = 6


class RollbackDetected(IntegrityError):
    """The registry is older than what this machine has seen, or is another history."""


class FormatError(ObjregError):
    """An object is not of a format that this release reads."""

    exit_code = 7


class CommitUnknown(ObjregError):
    """The deadline passed before the store said whether a commit landed; ``facts["op"]`` identifies it."""

    exit_code = 8


class MissingDependency(ObjregError, ImportError):
    """An optional package is needed and not installed."""

    exit_code = 9


class StoreError(ObjregError):
    """The store refused, in a way that a retry does not change."""

    exit_code = 10


class StoreUnavailable(StoreError):
    """The store gave no clear answer: a timeout, a lost connection, 429 or 5xx."""

    exit_code = 11


class AccessDenied(StoreError, PermissionError):
    """The store refused the credentials, or there were none."""

    exit_code = 12

    def __str__(self) -> str:
        return self.message


class UnsafeStore(StoreError):
    """The store does not keep the promise that the registry rests on (conditional create)."""

    exit_code = 13
