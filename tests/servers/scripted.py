"""A server that answers what a test tells it to."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

__all__ = ["Script", "playing"]


@dataclass
class Script:
    """What the server answers: status, body and headers; None cuts the connection without an answer."""

    origin: str = ""
    status: int | None = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    seen: list[tuple[str, str]] = field(default_factory=list)
    decide: Callable[[str, str], int | None] | None = None

    def error(self, status: int, code: str) -> None:
        """Answer as S3 and Azure do."""
        self.status = status
        self.body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>hush-hush</Message></Error>".encode()
        self.headers = {"Content-Type": "application/xml", "x-ms-error-code": code}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        script: Script = self.server.script
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        script.seen.append((self.command, self.path))
        status = script.decide(self.command, self.path) if script.decide else script.status
        if status is None:
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in script.headers.items():
            self.send_header(name, value)
        if "Content-Length" not in script.headers:
            self.send_header("Content-Length", str(len(script.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(script.body)
        if "Content-Length" in script.headers:
            self.close_connection = True

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _answer  # noqa: N815 - the names are the standard library's

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@contextmanager
def playing() -> Iterator[Script]:
    """Run a server on the loopback that plays the script it yields."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    script = Script(origin=f"http://127.0.0.1:{server.server_port}")
    server.script = script
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield script
    server.shutdown()
    thread.join()
    server.server_close()
