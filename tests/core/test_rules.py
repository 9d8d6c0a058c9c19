"""Every rule of a model and every refusal of it, without a store."""

from typing import Any

import msgspec
import pytest

from objreg.core import rules
from objreg.core.decisions import Decision
from objreg.core.digest import digest_of
from objreg.core.encoding import decode_record
from objreg.core.provenance import Environment, VersionReference
from objreg.core.records import Catalog, Deployment, Experiment, Retirement
from objreg.core.rules import NewVersion, add_version
from objreg.core.specs import parse_spec
from objreg.core.state import Change, ModelState, StateItem, model_refs
from objreg.errors import AlreadyExists, Conflict, InvalidInput, NotFound
from tests.core.conftest import PLACEHOLDER, TIME, TODAY, Model, artifact, version_draft

SHARED = StateItem(record="sha256:" + "1" * 64, exclusive=False)
EXCLUSIVE = StateItem(record="sha256:" + "2" * 64, exclusive=True)
NOTHING = VersionReference(model="-", version="-", record=PLACEHOLDER)


def stamped(kind: type, **fields: Any) -> Any:
    return kind(created_at=TIME, created_by="ci@acme", **fields)


def experiment(name: str = "holdout", **fields: Any) -> Experiment:
    environment = Environment(python="3.11", platform="linux", dependencies={})
    return stamped(Experiment, version=NOTHING, name=name, environment=environment, **fields)


def deployment(**fields: Any) -> Deployment:
    return stamped(Deployment, version=NOTHING, number=1, endpoint="https://x", **fields)


def catalog(**fields: Any) -> Catalog:
    return stamped(Catalog, model="fraud/clf", **fields)


def retirement(reason: str = "biased") -> Retirement:
    return stamped(Retirement, version=NOTHING, reason=reason)


def set_state(model: Model, spec: str, name: str, definition: StateItem = SHARED, expect: str | None = None) -> Change:
    return model.land(rules.set_state(model.view, parse_spec(spec), name, definition, expect))


def states_of(model: Model, name: str) -> tuple[str, ...]:
    return model.view.state.in_state(name)


# Versions


def test_versions_follow_one_another(model: Model) -> None:
    """A model comes into being with 1.0; each push takes the next minor, or what is asked for."""
    assert [model.push(), model.push(), model.push(bump="major"), model.push("5.7"), model.push()] == [
        "1.0",
        "1.1",
        "2.0",
        "5.7",
        "5.8",
    ]
    assert [item.order for item in model.view.state.versions.values()] == [1, 2, 3, 4, 5]


def test_a_new_version_names_its_record(model: Model) -> None:
    """The decision has the record under its digest, what the list of versions needs, and one change."""
    decision = add_version(model.view, NewVersion(version_draft(b"12345"), TODAY))
    record, digest, created = decision.value
    assert created
    assert digest_of(decision.records[digest]) == digest
    assert decode_record(decision.records[digest], "x") == record
    assert decision.patch == {
        "scheme": "major.minor",
        "versions": {
            "1.0": {"record": digest, "created_at": TIME, "created_by": "ci@acme", "size": 5, "files": 1, "order": 1}
        },
    }
    assert decision.changes == (Change(kind="version", version="1.0", record=digest),)


def test_the_next_version_follows_the_highest_even_if_retired(model: Model) -> None:
    """A retired version's name is never taken again."""
    model.push()
    model.push()
    model.land(rules.retire(model.view, parse_spec("fraud/clf:1.1"), retirement()))
    assert model.push() == "1.2"


def test_the_same_bytes_under_the_same_version_change_nothing(model: Model) -> None:
    """A push that is repeated gets what is there, with its first author and time."""
    model.push("1.0", b"weights")
    draft = version_draft(b"weights", created_by="somebody else", description="other words")
    decision = add_version(model.view, NewVersion(draft, TODAY, "1.0"))
    record, digest, created = decision.value
    assert not decision.patch
    assert not created
    assert (record.created_by, digest) == ("ci@acme", model.view.state.versions["1.0"].record)


@pytest.mark.parametrize(
    "artifacts",
    [
        (artifact(b"others"),),
        (artifact(b"weights", path="other.bin"),),
        (artifact(b"weights", name="other"),),
        (artifact(b"weights", folder="model"),),
        (artifact(b"weights"), artifact(b"more", name="more")),
    ],
    ids=["bytes", "path", "name", "folder", "more"],
)
def test_other_files_under_the_same_version_are_refused(model: Model, artifacts: tuple) -> None:
    """The refusal has the facts of what is there, and says what to do."""
    model.push("1.0", b"weights")
    with pytest.raises(
        AlreadyExists,
        match=r"version 1\.0 of fraud/clf exists with other files \(pushed 2026.* by ci@acme.*push another",
    ) as caught:
        add_version(model.view, NewVersion(version_draft(artifacts=artifacts), TODAY, "1.0"))
    digest = model.view.state.versions["1.0"].record
    assert caught.value.facts == {"version": "1.0", "record": digest, "created_at": TIME, "created_by": "ci@acme"}


def test_a_scheme_stays_once_versions_exist(model: Model) -> None:
    """It is chosen with the first version; naming it again is allowed, naming another is refused with both names."""
    assert model.push(scheme="semver") == "1.0.0"
    assert model.push(scheme="semver", bump="minor") == "1.1.0"
    with pytest.raises(Conflict, match="uses the scheme 'semver', not 'date'"):
        model.push(scheme="date")


def test_a_version_must_be_of_the_scheme(model: Model) -> None:
    """Another form is refused before anything else."""
    model.push()
    with pytest.raises(InvalidInput, match=r"'2' is not of the scheme 'major\.minor'"):
        model.push("2")
    with pytest.raises(InvalidInput, match="no versioning scheme 'calver'"):
        Model().push(scheme="calver")


def test_free_versions_are_given_and_the_last_is_latest(model: Model) -> None:
    """Without an order the log's counts."""
    model.push("zebra", scheme="free")
    model.push("ant")
    assert model.view.state.latest() == "ant"
    with pytest.raises(InvalidInput, match="needs version="):
        model.push()


def test_a_day_can_have_several_versions(model: Model) -> None:
    """The scheme date counts within the day."""
    assert [model.push(scheme="date"), model.push(), model.push()] == ["2026-03-01", "2026-03-01.1", "2026-03-01.2"]


# expect=


def test_a_push_can_expect_the_latest_version(model: Model) -> None:
    """It lands where the latest is what the caller saw, and is refused with both sides where it is not."""
    assert model.push(expect="") == "1.0"
    assert model.push(expect="1.0") == "1.1"
    with pytest.raises(
        Conflict, match=r"expected the latest version of fraud/clf to be 1\.0, and it is 1\.1"
    ) as caught:
        model.push(expect="1.0")
    assert caught.value.facts == {"expected": "1.0", "found": ("1.1",)}
    with pytest.raises(Conflict, match=r"to be none, and it is 1\.1"):
        model.push(expect="")


def test_any_change_can_expect_the_newest_entry(model: Model) -> None:
    """A digest is compared with the head's, whatever the change."""
    model.push()
    old = model.view.head
    model.push(expect=old)
    with pytest.raises(
        Conflict, match=rf"fraud/clf changed since you looked: expected .*{old}.*decide again"
    ) as caught:
        model.push(expect=old)
    assert caught.value.facts == {"expected": old, "found": model.view.head}
    spec = parse_spec("fraud/clf:1.0")
    for decide in (
        lambda expect: rules.set_state(model.view, spec, "shadow", SHARED, expect),
        lambda expect: rules.unset_state(model.view, spec, "shadow", expect),
        lambda expect: rules.add_experiment(model.view, spec, experiment(), expect),
        lambda expect: rules.add_deployment(model.view, spec, deployment(), expect),
        lambda expect: rules.put_catalog(model.view, catalog(), expect),
        lambda expect: rules.retire(model.view, spec, retirement(), expect),
    ):
        decide(model.view.head)
        with pytest.raises(Conflict, match="changed since you looked"):
            decide(old)


def test_expecting_a_digest_of_a_model_without_history_is_refused(model: Model) -> None:
    """The message says that there is none."""
    with pytest.raises(Conflict, match="and it is none"):
        model.push(expect=PLACEHOLDER)


# Naming a version


def test_every_spec_finds_its_version(model: Model) -> None:
    """latest, exact, partial, by state and by the record's digest."""
    for version in ("1.0", "1.10", "10.0", "2.1"):
        model.push(version)
    set_state(model, "fraud/clf:1.0", "production")
    digest = model.view.state.versions["2.1"].record
    found = {
        text: rules.resolve(model.view, parse_spec(f"fraud/clf{text}"))
        for text in ("", ":1.0", ":1", ":2", "@production", f"@{digest}", f"@{digest[:15]}")
    }
    assert found == {
        "": "10.0",
        ":1.0": "1.0",
        ":1": "1.10",
        ":2": "2.1",
        "@production": "1.0",
        f"@{digest}": "2.1",
        f"@{digest[:15]}": "2.1",
    }


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (":9.9", "no version 9.9 of fraud/clf; its versions are 1.0, its states in use are shadow"),
        (":9", "no version 9 of fraud/clf"),
        ("@production", "no version of fraud/clf in state production"),
        ("@sha256:00000000", "no version of fraud/clf has a record sha256:00000000…"),
    ],
)
def test_what_is_not_there_is_answered_with_what_is(model: Model, text: str, what: str) -> None:
    """The message lists the newest versions and the states in use."""
    model.push()
    set_state(model, "fraud/clf:1.0", "shadow")
    with pytest.raises(NotFound, match=what):
        rules.resolve(model.view, parse_spec(f"fraud/clf{text}"))


def test_a_model_without_versions_says_so(model: Model) -> None:
    """A model that has only a catalog has no latest version."""
    model.land(rules.put_catalog(model.view, catalog()))
    with pytest.raises(NotFound, match="it has none yet; push one"):
        rules.resolve(model.view, parse_spec("fraud/clf"))


def test_many_versions_are_not_all_listed(model: Model) -> None:
    """The newest five, and how many more."""
    for _ in range(8):
        model.push()
    with pytest.raises(NotFound, match=r"its versions are 1\.7, 1\.6, 1\.5, 1\.4, 1\.3 and 3 more"):
        rules.resolve(model.view, parse_spec("fraud/clf:9.9"))


def test_an_ambiguous_digest_is_refused_with_all_that_it_names(model: Model) -> None:
    """Two records that begin alike: the message names both, and asks for more digits."""
    item = {"created_at": TIME, "created_by": "x", "size": 1, "files": 1}
    model.state = {
        "versions": {
            "1.0": item | {"record": "sha256:" + "ab" * 31 + "00", "order": 1},
            "1.1": item | {"record": "sha256:" + "ab" * 31 + "01", "order": 2},
        }
    }
    assert rules.resolve(model.view, parse_spec("fraud/clf@sha256:" + "ab" * 31 + "01")) == "1.1"
    with pytest.raises(InvalidInput, match=r"names 2 versions of fraud/clf: 1\.0, 1\.1; write more of its digits"):
        rules.resolve(model.view, parse_spec("fraud/clf@sha256:abababab"))


# States


def test_a_shared_state_holds_many(model: Model) -> None:
    """Versions are added, in the order of pushes, and its pointer leads to the newest."""
    for _ in range(3):
        model.push()
    assert set_state(model, "fraud/clf:1.2", "shadow").after == ("1.2",)
    change = set_state(model, "fraud/clf:1.0", "shadow")
    assert (change.before, set(change.after)) == (("1.2",), {"1.0", "1.2"})
    assert states_of(model, "shadow") == ("1.0", "1.2")
    assert rules.resolve(model.view, parse_spec("fraud/clf@shadow")) == "1.2"


def test_an_exclusive_state_moves(model: Model) -> None:
    """The version that was in it leaves it in the same commit, and keeps its other states."""
    model.push()
    model.push()
    set_state(model, "fraud/clf:1.0", "shadow")
    set_state(model, "fraud/clf:1.0", "production", EXCLUSIVE)
    change = set_state(model, "fraud/clf:1.1", "production", EXCLUSIVE)
    assert change == Change(
        kind="state_change",
        name="production",
        version="1.1",
        record=EXCLUSIVE.record,
        before=("1.0",),
        after=("1.1",),
    )
    assert states_of(model, "production") == ("1.1",)
    assert model.view.state.versions["1.0"].states == ("shadow",)


def test_setting_what_is_set_changes_nothing(model: Model) -> None:
    """A version that is in the state already needs no commit."""
    model.push()
    set_state(model, "fraud/clf:1.0", "production", EXCLUSIVE)
    decision = rules.set_state(model.view, parse_spec("fraud/clf:1.0"), "production", EXCLUSIVE)
    assert not decision.patch
    assert not decision.changes
    assert decision.value.before == decision.value.after == ("1.0",)


def test_setting_an_exclusive_state_clears_whoever_else_is_in_it(model: Model) -> None:
    """A state that several versions are in is left by all others, also when the version itself was in it."""
    model.push()
    model.push()
    set_state(model, "fraud/clf:1.0", "production")
    set_state(model, "fraud/clf:1.1", "production")
    assert set_state(model, "fraud/clf:1.0", "production", EXCLUSIVE).after == ("1.0",)
    assert states_of(model, "production") == ("1.0",)


def test_a_version_leaves_a_state(model: Model) -> None:
    """Unsetting takes it out; unsetting what is not set changes nothing."""
    model.push()
    set_state(model, "fraud/clf:1.0", "shadow")
    spec = parse_spec("fraud/clf:1.0")
    change = model.land(rules.unset_state(model.view, spec, "shadow"))
    assert (change.before, change.after) == (("1.0",), ())
    assert states_of(model, "shadow") == ()
    assert not rules.unset_state(model.view, spec, "shadow").patch


def test_a_state_can_be_moved_only_from_what_was_seen(model: Model) -> None:
    """``expect`` names the version in the state, or ``""`` for none; the refusal has both sides."""
    model.push()
    model.push()
    set_state(model, "fraud/clf:1.0", "production", EXCLUSIVE, expect="")
    with pytest.raises(Conflict, match=r"expected the versions .* in state production to be none, and it is 1\.0"):
        set_state(model, "fraud/clf:1.1", "production", EXCLUSIVE, expect="")
    with pytest.raises(Conflict, match=r"to be 1\.1, and it is 1\.0"):
        model.land(rules.unset_state(model.view, parse_spec("fraud/clf:1.0"), "production", "1.1"))
    assert set_state(model, "fraud/clf:1.1", "production", EXCLUSIVE, expect="1.0").after == ("1.1",)


def test_expecting_one_version_of_a_shared_state_with_two_is_refused(model: Model) -> None:
    """The message names all that are in it."""
    for version in ("1.0", "1.1"):
        model.push()
        set_state(model, f"fraud/clf:{version}", "shadow")
    with pytest.raises(Conflict, match=r"to be 1\.0, and it is 1\.0, 1\.1"):
        set_state(model, "fraud/clf:1.1", "shadow", expect="1.0")


def test_the_refs_are_latest_and_each_state_in_use(model: Model) -> None:
    """They lead to the version's record; an empty state has none."""
    model.push()
    model.push()
    set_state(model, "fraud/clf:1.0", "production")
    set_state(model, "fraud/clf:1.0", "shadow")
    model.land(rules.unset_state(model.view, parse_spec("fraud/clf:1.0"), "shadow"))
    found = model_refs(model.view.state)
    assert {name: pointer.version for name, pointer in found.items()} == {"latest": "1.1", "production": "1.0"}
    assert found["latest"].record == model.view.state.versions["1.1"].record
    assert model_refs(ModelState()) == {}


# Experiments


def test_an_experiment_is_recorded_once(model: Model) -> None:
    """The second of that name is refused with the facts of the first, even if it says the same."""
    model.push()
    spec = parse_spec("fraud/clf:1.0")
    first = model.land(rules.add_experiment(model.view, spec, experiment(metrics={"auc": 0.93}, status="passed")))
    assert first.version == model.view.reference("1.0")
    with pytest.raises(
        AlreadyExists,
        match=r"'holdout' of fraud/clf:1\.0 was recorded 2026.* by ci@acme: passed, auc=0\.93;.*another name",
    ) as caught:
        rules.add_experiment(model.view, spec, experiment(metrics={"auc": 0.93}, status="passed"))
    assert caught.value.facts == {"experiment": first}


def test_each_version_has_its_own_experiments(model: Model) -> None:
    """The same name may stand at every version, and one version may have many."""
    model.push()
    model.push()
    for version, name in (("1.0", "a"), ("1.0", "b"), ("1.1", "a")):
        model.land(rules.add_experiment(model.view, parse_spec(f"fraud/clf:{version}"), experiment(name)))
    assert set(model.view.state.versions["1.0"].experiments) == {"a", "b"}
    assert set(model.view.state.versions["1.1"].experiments) == {"a"}


def test_an_experiment_can_expect_which_version_it_is_of(model: Model) -> None:
    """What latest names may have moved since it was evaluated: then it is refused."""
    model.push()
    model.push()
    with pytest.raises(Conflict, match=r"expected the version to be 1\.0, and it is 1\.1"):
        rules.add_experiment(model.view, parse_spec("fraud/clf"), experiment(), "1.0")


# Deployments


def test_deployments_count_up_per_model(model: Model) -> None:
    """1, 2, 3, whichever version they are of; the record and the state agree."""
    model.push()
    model.push()
    numbers = [
        model.land(rules.add_deployment(model.view, parse_spec(f"fraud/clf:{version}"), deployment())).number
        for version in ("1.0", "1.1", "1.0")
    ]
    assert numbers == [1, 2, 3]
    assert {number: item.version for number, item in model.view.state.deployments.items()} == {
        "1": "1.0",
        "2": "1.1",
        "3": "1.0",
    }


def test_a_deployments_status_changes_and_its_record_stays(model: Model) -> None:
    """The new status stands in the state; repeating it changes nothing; ``expect`` is the status that was seen."""
    model.push()
    model.land(rules.add_deployment(model.view, parse_spec("fraud/clf"), deployment()))
    before = model.view.state.deployments["1"].record
    ended = model.land(rules.set_deployment_status(model.view, 1, "ended", "active"))
    assert (ended.status, ended.number) == ("ended", 1)
    assert model.view.state.deployments["1"].record == before
    assert model.view.load(before).status == "active"
    assert not rules.set_deployment_status(model.view, 1, "ended").patch
    with pytest.raises(
        Conflict, match="expected the status of deployment 1 of fraud/clf to be active, and it is ended"
    ):
        rules.set_deployment_status(model.view, 1, "failed", "active")
    with pytest.raises(NotFound, match="fraud/clf has no deployment 2; it has 1"):
        rules.set_deployment_status(model.view, 2, "ended")
    with pytest.raises(InvalidInput, match="deployment status"):
        rules.set_deployment_status(model.view, 1, "not a name")


def test_a_deployment_can_expect_the_last_number(model: Model) -> None:
    """``""`` stands for none; the refusal has both sides."""
    model.push()
    spec = parse_spec("fraud/clf")
    model.land(rules.add_deployment(model.view, spec, deployment(), ""))
    model.land(rules.add_deployment(model.view, spec, deployment(), "1"))
    with pytest.raises(Conflict, match="expected the last deployment of fraud/clf to be 1, and it is 2"):
        rules.add_deployment(model.view, spec, deployment(), "1")


# Catalog


def test_a_catalog_is_replaced_whole_and_only_if_it_differs(model: Model) -> None:
    """What says the same changes nothing, whoever applies it and when; the change names both records."""
    first = model.land(rules.put_catalog(model.view, catalog(owner="risk")))
    again = msgspec.structs.replace(catalog(owner="risk"), created_by="other", created_at="2027-01-01T00:00:00.000Z")
    decision = rules.put_catalog(model.view, again)
    assert not decision.patch
    assert decision.value == first
    before = model.view.state.catalog
    decision = rules.put_catalog(model.view, catalog(owner="fraud"), before)
    (change,) = decision.changes
    assert (change.before, change.after) == ((before,), tuple(decision.records))
    with pytest.raises(Conflict, match="expected the catalog of fraud/clf to be none"):
        rules.put_catalog(model.view, catalog(owner="fraud"), "")


# Retirement


def test_a_retired_version_keeps_its_place_but_cannot_be_used(model: Model) -> None:
    """It is found by name, is not latest and continues nothing; states, experiments and deployments refuse it."""
    model.push()
    model.push()
    spec = parse_spec("fraud/clf:1.1")
    record = model.land(rules.retire(model.view, spec, retirement()))
    assert record.version == model.view.reference("1.1")
    assert rules.resolve(model.view, spec) == "1.1"
    assert rules.resolve(model.view, parse_spec("fraud/clf")) == "1.0"
    assert rules.resolve(model.view, parse_spec("fraud/clf:1")) == "1.0"
    for decide, action in (
        (lambda: rules.set_state(model.view, spec, "shadow", SHARED), "moved into state shadow"),
        (lambda: rules.add_experiment(model.view, spec, experiment()), "evaluated"),
        (lambda: rules.add_deployment(model.view, spec, deployment()), "deployed"),
        (lambda: add_version(model.view, NewVersion(version_draft(), TODAY, "1.1")), "pushed again"),
    ):
        with pytest.raises(Conflict, match=rf"version 1\.1 of fraud/clf is retired and cannot be {action}; choose"):
            decide()


def test_a_deployment_of_a_retired_version_does_not_become_active_again(model: Model) -> None:
    """Its files may be collected; any other status may be noted."""
    model.push()
    model.land(rules.add_deployment(model.view, parse_spec("fraud/clf:1.0"), deployment()))
    model.land(rules.set_deployment_status(model.view, 1, "ended"))
    model.land(rules.retire(model.view, parse_spec("fraud/clf:1.0"), retirement()))
    with pytest.raises(Conflict, match=r"version 1\.0 of fraud/clf is retired and cannot be deployed"):
        rules.set_deployment_status(model.view, 1, "active")
    assert rules.set_deployment_status(model.view, 1, "archived").patch


def test_retiring_twice_is_once(model: Model) -> None:
    """The first reason stays."""
    model.push()
    model.land(rules.retire(model.view, parse_spec("fraud/clf:1.0"), retirement("biased")))
    decision = rules.retire(model.view, parse_spec("fraud/clf:1.0"), retirement("other"))
    assert not decision.patch
    assert decision.value.reason == "biased"


def test_what_is_in_use_cannot_be_retired(model: Model) -> None:
    """A state or an active deployment is named, with what to do; once it is over, the version can go."""
    model.push()
    spec = parse_spec("fraud/clf:1.0")
    set_state(model, "fraud/clf:1.0", "production")
    with pytest.raises(Conflict, match="is in state production; unset it before"):
        rules.retire(model.view, spec, retirement())
    model.land(rules.unset_state(model.view, spec, "production"))
    model.land(rules.add_deployment(model.view, spec, deployment()))
    with pytest.raises(Conflict, match="is in deployment 1, which is active; end it first"):
        rules.retire(model.view, spec, retirement())
    model.land(rules.set_deployment_status(model.view, 1, "ended"))
    model.land(rules.retire(model.view, spec, retirement()))
    assert model.view.state.versions["1.0"].retired


def test_a_retirement_can_expect_which_version_it_is_of(model: Model) -> None:
    """A partial version may have gone on since the caller looked."""
    model.push()
    model.push()
    with pytest.raises(Conflict, match=r"expected the version to be 1\.0, and it is 1\.1"):
        rules.retire(model.view, parse_spec("fraud/clf:1"), retirement(), "1.0")


def test_unknown_versions_are_refused_by_every_rule(model: Model) -> None:
    """NotFound, before anything is decided."""
    model.push()
    spec = parse_spec("fraud/clf:9.9")
    for decide in (
        lambda: rules.set_state(model.view, spec, "shadow", SHARED),
        lambda: rules.unset_state(model.view, spec, "shadow"),
        lambda: rules.add_experiment(model.view, spec, experiment()),
        lambda: rules.add_deployment(model.view, spec, deployment()),
        lambda: rules.retire(model.view, spec, retirement()),
    ):
        with pytest.raises(NotFound, match=r"no version 9\.9"):
            decide()


def test_every_patch_only_adds_to_objects(model: Model) -> None:
    """The history of a model folds the same from its patches merged first: merging stays associative."""
    from objreg.core.merge import merge

    patches: list[dict] = []

    def land(decision: Decision) -> None:
        patches.append(dict(decision.patch) | {"changes": [msgspec.to_builtins(change) for change in decision.changes]})
        model.land(decision)

    for content in (b"1", b"2", b"3"):
        land(add_version(model.view, NewVersion(version_draft(content), TODAY)))
    spec = parse_spec("fraud/clf:1.1")
    land(rules.set_state(model.view, spec, "production", EXCLUSIVE))
    land(rules.set_state(model.view, parse_spec("fraud/clf:1.2"), "production", EXCLUSIVE))
    land(rules.add_experiment(model.view, spec, experiment()))
    land(rules.add_deployment(model.view, spec, deployment()))
    land(rules.set_deployment_status(model.view, 1, "ended"))
    land(rules.put_catalog(model.view, catalog()))
    land(rules.retire(model.view, spec, retirement()))
    folded: dict = {}
    for patch in reversed(patches):
        folded = merge(patch, folded)
    assert {name: value for name, value in folded.items() if name != "changes"} == model.state
