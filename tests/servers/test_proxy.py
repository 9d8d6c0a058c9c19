"""The proxy shows and breaks what it says: the fault tests stand on it."""

import http.client
from collections.abc import Iterator
from contextlib import closing
from threading import Thread

import pytest
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from tests.servers.proxy import Fault, Proxy


class Shelf:
    """A server that keeps what is put and tells the host it was asked by."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.server = make_server("127.0.0.1", 0, self.answer, threaded=True)
        self.thread = Thread(target=self.server.serve_forever)
        self.thread.start()

    @Request.application
    def answer(self, request: Request) -> Response:
        if request.method == "PUT":
            self.kept[request.path] = request.get_data()
        return Response(self.kept.get(request.path, b""), headers={"X-Asked": request.host})

    def stop(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    shelf = Shelf()
    yield shelf
    shelf.stop()


@pytest.fixture
def proxy(shelf: Shelf) -> Iterator[Proxy]:
    forwarder = Proxy(f"http://127.0.0.1:{shelf.server.port}")
    yield forwarder
    forwarder.stop()


def ask(
    proxy: Proxy, method: str, path: str, body: bytes | None = None, **headers: str
) -> tuple[int, bytes, str | None]:
    with closing(http.client.HTTPConnection(proxy.origin.removeprefix("http://"), timeout=10)) as connection:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return response.status, response.read(), response.getheader("X-Asked")


def test_it_passes_and_records(proxy: Proxy, shelf: Shelf) -> None:
    """Bytes, host and status pass unchanged; the record has the query and the headers, without the credentials."""
    with proxy.recording() as recorded:
        status, body, host = ask(proxy, "PUT", "/a?x=1&y=", b"data", Authorization="hush")
    assert (status, body, host) == (200, b"data", proxy.origin.removeprefix("http://"))
    (request,) = recorded
    assert (request.method, request.path, request.query, request.size) == ("PUT", "/a", {"x": "1", "y": ""}, 4)
    assert (request.status, request.answered) == (200, 200)
    assert "hush" not in str(request.headers)
    assert shelf.kept == {"/a": b"data"}


def test_a_lost_answer_was_applied(proxy: Proxy, shelf: Shelf) -> None:
    """The server stores, the client hears nothing, and only as often as was asked for."""
    armed = proxy.lose_answers(method="PUT")
    assert ask(proxy, "GET", "/a")[0] == 200
    with pytest.raises(http.client.RemoteDisconnected):
        ask(proxy, "PUT", "/a", b"data")
    assert shelf.kept == {"/a": b"data"}
    assert armed.hits == 1
    assert ask(proxy, "PUT", "/a", b"other")[0] == 200


def test_an_error_before_applying_reaches_no_server(proxy: Proxy, shelf: Shelf) -> None:
    """The client sees the status, and the server saw nothing."""
    proxy.answer(503, applied=False)
    status, body, _host = ask(proxy, "PUT", "/a", b"data")
    assert status == 503
    assert b"SlowDown" in body
    assert shelf.kept == {}


def test_an_error_after_applying_has_stored(proxy: Proxy, shelf: Shelf) -> None:
    """The client sees the status of the fault, the record the server's own too."""
    proxy.answer(500, applied=True)
    assert ask(proxy, "PUT", "/a", b"data")[0] == 500
    assert shelf.kept == {"/a": b"data"}
    assert (proxy.requests[-1].status, proxy.requests[-1].answered) == (500, 200)


def test_a_body_is_cut_short(proxy: Proxy) -> None:
    """The head promises the full length, and the connection ends within the body."""
    ask(proxy, "PUT", "/a", b"0123456789")
    proxy.inject(Fault("GET", keep_body=4))
    with pytest.raises(http.client.IncompleteRead) as caught:
        ask(proxy, "GET", "/a")
    assert caught.value.partial == b"0123"
