"""What crosses the wire: the condition of every create, the count of requests that the protocol promises, lost answers."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from objreg.errors import StoreUnavailable, UnsafeStore
from objreg.store import Store
from objreg.store.conditional import prove_conditional_create
from tests.contract.backends import CLOUDS, Combination
from tests.servers.proxy import Fault, Proxy, Request

WHOLE_PAGE = "obstore"
"""The engine that cannot ask for a shorter page, so that the first key costs one whole one."""

KEY = "fraud/clf.model/log/999999999999.json"


@dataclass
class Wire:
    """A store whose every request passes a proxy."""

    store: Store
    proxy: Proxy
    cloud: Combination

    def requests(self, call: Callable[[], object]) -> list[Request]:
        with self.proxy.recording() as recorded:
            call()
        return recorded

    def count(self, call: Callable[[], object]) -> int:
        return len(self.requests(call))


@pytest.fixture(params=CLOUDS, ids=str)
def wire(request: pytest.FixtureRequest, roots) -> Iterator[Wire]:
    """Each combination behind a proxy of its own, warmed up: some clients ask who they are before their first request."""
    cloud = request.param
    proxy = Proxy(roots.servers[cloud.server].origin)
    store = roots.backend(cloud, origin=proxy.origin).open()
    store.get("warm/up")
    yield Wire(store, proxy, cloud)
    store.close()
    proxy.stop()


def test_every_create_carries_the_condition(wire: Wire) -> None:
    """One request creates, small or long, and it says: only if nothing is there."""
    for key, data in (("small", b"x"), ("empty", b""), ("long", b"x" * (33 << 20))):
        (request,) = wire.requests(lambda key=key, data=data: wire.store.create(key, data))
        if wire.cloud.server == "fake-gcs":
            assert request.query["ifGenerationMatch"] == "0"
            assert request.query["uploadType"] == "multipart"
        else:
            assert request.headers["if-none-match"] == "*"
            assert (request.method, request.size) == ("PUT", len(data))


def test_each_call_is_one_request(wire: Wire) -> None:
    """Hit or miss, every method costs what the protocol promises: one request."""
    store = wire.store
    assert wire.count(lambda: store.create(KEY, b"entry")) == 1
    assert wire.count(lambda: store.create(KEY, b"another")) == 1
    assert wire.count(lambda: store.get(KEY)) == 1
    assert wire.count(lambda: store.get("not/there")) == 1
    assert wire.count(lambda: store.get_range(KEY, 1, 3)) == 1
    assert wire.count(lambda: store.get_range("not/there", 1, 3)) == 1
    assert wire.count(lambda: store.head(KEY)) == 1
    assert wire.count(lambda: store.head("not/there")) == 1
    assert wire.count(lambda: list(store.list("fraud/"))) == 1
    assert wire.count(lambda: list(store.list("not/there/"))) == 1
    assert wire.count(lambda: store.folders("fraud/")) == 1
    assert wire.count(lambda: store.folders("not/there/")) == 1
    assert wire.count(lambda: store.delete(KEY)) == 1
    assert wire.count(lambda: store.delete(KEY)) == 1


def test_first_asks_for_one_key(wire: Wire) -> None:
    """Finding the head is one listing, capped at one key, so that its cost does not grow with the log."""
    for number in (7, 5, 9):
        wire.store.create(f"fraud/clf.model/log/{number}.json", b"entry")
    (request,) = wire.requests(lambda: wire.store.first("fraud/clf.model/log/"))
    cap = {"fake-gcs": "maxResults", "azurite": "maxresults"}.get(wire.cloud.server, "max-keys")
    if wire.cloud.engine != WHOLE_PAGE:
        assert request.query[cap] == "1"
    assert wire.count(lambda: wire.store.first("not/there/")) == 1


def test_a_range_is_read_and_not_the_whole(wire: Wire) -> None:
    """A range asks for its bytes alone."""
    wire.store.create(KEY, b"0123456789")
    (request,) = wire.requests(lambda: wire.store.get_range(KEY, 2, 3))
    asked = request.headers.get("range") or request.headers["x-ms-range"]
    assert asked.replace(" ", "") == "bytes=2-4"
    assert request.status == 206


@pytest.mark.parametrize("fault", ["lost", "500", "503"])
def test_an_answer_that_is_lost_is_never_a_second_win(wire: Wire, fault: str) -> None:
    """The object was stored and the writer does not hear of it: False or StoreUnavailable, and the object is there."""
    if fault == "lost":
        armed = wire.proxy.lose_answers(path=KEY.rpartition("/")[2])
    else:
        armed = wire.proxy.answer(int(fault), applied=True, path=KEY.rpartition("/")[2])
    if wire.cloud.server == "fake-gcs":
        armed.path, armed.method = "/upload/", "POST"
    try:
        created = wire.store.create(KEY, b"mine")
    except StoreUnavailable:
        created = False
    assert armed.hits == 1
    assert created is False
    assert wire.store.get(KEY) == b"mine"
    assert wire.store.create(KEY, b"again") is False


def test_a_server_that_never_answers_creates_is_unavailable(wire: Wire) -> None:
    """When every answer is lost the outcome is unknown, told within a minute, and the client's repeats are few."""
    armed = wire.proxy.lose_answers(times=1000)
    with pytest.raises(StoreUnavailable):
        wire.store.create(KEY, b"mine")
    wire.proxy.calm()
    assert armed.hits <= 20
    assert wire.store.get(KEY) == b"mine"


@pytest.mark.parametrize("status", [409, 429, 500, 503])
def test_a_refused_create_stores_nothing_and_claims_nothing(wire: Wire, status: int) -> None:
    """After an error that came before the server stored anything, a create that says True has stored, by a repeat."""
    armed = wire.proxy.answer(status, applied=False)
    try:
        created = wire.store.create(KEY, b"mine")
    except StoreUnavailable:
        created = False
    assert armed.hits == 1
    assert wire.store.get(KEY) == (b"mine" if created else None)


def test_a_body_cut_short_is_not_an_object(wire: Wire) -> None:
    """A connection that ends within an answer's body gives the whole object by a repeat, or StoreUnavailable."""
    data = bytes(range(256)) * 4096
    wire.store.create(KEY, data)
    wire.proxy.inject(Fault("GET", keep_body=1000))
    try:
        read = wire.store.get(KEY)
    except StoreUnavailable:
        read = data
    assert read == data


@pytest.mark.parametrize("cloud", CLOUDS, ids=str)
def test_the_servers_of_these_tests_are_safe(roots, cloud: Combination) -> None:
    """The proof of conditional create passes where it holds, and leaves nothing behind."""
    store = roots.backend(cloud).open()
    prove_conditional_create(store)
    assert list(store.list("")) == []
    store.close()


@pytest.mark.parametrize("engine", ["obstore", "fsspec"])
def test_a_server_that_ignores_the_condition_is_refused(roots, engine: str) -> None:
    """A server that answers 200 to every conditional PUT would lose commits: it is UnsafeStore."""
    store = roots.backend(Combination("nanio", engine)).open()
    with pytest.raises(UnsafeStore):
        prove_conditional_create(store)
    store.close()


@pytest.mark.parametrize("cloud", [Combination("moto", "obstore"), Combination("moto", "fsspec")], ids=str)
def test_a_listing_is_one_request_a_page(roots, cloud: Combination) -> None:
    """1,005 keys are two pages."""
    proxy = Proxy(roots.servers[cloud.server].origin)
    store = roots.backend(cloud, origin=proxy.origin).open()
    for number in range(1005):
        store.create(f"many/{number}", b"x")
    with proxy.recording() as recorded:
        assert len(list(store.list("many/"))) == 1005
    assert len(recorded) == 2
    store.close()
    proxy.stop()
