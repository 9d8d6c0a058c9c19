"""DVC with a remote on S3, by its Python interface, so that starting the command does not count.

Adding the folder hashes it and puts it into DVC's cache; that is part of a push, as everybody pays it. A pull fetches
into the cache of another clone and puts the files into its working folder.
"""

import os
import shutil
from pathlib import Path
from typing import Any

import job


def connect(wanted: dict[str, Any]) -> Any:
    """Make a project, or open the one that is there; without Git, as only bytes are measured."""
    from dvc.repo import Repo

    folder = Path(wanted["project"])
    if not (folder / ".dvc").exists():
        folder.mkdir(parents=True, exist_ok=True)
        Repo.init(os.fspath(folder), no_scm=True).close()
        (folder / ".dvc" / "config").write_text(
            "[core]\n    no_scm = true\n    remote = bench\n    analytics = false\n"
            f"['remote \"bench\"']\n    url = s3://{wanted['bucket']}/dvc\n"
            f"    endpointurl = {os.environ['AWS_ENDPOINT_URL']}\n"
        )
        if wanted.get("source"):
            shutil.copytree(wanted["source"], folder / "model", copy_function=os.link)
        else:
            shutil.copy(wanted["pointer"], folder / "model.dvc")
    os.chdir(folder)
    return Repo(os.fspath(folder))


def push(repository: Any, wanted: dict[str, Any]) -> dict[str, Any]:
    """Add the folder and push it."""
    repository.add("model")
    sent = repository.push(jobs=wanted["connections"])
    return {"sent": sent, "pointer": os.fspath(Path(wanted["project"]) / "model.dvc")}


def pull(repository: Any, wanted: dict[str, Any]) -> dict[str, Any]:
    """Fetch what is missing, and check it out."""
    repository.pull(jobs=wanted["connections"])
    return {"folder": os.fspath(Path(wanted["project"]) / "model")}


job.run(connect, push=push, pull=pull)
