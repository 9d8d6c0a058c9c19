"""Start writers as processes of their own, end them, and see what came of it."""

import json
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import objreg
from objreg.maintenance.fsck import fsck
from tests.processes.writer import MODEL

__all__ = ["Race"]

_WRITER = Path(__file__).with_name("writer.py")
_PATIENCE = 300


@dataclass
class Race:
    """A registry that several processes write at once.

    Attributes:
        url: of the registry.
        folder: for the writers' notes.
        options: how to reach the store.
        engine: which engine the writers use, or None.
    """

    url: str
    folder: Path
    options: dict[str, object] = field(default_factory=dict)
    engine: str | None = None
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def prepare(self) -> objreg.Registry:
        """Create the registry, with one version and one state."""
        registry = self.open(create=True)
        first = self.folder / "first.bin"
        first.write_bytes(b"first")
        registry.push(MODEL, first)
        registry.define_state("production", exclusive=True)
        return registry

    def open(self, *, create: bool = False) -> objreg.Registry:
        """Open the registry from this process."""
        return objreg.open(self.url, storage_options=self.options or None, engine=self.engine, create=create)

    def start(self, name: str, changes: int, *, shift: float = 0.0) -> subprocess.Popen[bytes]:
        """Start a writer."""
        asked = {
            "url": self.url,
            "options": self.options,
            "engine": self.engine,
            "name": name,
            "changes": changes,
            "notes": str(self.folder / f"{name}.notes"),
            "shift": shift,
            "seed": name,
        }
        process = subprocess.Popen([sys.executable, str(_WRITER), json.dumps(asked)], stderr=subprocess.PIPE)
        self.running.append(process)
        return process

    def finish(self) -> None:
        """Wait for all writers; one that ended by itself must have ended well."""
        for process in self.running:
            _, stderr = process.communicate(timeout=_PATIENCE)
            assert process.returncode in {0, -9}, stderr.decode()

    def notes(self, word: str) -> list[str]:
        """Return the changes of which writers noted ``word``."""
        lines = [line for path in self.folder.glob("*.notes") for line in path.read_text().splitlines()]
        return [line.split(" ")[1] for line in lines if line.startswith(f"{word} ")]

    def check(self) -> Counter[str]:
        """See that every acknowledged change is in the history once, and nothing else is wrong; return the history by message."""
        registry = self.open()
        history = list(registry.history(MODEL))
        found = Counter(item.message for item in history)
        for token in self.notes("done"):
            assert found[token] == 1, f"{token} was acknowledged, and is in the history {found[token]} times"
        for token in self.notes("asked"):
            assert found[token] <= 1, f"{token} was asked for once, and is in the history {found[token]} times"
        for token in self.notes("refused"):
            assert found[token] == 0, f"{token} was refused, and is in the history"
        assert [item.seq for item in history] == list(range(len(history) - 1, -1, -1))
        numbers = [deployment.number for deployment in registry.deployments(MODEL)]
        assert numbers == list(range(1, len(numbers) + 1))
        for version in registry.versions(MODEL):
            assert b"".join(registry.read(f"{version.spec}/{_only_file(registry, version.spec)}"))
        report = fsck(registry, deep=True)
        assert report.ok, [f"{finding.code}: {finding.message}" for finding in report.findings]
        return found


def _only_file(registry: objreg.Registry, spec: str) -> str:
    (artifact,) = registry.resolve(spec).artifacts
    return artifact.files[0].path
