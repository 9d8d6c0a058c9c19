"""Blobs: plain bytes in, a stored object and its reference out; and back, verified.

A blob is stored under the digest of its plain bytes, as it is or compressed with zstd where a sample says that it pays.
It is at most a few tens of MiB, so it is one request and one buffer.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from objreg.core.artifacts import Part
from objreg.core.digest import digest_of, hex_of, verify
from objreg.core.keys import blob_key
from objreg.errors import FormatError, IntegrityError, StoreUnavailable
from objreg.registry.clock import Clock
from objreg.registry.commit import create_durably
from objreg.registry.compression import compressed, decompress, decompressed
from objreg.registry.known import KnownContent
from objreg.registry.unfinished import NOTED_FROM, Evidence, Unfinished
from objreg.store.base import Piece, Store
from objreg.store.pieces import pieces_of

__all__ = ["PART_SIZE", "BlobWriter", "read_blob", "read_blob_range", "stream_blob"]

PART_SIZE = 32 * 1024 * 1024
_LARGEST_BLOB = 8 * PART_SIZE
"""What a reader takes into memory because a record says so; other writers may cut longer parts than this release."""


@dataclass(frozen=True)
class BlobWriter:
    """Writes the blobs of one model. Safe for threads.

    Attributes:
        domain: the model's.
        store: where to.
        clock: for the pauses between attempts.
        incarnations: of condemned blobs, from the state: a condemned key is never written again.
        known: content that the model already has: it is not sent again.
        unfinished: long parts that an earlier attempt stored.
        compress: None to let a sample decide, a level of zstd or True to compress, False not to.
        seconds: how long to try, for each blob.
        sent: is told how many plain bytes were dealt with.
        evidence: that long blobs are in the store already, though this machine does not know of them.
    """

    domain: str
    store: Store
    clock: Clock
    incarnations: Mapping[str, int]
    known: KnownContent
    unfinished: Unfinished
    compress: bool | int | None
    seconds: float
    sent: Callable[[int], None]
    evidence: Evidence = field(default_factory=Evidence)

    def known_file(self, digest: str) -> tuple[Part, ...] | None:
        """Return the parts of a file that the model already has, or None."""
        return self.known.file(digest, self.incarnations)

    def write_file(self, data: Piece) -> tuple[str, tuple[Part, ...]]:
        """Store a file that is one blob, and return its digest and its parts."""
        digest = digest_of(data)
        parts = self.known_file(digest) or (self._write(data, digest),)
        self.sent(len(data))
        return digest, parts

    def write(self, data: Piece) -> Part:
        """Store a blob, and return the part that is all of it."""
        part = self._write(data, digest_of(data))
        self.sent(len(data))
        return part

    def _write(self, data: Piece, digest: str) -> Part:
        incarnation = self.incarnations.get(hex_of(digest), 0)
        part = self.known.blob(digest, self.incarnations)
        if part is None and len(data) >= NOTED_FROM:
            part = self._stored_before(digest, incarnation)
        if part is None:
            part = self._store(data, digest, incarnation)
            if len(data) >= NOTED_FROM:
                self.unfinished.keep(part)
        self.known.keep(part)
        return part

    def _stored_before(self, digest: str, incarnation: int) -> Part | None:
        """Return what an attempt that was interrupted stored, if it is there: one small request saves a large one."""
        part = self.unfinished.part(digest)
        if part is None or part.incarnation != incarnation:
            return None
        try:
            found = self.store.head(blob_key(self.domain, digest, incarnation, part.encoding))
        except StoreUnavailable:
            return None  # then it is sent, and the create finds out
        return part if found is not None and found.size == part.stored_size else None

    def _store(self, data: Piece, digest: str, incarnation: int) -> Part:
        deadline = self.clock.monotonic() + self.seconds
        packed = compressed(data, self.compress)
        if packed is None:
            self._create(digest, incarnation, "", data, deadline)
            return _part(digest, incarnation, "", len(data), data, digest)
        while not self._create(digest, incarnation, "zstd", packed, deadline):
            # Another compressor may have written other bytes for the same content: the reference must name what is
            # there. Where nothing is there any more, a collector deleted it meanwhile: then it is written again, and
            # the commit will lose to the collector's and send it anew.
            found = self.store.get(blob_key(self.domain, digest, incarnation, "zstd"))
            if found is not None:
                verify(decompress(found, len(data), digest), digest, f"blob {digest} of {self.domain}")
                packed = found
                break
            if self.clock.monotonic() >= deadline:
                raise StoreUnavailable(
                    f"{self.store.url} has blob {digest} of {self.domain} when it is created, and not when it is read:"
                    f" it is not consistent, or a cache stands between; try again"
                )
        return _part(digest, incarnation, "zstd", len(data), packed, digest_of(packed))

    def _create(self, digest: str, incarnation: int, encoding: str, stored: Piece, deadline: float) -> bool:
        key = blob_key(self.domain, digest, incarnation, encoding)
        if self.evidence.says_ask(len(stored)):
            is_there = self._is_there(key)
            self.evidence.asked(is_there=is_there)
            if is_there:
                return False
        created = create_durably(self.store, key, stored, self.clock, deadline)
        if not created:
            self.evidence.found(len(stored))
        return created

    def _is_there(self, key: str) -> bool:
        try:
            return self.store.head(key) is not None
        except StoreUnavailable:
            return False  # then it is sent, and the create finds out


def _part(digest: str, incarnation: int, encoding: str, size: int, stored: Piece, stored_digest: str) -> Part:
    return Part(
        blob=digest,
        incarnation=incarnation,
        encoding="zstd" if encoding else "",
        blob_size=size,
        stored_size=len(stored),
        stored_digest=stored_digest,
        offset=0,
        length=size,
    )


def read_blob(store: Store, domain: str, part: Part, *, verified: bool = True) -> bytes:
    """Return the plain bytes of the blob that a part is cut from, verified.

    Args:
        store: where from.
        domain: of the model.
        part: of the blob.
        verified: False where the caller hashes the plain bytes, as part of a file.

    Raises:
        IntegrityError: it is missing, or holds other bytes than the record says.
        FormatError: the record says that it is longer than a blob can be.
    """
    key = _key(domain, part)
    stored = store.get(key)
    if stored is None:
        raise _missing(store, domain, part, key)
    plain = decompress(stored, part.blob_size, part.blob) if part.encoding else stored
    return verify(plain, part.blob, f"blob {key}") if verified else plain


def stream_blob(store: Store, domain: str, part: Part, *, verified: bool) -> Iterator[Piece]:
    """Yield the plain bytes of a blob as they arrive; never more than its record says.

    They are known to be right when all were taken, and not before.

    Args:
        store: where from.
        domain: of the model.
        part: of the blob.
        verified: False where the caller hashes them, as part of a longer file; the size is verified in any case.

    Raises:
        IntegrityError: it is missing, or holds other bytes than the record says.
        FormatError: the record says that it is longer than a blob can be.
    """
    key = _key(domain, part)
    pieces = pieces_of(store, key)
    if pieces is None:
        raise _missing(store, domain, part, key)
    whole, size = sha256(), 0
    for piece in decompressed(pieces, part.blob) if part.encoding else pieces:
        size += len(piece)
        if size > part.blob_size:
            break
        if verified:
            whole.update(piece)
        yield piece
    found = f"sha256:{whole.hexdigest()}" if verified else part.blob
    if size != part.blob_size or found != part.blob:
        raise IntegrityError(
            f"blob {key} holds other bytes than its record says: expected {part.blob_size} bytes with the digest"
            f" {part.blob}, got {'more' if size > part.blob_size else size}" + (f" with {found}" if verified else ""),
            key=key,
        )


def read_blob_range(store: Store, domain: str, part: Part, start: int, length: int) -> bytes:
    """Return bytes of a blob that is stored as it is, in one request; verified only if it is all of them.

    Args:
        store: where from.
        domain: of the model.
        part: of the blob; not a compressed one.
        start: in the blob, in bytes.
        length: in bytes; at least 1.

    Raises:
        IntegrityError: the blob is missing, is shorter than the record says, or, read as a whole, holds other bytes.
        FormatError: the record says that it is longer than a blob can be.
    """
    key = _key(domain, part)
    found = store.get_range(key, start, length)
    if found is None:
        raise _missing(store, domain, part, key)
    if len(found) != length:
        raise IntegrityError(
            f"blob {part.blob} of {domain} ends too early: {length} bytes from {start} on were asked for, and"
            f" {len(found)} came"
        )
    return verify(found, part.blob, f"blob {key}") if length == part.blob_size else found


def _key(domain: str, part: Part) -> str:
    if part.blob_size > _LARGEST_BLOB:
        raise FormatError(
            f"blob {part.blob} of {domain} is said to have {part.blob_size} bytes; {_LARGEST_BLOB} at most"
        )
    return blob_key(domain, part.blob, part.incarnation, part.encoding)


def _missing(store: Store, domain: str, part: Part, key: str) -> IntegrityError:
    return IntegrityError(f"blob {part.blob} of {domain} is missing from {store.url}, and a record names it", key=key)
