"""States, experiments, deployments, catalogs, retirement and lists, through a registry."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

import objreg
from objreg.core.digest import combined_digest, digest_of
from tests.registry.machine import Machine

MODEL = "fraud/clf"


@pytest.fixture
def pushed(registry: objreg.Registry, file: Callable[..., Path]) -> list[objreg.Version]:
    """Three versions of the model, and an exclusive and a shared state."""
    registry.define_state("production", exclusive=True)
    registry.define_state("shadow")
    return [registry.push(MODEL, file(content)) for content in (b"0", b"1", b"2")]


def in_state(registry: objreg.Registry, state: str) -> list[str]:
    return [found.version for found in registry.versions(MODEL, state)]


# States


def test_an_exclusive_state_moves(registry: objreg.Registry, pushed: list[objreg.Version]) -> None:
    """What was in it leaves in the same commit, and the caller is told both sides."""
    first = registry.set_state(pushed[0], "production")
    assert (first.model, first.state, first.version, first.before, first.after) == (
        MODEL,
        "production",
        "1.0",
        (),
        ("1.0",),
    )
    moved = registry.set_state(f"{MODEL}:1.2", "production", expect="1.0", message="better on all slices")
    assert (moved.before, moved.after, moved.changed) == (("1.0",), ("1.2",), True)
    assert in_state(registry, "production") == ["1.2"]
    assert registry.resolve(f"{MODEL}@production").version == "1.2"
    assert registry.head(MODEL).message == "better on all slices"


def test_a_shared_state_grows_and_its_pointer_is_the_newest(
    registry: objreg.Registry, pushed: list[objreg.Version]
) -> None:
    """Versions are listed newest first, whatever the order in which they came."""
    for version in (pushed[2], pushed[0]):
        registry.set_state(version, "shadow")
    assert in_state(registry, "shadow") == ["1.2", "1.0"]
    assert registry.resolve(f"{MODEL}@shadow").version == "1.2"
    assert registry.unset_state(pushed[2], "shadow").after == ("1.0",)
    assert registry.resolve(f"{MODEL}@shadow").version == "1.0"
    registry.unset_state(pushed[0], "shadow")
    with pytest.raises(objreg.NotFound, match="no version of fraud/clf in state shadow"):
        registry.resolve(f"{MODEL}@shadow")


def test_nothing_is_committed_where_nothing_changes(registry: objreg.Registry, pushed: list[objreg.Version]) -> None:
    """Setting what is set, and unsetting what is not."""
    registry.set_state(pushed[0], "production")
    before = registry.head(MODEL)
    assert not registry.set_state(pushed[0], "production").changed
    assert not registry.unset_state(pushed[1], "production").changed
    assert registry.head(MODEL) == before


def test_a_state_must_be_defined(registry: objreg.Registry, pushed: list[objreg.Version]) -> None:
    """A word that nobody defined is refused with those that are; a word that is none, before that."""
    with pytest.raises(
        objreg.NotFound,
        match=r"no state prod is defined for fraud/clf; defined are production, shadow; define it first",
    ):
        registry.set_state(pushed[0], "prod")
    with pytest.raises(objreg.InvalidInput, match="meaning of its own"):
        registry.set_state(pushed[0], "latest")
    with pytest.raises(objreg.InvalidInput, match="looks like a version"):
        registry.define_state("v1")


def test_an_expectation_that_does_not_hold_changes_nothing(
    registry: objreg.Registry, pushed: list[objreg.Version], new_machine: Callable[..., Machine]
) -> None:
    """Somebody else moved the state; this process has not seen it, and is refused all the same."""
    registry.set_state(pushed[0], "production")
    seen = registry.head(MODEL)
    new_machine().registry().set_state(pushed[1], "production")
    for expect in ("1.0", "", seen.digest):
        with pytest.raises(objreg.Conflict, match="decide again"):
            registry.set_state(pushed[2], "production", expect=expect)
    assert in_state(registry, "production") == ["1.1"]
    assert registry.set_state(pushed[2], "production", expect=registry.head(MODEL).digest).changed


def test_a_namespaces_state_holds_below_it_only(registry: objreg.Registry, file: Callable[..., Path]) -> None:
    """Models of the namespace and of those below can be moved into it; others cannot."""
    registry.define_state("audited", namespace="bank")
    for model in ("bank/a", "bank/risk/b", "other/c", "d"):
        registry.push(model, file())
    registry.set_state("bank/a", "audited")
    registry.set_state("bank/risk/b", "audited")
    for model in ("other/c", "d"):
        with pytest.raises(objreg.NotFound, match=f"no state audited is defined for {model}"):
            registry.set_state(model, "audited")
    assert [found.name for found in registry.states("bank/risk")] == ["audited"]
    assert registry.states("other") == ()


def test_a_wider_definition_rules(registry: objreg.Registry) -> None:
    """A namespace cannot define again what holds there; what it defined first is ruled by the wider one from then on."""
    registry.define_state("production", exclusive=True)
    with pytest.raises(objreg.Conflict, match="defined for a wider scope"):
        registry.define_state("production", namespace="bank")
    registry.define_state("audited", namespace="bank/risk", exclusive=True)
    registry.define_state("audited", namespace="bank")
    (definition,) = [found for found in registry.states("bank/risk") if found.name == "audited"]
    assert (definition.namespace, definition.exclusive) == ("bank", False)


def test_defining_again(registry: objreg.Registry) -> None:
    """The same definition is the first one; another description replaces it; another rule is refused."""
    first = registry.define_state("shadow", description="a")
    assert registry.define_state("shadow", description="a") == first
    assert registry.define_state("shadow", description="b").description == "b"
    with pytest.raises(objreg.Conflict, match="cannot become exclusive"):
        registry.define_state("shadow", exclusive=True)
    assert len(list(registry.scope_history())) == 2


# Experiments


def test_an_experiment_is_recorded_once(
    registry: objreg.Registry, pushed: list[objreg.Version], new_machine: Callable[..., Machine]
) -> None:
    """For every machine; the first one's facts come back with the refusal."""
    first = registry.record_experiment(pushed[0], "holdout", metrics={"auc": 0.93}, status="passed", seed=7)
    other = new_machine(actor="other@acme").registry()
    with pytest.raises(objreg.AlreadyExists, match=r"by ci@acme: passed, auc=0\.93") as caught:
        other.record_experiment(pushed[0].spec, "holdout", metrics={"auc": 0.99})
    assert caught.value.facts["experiment"] == first
    assert other.experiments(pushed[0].spec) == (first,)
    assert other.record_experiment(pushed[1].spec, "holdout").created_by == "other@acme"


def test_an_experiment_keeps_all_that_was_said(
    registry: objreg.Registry,
    pushed: list[objreg.Version],
    folder: Callable[..., Path],
    file: Callable[..., Path],
    new_machine: Callable[..., Machine],
) -> None:
    """Parameters, metrics, data sets by digest and by file, files, duration."""
    data = folder({"a.csv": b"1", "b.csv": b"2"})
    registry.record_experiment(
        pushed[0],
        "holdout",
        metrics={"auc": 1, "loss": 0.5},
        parameters={"threshold": 0.5, "labels": ("a", "b")},
        datasets={"folder": data, "file": data / "a.csv", "known": digest_of(b"x")},
        artifacts={"report": file(b"<html>", "report.html")},
        duration=timedelta(minutes=2),
        description="on the last quarter",
    )
    (found,) = new_machine().registry().experiments(f"{MODEL}:1.0")
    assert found.metrics == {"auc": 1.0, "loss": 0.5}
    assert found.parameters == {"threshold": 0.5, "labels": ["a", "b"]}
    assert {dataset.name: dataset.digest for dataset in found.datasets} == {
        "folder": combined_digest([digest_of(b"1"), digest_of(b"2")]),
        "file": digest_of(b"1"),
        "known": digest_of(b"x"),
    }
    assert (found.duration_seconds, found.status) == (120.0, "finished")
    (artifact,) = found.artifacts
    assert (artifact.name, artifact.files[0].path) == ("report", "report.html")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"metrics": {"auc": float("nan")}}, r"metrics\.auc is nan"),
        ({"metrics": {"auc": "0.9"}}, r"metrics\.auc is a str: a metric is a number"),
        ({"metrics": {"auc": True}}, r"metrics\.auc is a bool"),
        ({"metrics": {"auc": None}}, r"metrics\.auc is a NoneType"),
        ({"status": "perhaps"}, "finished, passed or failed"),
        ({"parameters": {"password": "hunter2"}}, r"parameters\.password looks like a secret"),
        ({"datasets": {"a": "/does/not/exist"}}, "does not exist"),
        ({"datasets": {"a": "sha256:x"}}, "64 lower-case hex digits"),
        ({"datasets": {"a/b": digest_of(b"")}}, "data set name"),
        ({"datasets": [objreg.Dataset(name="a", url="https://u:pw@h")]}, "URL with a password"),
        ({"duration": -1}, "cannot be negative"),
        ({"duration": "long"}, "duration"),
        ({"seed": 2**70}, "seed is"),
        ({"seed": "seven"}, "seed"),
        ({"name": "a/b"}, "experiment name"),
    ],
    ids=str,
)
def test_a_wrong_experiment_is_refused(
    registry: objreg.Registry, pushed: list[objreg.Version], arguments: dict, reason: str
) -> None:
    """The message has the place; nothing is committed."""
    before = registry.head(MODEL)
    with pytest.raises(objreg.InvalidInput, match=reason):
        registry.record_experiment(pushed[0], **({"name": "holdout"} | arguments))
    assert registry.head(MODEL) == before


def test_a_seed_of_numpy_is_a_number(registry: objreg.Registry, pushed: list[objreg.Version]) -> None:
    """Scalars become what they hold."""
    import numpy as np

    found = registry.record_experiment(pushed[0], "a", seed=np.int64(7), metrics={"auc": np.float32(0.5)})
    assert (found.seed, found.metrics) == (7, {"auc": 0.5})


# Deployments


def test_a_deployments_life(
    registry: objreg.Registry, pushed: list[objreg.Version], new_machine: Callable[..., Machine]
) -> None:
    """Numbered per model, listed with its present status, its record as it was."""
    first = registry.record_deployment(pushed[0], endpoint="https://a", method="ecs", environment={"REGION": "eu"})
    second = registry.record_deployment(pushed[1], endpoint="https://b")
    assert (first.number, second.number) == (1, 2)
    assert registry.set_deployment_status(MODEL, 1, "ended", expect="active").status == "ended"
    other = new_machine().registry()
    assert [(found.number, found.status, found.version.version) for found in other.deployments(MODEL)] == [
        (1, "ended", "1.0"),
        (2, "active", "1.1"),
    ]
    with pytest.raises(objreg.Conflict, match="to be active, and it is ended"):
        other.set_deployment_status(MODEL, 1, "failed", expect="active")
    with pytest.raises(objreg.NotFound, match="has no deployment 7; it has 2"):
        other.set_deployment_status(MODEL, 7, "ended")


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({"DB_PASSWORD": "hunter2"}, r"environment\.DB_PASSWORD looks like a secret"),
        ({"WORKERS": 4}, r"environment\.WORKERS is a int: environment variables are text"),
        ({"URL": "postgres://u:hunter2@h/db"}, "URL with a password"),
    ],
)
def test_a_deployment_holds_no_secret(
    registry: objreg.Registry, pushed: list[objreg.Version], environment: dict, reason: str
) -> None:
    """The refusal never repeats it."""
    with pytest.raises(objreg.InvalidInput, match=reason) as caught:
        registry.record_deployment(pushed[0], endpoint="https://a", environment=environment)
    assert "hunter2" not in str(caught.value)
    assert registry.deployments(MODEL) == ()


# Catalog, namespaces, settings


def test_a_catalog_is_applied(registry: objreg.Registry, new_machine: Callable[..., Machine]) -> None:
    """All of it is read back elsewhere; the same document again changes nothing; it can expect what it replaces."""
    document = {
        "description": "finds fraud",
        "owner": "risk@acme",
        "url": "https://git.acme/fraud",
        "data_sources": [{"name": "claims", "type": "table", "connection": {"host": "db", "secret_arn": "arn:x"}}],
        "inference": {"input": {"description": "a claim", "schema": {"type": "object"}}, "output": {"schema": {}}},
        "tags": ["b", "a", "b"],
    }
    registry.put_catalog(MODEL, **document)
    other = new_machine(actor="other@acme").registry()
    found = other.catalog(MODEL)
    assert (found.owner, found.tags, found.created_by) == ("risk@acme", ("a", "b"), "ci@acme")
    assert found.inference.input.schema == {"type": "object"}
    assert found.data_sources[0].connection["host"] == "db"
    assert other.put_catalog(MODEL, **document) == found
    assert other.head(MODEL).seq == 0
    (change,) = other.head(MODEL).changes
    other.put_catalog(MODEL, owner="x", expect=change.record)
    with pytest.raises(objreg.Conflict, match="decide again"):
        other.put_catalog(MODEL, owner="y", expect=change.record)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"data_sources": [{"nam": "x"}]}, r"data_sources\[0\] has unknown fields nam; known are name, type"),
        ({"data_sources": [{}]}, r"data_sources\[0\] is not as a catalog needs it.*name"),
        ({"data_sources": [{"name": "a"}, {"name": "a"}]}, "different names; got a, a"),
        ({"data_sources": ["claims"]}, r"data_sources\[0\] is not"),
        ({"data_sources": [{"name": "a", "connection": {"password": "x"}}]}, "looks like a secret"),
        ({"inference": {"input": {"schema": 5}}}, "inference is not as a catalog needs it"),
        ({"inference": {"inputs": {}}}, "inference has unknown fields inputs; known are input, output"),
        ({"tags": "fraud"}, "tags must be a list of words"),
        ({"tags": [1]}, "tag must be text"),
        ({"owner": None}, "owner must be text"),
        ({"url": "https://u:p@h"}, "URL with a password"),
    ],
    ids=str,
)
def test_a_wrong_catalog_is_refused(registry: objreg.Registry, document: dict, reason: str) -> None:
    """The message names the field."""
    with pytest.raises(objreg.InvalidInput, match=reason):
        registry.put_catalog(MODEL, **document)
    with pytest.raises(objreg.NotFound):
        registry.catalog(MODEL)


def test_a_model_without_catalog_says_so(registry: objreg.Registry, pushed: list[objreg.Version]) -> None:
    """The message says how to apply one."""
    with pytest.raises(objreg.NotFound, match="has no catalog; apply one"):
        registry.catalog(MODEL)


def test_namespaces_and_the_registry_describe_themselves(
    registry: objreg.Registry, new_machine: Callable[..., Machine]
) -> None:
    """What was put is read; what was not is not there."""
    assert registry.settings() is None
    registry.put_settings(description="all models of acme", owner="platform")
    registry.put_namespace("fraud", owner="risk")
    registry.put_namespace("fraud", owner="risk")
    other = new_machine().registry()
    settings = other.settings()
    assert settings is not None
    assert settings.owner == "platform"
    assert other.namespace("fraud").owner == "risk"
    assert len(list(other.scope_history("fraud"))) == 1
    with pytest.raises(objreg.NotFound, match="namespace empty says nothing of itself"):
        other.namespace("empty")


def test_what_is_not_said_of_a_namespace_stays_as_it_is(
    registry: objreg.Registry, new_machine: Callable[..., Machine]
) -> None:
    """None leaves a field to whoever set it last, also to a writer who came between."""
    registry.put_namespace("fraud", description="claims", owner="risk")
    other = new_machine().registry()
    other.put_namespace("fraud", description=None, owner="ada", url=None)
    found = registry.put_namespace("fraud", description=None, owner=None, url="https://x")
    assert (found.description, found.owner, found.url) == ("claims", "ada", "https://x")
    assert registry.put_namespace("fraud", description=None, owner=None, url=None) == found
    assert registry.put_namespace("fraud").owner == ""
    assert registry.put_settings(description=None, owner="platform").description == ""
    assert registry.put_settings(description="all", owner=None).owner == "platform"


def test_lists_of_models_and_namespaces(registry: objreg.Registry, file: Callable[..., Path]) -> None:
    """Sorted paths; a namespace holds a model or describes itself, at any depth."""
    assert (registry.models(), registry.namespaces()) == ((), ())
    for model in ("b/x/clf", "a", "b/y", "b/x/other"):
        registry.push(model, file())
    registry.put_namespace("z/deep", owner="x")
    assert registry.models() == ("a", "b/x/clf", "b/x/other", "b/y")
    assert registry.models("b/x") == ("b/x/clf", "b/x/other")
    assert registry.models("nothing") == ()
    assert registry.namespaces() == ("b", "b/x", "z", "z/deep")


def test_a_model_and_a_namespace_may_have_one_name(registry: objreg.Registry, file: Callable[..., Path]) -> None:
    """``fraud`` the model and ``fraud/clf`` below it do not get into each other's way."""
    registry.push("fraud", file(b"1"))
    registry.push("fraud/clf", file(b"2"))
    assert registry.models() == ("fraud", "fraud/clf")
    assert (registry.pull("fraud") / "model.bin").read_bytes() == b"1"
    assert (registry.pull("fraud/clf") / "model.bin").read_bytes() == b"2"


# Retirement


def test_retirement(
    registry: objreg.Registry, pushed: list[objreg.Version], new_machine: Callable[..., Machine]
) -> None:
    """A version in use stays; one that is free goes out of latest, and keeps its record and its files."""
    registry.set_state(pushed[2], "production")
    with pytest.raises(objreg.Conflict, match="is in state production; unset it before"):
        registry.retire(pushed[2], reason="biased")
    registry.unset_state(pushed[2], "production")
    assert registry.retire(f"{MODEL}:1.2", reason="biased").reason == "biased"
    assert registry.head(MODEL).message == "biased"
    with pytest.raises(objreg.InvalidInput, match="needs a reason"):
        registry.retire(pushed[1], reason="")
    other = new_machine().registry()
    assert other.resolve(MODEL).version == "1.1"
    assert [(found.version, found.retired) for found in other.versions(MODEL)] == [
        ("1.2", True),
        ("1.1", False),
        ("1.0", False),
    ]
    assert (other.pull(f"{MODEL}:1.2") / "model.bin").read_bytes() == b"2"
    with pytest.raises(objreg.Conflict, match="is retired and cannot be moved"):
        other.set_state(f"{MODEL}:1.2", "shadow")


# Naming a version by its digest


def test_a_version_is_found_by_its_digest(
    registry: objreg.Registry, pushed: list[objreg.Version], new_machine: Callable[..., Machine]
) -> None:
    """All of it or the first eight digits; what no version begins with is not found."""
    reader = new_machine().registry()
    for version in pushed:
        assert reader.resolve(f"{MODEL}@{version.digest}").spec == version.spec
        assert reader.resolve(f"{MODEL}@{version.digest[:15]}").spec == version.spec
        assert reader.pull(f"{MODEL}@{version.digest}") == reader.pull(version)
    with pytest.raises(objreg.NotFound, match="has a record sha256:00000000…"):
        reader.resolve(f"{MODEL}@sha256:00000000")
    with pytest.raises(objreg.InvalidInput, match="at least 8"):
        reader.resolve(f"{MODEL}@sha256:ab")


# Nothing there


def test_a_place_without_a_registry_says_so(tmp_path: Path, file: Callable[..., Path]) -> None:
    """A mistyped path is not taken for an empty registry, and nothing is created in it."""
    for url in (str(tmp_path / "nowhere"), "memory://nowhere"):
        registry = objreg.open(url)
        for action in (
            lambda registry=registry: registry.models(),
            lambda registry=registry: registry.resolve(MODEL),
            lambda registry=registry: registry.push(MODEL, file()),
            lambda registry=registry: registry.define_state("production"),
        ):
            with pytest.raises(objreg.NotFound, match="there is no registry in"):
                action()
    assert not (tmp_path / "nowhere").exists()


def test_a_model_that_is_not_there_says_so(registry: objreg.Registry) -> None:
    """In a registry that is there, the model is what is missing."""
    for action in (
        registry.resolve,
        registry.versions,
        registry.deployments,
        registry.history,
        registry.head,
        registry.catalog,
        registry.experiments,
    ):
        with pytest.raises(objreg.NotFound, match="there is no model fraud/clf in memory://registry; push to it"):
            action(MODEL)
