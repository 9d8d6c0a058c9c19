"""A small registry that holds one of everything which format 1 knows: for the kept registries and for the schemas."""

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import objreg
from objreg.core import entries
from objreg.core.provenance import CodeState, Environment
from objreg.core.records import RetentionRule
from objreg.maintenance import apply_retention, collect, plan_collection, plan_retention, put_policy
from objreg.registry import drafts, upload

MODEL = "abc_corp/claim/doc_classification"
SMALL = "solo"
NO_GRACE = timedelta(days=-3650)
"""A kept registry's clock stands still in its year, and the disk's own times are later."""
CODE = CodeState(
    remote="https://git.example/abc/claim.git",
    commit="0123456789abcdef0123456789abcdef01234567",
    branch="main",
    dirty=False,
)
ENVIRONMENT = Environment(
    python="3.11.9", platform="linux-x86_64-glibc2.36", dependencies={"joblib": "1.4.2", "scikit-learn": "1.5.2"}
)


@contextmanager
def small_sizes() -> Iterator[None]:
    """Lower what is a writer's choice, so that little data has parts, packs and snapshots; and say where it was made."""
    with ExitStack() as stack:
        for module, name, value in (
            (upload, "PART_SIZE", 8192),
            (upload, "_PACKED_BELOW", 512),
            (upload, "_PACKED_FROM", 5),
            (entries, "_SMALL_STATE", 1024),
            (drafts, "code", lambda: CODE),
            (drafts, "environment", lambda: ENVIRONMENT),
        ):
            stack.enter_context(patch.object(module, name, value))
        yield


def write_files(folder: Path) -> dict[str, Path]:
    """Write what is pushed: a folder with every way to store a file, and a single file."""
    chance = random.Random(1)
    model = folder / "model"
    (model / "vocabulary").mkdir(parents=True)
    (model / "weights.bin").write_bytes(chance.randbytes(8192 + 3000))
    (model / "whole.bin").write_bytes(chance.randbytes(700))
    (folder / "collected").write_bytes((model / "whole.bin").read_bytes())
    (model / "labels.txt").write_text("invoice\nletter\n" * 400, encoding="utf-8", newline="\n")
    (model / "empty").write_bytes(b"")
    (model / "vocabulary" / "été 😀.txt").write_text("naïve\n", encoding="utf-8", newline="\n")
    for number in range(6):
        (model / "vocabulary" / f"{number}.txt").write_text(f"word {number}\n", encoding="utf-8", newline="\n")
    report = folder / "report.html"
    report.write_text("<p>good</p>\n", encoding="utf-8", newline="\n")
    return {"model": model, "report": report, "collected": folder / "collected"}


def fill(registry: objreg.Registry, folder: Path) -> None:
    """Do everything that changes a registry.

    Args:
        registry: empty.
        folder: for the files that are pushed.
    """
    files = write_files(folder)
    registry.put_settings(description="models of ABC", owner="ml@abc.example", url="https://abc.example/ml")
    registry.define_state("production", exclusive=True, description="answers customers", message="first states")
    registry.define_state("staging", description="is looked at")
    registry.put_namespace("abc_corp/claim", description="claims", owner="claims@abc.example")
    registry.define_state("champion", namespace="abc_corp", exclusive=True)
    registry.define_state("shadow", namespace="abc_corp/claim")
    _fill_model(registry, files)
    _fill_more(registry, files)


def _fill_model(registry: objreg.Registry, files: dict[str, Path]) -> None:
    push = {"framework": "scikit-learn", "description": "première version 😀"}
    metadata = {"classes": ["invoice", "letter"], "rate": 0.1, "n": 9007199254740991, "￮": 1, "😀": None}
    first = registry.push(MODEL, files["model"], metadata=metadata, message="first", **push)
    _describe(registry, "which kind of document a page is")
    registry.set_state(first, "staging")
    (files["model"] / "whole.bin").write_bytes(b"second")
    second = registry.push(MODEL, {"model": files["model"], "report": files["report"]}, parent=first)
    registry.set_state(second, "staging", message="both are looked at")
    registry.set_state(first, "production")
    registry.record_experiment(
        first,
        "holdout",
        status="passed",
        metrics={"accuracy": 1.0, "loss": 1e-7, "big": 1e21},
        parameters={"threshold": 0.5},
        datasets={"holdout-2026": "sha256:" + "ab" * 32},
        artifacts=files["report"],
        duration=12.5,
        seed=42,
    )
    registry.record_experiment(second, "holdout", status="failed")
    registry.record_deployment(
        first,
        endpoint="https://claims.abc.example",
        environment={"API_KEY": "${CLAIMS_API_KEY}", "LOG_LEVEL": "info"},
        method="ecs",
        rolling_strategy="canary",
    )
    registry.set_state(second, "production", expect="1.0", message="second takes over")
    registry.record_deployment(second, endpoint="https://claims.abc.example", status="planned")
    registry.set_deployment_status(MODEL, 1, "ended")
    registry.set_deployment_status(MODEL, 2, "active", message="live")
    registry.unset_state(first, "staging")
    registry.retire(first, reason="trained on leaked labels")
    _describe(registry, "which kind of document a page of a claim is")


def _describe(registry: objreg.Registry, description: str) -> None:
    registry.put_catalog(
        MODEL,
        description=description,
        owner="claims@abc.example",
        url="https://git.example/abc/claim",
        data_sources=[{"name": "claims", "type": "s3", "connection": {"bucket": "abc-claims"}}],
        inference={"input": {"description": "a page", "schema": {"type": "object"}}},
        tags=["documents", "claims"],
    )


def _fill_more(registry: objreg.Registry, files: dict[str, Path]) -> None:
    report = files["report"]
    with registry.transaction(MODEL, message="all at once") as transaction:
        third = transaction.push(MODEL, report, bump="major")
        transaction.set_state(third, "shadow")
        transaction.set_state(third, "champion")
        transaction.record_experiment(third, "smoke", metrics={"ok": 1})
    for number in range(8):
        report.write_text(f"<p>{number}</p>\n", encoding="utf-8", newline="\n")
        registry.push(MODEL, report, message=f"nightly {number}")
    for scheme, versions in {
        "semver": ("1.0.0-rc.1", "1.0.0", "1.1.0-rc.1"),
        "integer": ("9", "10"),
        "date": ("2026-02-28", "2026-03-01", "2026-03-01.1"),
        "free": ("spring", "autumn"),
    }.items():
        for version in versions:
            report.write_text(f"<p>{version}</p>\n", encoding="utf-8", newline="\n")
            registry.push(f"schemes/{scheme}", report, version=version, scheme=scheme)
    registry.push(SMALL, report)
    _maintain(registry, files)


def _maintain(registry: objreg.Registry, files: dict[str, Path]) -> None:
    """Let an experiment's artifacts expire, collect the blobs of the retired version, and push their content again."""
    registry.record_experiment("schemes/free:spring", "drift", artifacts=files["report"])
    put_policy(registry, {"none": RetentionRule(models=365), "production": RetentionRule(keep_last=3)})
    put_policy(registry, {"none": RetentionRule(runs=0)}, namespace="schemes", message="runs are large")
    for plan in plan_retention(registry, "schemes/free"):
        apply_retention(registry, plan)
    for collection in plan_collection(registry, MODEL, grace=NO_GRACE):
        collect(registry, collection)
    again = files["model"] / "whole.bin"
    again.write_bytes(files["collected"].read_bytes())
    registry.push(MODEL, again, message="what was collected is needed again")
