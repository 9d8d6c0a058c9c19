"""One engine of objreg, through objreg's own store: the requests that a registry makes, many times.

objreg itself is imported before the clock starts; ``ready`` is what opening the store takes, with the engine's imports.
"""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import job

from objreg.store.urls import open_store

MIB = 1024 * 1024
LOGS = (30, 1500)


def connect(wanted: dict[str, Any]) -> Any:
    """Open the store."""
    return open_store(wanted["url"], storage_options=wanted.get("options"), engine=wanted["engine"])


def _repeat(call: Callable[[Any], object], items: Iterable[Any], threads: int) -> None:
    if threads == 1:
        for item in items:
            call(item)
        return
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(call, items):
            pass


def fill(store: Any, _wanted: dict[str, Any]) -> None:
    """Put what the others read: an object of 1 KiB, and logs of several lengths."""
    store.create("small", os.urandom(1024))
    keys = [f"log-{length}/{number:012}.json" for length in LOGS for number in range(length)]
    _repeat(lambda key: store.create(key, b"{}"), keys, 8)


def first(store: Any, _wanted: dict[str, Any]) -> None:
    """Make the process's first request."""
    assert store.get("small")


def warm(store: Any, wanted: dict[str, Any]) -> None:
    """Open the connections, and let everything be imported that a request imports."""
    _repeat(store.get, ["small"] * wanted["threads"] * 4, wanted["threads"])
    _repeat(lambda _: store.create(f"warm/{os.urandom(8).hex()}", b"{}"), range(wanted["threads"]), wanted["threads"])
    store.first(f"log-{LOGS[0]}/")


def get(store: Any, wanted: dict[str, Any]) -> None:
    """Read the object of 1 KiB again and again."""
    _repeat(store.get, ["small"] * wanted["requests"], wanted["threads"])


def create(store: Any, wanted: dict[str, Any]) -> None:
    """Create objects of 1 KiB, each on the condition that it is new."""
    folder, data = f"created/{os.urandom(8).hex()}", os.urandom(1024)
    _repeat(lambda number: store.create(f"{folder}/{number}", data), range(wanted["requests"]), wanted["threads"])


def first_of_log(length: int, store: Any, wanted: dict[str, Any]) -> None:
    """Find the newest entry of a log."""
    _repeat(store.first, [f"log-{length}/"] * wanted["listings"], wanted["threads"])


def put_blobs(store: Any, wanted: dict[str, Any]) -> None:
    """Create blobs of 32 MiB that do not compress."""
    data = os.urandom(32 * MIB)
    _repeat(lambda number: store.create(f"blobs/{number}", data), range(wanted["blobs"]), wanted["threads"])


def get_blobs(store: Any, wanted: dict[str, Any]) -> dict[str, Any]:
    """Read them, each into memory, and drop them."""
    sizes = []
    _repeat(lambda number: sizes.append(len(store.get(f"blobs/{number}"))), range(wanted["blobs"]), wanted["threads"])
    assert sizes == [32 * MIB] * wanted["blobs"]
    return {"bytes": sum(sizes)}


job.run(
    connect,
    fill=fill,
    first=first,
    warm=warm,
    get=get,
    create=create,
    first_of_30=partial(first_of_log, 30),
    first_of_1500=partial(first_of_log, 1500),
    put_blobs=put_blobs,
    get_blobs=get_blobs,
)
