"""Folders of files that nobody may change: made read-only when complete, and removed all the same."""

import os
import stat
from pathlib import Path

from objreg.local.cache_links import is_stamped, stamp

__all__ = ["make_read_only", "remove_tree"]

# Symbolic links are left alone throughout: a change of their mode would change what they point at.


def make_read_only(folder: Path) -> None:
    """Take away the right to write from a folder and all below it (files 0444, folders 0555), and stamp the files.

    What is so already is left alone: it may be a link to a file of another user.
    """
    for parent, _, files in os.walk(folder, topdown=False):
        for name in files:
            path = os.path.join(parent, name)  # noqa: PTH118 (a Path for each of 10,000 files costs more than its chmod)
            found = os.lstat(path)
            if stat.S_ISLNK(found.st_mode):
                continue
            if stat.S_IMODE(found.st_mode) != 0o444:
                os.chmod(path, 0o444)  # noqa: PTH101 (as above)
            if not is_stamped(found):
                stamp(Path(path))
        Path(parent).chmod(0o555)


def remove_tree(folder: Path) -> None:
    """Remove a folder and all below it, read-only or not; one that is not there is no error."""
    if not folder.exists():
        return
    import shutil  # with all its compression formats, and rarely needed

    # Entries go when their folder is writable; only Windows also minds the file's own mode.
    for parent, _, files in os.walk(folder):
        Path(parent).chmod(0o700)
        for name in files if os.name == "nt" else ():
            (Path(parent) / name).chmod(0o600)
    shutil.rmtree(folder)
