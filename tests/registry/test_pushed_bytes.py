"""The bytes of a push that wait: bounded, and the longest in memory that is used again."""

import io
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import objreg
from objreg.registry import pushed_bytes, upload
from objreg.registry.pushed_bytes import PushedBytes

MODEL = "fraud/clf"


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of 1000 bytes, of which those from 500 on are read into memory that is used again."""
    monkeypatch.setattr(upload, "PART_SIZE", 1000)
    monkeypatch.setattr(pushed_bytes, "PART_SIZE", 1000)
    monkeypatch.setattr(pushed_bytes, "_USED_AGAIN_FROM", 500)


def test_a_long_piece_is_read_where_a_sent_one_was() -> None:
    """And not where one is that still waits."""
    waiting = PushedBytes(3000)
    file = io.BytesIO(b"a" * 1000 + b"b" * 1000 + b"c" * 700 + b"d" * 10)
    first, second = waiting.read(file, 1000), waiting.read(file, 1000)
    waiting.wait_for(1000)
    waiting.give_back(first)
    third, fourth = waiting.read(file, 700), waiting.read(file, 600)
    assert isinstance(first, memoryview)
    assert isinstance(third, memoryview)
    assert third.obj is first.obj
    assert [bytes(piece) for piece in (second, third, fourth)] == [b"b" * 1000, b"c" * 700, b"d" * 10]


def test_more_than_the_bound_waits_until_some_were_sent() -> None:
    """Whoever reads on is held until there is room."""
    waiting = PushedBytes(1500)
    piece = waiting.read(io.BytesIO(bytes(1000)), 1000)
    waiting.wait_for(len(piece))
    more = threading.Thread(target=waiting.wait_for, args=(1000,))
    more.start()
    more.join(0.05)
    assert more.is_alive()
    waiting.give_back(piece)
    more.join(10)
    assert not more.is_alive()


@pytest.mark.parametrize("compress", [None, True, False])
def test_a_push_sends_what_it_read(registry: objreg.Registry, file: Callable[..., Path], compress: bool | None) -> None:
    """However often memory is used again meanwhile."""
    content = b"".join(os.urandom(500) + bytes(500) for _ in range(500))
    version = registry.push(MODEL, file(content), compress=compress)
    assert (registry.pull(version) / "model.bin").read_bytes() == content
