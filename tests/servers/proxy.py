"""A loopback proxy in front of a server: it records what crosses the wire, and makes the faults of real networks.

A client is given ``proxy.origin`` in place of the server's. The ``Host`` header passes unchanged, so signatures made for the
proxy's address hold at a server that checks them against that header.
"""

import http.client
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

__all__ = ["Fault", "Proxy", "Request"]

_Answer = tuple[int, list[tuple[str, str]], bytes]  # status, headers, body

_SECRET_HEADERS = {"authorization", "x-amz-security-token", "cookie"}
_HOP_HEADERS = {"connection", "expect", "keep-alive", "proxy-connection", "transfer-encoding"}


@dataclass(slots=True)
class Request:
    """One request as it crossed the wire; header names are in lower case, credentials are redacted.

    ``status`` is what the client was answered, or None where it got no answer; ``answered`` is the server's own status.
    """

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    size: int
    status: int | None = None
    answered: int | None = None

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.query} -> {self.status}"


@dataclass(slots=True)
class Fault:
    """What befalls the next ``times`` requests of this method (None: any) with ``path`` in their path.

    Attributes:
        apply: whether the server gets the request at all.
        status: answered in place of the server's status, with an error body of that cloud's kind; None leaves the answer alone.
        lose_answer: cut the connection instead of answering.
        delay: seconds to wait before the answer.
        keep_body: send only that many bytes of the answer's body, under its full length, and cut.
    """

    method: str | None = None
    path: str = ""
    times: int = 1
    apply: bool = True
    status: int | None = None
    lose_answer: bool = False
    delay: float = 0.0
    keep_body: int | None = None
    hits: int = field(default=0, init=False)

    def matches(self, request: Request) -> bool:
        return self.hits < self.times and self.method in (None, request.method) and self.path in request.path


class Proxy:
    """A forwarder to ``target`` (``http://host:port``).

    Attributes:
        origin: where it listens.
        requests: every request so far, in order of arrival.
    """

    def __init__(self, target: str) -> None:
        self.target = target
        self.requests: list[Request] = []
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self._server = _Listener(self)
        self.origin = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def inject(self, fault: Fault) -> Fault:
        """Arm a fault; ``fault.hits`` tells how often it has struck."""
        with self._lock:
            self._faults.append(fault)
        return fault

    def lose_answers(self, times: int = 1, *, method: str | None = None, path: str = "") -> Fault:
        """Let the server apply the next matching requests, and cut the connection instead of answering."""
        return self.inject(Fault(method, path, times, lose_answer=True))

    def answer(self, status: int, times: int = 1, *, applied: bool, method: str | None = None, path: str = "") -> Fault:
        """Answer the next matching requests with an error status, after the server applied them or without asking it."""
        return self.inject(Fault(method, path, times, apply=applied, status=status))

    def calm(self) -> None:
        """Disarm every fault."""
        with self._lock:
            self._faults.clear()

    @contextmanager
    def recording(self) -> Iterator[list[Request]]:
        """Yield a list that holds, when the block has ended, the requests made within it."""
        recorded: list[Request] = []
        with self._lock:
            start = len(self.requests)
        yield recorded
        with self._lock:
            recorded.extend(self.requests[start:])

    def record(self, request: Request) -> Fault | None:
        """Keep a request, and return the armed fault that befalls it."""
        with self._lock:
            self.requests.append(request)
            fault = next((fault for fault in self._faults if fault.matches(request)), None)
            if fault is not None:
                fault.hits += 1
            return fault

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Print what went wrong, save for clients that leave: they are daily bread here."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Listener

    def setup(self) -> None:
        super().setup()
        self._upstream = http.client.HTTPConnection(urlsplit(self.server.proxy.target).netloc, timeout=120)

    def finish(self) -> None:
        self._upstream.close()
        with suppress(OSError):
            super().finish()

    def log_message(self, *_: object) -> None:
        """The record is the log."""

    def _handle(self) -> None:
        body = self._read_body()
        split = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        shown = {name: "<redacted>" if name in _SECRET_HEADERS else value for name, value in headers.items()}
        query = dict(parse_qsl(split.query, keep_blank_values=True))
        request = Request(self.command, split.path, query, shown, len(body))
        fault = self.server.proxy.record(request) or Fault()
        status, answer_headers, answer = self._forward(headers, body, request) if fault.apply else (500, [], b"")
        time.sleep(fault.delay)
        if fault.lose_answer:
            self._cut()
            return
        if fault.status is not None:
            status, answer_headers, answer = fault.status, *_error_body(fault.status)
        request.status = status
        self._answer(status, answer_headers, answer, fault.keep_body)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _handle  # noqa: N815 - the names are the standard library's

    def _read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = bytearray()
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return bytes(body)

    def _forward(self, headers: dict[str, str], body: bytes, request: Request) -> _Answer:
        passed = {name: value for name, value in headers.items() if name not in _HOP_HEADERS}
        if body or "transfer-encoding" in headers:
            passed["content-length"] = str(len(body))
        self._upstream.close()  # a fresh connection for each: no stale one is mistaken for a fault
        self._upstream.request(self.command, self.path, body=body or None, headers=passed)
        response = self._upstream.getresponse()
        answer = response.read()
        request.answered = response.status
        return response.status, response.getheaders(), answer

    def _answer(self, status: int, headers: list[tuple[str, str]], answer: bytes, keep_body: int | None) -> None:
        self.send_response_only(status)
        length = str(len(answer))
        for name, value in headers:
            if name.lower() == "content-length":
                length = value  # of a HEAD, the object's
            elif name.lower() not in _HOP_HEADERS:
                self.send_header(name, value)
        if status not in (204, 304):
            self.send_header("Content-Length", length)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer[:keep_body])
        if keep_body is not None:
            self._cut()

    def _cut(self) -> None:
        self.close_connection = True
        self.wfile.flush()
        with suppress(OSError):
            self.connection.shutdown(2)


def _error_body(status: int) -> tuple[list[tuple[str, str]], bytes]:
    """Return an error as S3 words it: the other clouds' clients go by the status."""
    code = {409: "ConditionalRequestConflict", 412: "PreconditionFailed", 429: "TooManyRequests", 503: "SlowDown"}
    body = f"<?xml version='1.0'?><Error><Code>{code.get(status, 'InternalError')}</Code></Error>".encode()
    return [("Content-Type", "application/xml")], body
