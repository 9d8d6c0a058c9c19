"""What the registry hands out: frozen values that say what was, and hold no connection."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from objreg.core.artifacts import Artifact
from objreg.core.entries import Head
from objreg.core.records import VersionRecord
from objreg.core.state import Change, VersionItem
from objreg.core.times import parse_time

__all__ = ["HistoryItem", "StateChange", "Version", "VersionSummary"]


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a model, with everything that its record says.

    Attributes:
        model: its path.
        version: as text.
        digest: of its record.
        record: all that is recorded of it.
        created: for a push, whether this call made it; False where the same bytes were there already.
    """

    model: str
    version: str
    digest: str
    record: VersionRecord
    created: bool = False

    @property
    def spec(self) -> str:
        """The text that names this version and no other, like ``fraud/clf:1.2``."""
        return f"{self.model}:{self.version}"

    @property
    def artifacts(self) -> tuple[Artifact, ...]:
        """Its artifacts, with their files."""
        return self.record.artifacts

    @property
    def description(self) -> str:
        """What the pusher said of it."""
        return self.record.description

    @property
    def metadata(self) -> Mapping[str, Any]:
        """What else the pusher said of it."""
        return self.record.metadata

    @property
    def created_at(self) -> datetime:
        """When it was pushed, in UTC."""
        return parse_time(self.record.created_at)

    @property
    def created_by(self) -> str:
        """Who pushed it."""
        return self.record.created_by

    @property
    def size(self) -> int:
        """Of all its files, in bytes."""
        return sum(artifact.size for artifact in self.artifacts)

    def __str__(self) -> str:
        return self.spec


@dataclass(frozen=True, slots=True)
class VersionSummary:
    """A line of a list of versions.

    Attributes:
        model: its path.
        version: as text.
        digest: of its record.
        created_at: UTC.
        created_by: who pushed it.
        size: of all its files, in bytes.
        files: how many.
        states: that it is in now.
        experiments: names of those recorded.
        retired: whether it is retired.
    """

    model: str
    version: str
    digest: str
    created_at: datetime
    created_by: str
    size: int
    files: int
    states: tuple[str, ...]
    experiments: tuple[str, ...]
    retired: bool

    @property
    def spec(self) -> str:
        """The text that names this version and no other."""
        return f"{self.model}:{self.version}"

    def __str__(self) -> str:
        return self.spec

    @classmethod
    def of(cls, model: str, version: str, item: VersionItem) -> "VersionSummary":
        """Return the line of one version."""
        return cls(
            model=model,
            version=version,
            digest=item.record,
            created_at=parse_time(item.created_at),
            created_by=item.created_by,
            size=item.size,
            files=item.files,
            states=item.states,
            experiments=tuple(sorted(item.experiments)),
            retired=bool(item.retired),
        )


@dataclass(frozen=True, slots=True)
class StateChange:
    """What setting or unsetting a state did.

    Attributes:
        model: its path.
        state: which one.
        version: that was moved.
        before: the versions in the state before.
        after: the versions in it now.
    """

    model: str
    state: str
    version: str
    before: tuple[str, ...]
    after: tuple[str, ...]

    @property
    def changed(self) -> bool:
        """Whether anything changed; False where things already were so."""
        return self.before != self.after


@dataclass(frozen=True, slots=True)
class HistoryItem:
    """One commit of a history.

    Attributes:
        seq: its number.
        digest: of its entry.
        time: UTC, later than the one before.
        actor: who.
        message: why.
        changes: what it did, from what to what.
    """

    seq: int
    digest: str
    time: datetime
    actor: str
    message: str
    changes: tuple[Change, ...]

    @classmethod
    def of(cls, head: Head) -> "HistoryItem":
        """Return what an entry did.

        Raises:
            FormatError: what it says of that was not written by the format's rules.
        """
        entry = head.entry
        return cls(head.seq, head.digest, parse_time(entry.time), entry.actor, entry.message, head.changes)
