"""Server processes of the tests: free ports on loopback, one log each, and an end that is certain."""

import atexit
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

__all__ = ["ServerProcess", "free_ports", "program", "wait_until"]

_PORTS = range(20_000, 32_000)
"""Below the range from which the kernel takes ports of outgoing connections, which could take a chosen one meanwhile."""


def free_ports(count: int) -> list[int]:
    """Return ``count`` different ports of 127.0.0.1 that nobody listens on now."""
    found: list[int] = []
    for port in random.sample(_PORTS, len(_PORTS)):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            found.append(port)
        if len(found) == count:
            return found
    raise RuntimeError(f"{count} free ports are needed on 127.0.0.1, and only {len(found)} were found")


def program(name: str, install: str) -> str:
    """Return the path of a program, looked for beside this interpreter and on PATH; say how to install it if it is missing."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.is_file() else shutil.which(name)
    if found is None:
        raise RuntimeError(f"the tests need the program {name!r}: {install}")
    return found


def wait_until(ready: Callable[[], bool], *, seconds: float, what: str, process: "ServerProcess") -> None:
    """Wait until ``ready()`` holds; fail with the process's log when it ends early or takes too long."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline or not process.running:
            raise RuntimeError(f"{what} did not start within {seconds:.0f} s; its log ends:\n{process.log_end()}")
        time.sleep(0.02)


class ServerProcess:
    """One child process with its own process group, ended with everything it started, at the latest when Python exits.

    Args:
        command: the program and its arguments; it must stay in the foreground.
        log: the file that takes its output.
        environment: variables added to this process's own.
    """

    def __init__(self, command: Sequence[str], *, log: Path, environment: Mapping[str, str] | None = None) -> None:
        self._log = log
        # A test run that is killed cannot clean up: there the kernel ends the child with its parent.
        tether = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [*tether, *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )
        atexit.register(self.stop)

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def log_end(self) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-20:]) if self._log.exists() else "(no log)"

    def stop(self) -> None:
        """Kill the whole group: nothing of a test server is worth a slow farewell."""
        atexit.unregister(self.stop)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
