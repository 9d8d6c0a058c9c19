"""A model in memory that rules are applied to: plain values, no store."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import msgspec
import pytest

from objreg.core.artifacts import Artifact, File, Part
from objreg.core.decisions import Decision, View
from objreg.core.digest import combined_digest, digest_of
from objreg.core.encoding import decode_record
from objreg.core.merge import merge
from objreg.core.provenance import Environment
from objreg.core.records import VersionRecord
from objreg.core.rules import NewVersion, add_version
from objreg.core.state import ModelState

TIME = "2026-03-01T12:00:00.000Z"
TODAY = date(2026, 3, 1)
PLACEHOLDER = "sha256:" + "0" * 64


def artifact(content: bytes, name: str = "model", path: str = "model.bin", folder: str = "") -> Artifact:
    """Return an artifact with one file of this content."""
    digest = digest_of(content)
    size = len(content)
    part = Part(blob=digest, blob_size=size, stored_size=size, stored_digest=digest, length=size)
    file = File(path=path, digest=digest, size=size, media_type="application/octet-stream", parts=(part,))
    return Artifact(name=name, folder=folder, digest=combined_digest([digest]), size=size, files=(file,))


def version_draft(content: bytes = b"weights", **fields: Any) -> VersionRecord:
    """Return a version's record as a push makes it, but for its version."""
    values: dict[str, Any] = {
        "created_at": TIME,
        "created_by": "ci@acme",
        "model": "fraud/clf",
        "version": "-",
        "artifacts": (artifact(content),),
        "environment": Environment(python="3.11", platform="linux", dependencies={}),
    }
    return VersionRecord(**(values | fields))


@dataclass
class Model:
    """The model ``fraud/clf``: its state, its records, and what was decided so far."""

    state: dict[str, Any] = field(default_factory=dict)
    records: dict[str, bytes] = field(default_factory=dict)
    commits: int = 0

    @property
    def view(self) -> View:
        """What a rule sees."""
        typed = msgspec.convert(self.state, ModelState)
        head = digest_of(str(self.commits).encode()) if self.commits else ""
        return View("fraud/clf", typed, head, lambda digest: decode_record(self.records[digest], "record"))

    def land(self, decision: Decision) -> Any:
        """Commit a decision, and return its value."""
        if decision.patch:
            self.state = merge(self.state, dict(decision.patch))
            self.records |= decision.records
            self.commits += 1
        return decision.value

    def push(self, version: str = "", content: bytes | None = None, **request: Any) -> str:
        """Add a version of this content (by default its own), and return what it is called."""
        draft = version_draft(str(self.commits).encode() if content is None else content)
        record, _, _ = self.land(add_version(self.view, NewVersion(draft, TODAY, version, **request)))
        return record.version


@pytest.fixture
def model() -> Model:
    """A model without history."""
    return Model()
