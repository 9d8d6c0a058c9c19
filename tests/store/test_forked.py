"""A store that was used before fork() works in the child: in plain forks and in daemonic workers, for each engine."""

import multiprocessing
import os
import pickle
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from objreg.store import Store, open_store
from objreg.store import forked as forked_module
from objreg.store.checksums import recorded_sha256

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork() here, so nothing to survive"),
    # Python warns of a fork with threads: that is the case under test.
    pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning"),
]
SECONDS = 20


def in_a_child(work, *arguments, daemon: bool = True):
    """Run ``work`` in a forked worker and return its result; a child that hangs is killed and fails the test."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)

    def run() -> None:
        try:
            sender.send((True, work(*arguments)))
        except BaseException as error:
            sender.send((False, repr(error)))
            raise

    child = context.Process(target=run, daemon=daemon)
    child.start()
    try:
        assert receiver.poll(SECONDS), f"the child gave no answer in {SECONDS} s"
        worked, result = receiver.recv()
        assert worked, result
        return result
    finally:
        child.join(2)
        if child.is_alive():
            child.kill()
            child.join()
        receiver.close()
        sender.close()


@pytest.fixture(params=["obstore", "fsspec"])
def store(request: pytest.FixtureRequest, servers) -> Store:
    """A store that has been used in this process."""
    server = servers["moto"]
    options = server.options(request.param)
    opened = open_store(f"{server.new_bucket()}/root", storage_options=options, engine=request.param)
    assert opened.create("parent", b"of all")
    return opened


def _everything(store: Store) -> list[object]:
    return [
        store.create("child", b"mine"),
        store.create("child", b"again"),
        store.get("child"),
        store.get_range("child", 1, 2),
        store.get("missing"),
        store.head("parent").size,
        recorded_sha256(store, "parent"),
        store.first("").key,
        [info.key for info in store.list("")],
        store.folders(""),
        store.delete("child"),
        store.get("child"),
    ]


def test_every_method_works_in_a_forked_child(store: Store) -> None:
    """The child creates, reads, lists and deletes through the store that its parent used."""
    expected = [True, False, b"mine", b"in", None, 6, None, "child", ["child", "parent"], (), None, None]
    assert in_a_child(_everything, store) == expected
    assert in_a_child(_everything, store, daemon=False) == expected
    assert store.get("parent") == b"of all"


def test_many_threads_of_a_child_work(store: Store) -> None:
    """Eight threads of the child share what it was given, with long bodies, too."""

    def work() -> bool:
        def one(number: int) -> bool:
            body = bytes([number]) * (1 << 20)
            return store.create(f"many/{number}", body) and store.get(f"many/{number}") == body

        with ThreadPoolExecutor(8) as pool:
            return all(pool.map(one, range(16)))

    assert in_a_child(work)


OPTIONS = {"endpoint_url": "http://127.0.0.1:9", "anonymous": True}


def test_errors_reach_a_forked_child_as_they_are(store: Store) -> None:
    """A dead endpoint is the same error in the child."""

    def work() -> str:
        try:
            open_store("s3://objreg-not-there/x", engine="obstore", storage_options=OPTIONS).get("a")
        except Exception as error:  # noqa: BLE001 - its type is what is tested
            return type(error).__name__
        return "nothing"

    assert in_a_child(work) == "StoreUnavailable"


def test_a_store_opened_in_the_child_works(store: Store, servers) -> None:
    """Opening anew does not help obstore by itself: it is the process that is marked, not the store."""
    engine = "obstore"
    options = servers["moto"].options(engine)

    def work() -> bytes | None:
        return open_store(store.url, storage_options=options, engine=engine).get("parent")

    assert in_a_child(work) == b"of all"


def test_a_grandchild_has_an_interpreter_of_its_own(store: Store) -> None:
    """A fork of a fork works, and the two do not share pipes."""

    def work() -> list[bytes | None]:
        return [store.get("parent"), in_a_child(partial(store.get, "parent")), store.get("parent")]

    assert in_a_child(work, daemon=False) == [b"of all"] * 3


def test_a_pickled_store_works(store: Store) -> None:
    """A store may be sent to a child, as pools do."""
    pickled = pickle.dumps(store)
    assert in_a_child(lambda: pickle.loads(pickled).get("parent")) == b"of all"
    assert pickle.loads(pickled).get("parent") == b"of all"


def test_an_interpreter_that_dies_is_told_and_replaced(servers) -> None:
    """Killing the fresh interpreter is StoreUnavailable, and the next request starts another."""
    server = servers["moto"]
    store = open_store(f"{server.new_bucket()}/root", storage_options=server.options("obstore"), engine="obstore")
    store.create("parent", b"of all")

    def work() -> list[object]:
        before = store.get("parent")
        interpreter = forked_module._interpreters[os.getpid()]
        interpreter._process.kill()
        deadline = time.monotonic() + 10
        while interpreter.alive and time.monotonic() < deadline:
            time.sleep(0.01)
        return [before, store.get("parent"), forked_module._interpreters[os.getpid()] is interpreter]

    assert in_a_child(work) == [b"of all", b"of all", False]
