"""What the scripts ``with_<client>_registry.py`` do alike: small operations on a registry with many versions.

Each of them imports its client in ``connect``, all that it will need, and returns what makes the client: that is made
by the first operation, so that whatever is asked for on the way counts as it counts for whoever starts a process.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import job

__all__ = ["run"]


def run(
    prepare: Callable[[dict[str, Any]], Callable[[], Any]],
    *operations: Callable[[Any, dict[str, Any]], dict[str, Any] | None],
) -> None:
    """Do the job on stdin; ``prepare(job)`` imports the client, and what it returns makes it when it is first used.

    The job names an operation as its function is named. What a second one of that name shall do is what stands next in
    the job's lists.
    """
    job.run(
        lambda wanted: cache(prepare(wanted)),
        **{operation.__name__: _on_the_client(operation) for operation in operations},
    )


def _on_the_client(
    operation: Callable[[Any, dict[str, Any]], dict[str, Any] | None],
) -> Callable[[Callable[[], Any], dict[str, Any]], dict[str, Any] | None]:
    return lambda made, wanted: operation(made(), wanted)
