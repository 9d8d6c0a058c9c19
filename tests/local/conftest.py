"""Real processes, and folders that others may or may not write."""

import multiprocessing
import os
import tempfile
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import filelock  # noqa: F401 (a child that has become nobody may not be able to read this environment's packages)
import pytest

from objreg.local.trees import remove_tree

FORK = multiprocessing.get_context("fork")
NOBODY = 65534


@pytest.fixture
def in_child() -> Iterator[Callable[..., multiprocessing.Process]]:
    """Start a function in a process of its own; by default it must end well."""
    children = []

    def start(function: Callable[[], None], *, as_nobody: bool = False) -> multiprocessing.Process:
        def body() -> None:
            # File modes do not stop root, so the child becomes somebody they do stop.
            if as_nobody and os.geteuid() == 0:
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            try:
                function()
            except BaseException:
                traceback.print_exc()
                raise

        child = FORK.Process(target=body)
        with warnings.catch_warnings():
            # Newer Pythons warn of fork() beside threads; the only other threads here are the test runner's.
            warnings.simplefilter("ignore", DeprecationWarning)
            child.start()
        children.append(child)
        return child

    yield start
    for child in children:
        if child.is_alive():
            child.kill()
        child.join()


@pytest.fixture
def open_path() -> Iterator[Path]:
    """A folder that every user can reach and write: pytest's own is closed to all but the one who runs it."""
    folder = Path(tempfile.mkdtemp(prefix="objreg-"))
    folder.chmod(0o777)
    yield folder
    remove_tree(folder)
