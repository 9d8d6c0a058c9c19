"""A store in front of another that fails when it is told to, and notes every call."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from objreg.errors import StoreError, StoreUnavailable
from objreg.store.base import ObjectInfo, Store

__all__ = ["FaultyStore"]

T = TypeVar("T")


@dataclass
class _Fault:
    """What befalls the next ``times`` calls of a method on a key that holds ``part``."""

    method: str
    part: str
    times: float
    before: Callable[[], None]
    error: StoreError | BaseException | None
    applied: bool


class FaultyStore:
    """Passes calls on, but for those that a fault was planned for.

    Attributes:
        calls: (method, key) in the order in which they came.
        creates: (key, data) of the creates among them, carried out or not.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._faults: list[_Fault] = []
        self.calls: list[tuple[str, str]] = []
        self.creates: list[tuple[str, bytes]] = []
        self.url = store.url
        self.identity = store.identity
        self.ordered = store.ordered

    def lose_answer(self, method: str, part: str, times: float = 1) -> None:
        """Carry out the next calls, and say that there was no answer."""
        error = StoreUnavailable("the answer was lost")
        self._faults.append(_Fault(method, part, times, _nothing, error, applied=True))

    def fail(self, method: str, part: str, times: float = 1, error: BaseException | None = None) -> None:
        """Do not carry out the next calls: there was no answer, or ``error``."""
        error = error or StoreUnavailable("the request was lost")
        self._faults.append(_Fault(method, part, times, _nothing, error, applied=False))

    def before(self, method: str, part: str, action: Callable[[], None]) -> None:
        """Do something else first when the next call comes: what another writer does meanwhile."""
        self._faults.append(_Fault(method, part, 1, action, None, applied=True))

    def count(self, method: str, part: str = "") -> int:
        """Return how many calls of a method there were on keys that hold ``part``."""
        return sum(1 for called, key in self.calls if called == method and part in key)

    def _call(self, method: str, key: str, work: Callable[[], T]) -> T:
        self.calls.append((method, key))
        fault = next((f for f in self._faults if f.times > 0 and f.method == method and f.part in key), None)
        if fault is None:
            return work()
        fault.times -= 1
        fault.before()
        result = work() if fault.applied else None
        if fault.error is not None:
            raise fault.error
        return result  # without an error it was applied

    def get(self, key: str) -> bytes | None:
        return self._call("get", key, lambda: self._store.get(key))

    def get_range(self, key: str, start: int, length: int) -> bytes | None:
        return self._call("get_range", key, lambda: self._store.get_range(key, start, length))

    def create(self, key: str, data: bytes) -> bool:
        self.creates.append((key, data))
        return self._call("create", key, lambda: self._store.create(key, data))

    def first(self, prefix: str) -> ObjectInfo | None:
        return self._call("first", prefix, lambda: self._store.first(prefix))

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        return self._call("list", prefix, lambda: self._store.list(prefix))

    def folders(self, prefix: str) -> tuple[str, ...]:
        return self._call("folders", prefix, lambda: self._store.folders(prefix))

    def head(self, key: str) -> ObjectInfo | None:
        return self._call("head", key, lambda: self._store.head(key))

    def delete(self, key: str) -> None:
        self._call("delete", key, lambda: self._store.delete(key))

    def close(self) -> None:
        self._store.close()


def _nothing() -> None:
    """Nobody does anything meanwhile."""
