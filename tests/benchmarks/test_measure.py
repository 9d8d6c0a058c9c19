"""Rounds are compared with their own round, everybody has a turn, and client scripts tell what the harness reads."""

import json
import subprocess
import sys

from benchmarks.harness.measure import CLIENTS, Measured, Outcome, Spread, take_turns
from benchmarks.harness.tables import DASH


def test_a_spread_is_the_median_between_the_least_and_the_most():
    """One value has no spread, and says so."""
    assert Spread((3.0, 1.0, 2.5)).text() == f"2.50 (1.00{DASH}3.00)"
    assert Spread((1234.5,)).text("{:,.0f}".format) == f"1,234 ({DASH})"


def test_a_ratio_is_of_the_same_round():
    """A round in which all are slow changes no ratio; the ratio of the medians would be another."""
    measured = Measured()
    for number, (ours, theirs) in enumerate(((2.0, 1.0), (30.0, 10.0), (4.0, 4.0))):
        measured.add("ours", number, {"s": ours})
        measured.add("theirs", number, {"s": theirs})
    ratio = measured.ratio("ours", "s", "theirs")
    assert ratio is not None
    assert ratio.values == (2.0, 3.0, 1.0)


def test_a_ratio_needs_both_in_a_round():
    """Rounds that one of them sat out do not count; without a round in common there is no ratio."""
    measured = Measured()
    measured.add("ours", 0, {"s": 6.0})
    measured.add("ours", 1, {"s": 8.0})
    measured.add("theirs", 1, {"s": 2.0, "other": 1.0})
    assert measured.ratio("ours", "s", "theirs") == Spread((4.0,))
    assert measured.ratio("ours", "other", "theirs") is None
    assert measured.ratio("ours", "s", "nobody") is None
    assert measured.spread("nobody", "s") is None


def test_the_baseline_is_the_fastest_of_each_round():
    """Who is fastest may change from round to round; who is not there does not count."""
    measured = Measured()
    for number, (one, other) in enumerate(((1.0, 2.0), (4.0, 3.0))):
        measured.add("one", number, {"s": one})
        measured.add("other", number, {"s": other})
    measured.add_least("least", "s", ["one", "other", "nobody"])
    assert measured.spread("least", "s") == Spread((1.0, 3.0))


def test_turns_begin_with_another_name_in_each_round():
    """Nobody is always the first; what is slow takes part once; figures of a round stay together."""
    turns = []

    def measure(name: str, number: int) -> dict[str, float]:
        turns.append((number, name))
        return {"s": float(number)}

    measured = take_turns(["a", "b", "slow"], 3, measure, once=["slow"])
    assert turns == [(0, "a"), (0, "b"), (0, "slow"), (1, "b"), (1, "a"), (2, "a"), (2, "b")]
    assert measured.spread("b", "s") == Spread((0.0, 1.0, 2.0))
    assert measured.spread("slow", "s") == Spread((0.0,))


def told(code: str, job: dict[str, object]) -> list[Outcome]:
    """Run a client script and read what it tells, as ``do`` does."""
    ended = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps(job),
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(CLIENTS)},
        timeout=60,
    )
    return [Outcome(**outcome) for outcome in json.loads(ended.stdout)]


def test_a_client_script_tells_an_outcome_for_each_operation():
    """In the job's order, with its facts, whatever the client prints on the way."""
    code = (
        "import job\n"
        "def connect(wanted): print('hello'); return wanted['who']\n"
        "def push(client, wanted): print('pushing'); return {'client': client}\n"
        "def pull(client, wanted): return None\n"
        "job.run(connect, push=push, pull=pull)"
    )
    outcomes = told(code, {"operations": ["pull", "push", "pull"], "who": "me"})
    assert [outcome.facts for outcome in outcomes] == [{}, {"client": "me"}, {}]
    assert all(outcome.memory > 0 and outcome.seconds >= 0 and outcome.ready >= 0 for outcome in outcomes)
    assert sorted(outcome.began for outcome in outcomes) == [outcome.began for outcome in outcomes]


def test_a_registry_script_makes_its_client_once_and_when_it_is_used():
    """Operations have the functions' names, and making the client belongs to the first of them."""
    code = (
        "import registry\n"
        "made = []\n"
        "def prepare(wanted): return lambda: made.append('client') or made\n"
        "def resolve(client, wanted): return {'made': len(client), 'next': wanted['moves'].pop(0)}\n"
        "registry.run(prepare, resolve)"
    )
    outcomes = told(code, {"operations": ["resolve", "resolve"], "moves": [1, 2]})
    assert [outcome.facts for outcome in outcomes] == [{"made": 1, "next": 1}, {"made": 1, "next": 2}]
