"""Find any object of a registry by its digest, wherever it stands, and hand out its bytes as they are stored."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from objreg.core.digest import check_digest, verify
from objreg.core.keys import blob_key, record_key, snapshot_key
from objreg.core.state import ModelState
from objreg.errors import NotFound
from objreg.registry.manifest import Manifest
from objreg.registry.session import Session

__all__ = ["find_object"]

_WORKERS = 8
_INCARNATIONS = 8
"""Older ones were deleted before the next was written; the number itself comes from the bucket and may be any."""


def find_object(session: Session, digest: str, domains: Iterable[str]) -> bytes:
    """Return the bytes of the record, snapshot, blob or entry of a digest.

    Records, snapshots and blobs are asked for by their key in every domain; only if none is there, the histories are
    walked, for the digest of an entry stands in the entry after it. A compressed blob is handed out compressed; its
    digest is of the plain bytes, so it is not verified here.

    Args:
        session: the registry.
        digest: whole.
        domains: where to look.

    Raises:
        NotFound: no object has that digest.
        IntegrityError: it holds other bytes than its digest promises.
    """
    check_digest(digest)
    places = list(domains)
    with ThreadPoolExecutor(_WORKERS, thread_name_prefix="objreg-find") as pool:
        for data in pool.map(lambda domain: _by_key(session, domain, digest), places):
            if data is not None:
                return data
    for domain in places:
        data = _entry(session.manifest(domain), digest)
        if data is not None:
            return data
    raise NotFound(f"no object in {session.store.url} has the digest {digest}", digest=digest)


def _by_key(session: Session, domain: str, digest: str) -> bytes | None:
    for key in (record_key(domain, digest), snapshot_key(domain, digest)):
        data = session.store.get(key)
        if data is not None:
            return verify(data, digest, key)
    if domain.endswith(".model"):
        return _blob(session, domain, digest)
    return None


def _blob(session: Session, domain: str, digest: str) -> bytes | None:
    for incarnation in _incarnations(session, domain, digest):
        key = blob_key(domain, digest, incarnation, "")
        data = session.store.get(key)
        if data is not None:
            return verify(data, digest, key)
        data = session.store.get(blob_key(domain, digest, incarnation, "zstd"))
        if data is not None:
            return data
    return None


def _incarnations(session: Session, domain: str, digest: str) -> Iterator[int]:
    """Yield which uploads of a blob there may be, the newest first; more than one only after a collection."""
    manifest = session.manifest(domain)
    with manifest.lock:
        manifest.ensure()
        state: ModelState = session.typed(manifest, ModelState)
    newest = state.incarnations.get(digest.removeprefix("sha256:"), 0)
    return iter(range(newest, max(-1, newest - _INCARNATIONS), -1))


def _entry(manifest: Manifest, digest: str) -> bytes | None:
    head = manifest.refresh()
    if head is None:
        return None
    return next((past.data for past in manifest.history(head) if past.digest == digest), None)
