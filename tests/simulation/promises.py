"""What was promised of every history, checked on what it left behind and on what its clients were told."""

from datetime import timedelta
from typing import Any

import msgspec

from objreg.core.digest import digest_of
from objreg.core.encoding import decode_json
from objreg.core.keys import blob_key, log_key, record_key, snapshot_key
from objreg.core.merge import merge
from objreg.core.state import ModelState, model_refs
from objreg.core.times import parse_time
from objreg.maintenance.fsck import fsck
from objreg.registry.clock import SystemClock
from objreg.registry.recall import Recall
from objreg.registry.registry import Registry
from objreg.registry.session import Session
from objreg.store.memory import MemoryStore
from tests.simulation.cache import MemoryCache
from tests.simulation.world import DOMAIN, World

__all__ = ["Promises"]

_MOST_SKEW = timedelta(minutes=7)
"""Five by which a clock may be wrong, one that a commit may take, and one that the store may."""


class Promises:
    """Of one history that has come to its end."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.shared = world.shared
        self.entries = world.entries

    def check(self) -> None:
        """Raise AssertionError if anything that was promised does not hold."""
        self.check_log()
        self._check_told(self.entries())
        for read in self.world.reads:
            assert read.acknowledged <= read.seen <= read.existing, f"a read lies outside what there was: {read}"
        for path, content in self.world.contents:
            assert content == (self.world.folder / path).read_bytes(), f"what was read of {path} is not what was pushed"

    def check_log(self) -> None:
        """Raise AssertionError if the log that is there is not one that writers who keep to the rules can leave."""
        entries = self.entries()
        logs = [key for key in self.shared.objects if key.startswith(f"{DOMAIN}/log/")]
        assert len(logs) == len(entries), (
            f"the log has a gap: {len(entries)} entries follow each other, {len(logs)} are there"
        )
        state: dict[str, Any] = {}
        parent = None
        retired = {
            change["version"]
            for entry in entries
            for change in entry["patch"]["changes"]
            if change["kind"] == "retirement"
        }
        history = []
        for entry in entries:
            assert entry["parent"] == parent, f"entry {entry['seq']} does not follow the one before it"
            self._check_expected(entry)
            self._check_time(entry)
            before, state = state, merge(state, entry["patch"])
            history.append(before)
            self._check_fold(entry, before, history)
            self._check_refs(entry, state)
            self._check_records(entry, retired)
            parent = digest_of(self.shared.objects[log_key(DOMAIN, entry["seq"])])
        self._check_uniqueness(entries, msgspec.convert(state, ModelState))

    def verify(self) -> None:
        """Raise AssertionError if ``fsck`` finds an error in what the history left behind."""
        store = MemoryStore()
        for key, data in self.shared.objects.items():
            store.create(key, data)
        session = Session(store, Recall(MemoryCache(), "verify"), SystemClock(), "auditor")
        report = fsck(Registry(store.url, lambda: session), deep=True)
        assert report.ok, [f"{finding.code}: {finding.message}" for finding in report.findings]

    def _check_told(self, entries: list[dict[str, Any]]) -> None:
        ops = [entry["op"] for entry in entries]
        for told in self.world.told:
            found = sum(ops.count(op) for op in told.ids)
            if told.outcome == "refused":
                assert found == 0, (
                    f"{told.client} was refused ({told.value}), and its commit is in the log: {told.what}"
                )
            elif told.outcome == "done" and not told.what.startswith("retire") and _changed(told.value):
                assert found == 1, (
                    f"{told.client} was told that it is done, and it is in the log {found} times: {told.what}"
                )
            else:
                assert found <= 1, f"{told.client} asked once, and it is in the log {found} times: {told.what}"

    def _check_expected(self, entry: dict[str, Any]) -> None:
        """See to it that who said ``expect=`` (in the message too, for this test) got it."""
        if entry["message"].startswith("sha256:"):
            assert entry["parent"] == entry["message"], (
                f"entry {entry['seq']} does not stand on what its writer expected"
            )

    def _check_time(self, entry: dict[str, Any]) -> None:
        if entry["actor"] != "setup":
            told, stores = parse_time(entry["time"]), self.shared.modified[log_key(DOMAIN, entry["seq"])]
            assert abs(told - stores) < _MOST_SKEW, (
                f"entry {entry['seq']} says {told}, and the store's time was {stores}"
            )

    def _check_fold(self, entry: dict[str, Any], before: dict[str, Any], history: list[dict[str, Any]]) -> None:
        base: dict[str, Any] = {}
        if entry["snapshot"]:
            data = self.shared.objects[snapshot_key(DOMAIN, entry["snapshot"]["digest"])]
            base = decode_json(data, "snapshot")["state"]
            assert base == history[entry["snapshot"]["seq"] + 1], "a snapshot differs from the folded log"
        assert merge(base, entry["tail"]) == before, (
            f"snapshot and tail of entry {entry['seq']} differ from the folded log"
        )

    def _check_refs(self, entry: dict[str, Any], state: dict[str, Any]) -> None:
        refs = msgspec.to_builtins(model_refs(msgspec.convert(state, ModelState)))
        assert entry["refs"] == refs, f"the pointers of entry {entry['seq']} are not those of its state"

    def _check_records(self, entry: dict[str, Any], retired: set[str]) -> None:
        for change in entry["patch"]["changes"]:
            if not change["record"] or change["kind"] == "state_change":
                continue
            key = record_key(DOMAIN, change["record"])
            assert key in self.shared.objects, f"entry {entry['seq']} names a record that is not there"
            if change["version"] in retired:
                continue
            record = decode_json(self.shared.objects[key], "record")
            for artifact in record.get("artifacts", ()):
                for part in (part for file in artifact["files"] for part in file["parts"]):
                    blob = blob_key(DOMAIN, part["blob"], part["incarnation"], part["encoding"])
                    assert blob in self.shared.objects, f"entry {entry['seq']}: a record names a blob that is not there"

    def _check_uniqueness(self, entries: list[dict[str, Any]], state: ModelState) -> None:
        changes = [change for entry in entries for change in entry["patch"]["changes"]]
        versions = [change["version"] for change in changes if change["kind"] == "version"]
        assert len(versions) == len(set(versions)) == len(state.versions), (
            f"a version was pushed twice: {sorted(versions)}"
        )
        numbers = [int(change["name"]) for change in changes if change["kind"] == "deployment"]
        assert numbers == list(range(1, len(numbers) + 1)), f"deployments are not numbered one after another: {numbers}"
        experiments = [(change["version"], change["name"]) for change in changes if change["kind"] == "experiment"]
        assert len(experiments) == len(set(experiments)), f"an experiment was recorded twice: {sorted(experiments)}"
        assert len(state.in_state("production")) <= 1, "two versions are in an exclusive state"


def _changed(value: Any) -> bool:
    return getattr(value, "changed", True) is True and getattr(value, "created", True) is True
