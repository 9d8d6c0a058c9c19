"""A proxy in a process of its own that makes each way of the wire longer, and counts HTTP requests.

Whatever is read from one side is written to the other half of the added round trip later, in both directions, like a
long cable: bandwidth stays, every exchange costs a round trip, also one for ``100 Continue``. Connecting costs nothing
more.
"""

import asyncio
import json
import subprocess
import sys
import threading
import time
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

__all__ = ["LatencyProxy"]

_PIECE = 256 * 1024
_QUEUED = 64  # pieces on their way; more than a long cable holds, so that it does not narrow


class LatencyProxy:
    """The proxy's process. Use it as a context manager.

    Args:
        target: ``http://host:port`` of the server.
        milliseconds: added to each round trip.

    Attributes:
        origin: where it listens.
    """

    def __init__(self, target: str, milliseconds: float) -> None:
        address = urlsplit(target)
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(address.hostname), str(address.port), str(milliseconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.origin = f"http://127.0.0.1:{self._ask('port')}"

    def _ask(self, question: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(question, file=self._process.stdin, flush=True)
        return self._process.stdout.readline().strip()

    def take(self) -> list[str]:
        """Return the requests since the last call, as ``METHOD /path?query``, in order."""
        return [request for _, request in self.take_timed()]

    def take_timed(self) -> list[tuple[float, str]]:
        """Return the same, each with the time by this machine's monotonic clock at which it came."""
        return [(moment, request) for moment, request in json.loads(self._ask("take"))]

    def take_bytes(self) -> tuple[int, int]:
        """Return how many bytes went to the server and came from it since the last call, headers and all."""
        sent, received = json.loads(self._ask("bytes"))
        return sent, received

    def set_delay(self, milliseconds: float) -> None:
        """Add another time to each round trip from now on."""
        self._ask(f"delay {milliseconds}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.communicate()


class _Requests:
    """Finds the heads of requests in the bytes of one connection."""

    def __init__(self, seen: list[tuple[float, str]]) -> None:
        self._seen = seen
        self._bytes = bytearray()
        self._body = 0  # bytes of the body that are still to come
        self._chunked = False
        self._last = False  # the chunk of size 0 was seen

    def feed(self, data: bytes) -> None:
        if not self._bytes and self._body >= len(data):  # most of the bytes of a large upload
            self._body -= len(data)
            return
        self._bytes += data
        while self._step():
            pass

    def _step(self) -> bool:
        if self._body:
            skipped = min(self._body, len(self._bytes))
            del self._bytes[:skipped]
            self._body -= skipped
            return skipped > 0
        if self._chunked:
            return self._chunk()
        head, found, rest = bytes(self._bytes).partition(b"\r\n\r\n")
        if not found:
            return False
        first, *lines = head.decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ", 2)
        self._seen.append((time.monotonic(), f"{method} {path}"))
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        self._chunked = headers.get("transfer-encoding", "").lower() == "chunked"
        self._body = int(headers.get("content-length", 0)) if not self._chunked else 0
        self._bytes = bytearray(rest)
        return True

    def _chunk(self) -> bool:
        line, found, rest = bytes(self._bytes).partition(b"\r\n")
        if not found:
            return False
        if self._last:  # trailers, up to an empty line
            self._chunked = self._last = bool(line)
        elif size := int(line.partition(b";")[0], 16):
            self._body = size + 2
        else:
            self._last = True
        self._bytes = bytearray(rest)
        return True


class _Proxy:
    def __init__(self, host: str, port: int, milliseconds: float) -> None:
        self.host, self.port, self.one_way = host, port, milliseconds / 2000
        self.seen: list[tuple[float, str]] = []
        self.sent = self.received = 0

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream_reader, upstream_writer = await asyncio.open_connection(self.host, self.port, limit=_PIECE)
        await asyncio.gather(
            self._carry(reader, upstream_writer, _Requests(self.seen)),
            self._carry(upstream_reader, writer, None),
        )

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, requests: _Requests | None
    ) -> None:
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_QUEUED)
        sending = asyncio.create_task(self._send(queue, writer))
        try:
            while data := await reader.read(_PIECE):
                if requests is not None:
                    requests.feed(data)
                    self.sent += len(data)
                else:
                    self.received += len(data)
                await queue.put((time.monotonic() + self.one_way, data))
        except ConnectionError:
            data = b""
        await queue.put((time.monotonic() + self.one_way, b""))
        await sending

    async def _send(self, queue: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
        broken = False
        while True:
            due, data = await queue.get()
            if (wait := due - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            if not data:
                writer.close()
                return
            if not broken:
                try:
                    writer.write(data)
                    await writer.drain()
                except ConnectionError:
                    broken = True  # what still comes is read and dropped


async def _serve(host: str, port: str, milliseconds: str) -> None:
    proxy = _Proxy(host, int(port), float(milliseconds))
    server = await asyncio.start_server(proxy.accept, "127.0.0.1", 0, limit=_PIECE)
    loop, ended = asyncio.get_running_loop(), asyncio.Event()

    def answer() -> None:
        for line in sys.stdin:
            word, *arguments = line.split()
            said: object = ""
            if word == "port":
                said = server.sockets[0].getsockname()[1]
            elif word == "take":
                said, proxy.seen[:] = list(proxy.seen), []
            elif word == "bytes":
                said, proxy.sent, proxy.received = (proxy.sent, proxy.received), 0, 0
            elif word == "delay":
                proxy.one_way = float(arguments[0]) / 2000
            print(json.dumps(said), flush=True)
        loop.call_soon_threadsafe(ended.set)  # whoever started this is gone

    threading.Thread(target=answer, daemon=True).start()
    await ended.wait()


if __name__ == "__main__":
    asyncio.run(_serve(*sys.argv[1:]))
