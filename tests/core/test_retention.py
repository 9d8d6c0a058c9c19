"""What a retention policy says of a model: plain values in, a line with a reason for each version out."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from objreg.core.names import check_state
from objreg.core.provenance import Environment, VersionReference
from objreg.core.records import Experiment, RetentionPolicy, RetentionRule, Retirement
from objreg.core.retention import Retention, RetentionLine, carry_out, put_retention, read_rules
from objreg.core.rules import add_deployment, add_experiment, retire, set_deployment_status, set_state
from objreg.core.specs import parse_spec
from objreg.core.state import ScopeState, StateItem
from objreg.errors import InvalidInput
from tests.core.conftest import PLACEHOLDER, TIME, Model, artifact
from tests.core.test_rules import deployment, retirement

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)  # a year after everything in the model was pushed
SHARED = StateItem(record="sha256:" + "1" * 64, exclusive=False)


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def plan(
    model: Model, since: dict[tuple[str, str], datetime] | None = None, **rules: RetentionRule
) -> dict[str, RetentionLine]:
    found = Retention(rules, model.view.state, NOW).plan(
        lambda version, name: (since or {}).get((version, name)), model.view.load
    )
    return {f"{line.version}/{line.experiment}" if line.experiment else line.version: line for line in found}


def actions(
    model: Model, since: dict[tuple[str, str], datetime] | None = None, **rules: RetentionRule
) -> dict[str, str]:
    return {name: line.action for name, line in plan(model, since, **rules).items()}


def experiment(model: Model, version: str, name: str = "holdout", created_at: str = TIME, **fields: Any) -> None:
    draft = Experiment(
        created_at=created_at,
        created_by="ci@acme",
        version=VersionReference(model="-", version="-", record=PLACEHOLDER),
        name=name,
        environment=Environment(python="3.11", platform="linux", dependencies={}),
        **fields,
    )
    model.land(add_experiment(model.view, parse_spec(f"fraud/clf:{version}"), draft))


def move(model: Model, version: str, state: str) -> None:
    model.land(set_state(model.view, parse_spec(f"fraud/clf:{version}"), state, SHARED))


def three(model: Model) -> Model:
    for _ in range(3):
        model.push()
    return model


def test_without_a_rule_everything_is_kept(model: Model) -> None:
    """A state that the policy does not name, and no state, keep what is in them for ever."""
    move(three(model), "1.0", "staging")

    lines = plan(model)

    assert {line.action for line in lines.values()} == {"keep"}
    assert lines["1.0"].reason == "in state staging, which is kept for ever"
    assert lines["1.1"].reason == "in no state, which is kept for ever"


def test_no_number_of_days_means_for_ever(model: Model) -> None:
    """A rule that speaks of runs only retires no version."""
    assert set(actions(three(model), none=RetentionRule(runs=1, keep_last=0)).values()) == {"keep"}


def test_the_newest_are_kept_whatever_their_age(model: Model) -> None:
    """keep_last counts the newest by the scheme's order; one, unless the rule says otherwise."""
    three(model)

    assert actions(model, none=RetentionRule(models=30)) == {"1.2": "keep", "1.1": "retire", "1.0": "retire"}
    assert actions(model, none=RetentionRule(models=30, keep_last=2)) == {"1.2": "keep", "1.1": "keep", "1.0": "retire"}
    assert set(actions(model, none=RetentionRule(models=30, keep_last=0)).values()) == {"retire"}


def test_keep_last_counts_in_each_state_by_itself(model: Model) -> None:
    """What is in another state, or retired, takes no place among the newest."""
    three(model)
    move(model, "1.2", "production")
    model.land(retire(model.view, parse_spec("fraud/clf:1.1"), retirement()))

    assert actions(model, none=RetentionRule(models=30)) == {"1.2": "keep", "1.0": "keep"}


def test_days_are_counted_to_the_moment(model: Model) -> None:
    """A version is kept for its days exactly, and let go when more have passed."""
    model.push()
    model.push()

    assert actions(model, none=RetentionRule(models=365))["1.0"] == "keep"
    assert actions(model, none=RetentionRule(models=364))["1.0"] == "retire"


def test_days_count_from_when_a_version_came_to_where_it_is(model: Model) -> None:
    """A version that was pushed long ago and left production yesterday is what people roll back to."""
    three(model)
    rule = RetentionRule(models=30)

    line = plan(model, {("1.0", "none"): ago(1), ("1.1", "none"): ago(31)}, none=rule)

    assert line["1.0"].action == "keep"
    assert line["1.0"].reason == "in no state since 2027-02-28: kept for 30 days"
    assert line["1.1"].action == "retire"
    assert line["1.1"].reason == "in no state for more than 30 days"


def test_a_version_in_two_states_needs_both_rules_to_let_it_go(model: Model) -> None:
    """The one that keeps it wins, and both reasons are told where none does."""
    three(model)
    for state in ("staging", "shadow"):
        move(model, "1.0", state)
    rule = RetentionRule(models=30, keep_last=0)

    assert actions(model, staging=rule)["1.0"] == "keep"
    assert actions(model, {("1.0", "shadow"): ago(3)}, staging=rule, shadow=rule)["1.0"] == "keep"
    line = plan(model, staging=rule, shadow=RetentionRule(models=60, keep_last=0))["1.0"]
    assert line.reason == "in state staging for more than 30 days and in state shadow for more than 60 days"


def test_what_is_deployed_is_kept(model: Model) -> None:
    """An active deployment keeps a version and its experiments' artifacts; one that ended does not."""
    model.push()
    model.push()
    experiment(model, "1.0", artifacts=(artifact(b"curve"),))
    model.land(add_deployment(model.view, parse_spec("fraud/clf:1.0"), deployment()))
    rule = RetentionRule(models=30, runs=30)

    line = plan(model, none=rule)["1.0"]
    assert (line.action, line.reason) == ("keep", "in deployment 1, which is active")
    assert "1.0/holdout" not in actions(model, none=rule)

    model.land(set_deployment_status(model.view, 1, "ended"))
    assert actions(model, none=rule)["1.0"] == "retire"


def test_artifacts_of_experiments_expire_by_their_own_age(model: Model) -> None:
    """Only experiments with artifacts, old enough, of versions that stay; an expired one does not come up again."""
    model.push()
    model.push()
    experiment(model, "1.1", "old", artifacts=(artifact(b"curve"),))
    experiment(model, "1.1", "young", created_at="2027-02-20T12:00:00.000Z", artifacts=(artifact(b"curve 2"),))
    experiment(model, "1.1", "bare")
    experiment(model, "1.0", "goes-with-its-version", artifacts=(artifact(b"curve 3"),))
    rule = RetentionRule(models=100, runs=28)

    lines = plan(model, none=rule)

    assert [name for name, line in lines.items() if line.action == "expire"] == ["1.1/old"]
    assert lines["1.1/old"].reason == "recorded on 2026-03-01: artifacts are kept for 28 days"
    draft = Retirement(created_at=TIME, created_by="ci@acme", version=model.view.reference("1.0"), reason="-")
    model.land(carry_out(model.view, lines.values(), draft))
    assert model.view.state.versions["1.1"].expired == ("old",)
    assert actions(model, none=rule) == {"1.1": "keep"}


def test_the_log_is_read_only_as_far_back_as_it_matters(model: Model) -> None:
    """Not at all where nothing can be overdue; else to the longest time that is asked about."""
    three(model)
    move(model, "1.0", "staging")

    def horizon(**rules: RetentionRule) -> datetime | None:
        return Retention(rules, model.view.state, NOW).horizon()

    assert horizon() is None
    assert horizon(none=RetentionRule(models=30, keep_last=2)) is None
    assert horizon(none=RetentionRule(models=400, keep_last=0)) is None
    assert horizon(none=RetentionRule(models=30), staging=RetentionRule(models=90, keep_last=0)) == ago(90)


def test_a_plan_is_carried_out_in_one_commit(model: Model) -> None:
    """The version leaves its states and is retired; the changes tell from what to what, version by version."""
    three(model)
    move(model, "1.0", "staging")
    move(model, "1.1", "staging")
    lines = plan(model, staging=RetentionRule(models=30, keep_last=0))
    draft = Retirement(created_at=TIME, created_by="ci@acme", version=model.view.reference("1.0"), reason="-")

    decision = carry_out(model.view, lines.values(), draft)
    done = model.land(decision)

    state = model.view.state
    assert [line.version for line in done] == ["1.1", "1.0"]
    assert state.in_state("staging") == ()
    assert (bool(state.versions["1.0"].retired), bool(state.versions["1.2"].retired)) == (True, False)
    assert [(change.kind, change.version, change.before, change.after) for change in decision.changes] == [
        ("state_change", "1.1", ("1.0", "1.1"), ("1.0",)),
        ("retirement", "1.1", (), ()),
        ("state_change", "1.0", ("1.0",), ()),
        ("retirement", "1.0", (), ()),
    ]
    record = model.view.load(state.versions["1.0"].retired)
    assert isinstance(record, Retirement)
    assert record.reason == "retention policy: in state staging for more than 30 days"
    assert record.version == model.view.reference("1.0")


def test_a_plan_that_keeps_everything_commits_nothing(model: Model) -> None:
    """A decision without a patch is no entry."""
    three(model)
    draft = Retirement(created_at=TIME, created_by="ci@acme", version=model.view.reference("1.0"), reason="-")

    decision = carry_out(model.view, plan(model).values(), draft)

    assert (decision.value, decision.patch, decision.changes, decision.records) == ((), {}, (), {})


def test_a_policy_that_says_the_same_is_no_change() -> None:
    """Another one replaces it, and the change names both."""
    first = RetentionPolicy(created_at=TIME, created_by="ci@acme", rules={"none": RetentionRule(models=30)})
    again = RetentionPolicy(created_at="2026-04-01T12:00:00.000Z", created_by="x", rules=first.rules)

    assert put_retention(ScopeState(), again, first).patch == {}
    other = RetentionPolicy(created_at=TIME, created_by="ci@acme", rules={})
    decision = put_retention(ScopeState(retention="sha256:" + "5" * 64), other, first)
    assert decision.changes[0].before == ("sha256:" + "5" * 64,)
    assert decision.patch == {"retention": decision.changes[0].record}


def test_no_state_can_be_called_none() -> None:
    """A policy's rule of that name is for versions that are in no state."""
    with pytest.raises(InvalidInput, match="a state cannot be called 'none'"):
        check_state("none")


@pytest.mark.parametrize("single", [True, False], ids=["table", "list-of-one"])
def test_rules_are_read_from_a_document(single: bool) -> None:
    """As tables, or as flymodel's lists of one; what is left out is for ever."""
    production = {"models": 365, "runs": 28}
    document = {"retention": {"production": production if single else [production], "none": {"keep_last": 3}}}

    assert read_rules(document, "retention.toml") == {
        "production": RetentionRule(models=365, runs=28, keep_last=1),
        "none": RetentionRule(keep_last=3),
    }


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, r"no table \[retention\.<state>\]"),
        ({"retention": 3}, r"no table"),
        ({"retention": {"production": 3}}, r"retention\.production in x may hold models, runs and keep_last; got 3"),
        ({"retention": {"production": {"days": 3}}}, r"may hold models, runs and keep_last"),
        ({"retention": {"production": [{"models": 1}, {"models": 2}]}}, r"may hold models, runs and keep_last"),
        ({"retention": {"production": {"models": -1}}}, r"retention\.production in x is not a rule: .*>= 0"),
        ({"retention": {"production": {"models": 1.5}}}, r"is not a rule"),
        ({"retention": {"production": {"models": 10**9}}}, r"is not a rule"),
        ({"retention": {"1.0": {"models": 1}}}, r"state '1\.0' is not allowed"),
        ({"retention": {"latest": {"models": 1}}}, r"a state cannot be called 'latest'"),
    ],
)
def test_a_document_that_is_none_is_refused_with_what_is_wrong(document: dict[str, Any], message: str) -> None:
    """The message names the table and what it may hold."""
    with pytest.raises(InvalidInput, match=message):
        read_rules(document, "x")
