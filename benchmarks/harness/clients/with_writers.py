"""Many writers at once, each a process: objreg's commits, plain conditional creates, or MLflow's aliases in SQLite.

The processes are forked from one that has imported what they use and connected to nothing. Each makes its connections
and one operation that does not count; then all start together, and go on until the time is up. The operation that is
under way then is finished, and counts for the times, not for the rate.
"""

import multiprocessing
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import job

Operation = Callable[[int], tuple[int, int]]
"""Does the n-th operation of a writer, and returns how often it tried to win, and how many requests it made."""


def connect(wanted: dict[str, Any]) -> Callable[[int], Operation]:
    """Import the client, and return what makes the n-th writer."""
    return {"objreg": _objreg, "obstore": _obstore, "mlflow": _mlflow}[wanted["client"]](wanted)


def _objreg(wanted: dict[str, Any]) -> Callable[[int], Operation]:
    import obstore.store  # noqa: F401  # before the fork, so that 64 processes do not import it at a time

    import objreg
    from objreg.store.wrappers import CountingStore

    class Claims(CountingStore):
        """Counts creates of entries, too."""

        def create(self, key: str, data: bytes) -> bool:
            self._count("create")
            if "/log/" in key:
                self.claims += 1
            return self._store.create(key, data)

        claims = 0

    def writer(number: int) -> Operation:
        os.environ["OBJREG_CACHE_DIR"] = str(Path(wanted["folder"]) / f"cache-{number}")
        registry = objreg.open(wanted["url"], actor=f"writer-{number}", lock=False)
        store = registry.session.store = Claims(registry.session.store)
        model = f"bench/model-{number if wanted['apart'] else 0}"
        versions = [found.spec for found in registry.versions(model)]

        def operation(turn: int) -> tuple[int, int]:
            store.reset()
            store.claims = 0
            assert registry.set_state(versions[turn % 2], f"state-{number}").changed
            return store.claims, store.requests

        return operation

    return writer


def _obstore(wanted: dict[str, Any]) -> Callable[[int], Operation]:
    import obstore
    from obstore.exceptions import AlreadyExistsError, PreconditionError
    from obstore.store import S3Store

    data = os.urandom(1024)

    def writer(number: int) -> Operation:
        config = {"endpoint": os.environ["AWS_ENDPOINT_URL"], "virtual_hosted_style_request": False}
        store = S3Store(wanted["bucket"], config=config, client_options={"allow_http": True})
        log, slot = f"log-{number if wanted['apart'] else 0}", 0

        def operation(_turn: int) -> tuple[int, int]:
            nonlocal slot
            tries = 0
            while True:
                tries, slot = tries + 1, slot + 1
                try:
                    obstore.put(store, f"{log}/{slot}", data, mode="create", use_multipart=False)
                except (AlreadyExistsError, PreconditionError):
                    continue
                return tries, tries

        return operation

    return writer


def _mlflow(wanted: dict[str, Any]) -> Callable[[int], Operation]:
    from mlflow import MlflowClient

    def writer(number: int) -> Operation:
        client = MlflowClient(tracking_uri=wanted["database"], registry_uri=wanted["database"])
        model = f"model-{number if wanted['apart'] else 0}"

        def operation(turn: int) -> tuple[int, int]:
            client.set_registered_model_alias(model, f"state-{number}", str(1 + turn % 2))
            return 1, 0

        return operation

    return writer


def prepare(_make: Any, wanted: dict[str, Any]) -> None:
    """Make the models, with two versions each, and a state for each writer."""
    models = wanted["writers"] if wanted["apart"] else 1
    if wanted["client"] == "objreg":
        import objreg

        registry = objreg.open(wanted["url"], create=True, lock=False)
        for number in range(wanted["writers"]):
            registry.define_state(f"state-{number}", exclusive=True)
        file = Path(wanted["folder"]) / "model.bin"
        for number in range(models):
            for content in (b"one", b"two"):
                file.write_bytes(content)
                registry.push(f"bench/model-{number}", file)
    elif wanted["client"] == "mlflow":
        from mlflow import MlflowClient

        client = MlflowClient(tracking_uri=wanted["database"], registry_uri=wanted["database"])
        for number in range(models):
            client.create_registered_model(f"model-{number}")
            for _ in range(2):
                client.create_model_version(f"model-{number}", source="s3://bucket/model")


def write(make: Callable[[int], Operation], wanted: dict[str, Any]) -> dict[str, Any]:
    """Let all writers go, and return their operations: seconds, tries and requests of each, and whether it counts.

    ``each`` is how many of those that count each writer made.
    """
    forking = multiprocessing.get_context("fork")
    barrier, queue = forking.Barrier(wanted["writers"]), forking.Queue()
    processes = [
        forking.Process(target=_write, args=(make, number, wanted["seconds"], barrier, queue))
        for number in range(wanted["writers"])
    ]
    for process in processes:
        process.start()
    results = [queue.get(timeout=wanted["seconds"] + 300) for _ in processes]
    for process in processes:
        process.join()
    operations = [operation for result in results for operation in result["operations"]]
    return {
        "operations": operations,
        "each": [sum(counts for *_, counts in result["operations"]) for result in results],
        "failures": [text for result in results for text in result["failures"]],
    }


def _write(make: Callable[[int], Operation], number: int, seconds: float, barrier: Any, queue: Any) -> None:
    operations: list[tuple[float, int, int, bool]] = []
    failures: list[str] = []
    operation = make(number)
    operation(0)
    barrier.wait()
    began, turn = time.perf_counter(), 0
    while (start := time.perf_counter()) < began + seconds:
        turn += 1
        try:
            tries, requests = operation(turn)
        except Exception as error:  # noqa: BLE001  # whatever a client raises is a failure, and is told
            failures.append(f"{type(error).__name__}: {error}"[:300])
            continue
        ended = time.perf_counter()
        operations.append((ended - start, tries, requests, ended < began + seconds))
    queue.put({"operations": operations, "failures": failures})
    queue.close()
    queue.join_thread()
    os._exit(0)  # a runtime that was started in this process need not be taken down with care


job.run(connect, prepare=prepare, write=write)
