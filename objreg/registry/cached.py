"""What this machine has of a model, told where the registry cannot be reached, or is not to be asked."""

from collections.abc import Iterator
from contextlib import contextmanager

from objreg.errors import NotFound, StoreUnavailable
from objreg.local.cache_trees import TreeIndex
from objreg.registry.session import Session
from objreg.store.wrappers import OfflineStore

__all__ = ["cached_told", "offline_session"]

_NAMED = 8


def offline_session(session: Session) -> Session:
    """Return a session of the same registry that makes no request."""
    return Session(
        OfflineStore(session.store.url, session.store.identity, ordered=session.store.ordered),
        session.recall,
        session.clock,
        session.actor,
        tell=session.tell,
        offline=True,
    )


@contextmanager
def cached_told(session: Session, model: str) -> Iterator[None]:
    """Add to an error that says that the registry was not reached what the cache has of a model.

    Raises:
        StoreUnavailable: the registry cannot be reached.
        NotFound: it is not to be asked, and this machine has not seen what is needed.
    """
    try:
        yield
    except (NotFound, StoreUnavailable) as error:
        if "cached" in error.facts or (isinstance(error, NotFound) and not session.offline):
            raise
        versions = _cached(session, model)
        if not versions:
            told = f"nothing of {model} is in the cache {session.cache_dir}"
        else:
            more = ", …" if len(versions) > _NAMED else ""
            told = f"of {model} the cache has {', '.join(versions[-_NAMED:])}{more}"
            told += "" if session.offline else ": name one of these, or use what was seen last with --offline"
        raise type(error)(f"{error.message}; {told}", **error.facts, cached=versions) from error


def _cached(session: Session, model: str) -> list[str]:
    """Return the versions of a model of this registry that can be pulled without a request."""
    found = {
        index.version: path
        for path, index in session.cache.trees.entries(layers=True)
        if index is not None and index.whole and _is_of(index, session, model)
    }
    known = (version for version in found if session.recall.version(model, version))
    return sorted(known, key=lambda version: (len(version), version))


def _is_of(index: TreeIndex, session: Session, model: str) -> bool:
    return (index.model, index.registry) == (model, session.store.url)
