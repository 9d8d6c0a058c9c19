"""A registry that somebody with the right to write has forged: every digest holds, and nothing else can be believed."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from objreg.core.digest import digest_of
from objreg.core.keys import log_key, record_key, seq_of, snapshot_key
from objreg.registry.registry import Registry
from objreg.store.memory import MemoryStore
from tests.registry.machine import Machine

__all__ = ["DOMAIN", "MODEL", "Forger", "compact"]

MODEL = "fraud/clf"
DOMAIN = "fraud/clf.model"

Json = dict[str, Any]


def compact(value: Any) -> bytes:
    """Return JSON bytes without any of the checks of objreg's own encoder; lone surrogates stand as escapes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


@dataclass
class Forger:
    """Rewrites the newest entry of a model, and whatever it names.

    Attributes:
        store: holds a registry in which ``fraud/clf`` has version 1.0, in state production, with an experiment, a
            deployment and a catalog.
        folder: for the machines that read it.
        machines: that were made.
    """

    store: MemoryStore
    folder: Path
    machines: list[Machine] = field(default_factory=list)

    def reader(self) -> Registry:
        """Return the registry as a machine sees it that never saw it before."""
        machine = Machine(self.store, cache=self.folder / f"machine-{len(self.machines)}")
        self.machines.append(machine)
        return machine.registry()

    def head(self) -> Json:
        """Return the newest entry."""
        first = self.store.first(f"{DOMAIN}/log/")
        assert first is not None
        return json.loads(self.store.get(first.key) or b"")

    def state(self) -> Json:
        """Return the present state."""
        return json.loads(json.dumps(self.reader()._session.model(MODEL).refresh() and self._state()))

    def _state(self) -> Json:
        manifest = self.reader()._session.model(MODEL)
        manifest.refresh()
        return manifest.state()

    def put(self, key: str, data: bytes) -> None:
        """Put an object there, whatever was there."""
        self.store.delete(key)
        self.store.create(key, data)

    def put_head(self, data: bytes) -> None:
        """Put bytes in place of the newest entry."""
        first = self.store.first(f"{DOMAIN}/log/")
        assert first is not None
        self.put(first.key, data)

    def commit(self, change: Callable[[Json, Json], object]) -> None:
        """Add an entry whose state and pointers are changed at will.

        Args:
            change: takes the state and the pointers, and changes them.
        """
        head, state = self.head(), self.state()
        refs = json.loads(json.dumps(head["refs"]))
        change(state, refs)
        first = self.store.first(f"{DOMAIN}/log/")
        assert first is not None
        seq = seq_of(first.key) + 1
        parent = digest_of(self.store.get(first.key) or b"")
        snapshot = compact({"format": 1, "domain": DOMAIN, "seq": seq - 1, "state": state})
        self.put(snapshot_key(DOMAIN, digest_of(snapshot)), snapshot)
        forged = {
            **head,
            "seq": seq,
            "parent": parent,
            "snapshot": {"seq": seq - 1, "digest": digest_of(snapshot)},
            "tail": {},
            "patch": {"changes": state.get("changes", [])},
            "refs": refs,
        }
        self.put(log_key(DOMAIN, seq), compact(forged))

    def record(self, digest: str) -> Json:
        """Return a record."""
        return json.loads(self.store.get(record_key(DOMAIN, digest)) or b"")

    def put_record(self, data: bytes, domain: str = DOMAIN) -> str:
        """Store a record of any bytes, and return its digest."""
        digest = digest_of(data)
        self.put(record_key(domain, digest), data)
        return digest

    def version(self, data: bytes) -> None:
        """Make a record of any bytes that of version 1.0, in the state and in all pointers."""
        digest = self.put_record(data)

        def change(state: Json, refs: Json) -> None:
            state["versions"]["1.0"]["record"] = digest
            for pointer in refs.values():
                pointer["record"] = digest

        self.commit(change)

    def version_with(self, **fields: Any) -> None:
        """Make a record with other fields that of version 1.0."""
        self.version(compact({**self.version_record(), **fields}))

    def version_record(self) -> Json:
        """Return the record of version 1.0."""
        return self.record(self.state()["versions"]["1.0"]["record"])

    def version_with_files(self, *files: Json, folder: str = "") -> None:
        """Give version 1.0 other files: each is the real one but for some fields."""
        record = self.version_record()
        (artifact,) = record["artifacts"]
        (real,) = artifact["files"]
        artifact["files"] = [{**real, **file} for file in files]
        artifact["folder"] = folder
        self.version(compact(record))

    def part(self, **fields: Any) -> Json:
        """Return the one part of the real file, with other fields."""
        return {**self.version_record()["artifacts"][0]["files"][0]["parts"][0], **fields}

    def left_behind(self) -> list[str]:
        """Return what pulls left in the caches, and outside of them."""
        found = [path for machine in self.machines for path in (machine.cache / "trees").glob("*")]
        return [str(path) for path in found if path.suffix != ".lock"]
