"""A registry behind a web server: ranges, redirects, kept connections, and what is refused."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest

from objreg.errors import AccessDenied, StoreError, StoreUnavailable
from objreg.store.http import HttpStore
from tests.servers.scripted import Script


def test_a_server_without_ranges_is_cut_here(script: Script) -> None:
    """Where a server sends the whole object, the range is taken out of it."""
    script.body = b"0123456789"
    store = HttpStore(script.origin)
    assert store.get_range("a", 2, 3) == b"234"
    assert store.get_range("a", 8, 5) == b"89"
    store.close()


def test_names_are_quoted(script: Script) -> None:
    """A space, a plus and a percent sign reach the server as they are."""
    store = HttpStore(f"{script.origin}/models/")
    store.get("a b/c+d%.json")
    assert script.seen == [("GET", "/models/a%20b/c%2Bd%25.json")]
    store.close()


def test_redirects_are_followed_a_little(script: Script) -> None:
    """One redirect is followed, a circle is an error, and so is a way out of http."""
    script.headers = {"Location": "/there"}
    script.decide = lambda _method, path: 302 if path == "/here" else 200
    store = HttpStore(script.origin)
    assert store.get("here") == b""
    script.decide = lambda _method, _path: 302
    with pytest.raises(StoreError, match="more than 5 times"):
        store.get("here")
    script.headers = {"Location": "file:///etc/passwd"}
    with pytest.raises(AccessDenied, match="unsafe"):
        store.get("here")
    store.close()


@pytest.mark.parametrize(("status", "expected"), [(403, AccessDenied), (500, StoreUnavailable), (418, StoreError)])
def test_refusals(script: Script, status: int, expected: type) -> None:
    """A status is the same error as from any store; 404 is nothing."""
    script.status = status
    store = HttpStore(script.origin)
    with pytest.raises(StoreError) as caught:
        store.get("a")
    assert type(caught.value) is expected
    script.status = 404
    assert store.get("a") is None
    assert store.get_range("a", 0, 1) is None
    assert store.head("a") is None
    store.close()


def test_a_body_cut_short_is_unavailable(script: Script) -> None:
    """Fewer bytes than were promised are no object."""
    script.body, script.headers = b"half", {"Content-Length": "8"}
    store = HttpStore(script.origin)
    with pytest.raises(StoreUnavailable):
        store.get("a")
    store.close()


def test_a_connection_that_was_closed_meanwhile_is_opened_anew(script: Script) -> None:
    """A kept connection may end at any time; the next request does not notice."""
    script.body, script.headers = b"full", {"Content-Length": "4"}  # this script closes after each answer, unannounced
    store = HttpStore(script.origin)
    assert [store.get("a") for _ in range(3)] == [b"full"] * 3
    assert len(script.seen) == 3
    store.close()


def test_threads_and_pickles(script: Script) -> None:
    """Threads have connections of their own, and a pickle opens the same address."""
    script.body = b"x"
    store = HttpStore(script.origin)
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(store.get, "abcdefgh")) == [b"x"] * 8
    again = pickle.loads(pickle.dumps(store))
    assert (again.url, again.get("a")) == (store.url, b"x")
    again.close()
    store.close()
