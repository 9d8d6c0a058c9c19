"""What a web server says of its answers beside their bytes: status, caching, its clock. For ``doctor``."""

import http.client
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import quote

from objreg.errors import InvalidInput, StoreUnavailable

__all__ = ["WebAnswer", "ask_web"]

_SECONDS = 25.0


@dataclass(frozen=True)
class WebAnswer:
    """One answer.

    Attributes:
        status: of HTTP.
        size: of the body, in bytes.
        headers: by lower-case name.
        time: what the server's clock said, or None.
    """

    status: int
    size: int
    headers: Mapping[str, str]
    time: datetime | None

    @property
    def kept_seconds(self) -> int:
        """How long a cache that many share may repeat this answer; 0 where it may not."""
        rules = {
            name.strip().lower(): value.strip('" ')
            for name, _, value in (part.partition("=") for part in self.headers.get("cache-control", "").split(","))
        }
        if {"no-store", "no-cache", "private"} & rules.keys():
            return 0
        said = rules.get("s-maxage") or rules.get("max-age") or self.headers.get("age") or "0"
        return int(said) if said.isdigit() else 0


def ask_web(url: str, key: str, *, first_bytes: int | None = None) -> WebAnswer:
    """Ask a web server for an object, or for its first bytes.

    Args:
        url: of the registry's root, ``https://…`` or ``http://…``.
        key: relative to it.
        first_bytes: ask for so many only.

    Raises:
        StoreUnavailable: there was no answer.
    """
    if not url.startswith(("https://", "http://")):
        raise InvalidInput(f"{url} is no address of a web server; use https://")
    headers = {"Accept-Encoding": "identity"}
    if first_bytes is not None:
        headers["Range"] = f"bytes=0-{first_bytes - 1}"
    request = urllib.request.Request(f"{url}/{quote(key)}", headers=headers)  # noqa: S310  # the scheme is checked above
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310  # as above
            return _answer(answer.status, len(answer.read()), dict(answer.headers))
    except urllib.error.HTTPError as error:
        with error:
            return _answer(error.code, 0, dict(error.headers))
    except (OSError, http.client.HTTPException) as error:
        raise StoreUnavailable(f"{url} gave no answer; check the address and the network", url=url) from error


def _answer(status: int, size: int, headers: Mapping[str, str]) -> WebAnswer:
    named = {name.lower(): value for name, value in headers.items()}
    date = named.get("date")
    return WebAnswer(status, size, named, parsedate_to_datetime(date).astimezone(UTC) if date else None)
