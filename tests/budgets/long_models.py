"""Models with a long history, made without making it: a snapshot and the newest entry are all that a reader needs."""

from objreg.core.digest import digest_of
from objreg.core.encoding import encode
from objreg.core.entries import Entry, Snapshot, SnapshotReference
from objreg.core.keys import log_key, model_domain, snapshot_key
from objreg.core.state import Pointer
from objreg.core.versions import scheme
from objreg.store.base import Store

__all__ = ["write_long_model"]

TIME = "2026-03-01T12:00:00.000Z"


def write_long_model(store: Store, model: str, versions: int) -> None:
    """Write the newest entry, and the snapshot before it, of a model whose every commit added a version.

    The records of these versions are not there: a test pushes what it reads on top.
    """
    domain = model_domain(model)
    items = {}
    newest = ""
    for order in range(1, versions + 1):
        newest = scheme("major.minor").next(newest, None, None)
        items[newest] = {
            "record": digest_of(newest.encode()),
            "created_at": TIME,
            "created_by": "ci@acme",
            "size": 1000,
            "files": 1,
            "order": order,
        }
    tail_from = max(0, versions - 50)
    names = list(items)
    state = {"scheme": "major.minor", "versions": {name: items[name] for name in names[:tail_from]}, "changes": []}
    seq = tail_from - 1
    reference = None
    if tail_from:
        data = encode(Snapshot(domain=domain, seq=seq, state=state))
        reference = SnapshotReference(seq=seq, digest=digest_of(data))
        store.create(snapshot_key(domain, reference.digest), data)
    entry = Entry(
        domain=domain,
        seq=versions - 1,
        parent=digest_of(b"the entry before"),
        time=TIME,
        actor="ci@acme",
        message="",
        op="0" * 32,
        patch={"versions": {newest: items[newest]}, "changes": []},
        snapshot=reference,
        tail={"versions": {name: items[name] for name in names[tail_from:-1]}, "changes": [], "scheme": "major.minor"},
        refs={"latest": Pointer(version=newest, record=items[newest]["record"])},
    )
    store.create(log_key(domain, versions - 1), encode(entry))
