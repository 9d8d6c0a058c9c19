"""Compare this machine's clock with the store's before days are counted by it: a clock years ahead would let all go."""

from contextlib import suppress

from objreg.core.access.grants import PROBES
from objreg.errors import AccessDenied
from objreg.registry.clock import check_same_time
from objreg.registry.commit import DEADLINE_SECONDS, create_durably
from objreg.registry.session import Session

__all__ = ["check_clock"]


def check_clock(session: Session) -> None:
    """See to it that the clocks agree, by the store's time of an object made for that; three requests.

    Raises:
        Conflict: they are five minutes or more apart.
        StoreError: the store refused or gave no answer.
    """
    store, clock = session.store, session.clock
    key = PROBES + clock.new_id()
    create_durably(store, key, b"clock", clock, clock.monotonic() + DEADLINE_SECONDS)
    try:
        info = store.head(key)
        if info is not None and info.modified is not None:
            check_same_time(clock.now(), info.modified, store.url)
    finally:
        with suppress(AccessDenied):  # a writer who may not delete is the safer kind
            store.delete(key)
