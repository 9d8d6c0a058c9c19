"""What a rule sees, and what it decides: values that the shell commits."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from objreg.core.digest import digest_of
from objreg.core.encoding import encode
from objreg.core.provenance import VersionReference
from objreg.core.records import AnyRecord
from objreg.core.state import Change, ModelState
from objreg.errors import FormatError

__all__ = ["Decision", "View", "encoded"]


@dataclass(frozen=True)
class View:
    """What a rule sees of a model.

    Attributes:
        model: its path.
        state: after the entry that the commit would follow.
        head: that entry's digest, or ``""`` for a model without history.
        load: gives a record of the model by its digest.
    """

    model: str
    state: ModelState
    head: str
    load: Callable[[str], AnyRecord]

    def reference(self, version: str) -> VersionReference:
        """Return what names one of the model's versions for ever."""
        item = self.state.versions.get(version)
        if item is None:
            raise FormatError(f"the manifest of {self.model} speaks of a version {version[:100]!r}, and has none")
        return VersionReference(model=self.model, version=version, record=item.record)


@dataclass(frozen=True)
class Decision:
    """What to commit.

    Attributes:
        patch: of the state; empty where nothing has to change.
        changes: what the log says of it.
        records: encoded records by digest; they are written first.
        value: what the caller gets.
    """

    value: Any
    patch: Mapping[str, Any] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    records: Mapping[str, bytes] = field(default_factory=dict)


def encoded(record: AnyRecord) -> tuple[str, bytes]:
    """Return a record's digest and its bytes."""
    data = encode(record)
    return digest_of(data), data
