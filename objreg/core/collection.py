"""Collection: which blobs nothing needs, and the two commits round their deletion. No I/O and no clock.

It is ordered by the log alone (docs/retention.md, "Why it is safe"). *Condemned* names physical blobs and raises the
incarnation under which their content is written from then on, so a name in it is never written again by anybody who has
seen the entry; and whoever has not loses the race for the next slot, sees it, and sends the content anew. Only then are
the blobs deleted, and *swept* says that they are gone.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from objreg.core.decisions import Decision
from objreg.core.keys import blob_key, parse_blob_name
from objreg.core.records import Experiment, Retirement, VersionRecord
from objreg.core.state import Change, ModelState, VersionItem
from objreg.core.times import parse_time

__all__ = ["ORPHAN", "NamedKind", "References", "blob_names", "condemn", "named_records", "references", "swept"]

NamedKind = type[VersionRecord] | type[Experiment] | type[Retirement]

ORPHAN = "no record names it: left by a push that did not finish"


@dataclass(frozen=True)
class References:
    """Which physical blobs the records of a model name.

    Attributes:
        live: what a version or an experiment still needs.
        dead: what only others name: for each, who does.
    """

    live: frozenset[str]
    dead: Mapping[str, tuple[str, ...]]

    def reason(self, name: str) -> str:
        """Return why a blob may be collected, or ``""`` if it may not."""
        if name in self.live:
            return ""
        return f"only in {', '.join(self.dead[name])}" if name in self.dead else ORPHAN


def blob_names(record: VersionRecord | Experiment) -> frozenset[str]:
    """Return the physical names of the blobs that a record's artifacts are made of."""
    parts = (part for artifact in record.artifacts for file in artifact.files for part in file.parts)
    return frozenset(blob_key("", part.blob, part.incarnation, part.encoding).removeprefix("/blobs/") for part in parts)


def named_records(state: ModelState) -> dict[str, NamedKind]:
    """Return all records that ``references`` looks at, by their digests, with the kind that each must be of.

    One of another kind would seem to need nothing, so a collector must refuse it.
    """
    found: dict[str, NamedKind] = {}
    for item in state.versions.values():
        found[item.record] = VersionRecord
        found |= dict.fromkeys(item.experiments.values(), Experiment)
        if item.retired:
            found[item.retired] = Retirement
    return found


def references(
    state: ModelState, names: Callable[[str], Collection[str]], retirement: Callable[[str], Retirement], keep: datetime
) -> References:
    """Return which physical blobs a model's records name.

    Args:
        state: of the model.
        names: gives the blobs that a record names, by the record's digest.
        retirement: gives a retirement by its digest.
        keep: what was retired after this moment counts as live: a courtesy to those who still read it.
    """
    live: set[str] = set()
    dead: dict[str, list[str]] = {}
    for version, item in state.versions.items():
        retired = ""
        if item.retired:
            time = retirement(item.retired).created_at
            retired = "" if parse_time(time) > keep else f"version {version}, retired on {time[:10]}"
        for digest, reason in _holders(version, item, retired):
            if reason:
                for name in names(digest):
                    dead.setdefault(name, []).append(reason)
            else:
                live.update(names(digest))
    return References(frozenset(live), {name: tuple(dict.fromkeys(reasons)) for name, reasons in dead.items()})


def _holders(version: str, item: VersionItem, retired: str) -> Iterator[tuple[str, str]]:
    """Yield the records of a version that name blobs, each with why it does not need them, or ``""``."""
    yield item.record, retired
    for name, digest in item.experiments.items():
        expired = f"experiment {name} of version {version}, whose artifacts expired" if name in item.expired else ""
        yield digest, retired or expired


def condemn(state: ModelState, names: Collection[str], live: Collection[str]) -> Decision:
    """Condemn blobs. Its value are the names: less than was asked for where one came to be needed, or is condemned.

    Args:
        state: of the model, on which the commit lands.
        names: physical names to delete.
        live: physical names that this state needs.
    """
    chosen = tuple(sorted(set(names) - set(live) - set(state.condemned)))
    if not chosen:
        return Decision(value=())
    incarnations: dict[str, int] = {}
    for name in chosen:
        parsed = parse_blob_name(name)
        assert parsed is not None, name
        digits, incarnation, _ = parsed
        known = incarnations.get(digits, state.incarnations.get(digits, 0))
        incarnations[digits] = max(known, incarnation + 1)
    patch: dict[str, Any] = {"condemned": sorted({*state.condemned, *chosen}), "incarnations": incarnations}
    return Decision(value=chosen, patch=patch, changes=(Change(kind="condemned", after=chosen),))


def swept(state: ModelState, names: Collection[str]) -> Decision:
    """Say that condemned blobs are deleted. Its value are the names that were condemned until now.

    Only what was deleted is taken out: another collector may have condemned more meanwhile.
    """
    gone = tuple(name for name in state.condemned if name in set(names))
    if not gone:
        return Decision(value=())
    rest = [name for name in state.condemned if name not in set(gone)]
    return Decision(value=gone, patch={"condemned": rest}, changes=(Change(kind="swept", before=gone),))
