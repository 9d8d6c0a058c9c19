"""What the probes of an examination share: the store, a second way to it, and the objects to delete in the end."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from objreg.core.access.grants import PROBES
from objreg.errors import AccessDenied
from objreg.registry.clock import Clock
from objreg.store.base import Store

__all__ = ["USE_ANOTHER", "Bench", "Pages"]

USE_ANOTHER = (
    "do not put a registry here: commits would be lost in silence; use Amazon S3, Google Cloud Storage through its own"
    " API, Azure Blob Storage, Ceph, SeaweedFS, or a local folder"
)
"""The remedy where a store breaks what everything rests on."""


class Pages(Protocol):
    """Whoever can ask for a capped page of a listing on the wire."""

    def page(self, prefix: str, limit: int) -> list[str]:
        """Return the keys of one page of at most ``limit``."""
        ...


@dataclass
class Bench:
    """What the probes work with.

    Attributes:
        store: what is examined.
        another: opens the same store once more, over connections of its own.
        clock: this machine's.
        racers: how many creates of one key are sent at once.
        pages: asks for capped pages, or None where nobody can.
        claiming: opens the same store so that it sends what a function takes for a digest with each create, or None
            where nobody can.
        why_not: why nobody can do either, with what to do.
        root: where this examination's objects are made.
        deletes: whether the credentials may delete; None until that is known.
    """

    store: Store
    another: Callable[[], Store]
    clock: Clock
    racers: int
    pages: Pages | None = None
    claiming: Callable[[Callable[[bytes], str]], Store] | None = None
    why_not: str = ""
    root: str = field(default_factory=lambda: f"{PROBES}{secrets.token_hex(8)}/")
    deletes: bool | None = None
    _made: dict[str, None] = field(default_factory=dict)

    def key(self, name: str) -> str:
        """Return a fresh key, which is deleted in the end."""
        found = f"{self.root}{name}-{secrets.token_hex(4)}"
        return self.will_make(found)

    def will_make(self, key: str) -> str:
        """Remember a key that is about to be made."""
        self._made[key] = None
        return key

    def left_after_cleaning(self) -> list[str]:
        """Delete what was made, and return what could not be."""
        left = []
        for key in self._made:
            try:
                self.store.delete(key)
            except AccessDenied:
                left.append(key)
        return left
