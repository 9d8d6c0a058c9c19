"""Long objects, read piece by piece where a store can do that, so that nobody holds one whole."""

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

from objreg.store.base import Piece, Store

__all__ = ["ReadsPieces", "pieces_of"]


@runtime_checkable
class ReadsPieces(Protocol):
    """A store that hands out an object as it arrives, beside what every ``Store`` can."""

    def pieces(self, key: str) -> Iterator[Piece] | None:
        """Return an object's bytes, some at a time, or None if there is none; one request.

        Taking the next piece raises what ``get`` raises.
        """
        ...


def pieces_of(store: Store, key: str) -> Iterator[Piece] | None:
    """Return an object's bytes, some at a time; all at once from a store that cannot do otherwise; None for none."""
    if isinstance(store, ReadsPieces):
        return store.pieces(key)
    found = store.get(key)
    return None if found is None else iter((found,))
