"""Retention: (policy, state of a model, now) in, a plan with a reason for each line out. No I/O and no clock.

A policy has a rule for each state, and one called ``none`` for versions that are in no state. A version is retired when
every rule that it falls under says so:

- it has been in the state (or in none) for more than ``models`` days. Days count from when it came there, as the log
  tells it, not from the push: a version that left production yesterday is what people roll back to;
- it is not among the ``keep_last`` newest there;
- it is in no active deployment.

What has no rule is kept. The artifacts of an experiment expire ``runs`` days after it was recorded; its record stays.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec

from objreg.core.decisions import Decision, View
from objreg.core.digest import digest_of
from objreg.core.encoding import encode
from objreg.core.names import NO_STATE, check_state
from objreg.core.records import Experiment, RetentionPolicy, RetentionRule, Retirement
from objreg.core.state import Change, ModelState, ScopeState, VersionItem
from objreg.core.times import parse_time
from objreg.errors import InvalidInput

__all__ = ["Retention", "RetentionLine", "carry_out", "put_retention", "read_rules"]

Since = Callable[[str, str], datetime | None]
"""(version, state) to when the version came into the state; None where that is too long ago to matter."""


@dataclass(frozen=True, slots=True)
class RetentionLine:
    """What a plan says of one version or one experiment.

    Attributes:
        version: which one.
        experiment: its name, or ``""`` where the line is about the version.
        action: ``retire`` the version, ``expire`` the experiment's artifacts, or ``keep``.
        reason: why, for people.
    """

    version: str
    experiment: str
    action: Literal["retire", "expire", "keep"]
    reason: str

    @property
    def name(self) -> tuple[str, str, str]:
        """What the line would do, without the reason."""
        return (self.action, self.version, self.experiment)


@dataclass(frozen=True)
class Retention:
    """A policy, applied to one model at one moment.

    Attributes:
        rules: of the policy, by state.
        state: of the model.
        now: the moment.
    """

    rules: Mapping[str, RetentionRule]
    state: ModelState
    now: datetime

    def horizon(self) -> datetime | None:
        """Return how far back the log must be read for ``since``, or None where nothing can be overdue."""
        suspects = {line.version for line in self._versions(lambda _version, _name: None) if line.action == "retire"}
        days = [days for version in suspects for days in self._days(self.state.versions[version], "models")]
        return self.now - timedelta(days=max(days)) if days else None

    def experiments(self) -> tuple[str, ...]:
        """Return the digests of the experiments that may be due, to be read before the plan is made."""
        return tuple(digest for _, _, digest in self._evaluated())

    def plan(self, since: Since, load: Callable[[str], Experiment]) -> tuple[RetentionLine, ...]:
        """Return a line for each version that is not retired, and for each experiment whose artifacts expire.

        Args:
            since: when a version came into a state, or with ``none`` when it left the last one.
            load: gives an experiment by its digest.
        """
        lines = self._versions(since)
        retiring = {line.version for line in lines if line.action == "retire"}
        for version, name, digest in self._evaluated():
            reason = "" if version in retiring else self._expiry(version, load(digest))
            if reason:
                lines.append(RetentionLine(version, name, "expire", reason))
        return tuple(lines)

    def _versions(self, since: Since) -> list[RetentionLine]:
        newest = {name: self._newest(name, rule.keep_last) for name, rule in self.rules.items()}
        return [self._version(version, item, since, newest) for version, item in self._judged()]

    def _judged(self) -> Iterator[tuple[str, VersionItem]]:
        items = self.state.versions
        return ((version, items[version]) for version in self.state.newest_first() if not items[version].retired)

    def _evaluated(self) -> Iterator[tuple[str, str, str]]:
        for version, item in self._judged():
            days = self._days(item, "runs")
            if days and self._is_older(item.created_at, max(days)) and not self._deployments(version):
                for name in sorted(set(item.experiments) - set(item.expired)):
                    yield version, name, item.experiments[name]

    def _days(self, item: VersionItem, kind: Literal["models", "runs"]) -> list[int]:
        """Return the days of every rule that a version falls under; none at all if one keeps it for ever."""
        rules = [self.rules.get(name) for name in _places(item)]
        days = [None if rule is None else rule.models if kind == "models" else rule.runs for rule in rules]
        found = [count for count in days if count is not None]
        return found if len(found) == len(days) else []

    def _is_older(self, time: str, days: int) -> bool:
        return self.now - parse_time(time) > timedelta(days=days)

    def _deployments(self, version: str) -> list[str]:
        items = self.state.deployments.items()
        return [number for number, item in items if (item.version, item.status) == (version, "active")]

    def _newest(self, name: str, count: int) -> set[str]:
        there = [version for version, item in self._judged() if name in _places(item)]
        return set(there[:count])

    def _version(self, version: str, item: VersionItem, since: Since, newest: Mapping[str, set[str]]) -> RetentionLine:
        deployments = self._deployments(version)
        if deployments:
            kept = f"in deployment {', '.join(deployments)}, which is active"
            return RetentionLine(version, "", "keep", kept)
        overdue = []
        for name in _places(item):
            kept, reason = self._place(version, item, name, since, newest)
            if kept:
                return RetentionLine(version, "", "keep", kept)
            overdue.append(reason)
        return RetentionLine(version, "", "retire", " and ".join(overdue))

    def _place(
        self, version: str, item: VersionItem, name: str, since: Since, newest: Mapping[str, set[str]]
    ) -> tuple[str, str]:
        """Return why one rule keeps a version, or ``""`` and why it does not."""
        where = "in no state" if name == NO_STATE else f"in state {name}"
        rule = self.rules.get(name)
        if rule is None or rule.models is None:
            return f"{where}, which is kept for ever", ""
        if version in newest[name]:
            return f"{where}, and among the {rule.keep_last} newest there", ""
        if not self._is_older(item.created_at, rule.models):  # no version came into a state before it was pushed
            return f"{where}, and pushed on {item.created_at[:10]}: kept for {rule.models} days", ""
        came = since(version, name)
        if came is not None and self.now - came <= timedelta(days=rule.models):
            return f"{where} since {came:%Y-%m-%d}: kept for {rule.models} days", ""
        return "", f"{where} for more than {rule.models} days"

    def _expiry(self, version: str, record: Experiment) -> str:
        item = self.state.versions[version]
        days = max(self._days(item, "runs"))
        if not record.artifacts or not self._is_older(record.created_at, days):
            return ""
        return f"recorded on {record.created_at[:10]}: artifacts are kept for {days} days"


def _places(item: VersionItem) -> tuple[str, ...]:
    return item.states or (NO_STATE,)


def carry_out(view: View, lines: Iterable[RetentionLine], draft: Retirement) -> Decision:
    """Retire and expire what lines of a plan say, in one commit. Its value are the lines.

    A version is taken out of its states in the same commit: the policy has a rule for each of them.

    Args:
        view: of the model, which the plan was made for.
        lines: of the plan; those that keep something do nothing.
        draft: who and when; the reason of each line is put in.
    """
    done = tuple(line for line in lines if line.action != "keep")
    patches: dict[str, dict[str, Any]] = {}
    changes: list[Change] = []
    records: dict[str, bytes] = {}
    members: dict[str, tuple[str, ...]] = {}
    for line in done:
        item = view.state.versions[line.version]
        patch = patches.setdefault(line.version, {})
        if line.action == "expire":
            patch["expired"] = sorted({*patch.get("expired", item.expired), line.experiment})
            changes.append(_expired(line, item))
            continue
        for name in item.states:
            before = members.get(name, view.state.in_state(name))
            members[name] = after = tuple(other for other in before if other != line.version)
            changes.append(Change(kind="state_change", name=name, version=line.version, before=before, after=after))
        reason = f"retention policy: {line.reason}"
        data = encode(msgspec.structs.replace(draft, version=view.reference(line.version), reason=reason))
        digest = digest_of(data)
        records[digest] = data
        patch |= {"retired": digest} | ({"states": []} if item.states else {})
        changes.append(Change(kind="retirement", version=line.version, record=digest))
    return Decision(value=done, patch={"versions": patches} if patches else {}, changes=tuple(changes), records=records)


def _expired(line: RetentionLine, item: VersionItem) -> Change:
    return Change(kind="expiry", name=line.experiment, version=line.version, record=item.experiments[line.experiment])


def put_retention(state: ScopeState, draft: RetentionPolicy, current: RetentionPolicy | None) -> Decision:
    """Make a policy the one of a registry or a namespace.

    Its value is the record; without a patch it says the same as the current one.
    """
    if current is not None and current.rules == draft.rules:
        return Decision(value=current)
    data = encode(draft)
    digest = digest_of(data)
    before = (state.retention,) if state.retention else ()
    return Decision(
        value=draft,
        patch={"retention": digest},
        changes=(Change(kind="retention_policy", record=digest, before=before, after=(digest,)),),
        records={digest: data},
    )


def read_rules(document: Mapping[str, Any], name: str) -> dict[str, RetentionRule]:
    """Return the rules that a document holds: ``retention.<state>.models``, ``.runs`` and ``.keep_last``.

    Args:
        document: plain values, as TOML gives them; other tables are passed over.
        name: what was read, for messages.

    Raises:
        InvalidInput: a state cannot be called so, a word is not known, or a number is not one of days.
    """
    tables = document.get("retention")
    if not isinstance(tables, Mapping):
        raise InvalidInput(f"{name} has no table [retention.<state>], like [retention.production]")
    found: dict[str, RetentionRule] = {}
    for state, table in tables.items():
        # [[retention.production]], as flymodel writes it, is a list of one.
        values = table[0] if isinstance(table, list) and len(table) == 1 else table
        words = {"models", "runs", "keep_last"}
        if not isinstance(values, Mapping) or not set(values) <= words:
            raise InvalidInput(f"retention.{state} in {name} may hold models, runs and keep_last; got {values!r}")
        try:
            found[state if state == NO_STATE else check_state(state)] = msgspec.convert(dict(values), RetentionRule)
        except msgspec.ValidationError as error:
            raise InvalidInput(f"retention.{state} in {name} is not a rule: {error}") from error
    return found
