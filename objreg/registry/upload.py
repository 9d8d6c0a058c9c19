"""Send the files of a push: long ones in pieces, very many small ones packed together; and describe them as artifacts.

Each file is read once; hashing, compressing and sending overlap. How many bytes are held at a time is bounded, whatever
the files' sizes.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import msgspec

from objreg.core.artifacts import Artifact, File, Part
from objreg.core.digest import combined_digest, digest_of
from objreg.errors import InvalidInput
from objreg.registry.blobs import PART_SIZE, BlobWriter
from objreg.registry.cutting import read_pieces
from objreg.registry.pushed_bytes import PushedBytes
from objreg.registry.sources import Source, SourceArtifact, media_type
from objreg.store.base import Piece

__all__ = ["total_size", "upload"]

_PACKED_BELOW = 256 * 1024
_PACKED_FROM = 64

Stored = TypeVar("Stored")


@dataclass(frozen=True)
class _Sending:
    """A file on its way; ``outcome`` waits until its bytes are stored, and tells its digest and its parts."""

    source: Source
    outcome: Callable[[], tuple[str, tuple[Part, ...]]]

    def file(self) -> File:
        digest, parts = self.outcome()
        return File(
            path=self.source.path,
            digest=digest,
            size=self.source.size,
            media_type=media_type(self.source.path),
            parts=parts,
        )


class _Uploader:
    def __init__(self, writer: BlobWriter, pool: ThreadPoolExecutor, held: int) -> None:
        self._writer = writer
        self._pool = pool
        self._bytes = PushedBytes(held)
        self._failed: Future[Any] | None = None

    def send(self, source: Source) -> _Sending:
        """Read a file once, and hand its pieces on meanwhile; a file of one piece is hashed by who sends it."""
        whole = hashlib.sha256()
        pieces: list[Future[Part]] = []
        only: Future[tuple[str, tuple[Part, ...]]] | None = None
        for data in _read(source, self._bytes):
            if len(data) == source.size:
                only = self._submit(self._writer.write_file, data)
            else:
                whole.update(data)
                pieces.append(self._submit(self._writer.write, data))
        digest = "sha256:" + whole.hexdigest()
        return _Sending(source, only.result if only else lambda: (digest, tuple(found.result() for found in pieces)))

    def send_small(self, sources: list[Source]) -> Iterator[_Sending]:
        """Send small files that the model does not have in as few blobs as hold them."""
        pack: list[tuple[Source, bytes]] = []
        size = 0
        for source in sources:
            data = b"".join(_read(source, self._bytes))
            digest = digest_of(data)
            parts = self._writer.known_file(digest) if data else ()
            if parts is not None:
                self._writer.sent(len(data))
                yield _Sending(source, _ready(digest, parts))
                continue
            if size + len(data) > PART_SIZE:
                yield from self._send_pack(pack)
                pack, size = [], 0
            pack.append((source, data))
            size += len(data)
        if pack:
            yield from self._send_pack(pack)

    def _send_pack(self, pack: list[tuple[Source, bytes]]) -> Iterator[_Sending]:
        future = self._submit(self._writer.write, b"".join(data for _, data in pack))
        offset = 0
        for source, data in pack:
            yield _Sending(source, _slice(digest_of(data), future, offset, len(data)))
            offset += len(data)

    def _submit(self, write: Callable[[Piece], Stored], data: Piece) -> "Future[Stored]":
        self._bytes.wait_for(len(data))
        if self._failed is not None:
            self._failed.result()
        future = self._pool.submit(self._write, write, data)
        future.add_done_callback(self._done)
        return future

    def _write(self, write: Callable[[Piece], Stored], data: Piece) -> Stored:
        try:
            return write(data)
        finally:
            self._bytes.give_back(data)

    def _done(self, future: Future[Any]) -> None:
        if not future.cancelled() and future.exception() is not None:
            self._failed = future


def _ready(digest: str, parts: tuple[Part, ...]) -> Callable[[], tuple[str, tuple[Part, ...]]]:
    return lambda: (digest, parts)


def _slice(digest: str, pack: Future[Part], offset: int, length: int) -> Callable[[], tuple[str, tuple[Part, ...]]]:
    return lambda: (digest, (msgspec.structs.replace(pack.result(), offset=offset, length=length),))


def _read(source: Source, memory: PushedBytes) -> Iterator[Piece]:
    """Yield a file in pieces, and see to it that it stays the file that was looked at."""
    size = 0
    try:
        with source.local.open("rb") as file:
            for data in read_pieces(file, source.size, PART_SIZE, partial(memory.read, file)):
                size += len(data)
                yield data
            size += len(file.read(1))  # there should be none
        found = source.local.stat()
    except OSError as error:
        raise InvalidInput(f"{source.local} cannot be read: {error.strerror}", path=str(source.local)) from error
    seen, now = (source.size, source.changed_ns), (found.st_size, found.st_mtime_ns)
    if seen == now and size > source.size:
        raise InvalidInput(
            f"{source.local} has more than the {source.size} bytes that the system says, as files in /proc have: push a"
            f" copy of it",
            path=str(source.local),
        )
    if (size, *seen) != (source.size, *now):
        raise InvalidInput(
            f"{source.local} changed while it was pushed ({source.size} bytes, then {found.st_size}): push it when it"
            f" is finished",
            path=str(source.local),
        )


def _by_size(sources: Iterable[Source]) -> tuple[list[Source], list[Source]]:
    """Return which files go by themselves, and which are so small and so many that they go together."""
    found = list(sources)
    small = [source for source in found if source.size < _PACKED_BELOW]
    if len(small) < _PACKED_FROM:
        return found, []
    return [source for source in found if source.size >= _PACKED_BELOW], small


def upload(artifacts: tuple[SourceArtifact, ...], writer: BlobWriter, connections: int) -> tuple[Artifact, ...]:
    """Send all files of some artifacts.

    Args:
        artifacts: what to send.
        writer: of the model's blobs.
        connections: how many blobs are compressed and sent at a time; as many pieces of a part's size are in memory.

    Returns:
        The artifacts as they stand in a record.

    Raises:
        InvalidInput: a file cannot be read, or changed meanwhile.
        StoreError: a blob could not be stored; what was stored stays, and is not sent again by the next attempt.
    """
    single, small = _by_size(source for artifact in artifacts for source in artifact.files)
    with ThreadPoolExecutor(connections, thread_name_prefix="objreg-push") as pool:
        uploader = _Uploader(writer, pool, connections * PART_SIZE)
        try:
            sendings = [uploader.send(source) for source in single]
            sendings += uploader.send_small(small)
            files = {sending.source: sending.file() for sending in sendings}
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return tuple(_artifact(artifact, files) for artifact in artifacts)


def _artifact(artifact: SourceArtifact, files: dict[Source, File]) -> Artifact:
    found = tuple(files[source] for source in artifact.files)
    return Artifact(
        name=artifact.name,
        folder=artifact.folder,
        digest=combined_digest(file.digest for file in found),
        size=sum(file.size for file in found),
        files=found,
    )


def total_size(artifacts: Iterable[SourceArtifact]) -> int:
    """Return how many bytes a push has to deal with."""
    return sum(source.size for artifact in artifacts for source in artifact.files)
