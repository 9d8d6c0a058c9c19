"""MLflow's registry in SQLite, with the bytes in the bucket; it has no cache."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import registry


def prepare(wanted: dict[str, Any]) -> Callable[[], Any]:
    """Import MLflow with its stores in SQL and on S3."""
    import boto3  # noqa: F401  # imports are not timed
    import mlflow.artifacts
    import mlflow.store.artifact.s3_artifact_repo
    import mlflow.store.model_registry.sqlalchemy_store
    import mlflow.store.tracking.sqlalchemy_store
    from mlflow import MlflowClient

    def make() -> Any:
        mlflow.set_tracking_uri(wanted["database"])
        return MlflowClient(tracking_uri=wanted["database"], registry_uri=wanted["database"])

    return make


def begin(client: Any, wanted: dict[str, Any]) -> dict[str, Any]:
    """Make the experiment, and a model with many versions of one file."""
    experiment = client.create_experiment("bench", artifact_location=f"s3://{wanted['bucket']}/mlflow")
    client.create_registered_model("model")
    source = _stored(client, experiment, wanted["source"])
    for number in range(wanted["count"]):
        tags = {"stage": "approved"} if number < wanted["approved"] else None
        client.create_model_version("model", source=source, tags=tags)
    client.set_registered_model_alias("model", "production", "1")
    return {"experiment": experiment}


def _stored(client: Any, experiment: str, file: str) -> str:
    run = client.create_run(experiment)
    client.log_artifact(run.info.run_id, file, "model")
    return f"{run.info.artifact_uri}/model"


def resolve(client: Any, _wanted: dict[str, Any]) -> dict[str, Any]:
    """Find the version with the alias."""
    return {"version": client.get_model_version_by_alias("model", "production").version}


def versions(client: Any, _wanted: dict[str, Any]) -> dict[str, Any]:
    """List all versions."""
    return {"count": len(client.search_model_versions("name = 'model'"))}


def in_state(client: Any, _wanted: dict[str, Any]) -> dict[str, Any]:
    """List those with a tag, which is what versions can share."""
    return {"count": len(client.search_model_versions("name = 'model' AND tags.stage = 'approved'"))}


def set_state(client: Any, wanted: dict[str, Any]) -> None:
    """Give the alias to the next version."""
    client.set_registered_model_alias("model", "production", wanted["moves"].pop(0))


def pull(_client: Any, wanted: dict[str, Any]) -> dict[str, Any]:
    """Download a version."""
    import mlflow

    folder = mlflow.artifacts.download_artifacts(f"models:/model/{wanted['version']}", dst_path=tempfile.mkdtemp())
    return {"file": str(Path(folder) / "model.bin")}


def push(client: Any, wanted: dict[str, Any]) -> None:
    """Log the next file in a run, and register it as a version of the next model."""
    name = wanted["names"].pop(0)
    if not wanted["numbers"].pop(0):
        client.create_registered_model(name)
    client.create_model_version(name, source=_stored(client, wanted["experiment"], wanted["sources"].pop(0)))


registry.run(prepare, begin, resolve, versions, in_state, set_state, pull, push)
