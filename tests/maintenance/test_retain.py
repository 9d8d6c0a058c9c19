"""Retention policies: where they hold, what a plan shows, and that carrying it out does no more than that."""

from datetime import timedelta

import pytest

import objreg
from objreg.core.records import RetentionRule, Retirement
from objreg.errors import Conflict, InvalidInput, NotFound
from objreg.maintenance import RetentionPlan, apply_retention, plan_retention, put_policy, retention_policy
from tests.maintenance.dated import MODEL, Interrupted, Site

OLD = {"none": RetentionRule(models=90, runs=30)}


def planned(registry: objreg.Registry, model: str = MODEL) -> RetentionPlan:
    (plan,) = plan_retention(registry, model)
    return plan


def due(registry: objreg.Registry) -> list[tuple[str, str, str]]:
    return [line.name for line in planned(registry).due]


def aged(site: Site, count: int = 3) -> objreg.Registry:
    """Return a registry whose policy lets versions in no state go after 90 days, and some that are 400 days old."""
    site.days_ago(400)
    registry = site.registry()
    registry.define_state("production", exclusive=True)
    registry.define_state("staging")
    put_policy(registry, OLD)
    for number in range(count):
        registry.push(MODEL, site.file(b"weights %d" % number))
    site.days_ago(0)
    return registry


# Policies


def test_the_nearest_policy_holds_and_all_of_it(site: Site) -> None:
    """A namespace's own replaces the registry's for what is below it."""
    registry = site.registry()
    near = {"production": RetentionRule(models=365)}
    put_policy(registry, OLD)
    put_policy(registry, near, namespace="acme/claims")

    def rules(path: str) -> object:
        found = retention_policy(site.registry(), path)
        assert found is not None
        return found.rules

    assert rules("") == rules("acme") == rules("acme/fraud/clf") == OLD
    assert rules("acme/claims") == rules("acme/claims/doc") == near


def test_a_policy_is_a_commit_like_any_other(site: Site) -> None:
    """It is in the history, with who and why and what stood there before; saying it again is no commit."""
    registry = site.registry("ada@acme")
    put_policy(registry, OLD, message="legal asked for it")
    put_policy(registry, OLD)
    put_policy(registry, {})

    later, first = registry.scope_history()
    assert (first.actor, first.message) == ("ada@acme", "legal asked for it")
    assert first.changes[0].kind == later.changes[0].kind == "retention_policy"
    assert (first.changes[0].before, later.changes[0].before) == ((), first.changes[0].after)


def test_a_secret_in_its_message_is_refused(site: Site) -> None:
    """As in the message of any other commit: a history is for ever, and for everybody."""
    with pytest.raises(InvalidInput, match="message"):
        put_policy(site.registry(), OLD, message="see https://ada:hunter2@example.com")
    assert retention_policy(site.registry()) is None


def test_where_nobody_has_a_policy_nothing_is_planned(site: Site) -> None:
    """No policy, no lines; no registry, an error that says so."""
    registry = site.registry()
    registry.push(MODEL, site.file(b"weights"))

    assert retention_policy(registry, MODEL) is None
    assert planned(registry) == RetentionPlan(MODEL, None, ())
    assert apply_retention(registry, planned(registry)) == ()
    with pytest.raises(NotFound, match="there is no model fraud/other"):
        plan_retention(registry, "fraud/other")
    site.store.delete("objreg.json")
    with pytest.raises(NotFound, match="there is no registry"):
        retention_policy(site.registry())


# Plans


def test_a_plan_changes_nothing(site: Site) -> None:
    """Not one object is written by looking, and each line has its reason."""
    registry = aged(site)
    before = dict(site.store._objects)

    lines = planned(registry).lines

    assert site.store._objects == before
    assert [(line.action, line.version, line.reason) for line in lines] == [
        ("keep", "1.2", "in no state, and among the 1 newest there"),
        ("retire", "1.1", "in no state for more than 90 days"),
        ("retire", "1.0", "in no state for more than 90 days"),
    ]


def test_all_models_are_planned_unless_some_are_named(site: Site) -> None:
    """Each by the policy that is nearest to it."""
    registry = aged(site, 2)
    site.days_ago(100)
    for model in ("acme/clf", "plain"):
        for content in (b"1", b"2"):
            registry.push(model, site.file(content))
    put_policy(registry, {}, namespace="acme")
    site.days_ago(0)

    plans = plan_retention(registry)

    assert {plan.model: [line.version for line in plan.due] for plan in plans} == {
        "acme/clf": [],
        MODEL: ["1.0"],
        "plain": ["1.0"],
    }


def test_days_count_from_the_log_not_from_the_push(site: Site) -> None:
    """A version that left production 10 days ago is 10 days old, however long ago it was pushed."""
    registry = aged(site)
    site.days_ago(300)
    registry.set_state(f"{MODEL}:1.0", "production")
    site.days_ago(10)
    registry.set_state(f"{MODEL}:1.1", "production")
    site.days_ago(0)

    assert due(registry) == []
    assert planned(registry).lines[-1].reason.startswith("in no state since")
    site.days_ago(-100)
    assert due(registry) == [("retire", "1.0", "")]


def test_days_in_a_state_count_from_when_it_was_set(site: Site) -> None:
    """Setting a version into the state anew begins the days anew."""
    registry = aged(site)
    put_policy(registry, {"staging": RetentionRule(models=90, keep_last=0)})
    site.days_ago(200)
    registry.set_state(f"{MODEL}:1.0", "staging")
    registry.set_state(f"{MODEL}:1.1", "staging")
    site.days_ago(50)
    registry.unset_state(f"{MODEL}:1.1", "staging")
    registry.set_state(f"{MODEL}:1.1", "staging")
    site.days_ago(0)

    assert due(registry) == [("retire", "1.0", "")]


# Carrying out


def test_a_plan_is_carried_out_in_one_commit(site: Site) -> None:
    """Versions leave their state and are retired, an experiment expires; the records say why, pointers follow."""
    registry = aged(site)
    put_policy(registry, OLD | {"staging": RetentionRule(models=30, keep_last=0)})
    site.days_ago(200)
    registry.set_state(f"{MODEL}:1.0", "staging")
    registry.record_experiment(f"{MODEL}:1.2", "holdout", artifacts=site.file(b"curve"))
    site.days_ago(0)
    head = registry.head(MODEL)

    done = apply_retention(registry, planned(registry))

    assert [line.name for line in done] == [("retire", "1.1", ""), ("retire", "1.0", ""), ("expire", "1.2", "holdout")]
    newest = site.registry().head(MODEL)
    assert (newest.seq, newest.message) == (head.seq + 1, "apply the retention policy")
    kinds = [change.kind for change in newest.changes]
    assert kinds == ["retirement", "state_change", "retirement", "expiry"]
    assert {version.version: version.retired for version in registry.versions(MODEL)} == {
        "1.2": False,
        "1.1": True,
        "1.0": True,
    }
    assert registry.versions(MODEL, "staging") == ()
    record = registry.session.record(registry.session.model(MODEL), newest.changes[2].record)
    assert isinstance(record, Retirement)
    assert record.reason == "retention policy: in state staging for more than 30 days"
    assert due(registry) == []
    assert apply_retention(registry, planned(registry)) == ()


def test_what_is_used_again_after_the_plan_is_left(site: Site) -> None:
    """A version that was promoted or deployed meanwhile is not due any more."""
    registry = aged(site, 4)
    plan = planned(registry)
    assert len(plan.due) == 3
    other = site.registry("ada@acme")
    other.set_state(f"{MODEL}:1.0", "production")
    other.record_deployment(f"{MODEL}:1.1", endpoint="https://example.com")

    assert [line.version for line in apply_retention(registry, plan)] == ["1.2"]


@pytest.mark.parametrize("used", ["promoted", "moved out and in"])
def test_what_is_used_again_at_the_last_moment_is_left(site: Site, used: str) -> None:
    """The commit loses the race for its entry, and the winner's change is seen: also one that leaves no other trace."""
    registry = aged(site, 4)
    put_policy(registry, OLD | {"staging": RetentionRule(models=30, keep_last=0)})
    site.days_ago(200)
    registry.set_state(f"{MODEL}:1.0", "staging")
    site.days_ago(10)
    registry.set_state(f"{MODEL}:1.2", "staging")
    site.days_ago(0)
    other = site.registry("ada@acme")

    def use() -> None:
        if used == "promoted":
            other.set_state(f"{MODEL}:1.0", "production")
        else:
            with other.transaction(MODEL) as changes:
                changes.unset_state(f"{MODEL}:1.0", "staging")
                changes.set_state(f"{MODEL}:1.0", "staging")

    store = Interrupted(site.store, lambda _, what, key: what == "create" and "/log/" in key, use)
    racing = site.registry("retain@acme", store)

    done = apply_retention(racing, planned(racing))

    assert store.happened
    assert [line.version for line in done] == ["1.1"]
    assert not {item.version: item.retired for item in site.registry().versions(MODEL)}["1.0"]


def test_nothing_is_done_that_was_not_shown(site: Site) -> None:
    """A version that became due after the plan waits for the next one."""
    registry = aged(site)
    put_policy(registry, {"none": RetentionRule(models=90, keep_last=0)})
    registry.set_state(f"{MODEL}:1.2", "production")
    plan = planned(registry)
    registry.unset_state(f"{MODEL}:1.2", "production")
    site.days_ago(-1000)

    assert [line.version for line in apply_retention(registry, plan)] == ["1.1", "1.0"]
    assert due(registry) == [("retire", "1.2", "")]


@pytest.mark.parametrize("what", ["retire", "expire"])
def test_a_machine_whose_clock_is_ahead_lets_nothing_go(site: Site, what: str) -> None:
    """Days cannot be counted by a clock that the store's contradicts, and an expiry writes no record that would show it."""
    registry = aged(site)
    if what == "expire":
        put_policy(registry, {"none": RetentionRule(runs=30)})
        site.days_ago(399)
        registry.record_experiment(MODEL, "holdout", artifacts=site.file(b"curve"))
    site.days_ago(395)
    assert due(registry) == []
    fast = site.registry()
    fast.session.clock = type(site.clock)(timedelta(0))

    assert {line.action for line in planned(fast).due} == {what}
    with pytest.raises(Conflict, match="this machine's clock is 9480 hours ahead of the store's"):
        apply_retention(fast, planned(fast))

    assert [line.name for line in planned(site.registry()).due] == []
    assert not any(item.retired for item in site.registry().versions(MODEL))
