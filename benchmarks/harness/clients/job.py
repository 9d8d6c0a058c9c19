"""What every client script does alike: read a job, connect, time what is asked for, and tell.

A script is run by the interpreter of its peer and imports the peer, this and the standard library. It ends with
``run(connect, push=push, ...)``. ``connect(job)`` imports and makes the client; its time is told apart, as ``ready``.
Each operation takes ``(client, job)`` and may return a dictionary of facts for whoever measures.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["run"]


def run(connect: Callable[[dict[str, Any]], Any], **operations: Callable[[Any, dict[str, Any]], Any]) -> None:
    """Do the job on stdin: ``{"operations": [...], ...}``; print one line of JSON with a list of outcomes.

    What the client itself prints goes to stderr.
    """
    told = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    job = json.load(sys.stdin)
    began = time.perf_counter()
    client = connect(job)
    ready = time.perf_counter() - began
    outcomes = []
    for name in job["operations"]:
        spent, moment, began = _processor(), time.monotonic(), time.perf_counter()
        facts = operations[name](client, job)
        seconds = time.perf_counter() - began
        outcomes.append(
            {
                "seconds": seconds,
                "processor": _processor() - spent,
                "memory": _memory(),
                "ready": ready,
                "began": moment,
                "facts": facts or {},
            }
        )
    print(json.dumps(outcomes), file=told, flush=True)
    told.close()


def _memory() -> int:
    """Return the largest resident size of this process; what rusage says on Linux counts who started it, too."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def _processor() -> float:
    spent = 0.0
    for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        usage = resource.getrusage(whose)
        spent += usage.ru_utime + usage.ru_stime
    return spent
