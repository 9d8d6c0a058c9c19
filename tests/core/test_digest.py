"""Digests: made, checked and combined."""

import hashlib

import pytest

from objreg.core.digest import combined_digest, digest_of, verify
from objreg.errors import IntegrityError, InvalidInput


def test_a_digest_is_sha256_in_hex() -> None:
    """The prefix, then what hashlib says."""
    assert digest_of(b"abc") == "sha256:" + hashlib.sha256(b"abc").hexdigest()
    assert digest_of(memoryview(b"abc")) == digest_of(b"abc")


def test_combining_hashes_the_raw_digests_in_order() -> None:
    """It is the SHA-256 of the 32-byte digests one after another; order counts, and no digest at all is the empty hash."""
    one, two = digest_of(b"1"), digest_of(b"2")
    raw = hashlib.sha256(b"1").digest() + hashlib.sha256(b"2").digest()
    assert combined_digest([one, two]) == digest_of(raw)
    assert combined_digest([two, one]) != combined_digest([one, two])
    assert combined_digest([]) == digest_of(b"")
    with pytest.raises(InvalidInput, match="hex digits"):
        combined_digest(["sha256:x"])


def test_verify_returns_what_is_right_and_names_both_sides_of_what_is_not() -> None:
    """The message has what was read, what was expected, what was found, and how long it was."""
    assert verify(b"abc", digest_of(b"abc"), "x") == b"abc"
    with pytest.raises(
        IntegrityError, match=r"blob x holds other bytes.*expected sha256:.*, got sha256:.*3 bytes"
    ) as caught:
        verify(b"abd", digest_of(b"abc"), "blob x")
    assert caught.value.facts == {"expected": digest_of(b"abc"), "found": digest_of(b"abd")}
