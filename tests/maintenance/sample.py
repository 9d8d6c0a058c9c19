"""A registry that holds every kind of record and object, and ways to damage it."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from objreg.core.digest import digest_of
from objreg.core.encoding import decode, decode_json, encode
from objreg.core.entries import Entry, Snapshot, SnapshotReference
from objreg.core.keys import log_key, record_key, seq_of, snapshot_key
from objreg.core.merge import merge
from objreg.core.records import RetentionRule
from objreg.core.state import ModelState, model_refs
from objreg.maintenance import collect, plan_collection, put_policy
from objreg.maintenance.fsck import FsckReport, fsck
from objreg.registry.registry import Registry
from tests.registry.machine import Machine, new_store

__all__ = ["MODEL", "Sample", "codes"]

MODEL = "fraud/cards/clf"
DOMAIN = f"{MODEL}.model"


def codes(report: FsckReport, severity: str = "error") -> set[str]:
    """Return the kinds of findings of a severity."""
    return {found.code for found in report.findings if found.severity == severity}


class Sample:
    """A registry in memory, made by one machine.

    Args:
        folder: for files and caches.
        long: whether it holds one model with a history long enough for snapshots, instead of every kind of record.
    """

    def __init__(self, folder: Path, *, long: bool = False) -> None:
        self.folder = folder
        self.store = new_store("sample")
        self.maker = Machine(self.store, cache=folder / "maker")
        self._machines = 0
        registry = self.maker.registry()
        if long:
            self._lengthen(registry)
        else:
            self._describe(registry)
            self._fill(registry)

    def files(self, **contents: bytes) -> Path:
        """Return a new folder of files."""
        folder = self.folder / f"files-{os.urandom(4).hex()}"
        folder.mkdir()
        for name, content in contents.items():
            (folder / name.replace("_", ".")).write_bytes(content)
        return folder

    def _describe(self, registry: Registry) -> None:
        registry.put_settings(description="all models", owner="ml@acme")
        registry.define_state("staging")
        registry.define_state("staging", description="under test")
        registry.put_namespace("fraud", owner="fraud@acme")
        registry.define_state("production", exclusive=True, namespace="fraud")
        put_policy(registry, {"none": RetentionRule(models=365, runs=30)}, namespace="fraud")

    def _fill(self, registry: Registry) -> None:
        registry.put_catalog(MODEL, description="classifies cards", owner="ada@acme")
        text = b"word " * 2000
        old = registry.push(MODEL, self.files(model_bin=os.urandom(500)), metadata={"lr": 0.1})
        first = registry.push(MODEL, self.files(model_bin=os.urandom(600), vocab_txt=text), parent=old)
        registry.push(MODEL, self.files(model_bin=os.urandom(700), vocab_txt=text, empty_txt=b""))
        registry.set_state(old, "production")
        registry.set_state(first, "production")
        registry.set_state(first, "staging")
        registry.set_state(f"{MODEL}:1.2", "staging")
        registry.unset_state(first, "staging")
        registry.record_experiment(first, "holdout", metrics={"auc": 0.9}, artifacts=self.files(plot_svg=b"<svg/>"))
        registry.record_deployment(first, endpoint="https://cards.acme")
        registry.record_deployment(first, endpoint="https://cards2.acme")
        registry.set_deployment_status(MODEL, 1, "ended")
        with registry.transaction(MODEL, message="all at once") as change:
            version = change.push(MODEL, self.files(model_bin=os.urandom(800)), bump="major")
            change.set_state(version, "production")
            change.record_experiment(version, "holdout", metrics={"auc": 0.95})
            deployment = change.record_deployment(version, endpoint="https://cards3.acme")
            change.set_deployment_status(MODEL, deployment.number, "ended")
        registry.put_catalog(MODEL, description="classifies cards well", owner="ada@acme")
        registry.retire(old, reason="trained on leaked labels")
        for plan in plan_collection(registry, MODEL, grace=timedelta(0)):
            collect(registry, plan)

    def _lengthen(self, registry: Registry) -> None:
        same = self.files(model_bin=b"small")
        registry.define_state("shadow")
        for number in range(90):
            registry.push("long", same, version=f"1.{number}", message="x" * 50)
            registry.set_state(f"long:1.{number}", "shadow")

    # Looking at it

    def fsck(self, path: str = "", *, fresh: bool = False, **options: Any) -> FsckReport:
        """Verify on the machine that made the registry, or on one that never saw it."""
        return fsck(self.machine().registry() if fresh else self.maker.registry(), path, **options)

    def machine(self) -> Machine:
        """Return a machine that never saw the registry."""
        self._machines += 1
        return Machine(self.store, cache=self.folder / f"fresh-{self._machines}")

    @property
    def objects(self) -> dict[str, Any]:
        """The store's own objects; assign to damage it."""
        return self.store._objects

    @property
    def all_keys(self) -> list[str]:
        """Every key, sorted."""
        return sorted(self.objects)

    def keys(self, part: str) -> list[str]:
        """Return the keys that contain a part."""
        return sorted(key for key in self.objects if part in key)

    def data(self, key: str) -> bytes:
        """Return an object's bytes."""
        return self.objects[key][0]

    def put(self, key: str, data: bytes) -> None:
        """Write over an object."""
        self.objects[key] = (data, datetime.now(UTC))

    def copy(self) -> dict[str, Any]:
        """Return all objects, to put back."""
        return dict(self.objects)

    def restore(self, objects: dict[str, Any]) -> None:
        """Put all objects back as they were."""
        self.objects.clear()
        self.objects.update(objects)

    # Forging it

    def entries(self, domain: str = DOMAIN) -> list[Entry]:
        """Return a log, oldest first."""
        keys = sorted(self.keys(f"{domain}/log/"), key=seq_of)
        return [decode(self.data(key), Entry, key) for key in keys]

    def record(self, record: Any, domain: str = DOMAIN) -> str:
        """Store a record, and return its digest."""
        data = encode(record)
        self.put(record_key(domain, digest_of(data)), data)
        return digest_of(data)

    def forge(self, seq: int, change: Callable[[dict[str, Any]], None], domain: str = DOMAIN) -> None:
        """Change the patch of one entry and write all later ones anew.

        The result is a log whose chain, tails and pointers are right, as somebody would write it who knows the format.
        """
        entries = self.entries(domain)
        state: dict[str, Any] = {}
        tail: dict[str, Any] = {}
        parent = None
        for entry in entries:
            patch: dict[str, Any] = decode_json(encode(entry.patch), "patch")
            if entry.seq == seq:
                change(patch)
            snapshot = entry.snapshot
            if snapshot is not None and snapshot.seq == entry.seq - 1:
                data = encode(Snapshot(domain=domain, seq=snapshot.seq, state=state))
                self.put(snapshot_key(domain, digest_of(data)), data)
                snapshot, tail = SnapshotReference(seq=snapshot.seq, digest=digest_of(data)), {}
                latest = snapshot
            elif snapshot is not None:
                snapshot = latest
            before, state = tail, merge(state, patch)
            refs = model_refs(msgspec.convert(state, ModelState)) if domain.endswith(".model") else {}
            data = encode(
                msgspec.structs.replace(entry, patch=patch, parent=parent, snapshot=snapshot, tail=before, refs=refs)
            )
            self.put(log_key(domain, entry.seq), data)
            parent, tail = digest_of(data), merge(before, patch)

    def forge_later(self, key: str) -> None:
        """Say in an entry's tail what was never committed."""
        entry = decode(self.data(key), Entry, key)
        self.put(key, encode(msgspec.structs.replace(entry, tail=entry.tail | {"catalog": "sha256:" + "0" * 64})))

    def append(self, commit: dict[str, Any], where: str = DOMAIN, **fields: Any) -> None:
        """Add an entry that is right in every way but for what its patch does."""
        last = self.entries(where)[-1]
        tail = merge(last.tail, last.patch)
        base: dict[str, Any] = {}
        if last.snapshot is not None:
            base = decode_json(self.data(snapshot_key(where, last.snapshot.digest)), "snapshot")["state"]
        state = merge(merge(base, tail), commit)
        refs = model_refs(msgspec.convert(state, ModelState)) if where.endswith(".model") else {}
        entry = msgspec.structs.replace(
            last,
            seq=last.seq + 1,
            parent=digest_of(self.data(log_key(where, last.seq))),
            time=f"2099-01-01T00:00:00.{last.seq:03d}Z",
            op=os.urandom(16).hex(),
            patch=commit,
            tail=tail,
            refs=refs,
        )
        data = encode(msgspec.structs.replace(entry, **fields))
        self.put(log_key(where, last.seq + 1), data)
