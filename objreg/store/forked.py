"""Stores that survive fork(): a forked process gets connections of its own.

A client's threads do not exist in a forked child. For the Python clients it is enough to open the store again there.
The runtime of obstore is one for the whole process and cannot be started a second time: in a child that was forked
after its first use every request hangs for ever, of new stores, too. There, requests go through a fresh interpreter
(``serve``), one for each forked process, over two pipes.
"""

import atexit
import contextlib
import itertools
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from objreg.errors import StoreUnavailable
from objreg.store.base import ObjectInfo, Piece, Store
from objreg.store.checksums import recorded_sha256
from objreg.store.pieces import pieces_of

__all__ = ["ForkSafeStore", "native_runtime_usable", "note_native_runtime", "serve"]

_THREADS = 32
_native_runtime_pid: int | None = None


def note_native_runtime() -> None:
    """Remember that the native runtime has been started in this process, unless a parent has done so already."""
    global _native_runtime_pid  # noqa: PLW0603  # it is a fact about the process
    if _native_runtime_pid is None:
        _native_runtime_pid = os.getpid()


def native_runtime_usable() -> bool:
    """Return False in a process that was forked from one in which the native runtime had been started."""
    return _native_runtime_pid in {None, os.getpid()}


class ForkSafeStore:
    """Opens a store at its first use in each process.

    Args:
        opening: a picklable callable that opens the store; this is also what a pickle of the store holds.
        native: True where the store runs on the runtime that does not survive a fork.
    """

    def __init__(self, opening: Callable[[], Store], *, native: bool) -> None:
        opened = opening()  # a wrong option or a missing package is told here and not at the first read
        self.url = opened.url
        self.identity = opened.identity
        self.ordered = opened.ordered
        self._opening = opening
        self._native = native
        self._stores: dict[int, Store] = {}
        if self._own_connections:
            self._stores[os.getpid()] = opened

    def __reduce__(self) -> tuple[object, ...]:
        return (partial(ForkSafeStore, native=self._native), (self._opening,))

    @property
    def _own_connections(self) -> bool:
        return not self._native or native_runtime_usable()

    def _store(self) -> Store:
        # By process id and without a lock: a lock that another thread held at the fork stays locked in the child.
        pid = os.getpid()
        found = self._stores.get(pid)
        if found is None:
            made = self._opening() if self._own_connections else _ForwardingStore(self)
            found = self._stores.setdefault(pid, made)
        return found

    def get(self, key: str) -> bytes | None:
        return self._store().get(key)

    def pieces(self, key: str) -> Iterator[Piece] | None:
        return pieces_of(self._store(), key)

    def get_range(self, key: str, start: int, length: int) -> bytes | None:
        return self._store().get_range(key, start, length)

    def create(self, key: str, data: Piece) -> bool:
        return self._store().create(key, data)

    def first(self, prefix: str) -> ObjectInfo | None:
        return self._store().first(prefix)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        return self._store().list(prefix)

    def folders(self, prefix: str) -> tuple[str, ...]:
        return self._store().folders(prefix)

    def head(self, key: str) -> ObjectInfo | None:
        return self._store().head(key)

    def recorded_sha256(self, key: str) -> str | None:
        return recorded_sha256(self._store(), key)

    def delete(self, key: str) -> None:
        self._store().delete(key)

    def close(self) -> None:
        found = self._stores.pop(os.getpid(), None)
        if found is not None:
            found.close()


class _ForwardingStore:
    """Speaks to the store in the fresh interpreter."""

    def __init__(self, store: ForkSafeStore) -> None:
        self.url = store.url
        self.identity = store.identity
        self.ordered = store.ordered
        self._pickled = pickle.dumps(store)

    def _ask(self, method: str, *arguments: object) -> Any:
        return _interpreter_of_this_process(self.url).ask(self._pickled, method, arguments)

    def get(self, key: str) -> bytes | None:
        return self._ask("get", key)

    def get_range(self, key: str, start: int, length: int) -> bytes | None:
        return self._ask("get_range", key, start, length)

    def create(self, key: str, data: Piece) -> bool:
        return self._ask("create", key, bytes(data))

    def first(self, prefix: str) -> ObjectInfo | None:
        return self._ask("first", prefix)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        return iter(self._ask("list", prefix))

    def folders(self, prefix: str) -> tuple[str, ...]:
        return self._ask("folders", prefix)

    def head(self, key: str) -> ObjectInfo | None:
        return self._ask("head", key)

    def recorded_sha256(self, key: str) -> str | None:
        return self._ask("recorded_sha256", key)

    def delete(self, key: str) -> None:
        self._ask("delete", key)

    def close(self) -> None:
        """The interpreter serves other stores of this process, and ends with it."""


class _Interpreter:
    """The fresh interpreter, and who waits for which answer of it."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._numbers = itertools.count()
        self._waiting: dict[int, Future[Any]] = {}
        self._lock = threading.Lock()
        self._process = subprocess.Popen(  # this interpreter, this module
            [sys.executable, "-P", "-c", "from objreg.store.forked import serve; serve()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path or str(Path.cwd()) for path in sys.path)},
        )
        threading.Thread(target=self._receive, name="objreg-forked", daemon=True).start()
        atexit.register(self.close)

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, store: bytes, method: str, arguments: tuple[object, ...]) -> Any:
        answer: Future[Any] = Future()
        assert self._process.stdin is not None
        with self._lock:
            number = next(self._numbers)
            self._waiting[number] = answer
            try:
                pickle.dump((number, store, method, arguments), self._process.stdin)
                self._process.stdin.flush()
            except OSError as error:
                self._waiting.pop(number, None)
                raise self._lost() from error
        return answer.result()

    def _receive(self) -> None:
        assert self._process.stdout is not None
        # The stream ends, perhaps within an answer, when the interpreter does.
        with contextlib.suppress(EOFError, OSError, pickle.UnpicklingError):
            while True:
                number, result, error = pickle.load(self._process.stdout)  # noqa: S301  # our own child wrote it
                waiting = self._waiting.pop(number)
                if error is None:
                    waiting.set_result(result)
                else:
                    waiting.set_exception(error)
        for number in list(self._waiting):
            self._waiting.pop(number).set_exception(self._lost())

    def _lost(self) -> StoreUnavailable:
        return StoreUnavailable(
            f"the interpreter that speaks to {self._url} for this forked process has ended; retry, or spawn workers"
        )

    def close(self) -> None:
        """End the interpreter: it stops when its input does."""
        with contextlib.suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()


_interpreters: dict[int, _Interpreter] = {}
_starting = threading.Lock()
os.register_at_fork(after_in_child=lambda: globals().update(_starting=threading.Lock()))


def _interpreter_of_this_process(url: str) -> _Interpreter:
    with _starting:
        found = _interpreters.get(os.getpid())
        if found is None or not found.alive:
            found = _interpreters[os.getpid()] = _Interpreter(url)
        return found


def _serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until there are no more, several at a time."""
    stores: dict[bytes, Store] = {}
    lock = threading.Lock()

    def answer(number: int, pickled: bytes, method: str, arguments: tuple[object, ...]) -> None:
        result, failure = None, None
        try:
            with lock:
                store = stores.get(pickled) or stores.setdefault(pickled, pickle.loads(pickled))  # noqa: S301  # our parent
            result = getattr(store, method)(*arguments)
            if method == "list":
                result = list(result)
        except Exception as error:  # noqa: BLE001  # whatever it is, the asker is told
            failure = error
        with lock:
            pickle.dump((number, result, failure), answers)
            answers.flush()

    with ThreadPoolExecutor(_THREADS) as pool, contextlib.suppress(EOFError):
        while True:
            pool.submit(answer, *pickle.load(requests))  # noqa: S301  # our own parent wrote it


def serve() -> None:
    """Be the fresh interpreter: answer what comes on standard input until it ends."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not get between the answers
    _serve(sys.stdin.buffer, answers)
