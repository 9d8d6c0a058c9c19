"""``objreg retain``: retire the versions, and expire the experiments' artifacts, that a retention policy lets go.

A plan shows each with its reason. Carrying it out is one commit for each model; on a lost race it is decided again, and
what is not due any more is left. Nothing is done that the plan did not show.
"""

import tomllib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from objreg.core.decisions import Decision
from objreg.core.keys import REGISTRY_DOMAIN, namespace_domain
from objreg.core.names import NO_STATE, check_namespace, parent_namespaces
from objreg.core.provenance import VersionReference
from objreg.core.records import Experiment, RetentionPolicy, RetentionRule, Retirement
from objreg.core.retention import Retention, RetentionLine, carry_out, put_retention, read_rules
from objreg.core.state import Change, ScopeState
from objreg.core.times import format_time, parse_time
from objreg.errors import InvalidInput
from objreg.maintenance.clock_check import check_clock
from objreg.registry.committing import commit_to_model, commit_to_scope
from objreg.registry.manifest import Manifest
from objreg.registry.registry import Registry
from objreg.registry.session import Session

__all__ = ["RetentionPlan", "apply_retention", "plan_retention", "put_policy", "read_policy_file", "retention_policy"]

_WORKERS = 8


@dataclass(frozen=True, slots=True)
class RetentionPlan:
    """What a policy says of one model.

    Attributes:
        model: its path.
        policy: the one that holds for it, or None; then there are no lines.
        lines: one for each version that is not retired, and for each experiment whose artifacts expire.
    """

    model: str
    policy: RetentionPolicy | None
    lines: tuple[RetentionLine, ...]

    @property
    def due(self) -> tuple[RetentionLine, ...]:
        """The lines that would change something."""
        return tuple(line for line in self.lines if line.action != "keep")


def read_policy_file(path: Path) -> dict[str, RetentionRule]:
    """Return the rules that a TOML file holds, in tables ``[retention.<state>]``.

    Raises:
        InvalidInput: the file cannot be read, or holds something else.
    """
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}", path=str(path)) from error
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path} is not UTF-8: {error.reason}; save it as UTF-8", path=str(path)) from error
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(f"{path} is not TOML: {error}", path=str(path)) from error
    return read_rules(document, str(path))


def put_policy(
    registry: Registry, rules: Mapping[str, RetentionRule], *, namespace: str = "", message: str = ""
) -> RetentionPolicy:
    """Make rules the retention policy of a namespace, or of the whole registry; nothing is retired by that.

    Args:
        registry: which one.
        rules: by state, ``none`` for versions in no state; ``objreg.core.retention.read_rules`` reads them from TOML.
        namespace: where they hold, with everything below that has no policy of its own.
        message: why, for the history.

    Returns:
        The policy; the earlier one if it says the same.
    """
    session = registry.session
    draft = RetentionPolicy(
        created_at=format_time(session.clock.now()),
        created_by=session.actor,
        namespace=check_namespace(namespace),
        rules=dict(rules),
    )
    manifest = session.manifest(namespace_domain(namespace))

    def plan() -> Decision:
        state: ScopeState = session.typed(manifest, ScopeState)
        return put_retention(state, draft, _policy_in(session, manifest, state))

    found: RetentionPolicy = commit_to_scope(session, manifest, plan, message)
    return found


def retention_policy(registry: Registry, path: str = "") -> RetentionPolicy | None:
    """Return the policy that holds for a model or a namespace (``""`` for the registry), or None.

    The nearest wins, and all of it: a policy of ``abc_corp/claim`` replaces the registry's for what is below, so that
    a stricter or a laxer one can be read in one place.
    """
    session = registry.session
    nearest = [*([path] if path else []), *parent_namespaces(path)]
    domains = [*(namespace_domain(namespace) for namespace in nearest), REGISTRY_DOMAIN]
    for domain in domains:
        manifest = session.manifest(domain)
        if manifest.refresh() is not None:
            found = _policy_in(session, manifest, session.typed(manifest, ScopeState))
            if found is not None:
                return found
    session.check_registry()
    return None


def _policy_in(session: Session, manifest: Manifest, state: ScopeState) -> RetentionPolicy | None:
    if not state.retention:
        return None
    return session.record_of(manifest, state.retention, RetentionPolicy)


def plan_retention(registry: Registry, *models: str) -> tuple[RetentionPlan, ...]:
    """Return what the policies say of models; nothing is changed.

    Args:
        registry: which one.
        models: their paths; none means all that have a version.

    Raises:
        NotFound: there is no such model.
    """
    now = registry.session.clock.now()
    paths = models or registry.models()
    policies = {path: retention_policy(registry, path) for path in {_namespace(model) for model in paths}}

    def plan_of(model: str) -> RetentionPlan | None:
        if models:
            registry.session.existing_model(model)
        elif registry.session.model(model).refresh() is None:
            return None  # its first push is under way, or broke off
        return _plan(registry.session, model, policies[_namespace(model)], now)

    with ThreadPoolExecutor(_WORKERS, thread_name_prefix="objreg-retain") as pool:
        return tuple(filter(None, pool.map(plan_of, paths)))


def _namespace(model: str) -> str:
    return next(iter(parent_namespaces(model)), "")


def _plan(session: Session, model: str, policy: RetentionPolicy | None, now: datetime) -> RetentionPlan:
    lines = () if policy is None else _Retaining(session, model, policy, now).lines()
    return RetentionPlan(model, policy, lines)


def apply_retention(registry: Registry, plan: RetentionPlan) -> tuple[RetentionLine, ...]:
    """Carry out a plan, in one commit: all of it that is still due, and nothing that it does not show.

    Args:
        registry: which one.
        plan: of ``plan_retention``.

    Returns:
        The lines that were carried out.

    Raises:
        Conflict: this machine's clock and the store's do not agree, so days cannot be counted; nothing was changed.
        CommitUnknown: it is not known whether the commit landed.
    """
    if plan.policy is None or not plan.due:
        return ()
    session = registry.session
    session.existing_model(plan.model)
    return _Retaining(session, plan.model, plan.policy, session.clock.now()).apply(plan)


class _Retaining:
    """Applies a policy to one model, as it is at any moment."""

    def __init__(self, session: Session, model: str, policy: RetentionPolicy, now: datetime) -> None:
        self._session = session
        self._model = model
        self._policy = policy
        self._now = now
        self._manifest = session.model(model)
        self._arrivals = _Arrivals(self._manifest)

    def lines(self) -> tuple[RetentionLine, ...]:
        """Return what the policy says now."""
        state = self._session.view(self._model, self._manifest).state
        retention = Retention(self._policy.rules, state, self._now)
        horizon = retention.horizon()
        if horizon is not None:
            self._arrivals.read(horizon)
        with ThreadPoolExecutor(_WORKERS, thread_name_prefix="objreg-records") as pool:
            digests = retention.experiments()
            records = dict(zip(digests, pool.map(self._experiment, digests), strict=True))
        return retention.plan(self._arrivals.since, records.__getitem__)

    def _experiment(self, digest: str) -> Experiment:
        return self._session.record_of(self._manifest, digest, Experiment)

    def apply(self, plan: RetentionPlan) -> tuple[RetentionLine, ...]:
        """Commit what was planned and is still due."""
        shown = {line.name for line in plan.due}
        draft = Retirement(
            created_at=format_time(self._now),
            created_by=self._session.actor,
            version=VersionReference(model=self._model, version="-", record="sha256:" + "0" * 64),
            reason="-",
        )

        def decide() -> Decision:
            due = [line for line in self.lines() if line.name in shown]
            return carry_out(self._session.view(self._model, self._manifest), due, draft)

        check_clock(self._session)
        done: tuple[RetentionLine, ...] = commit_to_model(
            self._session, self._manifest, decide, "apply the retention policy"
        )
        return done


class _Arrivals:
    """When versions came into states and left them, read from the log as far back as it matters."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._seen = -1
        self._horizon: datetime | None = None
        self._times: dict[tuple[str, str], datetime] = {}

    def since(self, version: str, name: str) -> datetime | None:
        """Return when a version came into a state, or with ``none`` left the last one; None before the horizon."""
        return self._times.get((version, name))

    def read(self, horizon: datetime) -> None:
        """Read the entries since ``horizon`` that were not read yet, the newest first."""
        head = self._manifest.head
        assert head is not None
        far_enough = self._horizon is not None and self._horizon <= horizon
        oldest, seen = (self._horizon, self._seen) if far_enough else (horizon, -1)
        assert oldest is not None
        found: dict[tuple[str, str], datetime] = {}
        for entry in self._manifest.history(head):
            time = parse_time(entry.entry.time)
            if time < oldest or entry.seq <= seen:
                break
            for place in (place for change in entry.changes for place in _moves(change)):
                found.setdefault(place, time)
        self._times = (self._times | found) if far_enough else found
        self._seen, self._horizon = head.seq, oldest


def _moves(change: Change) -> list[tuple[str, str]]:
    """Return which versions a change moved, and where to."""
    if change.kind != "state_change":
        return []
    came = [(version, change.name) for version in change.after if version not in change.before]
    return came + [(version, NO_STATE) for version in change.before if version not in change.after]
