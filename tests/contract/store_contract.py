"""The promises of ``objreg.store.base.Store``, each as one test, to be held by every backend.

A class of tests that inherits these gives the fixtures ``backend`` (a fresh, empty root: ``tests.contract.backends.Backend``)
and ``store`` (that root, opened).
"""

import secrets
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from objreg.store import Store
from objreg.store.pieces import pieces_of
from tests.contract.backends import Backend

KIB = 1024
MIB = 1024 * KIB

LOG = "fraud/clf.model/log/"


def race(store: Store, key: str, racers: int) -> list[bytes]:
    """Let ``racers`` threads create one key at the same moment, each with its own bytes; return the winners' bytes."""
    line = threading.Barrier(racers)

    def create(number: int) -> bytes | None:
        data = f"racer {number} ".encode() * 100
        line.wait()
        return data if store.create(key, data) else None

    with ThreadPoolExecutor(racers) as pool:
        return [data for data in pool.map(create, range(racers)) if data is not None]


class ReadingContract:
    """What a store promises to readers; ``fill`` puts an object there by whatever way the backend has."""

    @pytest.mark.parametrize("size", [1, KIB, 5 * MIB], ids=["1B", "1KiB", "5MiB"])
    def test_get_returns_the_bytes(self, store: Store, fill, size: int) -> None:
        """An object of any size comes back byte for byte."""
        data = (bytes(range(256)) * (size // 256 + 1))[:size]
        fill("blobs/some", data)
        assert store.get("blobs/some") == data

    def test_a_missing_object_is_none(self, store: Store, fill) -> None:
        """What is not there is None, not an error: beside other objects, and in an unknown folder."""
        fill("a/b", b"x")
        for key in ("a/c", "z/y/x", "a/b.json"):
            assert store.get(key) is None
            assert store.get_range(key, 0, 10) is None
            assert store.head(key) is None

    @pytest.mark.parametrize("size", [0, 1, 3_500_000])
    def test_pieces_are_the_object(self, store: Store, fill, size: int) -> None:
        """A long object arrives piece by piece; one that is not there is None, as for ``get``."""
        data = secrets.token_bytes(size)
        fill("a/long", data)

        pieces = pieces_of(store, "a/long")
        assert pieces is not None
        assert b"".join(pieces) == data
        assert pieces_of(store, "a/none") is None

    def test_a_range_is_a_slice(self, store: Store, fill) -> None:
        """A range is what a slice of the bytes would be: from the start, in the middle, of one byte, across the end."""
        data = bytes(range(200))
        fill("ranges", data)
        for start, length in ((0, 200), (0, 1), (50, 100), (199, 1), (150, 100), (0, 1000)):
            assert store.get_range("ranges", start, length) == data[start : start + length]

    def test_a_range_behind_the_end_is_empty(self, store: Store, fill) -> None:
        """A range that starts at or behind the end holds fewer bytes than asked for: none."""
        fill("ranges", b"0123456789")
        assert store.get_range("ranges", 10, 5) == b""
        assert store.get_range("ranges", 500, 5) == b""

    def test_head_tells_the_size(self, store: Store, fill) -> None:
        """Head names the key as the caller did, and the size."""
        fill("a/b.json", b"x" * 777)
        info = store.head("a/b.json")
        assert info is not None
        assert (info.key, info.size) == ("a/b.json", 777)

    def test_keys_with_every_character_that_names_have(self, store: Store, fill) -> None:
        """Dots, dashes, underscores and digits in keys are kept apart, also where one key begins like another's folder."""
        keys = [
            "a/b",
            "a-b/c",
            "a.b/c",
            "a_b/c",
            "ab",
            "a/b-1.0_rc.json",
            "_registry/log/000000000001.json",
            "A/b",
            "0/1.2.3",
        ]
        for key in keys:
            fill(key, key.encode())
        assert {key: store.get(key) for key in keys} == {key: key.encode() for key in keys}

    def test_an_empty_object_is_not_a_missing_one(self, store: Store, fill) -> None:
        """An object of no bytes is there, and is empty."""
        fill("empty", b"")
        assert store.get("empty") == b""
        info = store.head("empty")
        assert info is not None
        assert info.size == 0


class StoreContract(ReadingContract):
    """What a store promises to everyone."""

    @pytest.fixture
    def fill(self, store: Store):
        def create(key: str, data: bytes) -> None:
            assert store.create(key, data)

        return create

    def test_create_tells_the_first_from_the_second(self, store: Store) -> None:
        """The first create of a key is True; any other is False and changes nothing."""
        assert store.create("a/b", b"first") is True
        assert store.create("a/b", b"second, and longer") is False
        assert store.create("a/b", b"first") is False
        assert store.get("a/b") == b"first"

    def test_data_are_used_during_the_call_alone(self, store: Store) -> None:
        """A view of memory is as good as bytes, and the memory may be used for others at once afterwards."""
        memory = bytearray(secrets.token_bytes(2 * MIB))
        sent = bytes(memory[: 2 * MIB - 1])
        assert store.create("blobs/view", memoryview(memory)[: 2 * MIB - 1])
        memory[:] = bytes(2 * MIB)
        assert store.get("blobs/view") == sent

    def test_one_winner_of_many_racers(self, store: Store, backend: Backend) -> None:
        """Of concurrent creates of one key, one wins and its bytes are what is stored."""
        winners = race(store, f"{LOG}999999999999.json", backend.racers)
        assert len(winners) == 1
        assert store.get(f"{LOG}999999999999.json") == winners[0]

    def test_one_winner_over_several_openings(self, backend: Backend, store: Store) -> None:
        """The promise holds between stores opened apart, which share no lock in memory."""
        others = [store, backend.open()]
        line = threading.Barrier(len(others))

        def create(number: int) -> bool:
            line.wait()
            return others[number].create("apart", b"%d" % number)

        with ThreadPoolExecutor(len(others)) as pool:
            won = list(pool.map(create, range(len(others))))
        others[1].close()
        assert won.count(True) == 1
        assert store.get("apart") == b"%d" % won.index(True)

    def test_what_another_wrote_is_seen_at_once(self, backend: Backend, store: Store) -> None:
        """Nothing is cached: neither an absence, nor a listing, nor an object that another deleted."""
        other = backend.open()
        assert store.get("a/b") is None
        assert store.head("a/b") is None
        assert list(store.list("a/")) == []
        assert store.folders("") == ()
        assert other.create("a/b", b"new")
        assert store.get("a/b") == b"new"
        assert store.head("a/b") is not None
        assert [info.key for info in store.list("a/")] == ["a/b"]
        assert store.folders("") == ("a",)
        other.delete("a/b")
        assert store.get("a/b") is None
        assert store.get_range("a/b", 0, 1) is None
        assert store.head("a/b") is None
        assert list(store.list("a/")) == []
        assert store.create("a/b", b"again")
        other.close()

    def test_first_is_the_newest_entry(self, store: Store) -> None:
        """Inverted numbers sort newest first, whatever the order of writing, and only keys of the prefix count."""
        if not store.ordered:
            return self.check_first_is_refused(store)
        assert store.first(LOG) is None
        for number in (999999999998, 999999999999, 999999999989, 999999999997):
            store.create(f"{LOG}{number}.json", b"entry")
        store.create("fraud/clf.model/blobs/0", b"before log/ in byte order")
        store.create("fraud/a/log/0", b"before the prefix")
        store.create("fraud/clf.model/logs/0", b"a longer folder name")
        newest = store.first(LOG)
        assert newest is not None
        assert (newest.key, newest.size) == (f"{LOG}999999999989.json", 5)
        assert store.first("fraud/none/") is None
        return None

    def check_first_is_refused(self, store: Store) -> None:
        """A store that cannot list in order says so."""
        from objreg.errors import StoreError

        with pytest.raises(StoreError):
            store.first(LOG)

    def test_first_is_in_byte_order(self, store: Store) -> None:
        """Digits come before upper case, that before ``_``, and that before lower case; a prefix need not end with a slash."""
        if not store.ordered:
            return self.check_first_is_refused(store)
        for key, expected in (
            ("x/b", "x/b"),
            ("x/_c", "x/_c"),
            ("x/B", "x/B"),
            ("x/9", "x/9"),
            ("x/0.json", "x/0.json"),
        ):
            store.create(key, b"x")
            found = store.first("x/")
            assert found is not None
            assert found.key == expected
        found = store.first("x/_")
        assert found is not None
        assert found.key == "x/_c"
        return None

    def test_list_is_whole_and_deep(self, store: Store) -> None:
        """Listing a folder gives every object at any depth below it, with its size, and nothing from beside it."""
        sizes = {"a/b": 1, "a/c/d": 2, "a/c/e/f.json": 3, "a-b/c": 4, "a.json": 5, "b/a/b": 6}
        for key, size in sizes.items():
            store.create(key, b"x" * size)
        assert {info.key: info.size for info in store.list("")} == sizes
        assert {info.key: info.size for info in store.list("a/")} == {
            k: s for k, s in sizes.items() if k.startswith("a/")
        }
        assert [info.key for info in store.list("a/c/e/")] == ["a/c/e/f.json"]
        assert list(store.list("none/")) == []

    def test_list_pages(self, store: Store) -> None:
        """More keys than one page holds are all listed, each once."""
        keys = [f"many/{number:04d}.json" for number in range(1005)]
        with ThreadPoolExecutor(8) as pool:
            assert all(pool.map(lambda key: store.create(key, b"x"), keys))
        assert sorted(info.key for info in store.list("many/")) == keys

    def test_folders_are_those_directly_below(self, store: Store) -> None:
        """Folders are sorted names without slashes; objects and deeper folders are not among them."""
        for key in ("top.json", "b/x", "a/c/d", "a/e/f/g", "a/h", "a-b/i", "a.model/log/0"):
            store.create(key, b"x")
        assert store.folders("") == ("a", "a-b", "a.model", "b")
        assert store.folders("a/") == ("c", "e")
        assert store.folders("b/") == ()
        assert store.folders("none/") == ()

    def test_a_folder_is_no_object(self, store: Store) -> None:
        """A name that only other keys go through has nothing to read."""
        store.create("a/b/c", b"x")
        for key in ("a", "a/b"):
            assert store.get(key) is None
            assert store.get_range(key, 0, 10) is None
            assert store.head(key) is None

    def test_delete_twice(self, store: Store) -> None:
        """Deleting removes the object alone, and deleting what is not there succeeds."""
        store.create("a/b", b"x")
        store.create("a/c", b"x")
        store.delete("a/b")
        store.delete("a/b")
        store.delete("never/there")
        assert store.get("a/b") is None
        assert [info.key for info in store.list("")] == ["a/c"]

    def test_times_are_the_stores_own_in_utc(self, store: Store) -> None:
        """Where the store tells a time, it is of about now, with its zone, in head and in listings."""
        store.create("a/b", b"x")
        infos = [store.head("a/b"), *store.list("a/")]
        for info in infos:
            assert info is not None
            assert info.modified is not None
            assert info.modified.utcoffset() == timedelta(0)
            assert abs(datetime.now(UTC) - info.modified) < timedelta(minutes=2)

    def test_many_threads_share_one_store(self, store: Store) -> None:
        """Reads, writes and listings of many threads at once do not disturb each other."""

        def work(number: int) -> bool:
            key, data = f"shared/{number % 8}/{number}", f"{number}".encode() * 1000
            created = store.create(key, data)
            listed = key in {info.key for info in store.list(f"shared/{number % 8}/")}
            return created and listed and store.get(key) == data

        with ThreadPoolExecutor(8) as pool:
            assert all(pool.map(work, range(64)))

    def test_url_and_identity_name_the_root_alone(self, store: Store, backend: Backend) -> None:
        """Both are the same at every opening and another for another root; neither holds a secret."""
        again, elsewhere = backend.open(), backend.open(f"{backend.url}-elsewhere")
        assert (again.url, again.identity) == (store.url, store.identity)
        assert elsewhere.url != store.url
        assert elsewhere.identity != store.identity
        secrets = [
            str(backend.options[name])
            for name in ("secret", "secret_access_key", "account_key")
            if name in backend.options
        ]
        assert not any(secret in store.url or secret in store.identity for secret in secrets)
        again.close()
        elsewhere.close()
