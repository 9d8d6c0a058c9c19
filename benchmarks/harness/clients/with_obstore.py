"""obstore alone: ``put`` and ``get`` of files over a pool of threads.

``put`` cuts long files by itself. ``get`` is one stream, so long files are fetched in ranges side by side, as whoever
wants them fast writes it.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import job

RANGE = 16 * 1024 * 1024


def connect(wanted: dict[str, Any]) -> Any:
    """Open the bucket."""
    from obstore.store import S3Store

    config = {"endpoint": os.environ["AWS_ENDPOINT_URL"], "virtual_hosted_style_request": False}
    return S3Store(wanted["bucket"], config=config, client_options={"allow_http": True, "timeout": "15m"})


def push(store: Any, wanted: dict[str, Any]) -> None:
    """Put every file of a folder."""
    import obstore

    folder = Path(wanted["source"])
    paths = sorted(folder.rglob("*"))
    parts = max(1, wanted["connections"] // len(paths))

    def put(path: Path) -> None:
        obstore.put(store, f"model/{path.relative_to(folder)}", path, max_concurrency=parts)

    with ThreadPoolExecutor(wanted["connections"]) as pool:
        list(pool.map(put, paths))


def pull(store: Any, wanted: dict[str, Any]) -> None:
    """Get everything: one listing, then the files."""
    import obstore

    target = Path(wanted["target"])
    work: list[tuple[str, Path, range | None]] = []
    for page in obstore.list(store, "model"):
        for item in page:
            path = target / item["path"].removeprefix("model/")
            path.parent.mkdir(parents=True, exist_ok=True)
            if (size := item["size"]) <= 2 * RANGE:
                work.append((item["path"], path, None))
                continue
            path.touch()
            work += [(item["path"], path, range(at, min(size, at + RANGE))) for at in range(0, size, RANGE)]

    def get(task: tuple[str, Path, range | None]) -> None:
        name, path, wanted_bytes = task
        if wanted_bytes is None:
            with path.open("wb") as file:
                for piece in obstore.get(store, name):
                    file.write(piece)
            return
        with path.open("r+b", buffering=0) as file:
            file.seek(wanted_bytes.start)
            file.write(obstore.get_range(store, name, start=wanted_bytes.start, end=wanted_bytes.stop))

    with ThreadPoolExecutor(wanted["connections"]) as pool:
        list(pool.map(get, work))


job.run(connect, push=push, pull=pull)
