"""modelkit's assets on S3: versions are numbers, the newest is what a name alone means, and there are no states."""

import os
from collections.abc import Callable
from typing import Any, NamedTuple

import registry


class Assets(NamedTuple):
    """The two halves of modelkit's assets."""

    provider: Any
    manager: Any


def prepare(wanted: dict[str, Any]) -> Callable[[], Assets]:
    """Import modelkit with its driver for S3."""
    from modelkit.assets.manager import AssetsManager
    from modelkit.assets.remote import StorageProvider

    def make() -> Assets:
        provider = StorageProvider(provider="s3", bucket=wanted["bucket"], s3_endpoint=os.environ["AWS_ENDPOINT_URL"])
        return Assets(provider, AssetsManager(wanted["target"], storage_provider=provider))

    return make


def begin(assets: Assets, wanted: dict[str, Any]) -> None:
    """Store the first version."""
    assets.provider.new(wanted["source"], "model", "0.0")


def resolve(assets: Assets, _wanted: dict[str, Any]) -> dict[str, Any]:
    """Find the newest version, as ``fetch_asset`` does before it fetches anything."""
    from modelkit.assets.settings import AssetSpec

    spec = AssetSpec(name="model")
    assets.manager._resolve_version(spec)  # noqa: SLF001  # there is no public way that fetches nothing
    return {"version": spec.version}


def versions(assets: Assets, _wanted: dict[str, Any]) -> dict[str, Any]:
    """List all versions."""
    return {"count": len(assets.provider.get_versions_info("model"))}


def pull(assets: Assets, wanted: dict[str, Any]) -> dict[str, Any]:
    """Fetch a version that is known by its number."""
    return {"file": assets.manager.fetch_asset(f"model:{wanted['version']}")}


def push(assets: Assets, wanted: dict[str, Any]) -> None:
    """Store the next file as a version of the next asset."""
    name, number = wanted["names"].pop(0), wanted["numbers"].pop(0)
    store = assets.provider.update if number else assets.provider.new
    store(wanted["sources"].pop(0), name, f"0.{number}")


registry.run(prepare, begin, resolve, versions, pull, push)
