"""Measuring in turn: each client in a process of its own, round after round.

So the machine's mood hits all alike.
"""

import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.harness.peers import python_of
from benchmarks.harness.servers import clean_environment
from benchmarks.harness.tables import DASH

__all__ = ["ClientFailed", "Measured", "Outcome", "Spread", "do", "progress", "take_turns"]

CLIENTS = Path(__file__).parent / "clients"


class ClientFailed(Exception):
    """A client's process ended with an error; the text is the end of its stderr."""


@dataclass(frozen=True)
class Outcome:
    """What one operation took.

    Attributes:
        seconds: on the wall.
        processor: seconds of processor time, user and system, of the process and its children.
        memory: the process's largest resident size so far, in bytes.
        ready: seconds to import the client and to make it, which ``seconds`` does not hold.
        began: when, by this machine's monotonic clock.
        facts: what the operation told.
    """

    seconds: float
    processor: float
    memory: int
    ready: float
    began: float
    facts: dict[str, Any] = field(default_factory=dict)


def do(
    client: str,
    operations: Sequence[str],
    job: Mapping[str, Any],
    environment: Mapping[str, str],
    *,
    peer: str | None = None,
    timeout: float = 1800,
) -> list[Outcome]:
    """Run operations one after another in one new process of a client, and return what each took.

    Args:
        client: names ``harness/clients/with_<client>.py``.
        operations: those of the script.
        job: what the script wants to know.
        environment: variables for the process, whose environment is clean otherwise.
        peer: whose environment it runs in; the client's own name if left out.
        timeout: seconds for the whole process.

    Raises:
        ClientFailed: the process failed or took too long.
    """
    command = [python_of(peer or client), CLIENTS / f"with_{client}.py"]
    text = json.dumps({**job, "operations": list(operations)}, default=str)
    try:
        ended = subprocess.run(
            command,
            input=text,
            capture_output=True,
            text=True,
            env=clean_environment(environment),
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ClientFailed(f"{client} {' '.join(operations)}: no end within {timeout:.0f} s") from error
    if ended.returncode:
        raise ClientFailed(f"{client} {' '.join(operations)}: {ended.stderr[-4000:]}")
    return [Outcome(**outcome) for outcome in json.loads(ended.stdout)]


@dataclass(frozen=True)
class Spread:
    """The values of some rounds."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def low(self) -> float:
        return min(self.values)

    @property
    def high(self) -> float:
        return max(self.values)

    def text(self, form: Callable[[float], str] = "{:.2f}".format) -> str:
        """Return ``median (low-high)``, or with one round the value and a dash in place of the spread."""
        if len(self.values) == 1:
            return f"{form(self.median)} ({DASH})"
        return f"{form(self.median)} ({form(self.low)}{DASH}{form(self.high)})"


class Measured:
    """Figures by name, by round."""

    def __init__(self) -> None:
        self._rounds: dict[str, dict[int, dict[str, float]]] = {}

    def add(self, name: str, number: int, figures: Mapping[str, float]) -> None:
        """Keep figures of a round; more may be added to the same round."""
        self._rounds.setdefault(name, {}).setdefault(number, {}).update(figures)

    def add_least(self, name: str, figure: str, names: Collection[str]) -> None:
        """Keep the least of some names' figures in each round, under a name of its own: a baseline."""
        rounds = {number for found in names for number in self._rounds.get(found, {})}
        for number in rounds:
            values = [self._rounds[found].get(number, {}).get(figure) for found in names if found in self._rounds]
            self.add(name, number, {figure: min(value for value in values if value is not None)})

    def spread(self, name: str, figure: str) -> Spread | None:
        """Return the values of a figure, or None where there is none."""
        values = tuple(found[figure] for found in self._rounds.get(name, {}).values() if figure in found)
        return Spread(values) if values else None

    def ratio(self, name: str, figure: str, baseline: str) -> Spread | None:
        """Return the figure divided by the baseline's of the same round, for the rounds in which both were measured."""
        ours, theirs = self._rounds.get(name, {}), self._rounds.get(baseline, {})
        values = tuple(
            found[figure] / theirs[number][figure]
            for number, found in ours.items()
            if figure in found and figure in theirs.get(number, {})
        )
        return Spread(values) if values else None


def take_turns(
    names: Sequence[str],
    rounds: int,
    measure: Callable[[str, int], Mapping[str, float]],
    *,
    once: Collection[str] = (),
) -> Measured:
    """Measure each name in each round, in an order that turns from round to round.

    Args:
        names: what is compared.
        rounds: how many.
        measure: given a name and the round's number, returns figures by name.
        once: what is so slow that it takes part in the first round only.
    """
    measured = Measured()
    for number in range(rounds):
        first = number % len(names)
        for name in (*names[first:], *names[:first]):
            if number == 0 or name not in once:
                progress(f"round {number + 1} of {rounds}: {name}")
                measured.add(name, number, measure(name, number))
    return measured


def progress(text: str) -> None:
    """Say on a terminal what is being done."""
    if sys.stderr.isatty():
        print(text, file=sys.stderr, flush=True)
