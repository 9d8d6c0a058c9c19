"""Which blobs nothing needs, and the commits round their deletion: plain values, no store."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from objreg.core.collection import ORPHAN, References, blob_names, condemn, named_records, references, swept
from objreg.core.decisions import Decision
from objreg.core.digest import digest_of
from objreg.core.keys import blob_key, parse_blob_name
from objreg.core.merge import merge
from objreg.core.records import Experiment, Retirement, VersionRecord
from objreg.core.rules import retire
from objreg.core.specs import parse_spec
from objreg.core.state import ModelState
from tests.core.conftest import Model, artifact
from tests.core.test_retention import experiment
from tests.core.test_rules import retirement

LATER = datetime(2027, 1, 1, tzinfo=UTC)
EARLIER = datetime(2026, 1, 1, tzinfo=UTC)


def name(content: bytes, rest: str = "") -> str:
    return digest_of(content).removeprefix("sha256:") + rest


def found(model: Model, keep: datetime = LATER) -> References:
    def retirement_of(digest: str) -> Retirement:
        record = model.view.load(digest)
        assert isinstance(record, Retirement)
        return record

    return references(model.view.state, lambda digest: blob_names(model.view.load(digest)), retirement_of, keep)


def after(state: ModelState, decision: Decision) -> ModelState:
    raw: dict[str, Any] = msgspec.to_builtins(state)
    return msgspec.convert(merge(raw, dict(decision.patch)), ModelState)


def test_what_a_version_or_an_experiment_needs_is_live(model: Model) -> None:
    """Blobs of records that nobody retired have no reason to go; what no record names is an orphan."""
    model.push(content=b"one")
    experiment(model, "1.0", artifacts=(artifact(b"curve"),))

    refs = found(model)

    assert refs.live == {name(b"one"), name(b"curve")}
    assert refs.reason(name(b"one")) == ""
    assert refs.reason(name(b"other")) == ORPHAN
    assert refs.reason(name(b"one", ".1")) == ORPHAN


def test_a_retired_version_needs_nothing_after_the_grace(model: Model) -> None:
    """What only it and its experiments name may go, with the reason; what a live version shares stays."""
    model.push(content=b"one")
    experiment(model, "1.0", artifacts=(artifact(b"curve"),))
    model.push(content=b"two")
    model.push(content=b"one")
    model.land(retire(model.view, parse_spec("fraud/clf:1.0"), retirement()))
    model.land(retire(model.view, parse_spec("fraud/clf:1.1"), retirement()))

    refs = found(model)

    assert refs.live == {name(b"one")}
    assert refs.reason(name(b"two")) == "only in version 1.1, retired on 2026-03-01"
    assert refs.reason(name(b"curve")) == "only in version 1.0, retired on 2026-03-01"
    assert found(model, EARLIER).live == {name(b"one"), name(b"two"), name(b"curve")}


def test_artifacts_of_an_expired_experiment_may_go(model: Model) -> None:
    """The reason names the experiment; its version's files stay."""
    model.push(content=b"one")
    experiment(model, "1.0", artifacts=(artifact(b"curve"),))
    model.state = merge(model.state, {"versions": {"1.0": {"expired": ["holdout"]}}})

    refs = found(model)

    assert refs.live == {name(b"one")}
    assert refs.reason(name(b"curve")) == "only in experiment holdout of version 1.0, whose artifacts expired"


def test_every_record_that_is_looked_at_is_named_beforehand(model: Model) -> None:
    """So that a collector can read them together, and sees where one is of another kind."""
    model.push(content=b"one")
    experiment(model, "1.0", artifacts=(artifact(b"curve"),))
    model.land(retire(model.view, parse_spec("fraud/clf:1.0"), retirement()))
    item = model.view.state.versions["1.0"]

    assert named_records(model.view.state) == {
        item.record: VersionRecord,
        item.experiments["holdout"]: Experiment,
        item.retired: Retirement,
    }


def test_condemning_names_the_blobs_and_raises_their_incarnation(model: Model) -> None:
    """A condemned name is never written again: the content's next upload has another."""
    decision = condemn(model.view.state, [name(b"a"), name(b"b", ".2.zst")], [])

    assert decision.value == tuple(sorted([name(b"a"), name(b"b", ".2.zst")]))
    assert decision.patch == {
        "condemned": list(decision.value),
        "incarnations": {name(b"a"): 1, name(b"b"): 3},
    }
    assert decision.changes[0].after == decision.value


def test_an_incarnation_never_goes_back(model: Model) -> None:
    """An old name that came back, and two names of one content, raise it no lower than it was."""
    state = after(model.view.state, condemn(model.view.state, [name(b"a", ".4")], []))

    again = condemn(state, [name(b"a"), name(b"a", ".1.zst")], [])

    assert again.patch["incarnations"] == {name(b"a"): 5}
    assert after(state, again).condemned == tuple(sorted([name(b"a"), name(b"a", ".1.zst"), name(b"a", ".4")]))


def test_what_is_needed_or_condemned_already_is_dropped(model: Model) -> None:
    """Where nothing is left, there is no commit."""
    state = after(model.view.state, condemn(model.view.state, [name(b"a")], []))

    decision = condemn(state, [name(b"a"), name(b"b")], [name(b"b")])

    assert (decision.value, decision.patch) == ((), {})


def test_sweeping_takes_out_only_what_was_deleted(model: Model) -> None:
    """What another collector condemned meanwhile stays; sweeping twice is no change."""
    state = after(model.view.state, condemn(model.view.state, [name(b"a")], []))
    state = after(state, condemn(state, [name(b"b")], []))

    decision = swept(state, [name(b"a")])

    assert decision.value == (name(b"a"),)
    assert decision.changes[0].before == (name(b"a"),)
    swept_once = after(state, decision)
    assert swept_once.condemned == (name(b"b"),)
    assert swept(swept_once, [name(b"a")]).patch == {}
    assert swept_once.incarnations == {name(b"a"): 1, name(b"b"): 1}


@given(st.binary(max_size=4), st.integers(0, 10**12), st.sampled_from(["", "zstd"]))
def test_a_blob_name_is_read_as_it_is_written(content: bytes, incarnation: int, encoding: str) -> None:
    """Digits, incarnation and encoding come out of the key again."""
    key = blob_key("m.model", digest_of(content), incarnation, encoding)

    assert parse_blob_name(key.removeprefix("m.model/blobs/")) == (name(content), incarnation, encoding)


@pytest.mark.parametrize(
    "text", ["", "README", "0" * 63, "0" * 64 + ".0", "0" * 64 + ".01", "0" * 64 + ".gz", "A" * 64, "0" * 64 + "\n"]
)
def test_other_names_are_none(text: str) -> None:
    """What no writer of the format makes is not taken for a blob."""
    assert parse_blob_name(text) is None
