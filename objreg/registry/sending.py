"""The files of one change, on their way to the store: sent once, whatever number of races the commit loses."""

from collections.abc import Callable

from objreg.core.artifacts import Artifact
from objreg.core.state import ModelState
from objreg.errors import InvalidInput
from objreg.local.notes import Notes
from objreg.registry.blobs import BlobWriter
from objreg.registry.commit import DEADLINE_SECONDS
from objreg.registry.session import Session
from objreg.registry.sources import SourceArtifact
from objreg.registry.unfinished import Unfinished
from objreg.registry.upload import upload

__all__ = ["Progress", "Sending"]

_HIGHEST_LEVEL = 22

Progress = Callable[[int], None]
"""Is told, as bytes are dealt with, how many more there are."""


class Sending:
    """The files of a change: sent once, and once more only if a collector condemned what they would share."""

    def __init__(
        self,
        session: Session,
        model: str,
        sources: tuple[SourceArtifact, ...],
        progress: Progress | None,
        compress: bool | int | None = None,
    ) -> None:
        self._session = session
        self._model = model
        self._sources = sources
        self._progress = progress
        self._compress = check_compress(compress)
        self._sent: tuple[Artifact, ...] | None = None

    def artifacts(self, state: ModelState) -> tuple[Artifact, ...]:
        """Return what stands in the record; the files are in the store when this returns."""
        if self._sent is None or self._is_condemned(state):
            session = self._session
            domain = session.model(self._model).domain
            known = session.known(domain)
            known.learn(state)
            writer = BlobWriter(
                domain=domain,
                store=session.store,
                clock=session.clock,
                incarnations=state.incarnations,
                known=known,
                unfinished=Unfinished(Notes(session.cache, "unfinished", session.recall.registry, domain)),
                compress=self._compress,
                seconds=DEADLINE_SECONDS,
                sent=self._progress or _ignore,
            )
            self._sent = upload(self._sources, writer, session.connections)
        return self._sent

    def _is_condemned(self, state: ModelState) -> bool:
        return any(
            state.incarnations.get(part.blob.removeprefix("sha256:"), 0) != part.incarnation
            for artifact in self._sent or ()
            for file in artifact.files
            for part in file.parts
        )


def check_compress(compress: bool | int | None) -> bool | int | None:
    """Return how a push is to compress, if it can.

    Raises:
        InvalidInput: it is neither None, a boolean nor a level of zstd.
    """
    if compress is None or isinstance(compress, bool):
        return compress
    if not isinstance(compress, int) or not 1 <= compress <= _HIGHEST_LEVEL:
        raise InvalidInput(
            f"compress is {compress!r}; use True, False, a level of zstd from 1 to {_HIGHEST_LEVEL}, or None to let a"
            f" sample decide"
        )
    return compress


def _ignore(_: int) -> None:
    """Nobody watches."""
