"""pins on S3, with its cache: a version is a time and a hash, a name alone means the newest, there are no states."""

from collections.abc import Callable
from typing import Any

import registry


def prepare(wanted: dict[str, Any]) -> Callable[[], Any]:
    """Import pins and the file system that its board is made with."""
    import pins
    import s3fs  # noqa: F401  # imports are not timed

    return lambda: pins.board_s3(f"{wanted['bucket']}/board")


def begin(board: Any, wanted: dict[str, Any]) -> dict[str, Any]:
    """Store the first version."""
    return {"version": board.pin_upload(wanted["source"], "model").version.version}


def resolve(board: Any, _wanted: dict[str, Any]) -> dict[str, Any]:
    """Find the newest version."""
    return {"version": board.pin_meta("model").version.version}


def versions(board: Any, _wanted: dict[str, Any]) -> dict[str, Any]:
    """List all versions."""
    return {"count": len(board.pin_versions("model", as_df=False))}


def pull(board: Any, wanted: dict[str, Any]) -> dict[str, Any]:
    """Download a version that is known by its name."""
    return {"file": board.pin_download("model", wanted["version"])[0]}


def push(board: Any, wanted: dict[str, Any]) -> None:
    """Upload the next file as a version of the next pin."""
    board.pin_upload(wanted["sources"].pop(0), wanted["names"].pop(0))


registry.run(prepare, begin, resolve, versions, pull, push)
