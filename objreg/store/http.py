"""A registry behind a plain web server, for reading: one GET or HEAD an object over the standard library."""

import http.client
import os
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import NamedTuple, NoReturn
from urllib.parse import quote, urljoin, urlsplit

from objreg.errors import AccessDenied, InvalidInput, StoreError, StoreUnavailable
from objreg.store.answers import answer_error
from objreg.store.base import ObjectInfo, Piece

__all__ = ["HttpStore"]

_TIMEOUT = 25.0
_MAX_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class _Answer(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes


class HttpStore:
    """Reads what a web server publishes below a URL; it cannot list, and it cannot be written to.

    Args:
        url: ``https://host/path`` or ``http://host/path``, without credentials.
    """

    ordered = False

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if (
            parts.scheme not in {"http", "https"}
            or not parts.hostname
            or parts.username
            or parts.query
            or parts.fragment
        ):
            raise InvalidInput("an http registry's address is https://host/path, without credentials, ? or #")
        self.url = self.identity = url.rstrip("/")
        self._lock = threading.Lock()
        self._idle: dict[tuple[int, str, str], list[http.client.HTTPConnection]] = {}

    def __reduce__(self) -> tuple[object, ...]:
        return (HttpStore, (self.url,))

    def get(self, key: str) -> bytes | None:
        answer = self._ask("GET", key, {})
        return None if answer is None else answer.body

    def get_range(self, key: str, start: int, length: int) -> bytes | None:
        answer = self._ask("GET", key, {"Range": f"bytes={start}-{start + length - 1}"})
        if answer is None:
            return None
        if answer.status == 416:  # the object ends before the range
            return b""
        # A server that knows no ranges sends the whole object.
        return answer.body if answer.status == 206 else answer.body[start : start + length]

    def head(self, key: str) -> ObjectInfo | None:
        answer = self._ask("HEAD", key, {})
        if answer is None:
            return None
        modified = answer.headers.get("Last-Modified")
        return ObjectInfo(
            key,
            int(answer.headers.get("Content-Length", "0")),
            parsedate_to_datetime(modified).astimezone(UTC) if modified else None,
        )

    def create(self, key: str, data: Piece) -> bool:
        del data
        self._refuse_write(f"create {key}")

    def delete(self, key: str) -> None:
        self._refuse_write(f"delete {key}")

    def first(self, prefix: str) -> ObjectInfo | None:
        self._refuse_listing(prefix)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        self._refuse_listing(prefix)

    def folders(self, prefix: str) -> tuple[str, ...]:
        self._refuse_listing(prefix)

    def close(self) -> None:
        with self._lock:
            idle = [connection for kept in self._idle.values() for connection in kept]
            self._idle.clear()
        for connection in idle:
            connection.close()

    def _refuse_write(self, action: str) -> NoReturn:
        raise StoreError(f"{self.url} is read-only, so it cannot {action}; open the registry by its bucket's address")

    def _refuse_listing(self, prefix: str) -> NoReturn:
        raise StoreError(
            f"an http registry cannot be listed ({prefix!r} of {self.url}); name what is wanted, or open its bucket"
        )

    def _ask(self, method: str, key: str, headers: dict[str, str]) -> _Answer | None:
        url = f"{self.url}/{quote(key)}"
        action = f"{'head' if method == 'HEAD' else 'get'} {key}"
        for _ in range(_MAX_REDIRECTS + 1):
            answer = self._request(method, url, headers, action)
            if answer.status not in _REDIRECTS:
                break
            url = urljoin(url, answer.headers.get("Location", ""))
            if urlsplit(url).scheme not in {"https", urlsplit(self.url).scheme}:
                raise AccessDenied(f"{self.url} redirected {action} to an unsafe address; use the final address")
        else:
            raise StoreError(f"{self.url} redirected {action} more than {_MAX_REDIRECTS} times; use the final address")
        if answer.status in {404, 410}:
            return None
        if answer.status not in {200, 206, 416} or (answer.status == 416 and not headers):
            raise answer_error(answer.status, "", action=action, url=self.url)
        return answer

    def _request(self, method: str, url: str, headers: dict[str, str], action: str) -> _Answer:
        """Send one request; once more where a kept connection turns out to have been closed in the meantime."""
        parts = urlsplit(url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        place = (os.getpid(), parts.scheme, parts.netloc)  # a forked child must not use its parent's connections
        while True:
            kept = self._take(place)
            connection = kept or _connect(parts.scheme, parts.netloc)
            try:
                connection.request(method, target, headers={"Accept-Encoding": "identity", **headers})
                response = connection.getresponse()
                answer = _Answer(response.status, response.headers, response.read())
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                if kept is not None and not isinstance(error, TimeoutError):
                    continue
                raise StoreUnavailable(
                    f"{self.url} gave no whole answer to {action} ({type(error).__name__}); check it and retry",
                    url=self.url,
                ) from error
            self._keep(place, connection)
            return answer

    def _take(self, place: tuple[int, str, str]) -> http.client.HTTPConnection | None:
        with self._lock:
            idle = self._idle.get(place)
            return idle.pop() if idle else None

    def _keep(self, place: tuple[int, str, str], connection: http.client.HTTPConnection) -> None:
        if connection.sock is None:  # the server said that it closes
            return
        with self._lock:
            self._idle.setdefault(place, []).append(connection)


def _connect(scheme: str, host: str) -> http.client.HTTPConnection:
    if scheme == "https":
        return http.client.HTTPSConnection(host, timeout=_TIMEOUT, context=ssl.create_default_context())
    return http.client.HTTPConnection(host, timeout=_TIMEOUT)
