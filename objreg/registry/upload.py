"""Send the files of a push: long ones in parts, very many small ones packed together; and describe them as artifacts.

Each file is read once; hashing, compressing and sending overlap. How many bytes are held at a time is bounded, whatever
the files' sizes.
"""

import hashlib
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import msgspec

from objreg.core.digest import combined_digest, digest_of
from objreg.core.records import Artifact, File, Part
from objreg.errors import InvalidInput
from objreg.registry.blobs import PART_SIZE, BlobWriter
from objreg.registry.sources import Source, SourceArtifact, media_type

__all__ = ["blob_count", "total_size", "upload"]

_WORKERS = 8
_HELD_BYTES = 4 * PART_SIZE
_PACKED_BELOW = 256 * 1024
_PACKED_FROM = 64


class _Budget:
    """Bounds the bytes that wait to be sent."""

    def __init__(self, most: int) -> None:
        self._free = most
        self._condition = threading.Condition()

    def take(self, size: int) -> None:
        with self._condition:
            self._condition.wait_for(lambda: self._free >= size)
            self._free -= size

    def give(self, size: int) -> None:
        with self._condition:
            self._free += size
            self._condition.notify_all()


@dataclass
class _Sending:
    """A file whose parts are on their way."""

    source: Source
    digest: str = ""
    parts: list[Future[Part]] = field(default_factory=list)
    slices: list[tuple[int, int]] = field(default_factory=list)

    def file(self) -> File:
        parts = [
            msgspec.structs.replace(future.result(), offset=offset, length=length)
            for future, (offset, length) in zip(self.parts, self.slices, strict=True)
        ]
        return File(
            path=self.source.path,
            digest=self.digest,
            size=self.source.size,
            media_type=media_type(self.source.path),
            parts=tuple(parts),
        )


class _Uploader:
    def __init__(self, writer: BlobWriter, pool: ThreadPoolExecutor) -> None:
        self._writer = writer
        self._pool = pool
        self._budget = _Budget(_HELD_BYTES)
        self._failed: Future[Part] | None = None

    def send(self, source: Source) -> _Sending:
        """Read a file once, and hand its parts on while it is being hashed."""
        sending = _Sending(source)
        whole = hashlib.sha256()
        for data in _read(source):
            digest = digest_of(data) if len(data) == source.size else None
            if digest is None:
                whole.update(data)
            else:
                sending.digest = digest
            sending.parts.append(self._submit(data, digest))
            sending.slices.append((0, len(data)))
        sending.digest = sending.digest or "sha256:" + whole.hexdigest()
        return sending

    def send_pack(self, sources: list[Source]) -> Iterator[_Sending]:
        """Send several small files as one blob."""
        contents = [b"".join(_read(source)) for source in sources]
        future = self._submit(b"".join(contents), None)
        offset = 0
        for source, data in zip(sources, contents, strict=True):
            has_bytes = bool(data)
            yield _Sending(
                source, digest_of(data), [future] if has_bytes else [], [(offset, len(data))] if has_bytes else []
            )
            offset += len(data)

    def _submit(self, data: bytes, digest: str | None) -> Future[Part]:
        size = len(data)
        self._budget.take(size)
        if self._failed is not None:
            self._failed.result()
        future = self._pool.submit(self._writer.write, data, digest)
        # A future keeps its callbacks, so they must not hold the bytes.
        future.add_done_callback(lambda done: self._done(done, size))
        return future

    def _done(self, future: Future[Part], size: int) -> None:
        if not future.cancelled() and future.exception() is not None:
            self._failed = future
        self._budget.give(size)


def _read(source: Source) -> Iterator[bytes]:
    """Yield a file's bytes in parts, and see to it that it stays the file that was looked at."""
    try:
        with source.local.open("rb") as file:
            size = 0
            while size <= source.size and (data := file.read(PART_SIZE)):  # one that grows for ever has no end
                yield data
                size = file.tell()
        changed = (size, source.local.stat().st_mtime_ns) != (source.size, source.changed_ns)
    except OSError as error:
        raise InvalidInput(f"{source.local} cannot be read: {error.strerror}", path=str(source.local)) from error
    if changed:
        raise InvalidInput(
            f"{source.local} changed while it was pushed ({source.size} bytes, then {size}): push it when it is"
            f" finished",
            path=str(source.local),
        )


def _packs(sources: Iterable[Source]) -> tuple[list[Source], list[list[Source]]]:
    """Return which files go by themselves, and which go together."""
    found = list(sources)
    small = [source for source in found if source.size < _PACKED_BELOW]
    if len(small) < _PACKED_FROM:
        return found, []
    packs: list[list[Source]] = [[]]
    size = 0
    for source in small:
        if size + source.size > PART_SIZE:
            packs.append([])
            size = 0
        packs[-1].append(source)
        size += source.size
    return [source for source in found if source.size >= _PACKED_BELOW], packs


def blob_count(artifacts: Iterable[SourceArtifact]) -> int:
    """Return how many blobs a push of these files has: parts of long files, packs of small ones."""
    single, packs = _packs(source for artifact in artifacts for source in artifact.files)
    return sum(-(-source.size // PART_SIZE) for source in single) + len(packs)


def upload(artifacts: tuple[SourceArtifact, ...], writer: BlobWriter) -> tuple[Artifact, ...]:
    """Send all files of some artifacts.

    Returns:
        The artifacts as they stand in a record.

    Raises:
        InvalidInput: a file cannot be read, or changed meanwhile.
        StoreError: a blob could not be stored; what was stored stays, and is not sent again by the next attempt.
    """
    single, packs = _packs(source for artifact in artifacts for source in artifact.files)
    with ThreadPoolExecutor(_WORKERS, thread_name_prefix="objreg-push") as pool:
        uploader = _Uploader(writer, pool)
        try:
            sendings = [uploader.send(source) for source in single]
            sendings += [sending for pack in packs for sending in uploader.send_pack(pack)]
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
