"""modelstore on S3: a model of files that are there already, and which it puts into one ``tar.gz``.

It takes one file as the model; the others go along as its extra files. It has no cache, and its client's number of
connections (10) cannot be told.
"""

from pathlib import Path
from typing import Any

import job


def connect(wanted: dict[str, Any]) -> Any:
    """Open the store."""
    from modelstore import ModelStore

    return ModelStore.from_aws_s3(wanted["bucket"])


def push(store: Any, wanted: dict[str, Any]) -> None:
    """Upload a folder of files as a model."""
    first, *others = (str(path) for path in sorted(Path(wanted["source"]).iterdir()))
    store.upload("bench", model_id="model", model=first, **({"extra_files": others} if others else {}))


def pull(store: Any, wanted: dict[str, Any]) -> None:
    """Download and unpack the model."""
    store.download(wanted["target"], "bench", "model")


job.run(connect, push=push, pull=pull)
