"""Transactions: several changes in one commit, all or none."""

from collections.abc import Callable
from pathlib import Path

import pytest

import objreg
from tests.registry.machine import Machine

MODEL = "fraud/clf"


@pytest.fixture
def started(registry: objreg.Registry, file: Callable[..., Path]) -> objreg.Registry:
    """A registry with one version, in production."""
    registry.define_state("production", exclusive=True)
    registry.set_state(registry.push(MODEL, file(b"0")), "production")
    return registry


def test_all_changes_are_one_commit(started: objreg.Registry, file: Callable[..., Path], new_machine) -> None:
    """A release: the version, its experiment, its state, its deployment and the catalog, with one message."""
    before = started.head(MODEL).seq
    with started.transaction(MODEL, message="release 2") as release:
        version = release.push(MODEL, file(b"1"), bump="major")
        experiment = release.record_experiment(version, "holdout", metrics={"auc": 0.9})
        moved = release.set_state(version, "production", expect="1.0")
        deployment = release.record_deployment(version, endpoint="https://x")
        release.put_catalog(MODEL, owner="risk")
        release.set_deployment_status(MODEL, deployment.number, "draining")
    assert (version.version, moved.before, deployment.number) == ("2.0", ("1.0",), 1)
    other = new_machine().registry()
    head = other.head(MODEL)
    assert head.seq == before + 1
    assert head.message == "release 2"
    assert [change.kind for change in head.changes] == [
        "version",
        "experiment",
        "state_change",
        "deployment",
        "catalog",
        "deployment_status",
    ]
    assert other.resolve(f"{MODEL}@production").digest == version.digest
    assert other.experiments(version.spec) == (experiment,)
    assert other.deployments(MODEL)[0].status == "draining"
    assert experiment.version.record == version.digest


def test_an_exception_in_the_block_commits_nothing(started: objreg.Registry, file: Callable[..., Path]) -> None:
    """Whatever was done before it."""
    before = started.head(MODEL)

    def attempt() -> None:
        with started.transaction(MODEL) as release:
            release.push(MODEL, file(b"1"))
            raise RuntimeError("changed my mind")

    with pytest.raises(RuntimeError, match="changed my mind"):
        attempt()
    assert started.head(MODEL) == before
    assert [found.version for found in started.versions(MODEL)] == ["1.0"]


def test_a_refused_change_commits_nothing(started: objreg.Registry, file: Callable[..., Path]) -> None:
    """A mistake is seen where it is made, against the model as it is with the changes before."""
    before = started.head(MODEL)

    def attempt() -> None:
        with started.transaction(MODEL) as release:
            version = release.push(MODEL, file(b"1"))
            release.record_experiment(version, "holdout")
            release.record_experiment(version, "holdout")

    with pytest.raises(objreg.AlreadyExists):
        attempt()
    assert started.head(MODEL) == before


def test_a_broken_promise_is_a_conflict_and_changes_nothing(
    started: objreg.Registry, file: Callable[..., Path], new_machine: Callable[..., Machine]
) -> None:
    """The version that the block was given is taken by another before the commit."""
    other = new_machine(actor="other@acme").registry()

    def attempt() -> None:
        with started.transaction(MODEL) as release:
            assert release.push(MODEL, file(b"1")).version == "1.1"
            release.put_catalog(MODEL, owner="risk")
            other.push(MODEL, file(b"2"))

    with pytest.raises(
        objreg.Conflict,
        match=r"another writer changed fraud/clf .* so version 1\.1 \(sha256.*run the transaction again",
    ):
        attempt()
    head = started.head(MODEL)
    assert (head.actor, [change.kind for change in head.changes]) == ("other@acme", ["version"])
    with pytest.raises(objreg.NotFound):
        started.catalog(MODEL)


def test_a_broken_promise_of_a_number(started: objreg.Registry, new_machine: Callable[..., Machine]) -> None:
    """The same for a deployment's number."""
    other = new_machine().registry()

    def attempt() -> None:
        with started.transaction(MODEL) as release:
            release.record_deployment(f"{MODEL}:1.0", endpoint="https://x")
            other.record_deployment(f"{MODEL}:1.0", endpoint="https://y")

    with pytest.raises(objreg.Conflict, match="so deployment 1 cannot be had any more; nothing was changed: run"):
        attempt()
    assert [found.endpoint for found in started.deployments(MODEL)] == ["https://y"]


def test_what_another_did_meanwhile_stays_if_no_promise_is_broken(
    started: objreg.Registry, file: Callable[..., Path], new_machine: Callable[..., Machine]
) -> None:
    """Changes that do not meet are both kept."""
    other = new_machine().registry()
    with started.transaction(MODEL) as release:
        release.record_experiment(f"{MODEL}:1.0", "ours")
        other.record_experiment(f"{MODEL}:1.0", "theirs")
    assert [found.name for found in started.experiments(f"{MODEL}:1.0")] == ["ours", "theirs"]


def test_an_expectation_holds_at_the_commit(
    started: objreg.Registry, file: Callable[..., Path], new_machine: Callable[..., Machine]
) -> None:
    """``expect=`` inside a block is checked against the state that the commit lands on."""
    other = new_machine().registry()
    second = other.push(MODEL, file(b"1"))

    def attempt() -> None:
        with started.transaction(MODEL) as release:
            release.unset_state(f"{MODEL}:1.0", "production", expect="1.0")
            other.set_state(second, "production")

    with pytest.raises(objreg.Conflict, match=r"to be 1\.0, and it is 1\.1"):
        attempt()
    assert started.resolve(f"{MODEL}@production").version == "1.1"


def test_a_block_that_does_nothing_commits_nothing(started: objreg.Registry) -> None:
    """Neither an empty block nor one whose changes change nothing."""
    before = started.head(MODEL)
    with started.transaction(MODEL):
        pass
    with started.transaction(MODEL) as release:
        assert not release.set_state(f"{MODEL}:1.0", "production").changed
    assert started.head(MODEL) == before


def test_a_model_can_begin_with_a_transaction(registry: objreg.Registry, file: Callable[..., Path]) -> None:
    """Its first commit may be several things at once."""
    with registry.transaction("fraud/new") as release:
        first = release.push("fraud/new", file(b"1"))
        second = release.push("fraud/new", file(b"2"))
        release.record_experiment(first, "holdout")
    assert (first.version, second.version) == ("1.0", "1.1")
    assert registry.head("fraud/new").seq == 0
    assert (registry.pull(first) / "model.bin").read_bytes() == b"1"


def test_a_transaction_is_for_one_model_and_for_its_block(started: objreg.Registry, file: Callable[..., Path]) -> None:
    """Another model, a message of its own, or a use after the end is refused."""
    with started.transaction(MODEL) as release:
        with pytest.raises(objreg.InvalidInput, match="for fraud/clf, and fraud/other is another model"):
            release.push("fraud/other", file(b"1"))
        with pytest.raises(objreg.InvalidInput, match="has one message"):
            release.push(MODEL, file(b"1"), message="mine")
    with pytest.raises(objreg.InvalidInput, match="this transaction is over"):
        release.push(MODEL, file(b"1"))
    assert started.head(MODEL).seq == 1
