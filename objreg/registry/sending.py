"""The files of one change, on their way to the store: sent once, whatever number of races the commit loses."""

from collections.abc import Callable, Mapping

from objreg.core.records import Artifact, Part, VersionRecord
from objreg.core.state import ModelState
from objreg.registry.blobs import BlobWriter
from objreg.registry.commit import DEADLINE_SECONDS
from objreg.registry.session import Session
from objreg.registry.sources import SourceArtifact
from objreg.registry.upload import upload

__all__ = ["Progress", "Sending"]

Progress = Callable[[int], None]
"""Is told, as bytes are dealt with, how many more there are."""


class Sending:
    """The files of a change: sent once, and once more only if a collector condemned what they would share."""

    def __init__(
        self, session: Session, model: str, sources: tuple[SourceArtifact, ...], progress: Progress | None
    ) -> None:
        self._session = session
        self._model = model
        self._sources = sources
        self._progress = progress
        self._sent: tuple[Artifact, ...] | None = None
        self._incarnations: Mapping[str, int] = {}

    def artifacts(self, state: ModelState) -> tuple[Artifact, ...]:
        """Return what stands in the record; the files are in the store when this returns."""
        if self._sent is None or self._is_condemned(state):
            session = self._session
            writer = BlobWriter(
                domain=session.model(self._model).domain,
                store=session.store,
                clock=session.clock,
                incarnations=state.incarnations,
                known=_known_parts(session, self._model, state),
                deadline=session.clock.monotonic() + DEADLINE_SECONDS,
                sent=self._progress or _ignore,
            )
            self._sent = upload(self._sources, writer)
        return self._sent

    def _is_condemned(self, state: ModelState) -> bool:
        return any(
            state.incarnations.get(part.blob.removeprefix("sha256:"), 0) != part.incarnation
            for artifact in self._sent or ()
            for file in artifact.files
            for part in file.parts
        )


def _known_parts(session: Session, model: str, state: ModelState) -> dict[str, Part]:
    """Return whole blobs that the latest version has, if its record is at hand: they need not be sent again."""
    latest = state.latest()
    if not latest or session.recall.object(state.versions[latest].record) is None:
        return {}
    record = session.record_of(session.model(model), state.versions[latest].record, VersionRecord)
    parts = (part for artifact in record.artifacts for file in artifact.files for part in file.parts)
    return {part.blob: part for part in parts if (part.offset, part.length) == (0, part.blob_size)}


def _ignore(_: int) -> None:
    """Nobody watches."""
