"""The proxy counts requests, whatever stands in their bodies, and carries all bytes."""

import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest

from benchmarks.harness.latency import LatencyProxy

TRAP = b"GET /trap HTTP/1.1\r\nhost: x\r\n\r\n"
"""A request in a body, which is none."""


class Echo(BaseHTTPRequestHandler):
    """Answers with the body that it was sent."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(b"nothing")

    def do_PUT(self) -> None:
        if self.headers.get("Transfer-Encoding") != "chunked":
            self._answer(self.rfile.read(int(self.headers["Content-Length"])))
            return
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        self._answer(body)

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name is the base class's
        """Say nothing."""


@pytest.fixture(scope="module")
def echoing() -> Iterator[LatencyProxy]:
    """A proxy before a server that echoes; its delay is short, as no time is asserted."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    with LatencyProxy(f"http://127.0.0.1:{server.server_port}", 2) as proxy:
        yield proxy
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def connection(echoing: LatencyProxy) -> Iterator[HTTPConnection]:
    """A connection through the proxy, which has counted nothing yet."""
    echoing.take()
    echoing.take_bytes()
    address = urlsplit(echoing.origin)
    found = HTTPConnection(str(address.hostname), address.port, timeout=30)
    yield found
    found.close()


def exchange(connection: HTTPConnection, method: str, path: str, body: object = None, **options: bool) -> bytes:
    connection.request(method, path, body, **options)
    return connection.getresponse().read()


def test_requests_are_told_once_and_in_order(echoing, connection):
    """With method, path and query; the next call tells only what came since, and their moments rise."""
    for number in range(3):
        assert exchange(connection, "GET", f"/{number}?list=2") == b"nothing"
    assert echoing.take() == ["GET /0?list=2", "GET /1?list=2", "GET /2?list=2"]
    assert echoing.take() == []
    for _ in range(2):
        exchange(connection, "GET", "/more")
    timed = echoing.take_timed()
    assert [request for _, request in timed] == ["GET /more"] * 2
    assert timed[0][0] <= timed[1][0]


@pytest.mark.parametrize("body", [b"", TRAP, TRAP * 20_000], ids=["empty", "small", "in many pieces"])
def test_a_request_in_a_body_is_not_counted(echoing, connection, body):
    """A body is as long as its head says, and the request behind it on the same connection counts again."""
    assert exchange(connection, "PUT", "/long", body) == body
    exchange(connection, "GET", "/next")
    assert echoing.take() == ["PUT /long", "GET /next"]


@pytest.mark.parametrize("chunks", [[], [TRAP], [TRAP * 9000, TRAP, b"0\r\n\r\n"]], ids=["none", "one", "many"])
def test_a_request_in_chunks_is_not_counted(echoing, connection, chunks):
    """A body in chunks ends with the empty one, and the request behind it counts again."""
    for _ in range(2):
        answer = exchange(
            connection, "PUT", "/chunks", iter(chunks), encode_chunked=True, headers={"Transfer-Encoding": "chunked"}
        )
        assert answer == b"".join(chunks)
    assert echoing.take() == ["PUT /chunks"] * 2


def test_requests_of_several_connections_are_counted(echoing, connection):
    """Each connection is read for itself, also where their requests are half sent at the same time."""
    address = urlsplit(echoing.origin)
    other = HTTPConnection(str(address.hostname), address.port, timeout=30)
    for half in (connection, other):
        half.putrequest("PUT", "/half")
        half.putheader("Content-Length", "2")
        half.endheaders(b"a")
    for half in (connection, other):
        half.send(b"b")
        assert half.getresponse().read() == b"ab"
    other.close()
    assert echoing.take() == ["PUT /half"] * 2


def test_bytes_are_counted_in_both_directions(echoing, connection):
    """Headers and all, since the last call."""
    exchange(connection, "PUT", "/bytes", b"x" * 100_000)
    sent, received = echoing.take_bytes()
    assert 100_000 < sent < 101_000
    assert 100_000 < received < 101_000
    assert echoing.take_bytes() == (0, 0)


def test_the_delay_can_be_changed_on_the_way(echoing, connection):
    """A proxy that adds nothing counts as before."""
    echoing.set_delay(0)
    exchange(connection, "GET", "/quick")
    echoing.set_delay(2)
    exchange(connection, "GET", "/slow")
    assert echoing.take() == ["GET /quick", "GET /slow"]
