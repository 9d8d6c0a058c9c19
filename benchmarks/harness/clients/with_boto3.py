"""boto3 and s3transfer: ``upload_file`` and ``download_file``, but of many files at a time.

One transfer manager shares its threads among all files; long files it cuts by itself.
"""

from pathlib import Path
from typing import Any

import job


def connect(wanted: dict[str, Any]) -> Any:
    """Make a client and a transfer manager with as many threads as there may be connections."""
    import boto3
    from boto3.s3.transfer import TransferConfig, create_transfer_manager
    from botocore.config import Config

    connections = wanted["connections"]
    client = boto3.client("s3", config=Config(max_pool_connections=connections, s3={"addressing_style": "path"}))
    return client, create_transfer_manager(client, TransferConfig(max_concurrency=connections))


def push(client: Any, wanted: dict[str, Any]) -> None:
    """Upload every file of a folder."""
    _, manager = client
    folder = Path(wanted["source"])
    with manager:
        futures = [
            manager.upload(str(path), wanted["bucket"], f"model/{path.relative_to(folder)}")
            for path in sorted(folder.rglob("*"))
        ]
        for future in futures:
            future.result()


def pull(client: Any, wanted: dict[str, Any]) -> None:
    """Download everything: one listing, then the files."""
    s3, manager = client
    target = Path(wanted["target"])
    futures = []
    with manager:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=wanted["bucket"], Prefix="model/"):
            for item in page["Contents"]:
                path = target / item["Key"].removeprefix("model/")
                path.parent.mkdir(parents=True, exist_ok=True)
                futures.append(manager.download(wanted["bucket"], item["Key"], str(path)))
        for future in futures:
            future.result()


job.run(connect, push=push, pull=pull)
