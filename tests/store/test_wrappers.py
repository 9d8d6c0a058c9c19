"""The wrappers and the proof: counted calls, refused writes, and the stores that the proof refuses."""

import pytest

from objreg.errors import AccessDenied, StoreError, UnsafeStore
from objreg.store import MemoryStore, Store
from objreg.store.conditional import create_unless_there, prove_conditional_create
from objreg.store.wrappers import CountingStore, ReadOnlyStore


def test_calls_and_bytes_are_counted() -> None:
    """Each call is one request, whatever it found; bytes are counted as they pass."""
    store = CountingStore(MemoryStore())
    assert isinstance(store, Store)
    store.create("a/b", b"12345")
    store.create("a/b", b"12345")
    assert store.get("a/b") == b"12345"
    assert store.get("missing") is None
    assert store.get_range("a/b", 1, 2) == b"23"
    store.first("a/")
    list(store.list(""))
    store.folders("")
    store.head("a/b")
    store.delete("a/b")
    assert store.requests == 10
    assert store.counts == {
        "create": 2, "get": 2, "get_range": 1, "first": 1, "list": 1, "folders": 1, "head": 1, "delete": 1,
        "bytes_read": 7, "bytes_written": 10,
    }  # fmt: skip
    store.reset()
    assert store.requests == 0


def test_a_read_only_store_reads() -> None:
    """Writes are refused and change nothing; every read passes."""
    inner = MemoryStore()
    inner.create("a/b", b"x")
    store = ReadOnlyStore(inner)
    assert isinstance(store, Store)
    for call in (lambda: store.create("a/c", b"x"), lambda: store.delete("a/b")):
        with pytest.raises(StoreError, match="read-only"):
            call()
    assert [info.key for info in store.list("")] == ["a/b"]
    assert (store.get("a/b"), store.get_range("a/b", 0, 1), store.folders("")) == (b"x", b"x", ("a",))
    assert store.head("a/b") == store.first("a/")


class Overwriting(MemoryStore):
    """A store that ignores the condition and says that it created."""

    def create(self, key: str, data: bytes) -> bool:
        self.delete(key)
        return super().create(key, data)


class Forgetful(MemoryStore):
    """A store that refuses the second create in turn, and lets all racers win."""

    def create(self, key: str, data: bytes) -> bool:
        super().create(key, data)
        return len(data) != 32 or self.get(key) == data


class Undeletable(MemoryStore):
    """A store whose credentials may create and not delete."""

    def delete(self, key: str) -> None:
        raise AccessDenied(f"no delete of {key}")


@pytest.mark.parametrize(
    ("kind", "seen"), [(Overwriting, "holds the second's bytes"), (Forgetful, "8 of 8 concurrent creates")]
)
def test_a_store_that_breaks_the_promise_is_refused(kind: type, seen: str) -> None:
    """The refusal says what was seen, what was expected and what to use, and the probes are gone."""
    store = kind()
    with pytest.raises(UnsafeStore, match=seen) as caught:
        prove_conditional_create(store)
    assert "expected" in str(caught.value)
    assert "Amazon S3" in str(caught.value)
    assert list(store.list("")) == []


def test_a_store_that_keeps_the_promise_is_proven() -> None:
    """The proof passes and leaves nothing; who may not delete passes, too."""
    store = MemoryStore()
    prove_conditional_create(store)
    assert list(store.list("")) == []
    prove_conditional_create(Undeletable())


class _CreatesOnly(MemoryStore):
    def create(self, key: str, data: bytes) -> bool:
        if not super().create(key, data):
            raise AccessDenied("may not replace")
        return True


class _CreatesNothing(MemoryStore):
    def create(self, key: str, data: bytes) -> bool:
        raise AccessDenied("may not create")


def test_a_taken_key_that_is_called_forbidden_is_proof_enough() -> None:
    """Credentials that may create and not replace prove the store; a denial of what is not there stays one."""
    prove_conditional_create(_CreatesOnly())
    store = _CreatesOnly()
    assert [create_unless_there(store, "a", data) for data in (b"1", b"2")] == [True, False]
    assert store.get("a") == b"1"
    with pytest.raises(AccessDenied):
        create_unless_there(_CreatesNothing(), "a", b"1")
