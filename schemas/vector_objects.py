"""Make the test vectors of stored objects: a marker, records, entries and a snapshot, with fixed times and ids.

The bytes are what objreg writes; their digests are made with hashlib alone.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from objreg.core.artifacts import Artifact, File, Part
from objreg.core.encoding import encode
from objreg.core.entries import Entry, Snapshot, SnapshotReference
from objreg.core.provenance import CodeState, Dataset, Environment, VersionReference
from objreg.core.records import (
    Catalog,
    DataSource,
    Deployment,
    Experiment,
    Inference,
    Interface,
    Marker,
    Namespace,
    RegistrySettings,
    RetentionPolicy,
    RetentionRule,
    Retirement,
    StateDefinition,
    VersionRecord,
)
from objreg.core.state import Pointer

__all__ = ["ObjectVector", "object_vectors"]

_MODEL = "abc_corp/claim/doc_classification"
_DOMAIN = f"{_MODEL}.model"
_STAMP: dict[str, Any] = {"created_at": "2026-03-01T12:00:00.000Z", "created_by": "ci@abc.example"}
_CODE = CodeState(
    remote="https://git.example/abc/claim.git", commit="0123456789abcdef" * 2 + "01234567", branch="main", dirty=False
)
_ENVIRONMENT = Environment(python="3.11.9", platform="linux-x86_64-glibc2.36", dependencies={"scikit-learn": "1.5.2"})


@dataclass(frozen=True)
class ObjectVector:
    """One object as it is stored."""

    name: str
    schema: str
    key: str
    data: bytes

    @property
    def digest(self) -> str:
        """SHA-256 of the bytes."""
        return _digest(self.data)


def _digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def object_vectors() -> Iterator[ObjectVector]:
    """Yield an object of every kind, and a manifest of three entries with a snapshot."""
    marker = Marker(format=1, id="00112233445566778899aabbccddeeff", created_at="2026-03-01T11:00:00.000Z")
    yield ObjectVector("marker", "marker", "objreg.json", encode(marker))
    version = _version()
    found: dict[str, tuple[str, bytes]] = {}
    for name, domain, record in _records(
        VersionReference(model=_MODEL, version="1.0", record=_digest(encode(version)))
    ):
        data = encode(record)
        found[name] = (_digest(data), data)
        key = f"{domain}/records/{hashlib.sha256(data).hexdigest()}.json"
        yield ObjectVector(f"record.{name}", f"record.{name}", key, data)
    yield from _manifest({name: digest for name, (digest, _) in found.items()})


def _records(reference: VersionReference) -> Iterator[tuple[str, str, Any]]:
    yield (
        "registry_settings",
        "_registry",
        RegistrySettings(**_STAMP, description="models of ABC", owner="ml@abc.example", url="https://abc.example/ml"),
    )
    yield (
        "namespace",
        "abc_corp/claim/_namespace",
        Namespace(**_STAMP, namespace="abc_corp/claim", owner="claims@abc.example"),
    )
    yield (
        "state_definition",
        "_registry",
        StateDefinition(**_STAMP, name="production", exclusive=True, description="answers customers"),
    )
    rules = {"none": RetentionRule(models=90, runs=30), "production": RetentionRule(keep_last=3)}
    yield "retention_policy", "_registry", RetentionPolicy(**_STAMP, rules=rules)
    yield "catalog", _DOMAIN, _catalog()
    yield "version", _DOMAIN, _version()
    yield "experiment", _DOMAIN, _experiment(reference)
    yield (
        "deployment",
        _DOMAIN,
        Deployment(
            **_STAMP,
            version=reference,
            number=1,
            endpoint="https://claims.abc.example/classify",
            environment={"API_KEY": "${CLAIMS_API_KEY}", "LOG_LEVEL": "info"},
            method="ecs",
            rolling_strategy="canary",
            code=_CODE,
        ),
    )
    yield "retirement", _DOMAIN, Retirement(**_STAMP, version=reference, reason="trained on leaked labels")


def _catalog() -> Catalog:
    schema = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
    return Catalog(
        **_STAMP,
        model=_MODEL,
        description="which kind of document a claim's page is",
        owner="claims@abc.example",
        url="https://git.example/abc/claim",
        data_sources=(DataSource(name="claims", type="s3", connection={"bucket": "abc-claims", "prefix": "2025/"}),),
        inference=Inference(input=Interface(description="a page", schema=schema)),
        tags=("claims", "documents"),
        code=_CODE,
    )


def _part(plain: bytes, offset: int = 0, length: int | None = None) -> Part:
    digest = _digest(plain)
    return Part(
        blob=digest,
        blob_size=len(plain),
        stored_size=len(plain),
        stored_digest=digest,
        offset=offset,
        length=len(plain) if length is None else length,
    )


def _file(path: str, content: bytes, *parts: Part, media_type: str = "application/octet-stream") -> File:
    return File(path=path, digest=_digest(content), size=len(content), media_type=media_type, parts=parts)


def _version() -> VersionRecord:
    """Return a version with every way to store a file: whole, in two parts, in a pack, compressed, empty."""
    pack = b"first\nsecond\n"
    compressed = Part(
        blob=_digest(b"a" * 5000),
        incarnation=1,
        encoding="zstd",
        blob_size=5000,
        stored_size=20,
        stored_digest=_digest(b"as another compressor may write it"),
        length=5000,
    )
    files = (
        _file("compressed.txt", b"a" * 5000, compressed, media_type="text/plain"),
        _file("empty", b""),
        _file("long.bin", b"abcdef", _part(b"abcd"), _part(b"ef")),
        _file("packed/1.txt", b"first\n", _part(pack, 0, 6), media_type="text/plain"),
        _file("packed/2.txt", b"second\n", _part(pack, 6, 7), media_type="text/plain"),
        _file("whole.bin", b"abc", _part(b"abc")),
    )
    digests = b"".join(bytes.fromhex(file.digest.removeprefix("sha256:")) for file in files)
    artifact = Artifact(
        name="model", folder="", digest=_digest(digests), size=sum(file.size for file in files), files=files
    )
    return VersionRecord(
        **_STAMP,
        model=_MODEL,
        version="1.0",
        description="première version: \U0001f600",
        metadata={"\uffee": 1, "\U0001f600": 2, "classes": ["invoice", "letter"], "rate": 0.1, "nothing": None},
        artifacts=(artifact,),
        framework="scikit-learn",
        code=_CODE,
        environment=_ENVIRONMENT,
    )


def _experiment(reference: VersionReference) -> Experiment:
    return Experiment(
        **_STAMP,
        version=reference,
        name="holdout",
        status="passed",
        parameters={"threshold": 0.5, "folds": 5},
        metrics={"accuracy": 1.0, "loss": 1e-7},
        datasets=(Dataset(name="holdout-2026", digest=_digest(b"rows"), url="s3://abc-claims/holdout"),),
        duration_seconds=12.5,
        seed=42,
        code=_CODE,
        environment=_ENVIRONMENT,
    )


def _manifest(records: dict[str, str]) -> Iterator[ObjectVector]:
    item = {**_STAMP, "record": records["version"], "size": 5022, "files": 6, "order": 1}
    pushed = [_change("version", version="1.0", record=records["version"])]
    moved = [
        _change("state_change", name="production", version="1.0", record=records["state_definition"], after=["1.0"])
    ]
    said = [_change("catalog", record=records["catalog"], after=[records["catalog"]])]
    first = {"scheme": "major.minor", "versions": {"1.0": item}, "changes": pushed}
    pointer = Pointer(version="1.0", record=records["version"])
    zero = encode(_entry(0, None, "first release", first, refs={"latest": pointer}))
    yield _slot("entry.0", zero, 0)
    refs = {"latest": pointer, "production": pointer}
    second = {"versions": {"1.0": {"states": ["production"]}}, "changes": moved}
    one = encode(_entry(1, _digest(zero), "go", second, tail=first, refs=refs))
    yield _slot("entry.1", one, 1)
    state = {"scheme": "major.minor", "versions": {"1.0": {**item, "states": ["production"]}}, "changes": moved}
    snapshot = encode(Snapshot(domain=_DOMAIN, seq=1, state=state))
    digest = _digest(snapshot)
    key = f"{_DOMAIN}/snapshots/{digest.removeprefix('sha256:')}.json"
    yield ObjectVector("snapshot.1", "snapshot", key, snapshot)
    third = {"catalog": records["catalog"], "changes": said}
    base = SnapshotReference(seq=1, digest=digest)
    yield _slot("entry.2", encode(_entry(2, _digest(one), "", third, snapshot=base, refs=refs)), 2)


def _change(kind: str, **fields: Any) -> dict[str, Any]:
    return {"kind": kind, "name": "", "version": "", "record": "", "before": [], "after": []} | fields


def _entry(seq: int, parent: str | None, message: str, patch: dict[str, Any], **fields: Any) -> Entry:
    common: dict[str, Any] = {
        "domain": _DOMAIN,
        "seq": seq,
        "parent": parent,
        "time": f"2026-03-01T12:00:0{seq}.000Z",
        "actor": "ci@abc.example",
        "message": message,
        "op": f"{seq:032x}",
        "patch": patch,
        "snapshot": None,
        "tail": {},
    }
    return Entry(**(common | fields))


def _slot(name: str, data: bytes, seq: int) -> ObjectVector:
    return ObjectVector(name, "entry", f"{_DOMAIN}/log/{10**12 - 1 - seq:012d}.json", data)
