"""Whether a create is what everything rests on: it never replaces, and of many at once one wins."""

import secrets
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Barrier

from objreg.errors import AccessDenied, StoreUnavailable
from objreg.maintenance.bench import USE_ANOTHER, Bench
from objreg.maintenance.checks import Check, failed, ok, unknown, warning
from objreg.store.base import Store

__all__ = ["create_after_delete", "create_twice", "wins_once"]

_ROUNDS = 3


def create_twice(bench: Bench) -> Check:
    """Create one key twice in turn: the second is refused, and the first's bytes stay."""
    name, expected = "create never replaces", "the second is refused, and the first's bytes stay"
    key, first, second = bench.key("twice"), secrets.token_bytes(32), secrets.token_bytes(32)
    bench.store.create(key, first)
    try:
        again = str(bench.store.create(key, second))
    except AccessDenied:
        again = "denied"
    stored = bench.store.get(key)
    if again == "True" or stored != first:
        now = {first: "the first's", second: "the second's", None: "no"}.get(stored, "somebody else's")
        return failed(name, f"the second create answered {again}, and {now} bytes are stored", expected, USE_ANOTHER)
    if again == "denied":
        return ok(name, "the second is refused as forbidden (403): these credentials may create and not replace")
    return ok(name, expected)


def wins_once(bench: Bench) -> Check:
    """Let many create one key at once, each over connections of its own: one winner, and its bytes."""
    name = f"{bench.racers} creates at once"
    unclear = 0
    with ExitStack() as opened:
        stores = [bench.another() for _ in range(bench.racers)]
        for store in stores:
            opened.callback(store.close)
        for _ in range(_ROUNDS):
            bodies = [secrets.token_bytes(64) for _ in stores]
            key = bench.key("race")
            answers = _race(stores, key, bodies)
            stored = bench.store.get(key)
            winners = [body for body, answer in zip(bodies, answers, strict=True) if answer is True]
            unclear += answers.count(None)
            # A winner's answer may be lost, and its repetition refused: then nobody won, and a racer's bytes are there.
            if len(winners) > 1 or stored not in (winners or bodies):
                kept = "a winner's" if stored in winners else "not a winner's"
                return failed(
                    name,
                    f"{len(winners)} of {bench.racers} won, and the stored bytes are {kept}",
                    "one winner, whose bytes are stored",
                    USE_ANOTHER,
                )
    more = f"; {unclear} of {_ROUNDS * bench.racers} got no clear answer and would look" if unclear else ""
    return ok(name, f"one winner and its bytes, {_ROUNDS} times over separate connections{more}")


def _race(stores: list[Store], key: str, bodies: list[bytes]) -> list[bool | None]:
    """Return for each racer whether it won; None where it got no clear answer."""
    barrier = Barrier(len(stores))

    def create(store: Store, body: bytes) -> bool | None:
        barrier.wait()
        try:
            return store.create(key, body)
        except StoreUnavailable:
            return None
        except AccessDenied:
            return False

    with ThreadPoolExecutor(len(stores)) as pool:
        list(pool.map(lambda store: store.get(f"{key}-warm-up"), stores))  # open connections make a closer race
        return list(pool.map(create, stores, bodies))


def create_after_delete(bench: Bench) -> Check:
    """Create a key that was deleted; in a versioned bucket it has a history, and the condition must still hold."""
    name = "create over a deleted key"
    if bench.deletes is False:
        return unknown(name, "not tried: these credentials may not delete")
    key, old, new = bench.key("deleted"), secrets.token_bytes(32), secrets.token_bytes(32)
    bench.store.create(key, old)
    bench.store.delete(key)
    created = bench.store.create(key, new)
    again = bench.store.create(key, old)
    stored = bench.store.get(key)
    if again or stored == old:
        return failed(name, "the key was then overwritten", "created once, and never replaced", USE_ANOTHER)
    if not created and stored is None:
        return warning(
            name,
            "a deleted key cannot be created again",
            "objreg never needs it, but what is deleted by mistake cannot be put back under its name",
        )
    return ok(name, "created once more, and then never replaced")
