"""Digests: ``sha256:`` and 64 lower-case hex digits, always of the bytes as they are stored.

>>> digest_of(b"")
'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
"""

import hashlib
import re
from collections.abc import Iterable

from objreg.errors import IntegrityError, InvalidInput

__all__ = ["DIGEST_PATTERN", "check_digest", "combined_digest", "digest_of", "hex_of", "verify"]

DIGEST_PATTERN = r"^sha256:[0-9a-f]{64}$"
_DIGEST = re.compile(DIGEST_PATTERN)


def digest_of(data: bytes | memoryview) -> str:
    """Return the digest of some bytes."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def check_digest(text: str) -> str:
    """Return ``text`` if it is a whole digest.

    Raises:
        InvalidInput: it is not.
    """
    if not _DIGEST.fullmatch(text):
        raise InvalidInput(f"a digest is 'sha256:' and 64 lower-case hex digits; got {text[:80]!r}", text=text)
    return text


def hex_of(digest: str) -> str:
    """Return the 64 hex digits of a whole digest; it becomes part of a key, so anything else is refused."""
    return check_digest(digest).removeprefix("sha256:")


def combined_digest(digests: Iterable[str]) -> str:
    """Return the SHA-256 of raw digests one after another.

    Over the digests of an artifact's files in path order this is the subject digest of OpenSSF model signing
    (https://github.com/ossf/model-signing-spec), so equal content is equal in every registry.
    """
    total = hashlib.sha256()
    for digest in digests:
        total.update(bytes.fromhex(hex_of(digest)))
    return "sha256:" + total.hexdigest()


def verify(data: bytes, digest: str, name: str) -> bytes:
    """Return ``data`` if its digest is ``digest``.

    Raises:
        IntegrityError: it is not; ``name`` says what was read.
    """
    if (found := digest_of(data)) != digest:
        raise IntegrityError(
            f"{name} holds other bytes than its digest promises: expected {digest}, got {found} ({len(data)} bytes)",
            expected=digest,
            found=found,
        )
    return data
