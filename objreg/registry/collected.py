"""Say that files are gone because their version was retired and collected, where that is why they are missing."""

from collections.abc import Iterator
from contextlib import contextmanager

from objreg.core.keys import parse_blob_name
from objreg.core.records import Retirement
from objreg.core.state import ModelState
from objreg.errors import IntegrityError, NotFound
from objreg.registry.session import Session
from objreg.registry.values import Version

__all__ = ["collection_told"]


@contextmanager
def collection_told(session: Session, version: Version) -> Iterator[None]:
    """Turn a missing blob of a version that was collected into what it is; let all other errors pass.

    Raises:
        NotFound: the version was retired and its files were collected; the message says when, by whom and why.
    """
    try:
        yield
    except IntegrityError as error:
        gone = _why_collected(session, version, error)
        if gone is None:
            raise
        raise gone from error


def _why_collected(session: Session, version: Version, error: IntegrityError) -> NotFound | None:
    """Return the error that says so, or None where the bucket is damaged: the log tells which.

    Args:
        session: the registry.
        version: that was read.
        error: raised while it was; ``facts["key"]`` is the blob that is missing.
    """
    parsed = parse_blob_name(str(error.facts.get("key", "")).rsplit("/", 1)[-1])
    if parsed is None:
        return None
    digits, incarnation, _ = parsed
    manifest = session.existing_model(version.model)
    state: ModelState = session.view(version.model, manifest).state
    item = state.versions.get(version.version)
    if item is None or not item.retired or state.incarnations.get(digits, 0) <= incarnation:
        return None
    record = session.record_of(manifest, item.retired, Retirement)
    return NotFound(
        f"the files of {version.spec} are gone: it was retired on {record.created_at[:10]} by {record.created_by}"
        f" ({record.reason}), and collected since; its record stays, choose another version",
        version=version.spec,
        reason=record.reason,
        retired_at=record.created_at,
        retired_by=record.created_by,
    )
