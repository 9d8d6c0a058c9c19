"""modelkit's assets on S3, as its own manager stores and fetches them; files one after another."""

import os
from typing import Any

import job


def connect(wanted: dict[str, Any]) -> Any:
    """Open the bucket."""
    from modelkit.assets.remote import StorageProvider

    return StorageProvider(provider="s3", bucket=wanted["bucket"], s3_endpoint=os.environ["AWS_ENDPOINT_URL"])


def push(provider: Any, wanted: dict[str, Any]) -> None:
    """Store a folder as a new asset."""
    provider.new(wanted["source"], "model", "0.0")


def pull(provider: Any, wanted: dict[str, Any]) -> dict[str, Any]:
    """Fetch the asset into the folder of assets, and tell where it is."""
    from modelkit.assets.manager import AssetsManager

    return {"folder": AssetsManager(wanted["target"], storage_provider=provider).fetch_asset("model:0.0")}


job.run(connect, push=push, pull=pull)
