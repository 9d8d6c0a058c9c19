"""A line of limited speed between clients and a server that are on one machine: the loopback, narrowed for one port.

The process starts itself again in a user and a network namespace of its own (no root is needed for that), where the
kernel limits what goes to the server's port and what comes from it, each direction for itself: that costs no processor
time, unlike a proxy. Other ports are not limited, as the parts of one server speak to each other, too. Nothing outside
is limited, and nothing outside is reached: what has to be installed must be there before.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

__all__ = ["NoLine", "enter_own_network", "narrow"]

_MARK = "OBJREG_BENCHMARKS_OUTSIDE"
_OWN_NETWORK = ("--user", "--map-root-user", "--net")
_PACKAGES = {"unshare": "util-linux", "ip": "iproute2", "tc": "iproute2"}


class NoLine(Exception):
    """There is no limited line on this machine; the text says why, and what to do."""


def enter_own_network() -> None:
    """Return in a process that has a network to itself, with nothing in it but a loopback: this one, started again.

    Raises:
        NoLine: a program is missing, or the kernel refuses.
    """
    for program in _PACKAGES:
        _path(program)
    here, outside = str(Path("/proc/self/ns/net").readlink()), os.environ.get(_MARK)
    if outside in (None, here):  # the mark names a namespace: one that was left over is not taken for being inside
        _run("unshare", *_OWN_NETWORK, "true")
        again = [_path("unshare"), *_OWN_NETWORK, sys.executable, *sys.orig_argv[1:]]
        os.execve(again[0], again, {**os.environ, _MARK: here})
    _run("ip", "link", "set", "lo", "up")


def narrow(port: int, megabits: int) -> None:
    """Limit how much goes to a port of this process's own loopback, and as much again that comes from it.

    Args:
        port: where the server listens.
        megabits: a second, of a million bits each, for each direction.

    Raises:
        NoLine: a program is missing, or the kernel refuses.
    """
    loopback = ("dev", "lo")
    _run("tc", "qdisc", "add", *loopback, "root", "handle", "1:", "htb")
    for band, end in (("1:1", "dport"), ("1:2", "sport")):
        shape = ("htb", "rate", f"{megabits}mbit", "burst", "1mb")
        _run("tc", "class", "add", *loopback, "parent", "1:", "classid", band, *shape)
        chosen = ("u32", "match", "ip", end, str(port), "0xffff", "flowid", band)
        _run("tc", "filter", "add", *loopback, "parent", "1:", "protocol", "ip", *chosen)


def _path(program: str) -> str:
    found = shutil.which(program, path=os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin")))
    if found is None:
        raise NoLine(f"a limited line needs the program {program!r}: apt-get install {_PACKAGES[program]}")
    return found


def _run(program: str, *arguments: str) -> None:
    ended = subprocess.run([_path(program), *arguments], check=False, capture_output=True, text=True)
    if ended.returncode:
        raise NoLine(
            f"a limited line needs {program} {' '.join(arguments)!r}, which was refused ({ended.stderr.strip()}):"
            " it takes a Linux that gives namespaces to its users and has the packet scheduler htb and the filter u32"
        )
