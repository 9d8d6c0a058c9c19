"""The public names as a typed program uses them. Checked by mypy, never run."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, assert_type

import objreg


def opening() -> objreg.Registry:
    """A registry by URL, by path, with options, or from the configuration."""
    objreg.open()
    objreg.open("s3://bucket/prefix", storage_options={"region": "eu-west-1"}, engine="obstore")
    objreg.open(Path("registry"), create=True, actor="ci@acme")
    objreg.open("s3://bucket", filesystem=object(), lock=False)
    registry = objreg.open("memory://x")
    assert_type(registry, objreg.Registry)
    assert_type(registry.url, str)
    assert_type(registry.lock_path, Path | None)
    if registry.lock is not None:
        assert_type([asset.spec for asset in registry.lock.assets], list[str])
    assert_type(objreg.__version__, str)
    return registry


def writing(registry: objreg.Registry) -> None:
    """All that changes a model, and what comes back."""
    version = registry.push(
        "fraud/clf",
        {"model": Path("clf.joblib"), "tokenizer": "tokenizer"},
        bump="major",
        scheme="semver",
        description="first",
        metadata={"lr": 0.1},
        framework="scikit-learn",
        parent="fraud/base:1.0",
        message="why",
        expect="1.0",
        progress=lambda count: None,
    )
    assert_type(version, objreg.Version)
    assert_type(version.spec, str)
    assert_type(version.created, bool)
    assert_type(version.created_at, datetime)
    assert_type(version.artifacts, tuple[objreg.Artifact, ...])
    assert_type(version.artifacts[0].files, tuple[objreg.File, ...])
    registry.push("fraud/clf:1.2", Path("folder"), parent=version)

    change = registry.set_state(version, "production", expect="")
    assert_type(change, objreg.StateChange)
    assert_type(change.before, tuple[str, ...])
    assert_type(registry.unset_state("fraud/clf:1.0", "production"), objreg.StateChange)

    experiment = registry.record_experiment(
        version,
        "holdout",
        metrics={"auc": 0.9},
        parameters={"threshold": 0.5},
        datasets={"holdout": Path("holdout.parquet")},
        artifacts="report.html",
        duration=timedelta(minutes=2),
        status="passed",
        seed=7,
    )
    assert_type(experiment, objreg.Experiment)
    assert_type(experiment.metrics, dict[str, float])
    registry.record_experiment(version, "known", datasets={"known": "sha256:…"})
    registry.record_experiment(version, "other", datasets=[objreg.Dataset(name="x", digest="sha256:…")])

    deployment = registry.record_deployment(version, endpoint="https://x", environment={"A": "b"})
    assert_type(deployment, objreg.Deployment)
    assert_type(deployment.number, int)
    assert_type(registry.set_deployment_status("fraud/clf", deployment.number, "ended"), objreg.Deployment)

    interface = objreg.Interface(description="a claim", schema={"type": "object"})
    catalog = registry.put_catalog(
        "fraud/clf",
        owner="risk",
        data_sources=[objreg.DataSource(name="claims"), {"name": "other"}],
        inference=objreg.Inference(input=interface),
        tags=["a"],
    )
    assert_type(catalog, objreg.Catalog)
    assert_type(registry.retire(version, reason="biased"), objreg.Retirement)


def scopes(registry: objreg.Registry) -> None:
    """What the registry and its namespaces say."""
    assert_type(registry.define_state("production", exclusive=True, namespace="fraud"), objreg.StateDefinition)
    assert_type(registry.put_namespace("fraud", owner="risk"), objreg.Namespace)
    assert_type(registry.put_settings(owner="platform"), objreg.RegistrySettings)
    assert_type(registry.namespace("fraud"), objreg.Namespace)
    assert_type(registry.settings(), objreg.RegistrySettings | None)
    assert_type(registry.states("fraud"), tuple[objreg.StateDefinition, ...])
    registry.accept_history("fraud/clf")
    registry.accept_history(namespace="fraud")
    registry.close()


def transactions(registry: objreg.Registry) -> None:
    """A transaction has the methods that change a model."""
    with registry.transaction("fraud/clf", message="release") as release:
        assert_type(release, objreg.Transaction)
        version = release.push("fraud/clf", "clf.joblib")
        assert_type(version, objreg.Version)
        release.set_state(version, "production")


def reading(registry: objreg.Registry) -> None:
    """All that reads."""
    version = registry.resolve("fraud/clf@production")
    assert_type(version, objreg.Version)
    assert_type(registry.pull(version, destination=Path("here"), progress=print), Path)
    assert_type(registry.read("fraud/clf:1.0/vocab.txt"), Iterator[bytes])
    assert_type(registry.resolve("fraud/clf", local_files_only=True), objreg.Version)
    assert_type(registry.diff("fraud/clf:1.0", version), objreg.VersionDiff)
    assert_type(registry.lock, objreg.LockFile | None)
    assert_type(version.record, objreg.VersionRecord)
    assert_type(registry.open("fraud/clf:1.0/vocab.txt", verify=True), BinaryIO)
    assert_type(registry.pull("fraud/clf:1.0", include=["*.json"], exclude=("logs/",)), Path)
    summaries = registry.versions("fraud/clf", "production")
    assert_type(summaries, tuple[objreg.VersionSummary, ...])
    assert_type(summaries[0].states, tuple[str, ...])
    assert_type(registry.experiments(version), tuple[objreg.Experiment, ...])
    assert_type(registry.deployments("fraud/clf"), tuple[objreg.Deployment, ...])
    assert_type(registry.catalog("fraud/clf"), objreg.Catalog)
    assert_type(registry.models("fraud"), tuple[str, ...])
    assert_type(registry.namespaces(), tuple[str, ...])
    for item in registry.history("fraud/clf"):
        assert_type(item, objreg.HistoryItem)
        assert_type(item.time, datetime)
        assert_type(item.changes, tuple[objreg.Change, ...])
    assert_type(registry.head("fraud/clf").digest, str)
    assert_type(registry.scope_history("fraud"), Iterator[objreg.HistoryItem])


def failing(registry: objreg.Registry) -> None:
    """Errors carry facts."""
    try:
        registry.resolve("fraud/clf")
    except objreg.NotFound as error:
        assert_type(error.facts, dict[str, object])
        assert_type(error.exit_code, int)
    except (objreg.StoreUnavailable, objreg.ObjregError) as error:
        assert_type(error.message, str)
