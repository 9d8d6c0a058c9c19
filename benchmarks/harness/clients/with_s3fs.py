"""fsspec's file system for S3: ``put`` and ``get`` of a folder."""

from typing import Any

import job


def connect(wanted: dict[str, Any]) -> Any:
    """Make the file system; it takes parts of one file and several files side by side."""
    import s3fs

    connections = wanted["connections"]
    return s3fs.S3FileSystem(
        max_concurrency=connections, config_kwargs={"max_pool_connections": connections}, skip_instance_cache=True
    )


def push(files: Any, wanted: dict[str, Any]) -> None:
    """Put a folder."""
    files.put(f"{wanted['source']}/", f"{wanted['bucket']}/model/", recursive=True, batch_size=wanted["connections"])


def pull(files: Any, wanted: dict[str, Any]) -> None:
    """Get a folder."""
    files.get(f"{wanted['bucket']}/model/", f"{wanted['target']}/", recursive=True, batch_size=wanted["connections"])


job.run(connect, push=push, pull=pull)
