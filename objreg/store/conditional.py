"""The proof that a store keeps the promise everything rests on: a create never replaces, and only one racer wins."""

import secrets
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from objreg.errors import AccessDenied, UnsafeStore
from objreg.store.base import Piece, Store

__all__ = ["create_unless_there", "prove_conditional_create"]

_RACERS = 8
_REMEDY = (
    "use a store that keeps it: Amazon S3, Google Cloud Storage through its own API, Azure Blob Storage, "
    "Cloudflare R2, Ceph, SeaweedFS, MinIO, or a local folder"
)


def create_unless_there(store: Store, key: str, data: Piece) -> bool:
    """Create an object as ``Store.create`` does, also where a taken key is called forbidden.

    A cloud whose credentials may create and not replace can answer a taken key with 403.

    Raises:
        AccessDenied: the create was denied, and there is no object.
    """
    try:
        return store.create(key, data)
    except AccessDenied:
        if store.head(key) is None:
            raise
        return False


def prove_conditional_create(store: Store, *, prefix: str = "_registry/probe/") -> None:
    """Create a fresh key twice in turn, and another by eight threads at once, and check who won.

    A sequential refusal alone proves little: some servers check, then write. There is no switch to go on without the
    proof, since a registry on such a store loses commits in silence.

    Args:
        store: what is to be trusted.
        prefix: where the two short-lived keys are made; ends with ``/``.

    Raises:
        UnsafeStore: the store broke the promise; the message says what was seen and what was expected.
        StoreError: the store did not answer, or refused.
    """
    keys = [f"{prefix}{secrets.token_hex(16)}" for _ in range(2)]
    try:
        _prove_second_refused(store, keys[0])
        _prove_one_winner(store, keys[1])
    finally:
        for key in keys:
            with suppress(AccessDenied):  # a writer who may not delete is the safer kind; the probe is two tiny objects
                store.delete(key)


def _prove_second_refused(store: Store, key: str) -> None:
    first, second = (secrets.token_bytes(32) for _ in range(2))
    created = store.create(key, first)
    again = create_unless_there(store, key, second)
    stored = store.get(key)
    # A repeated attempt whose first answer was lost says False too: the bytes tell.
    if again or stored != first:
        now_holds = {first: "the first's", second: "the second's", None: "nothing"}.get(stored, "somebody else's")
        raise _broken(
            store,
            f"a key created twice answered {created}, then {again}, and holds {now_holds} bytes",
            "True, then False, and the first's bytes",
        )


def _prove_one_winner(store: Store, key: str) -> None:
    bodies = [secrets.token_bytes(64) for _ in range(_RACERS)]
    barrier = threading.Barrier(_RACERS)

    def race(body: bytes) -> bool:
        barrier.wait()
        return create_unless_there(store, key, body)

    with ThreadPoolExecutor(_RACERS) as pool:
        answers = list(pool.map(race, bodies))
    winners = [body for body, won in zip(bodies, answers, strict=True) if won]
    stored = store.get(key)
    lost_answer = not winners and stored in bodies  # the winner's answer was lost, and its repetition refused
    if not lost_answer and (len(winners) != 1 or stored != winners[0]):
        kept = "the winner's" if stored in winners else "not a winner's"
        raise _broken(
            store,
            f"{len(winners)} of {_RACERS} concurrent creates of one key won and the stored bytes are {kept}",
            "exactly one winner, whose bytes are stored",
        )


def _broken(store: Store, seen: str, expected: str) -> UnsafeStore:
    return UnsafeStore(
        f"{store.url} has no conditional create: {seen}; expected {expected}; {_REMEDY}",
        url=store.url,
        seen=seen,
        expected=expected,
    )
