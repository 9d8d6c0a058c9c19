"""A folder in which each model's versions stand under their names, and what a developer puts in the place of one.

::

    <assets dir>/<model>/<version>/…       what was pulled
    <override dir>/<model>/…               in place of any version of the model, where it is there
    OBJREG_<NAME>_FILE=path                the same, for one model; the override folder wins
    OBJREG_<NAME>_VERSION=1.2              this version of the model, whatever version is asked for

``<NAME>`` is the model's path in capitals, each run of ``/``, ``-`` and ``.`` one ``_``: ``OBJREG_FRAUD_CLF_FILE``.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from objreg.errors import InvalidInput, StoreError
from objreg.local.cache_links import AUTO, Linker
from objreg.local.config import absolute, process_environment
from objreg.local.trees import make_read_only, remove_tree

__all__ = ["Assets", "find_assets"]


@dataclass(frozen=True)
class Assets:
    """Where pulled versions are put, and what stands in for them.

    Attributes:
        folder: where versions are put under their names; None to leave them in the cache.
        override: where a developer's own files are, under the models' names.
    """

    folder: Path | None = None
    override: Path | None = None

    def replacement(self, model: str) -> tuple[Path, str] | None:
        """Return what stands in for any version of a model, and who says so, or None.

        Raises:
            InvalidInput: a variable names what is not there.
        """
        if self.override is not None and (own := self.override / model).exists():
            return own, str(self.override)
        variable = _variable(model, "FILE")
        named = process_environment().get(variable)
        if not named:
            return None
        path = absolute(Path(named))
        if not path.exists():
            raise InvalidInput(f"{variable} names {path}, and there is nothing; unset it, or name what is there")
        return path, variable

    def version(self, model: str) -> tuple[str, str] | None:
        """Return the version that stands in for any other of a model, and which variable says so, or None."""
        variable = _variable(model, "VERSION")
        named = process_environment().get(variable)
        return (named, variable) if named else None

    def place(self, source: Path, model: str, version: str, paths: Iterable[str], link: str = AUTO) -> Path:
        """Put files of a version from the cache under their names; return the folder, which is whole and read-only.

        Args:
            source: the folder in the cache.
            model: its path.
            version: complete.
            paths: of all files.
            link: as for ``Linker``; symbolic links are not made, because the cache may be pruned.

        Raises:
            StoreError: the folder cannot be written.
        """
        assert self.folder is not None
        target = self.folder / model / version
        names = list(paths)
        try:
            if target.is_dir() and _is_same(source, target, names):
                return target
            target.parent.mkdir(parents=True, exist_ok=True)
            from filelock import FileLock

            with FileLock(target.with_name(f".{version}.lock")):
                if not (target.is_dir() and _is_same(source, target, names)):
                    _build(source, target, names, Linker(AUTO if link == "symlink" else link))
        except OSError as error:
            raise StoreError(f"cannot put {model}:{version} into {target}: {error.strerror or error}") from error
        return target


def find_assets(folder: Path | None, override: Path | None = None) -> Assets:
    """Return where versions are put: the arguments, else ``OBJREG_ASSETS_DIR`` and ``OBJREG_ASSETS_DIR_OVERRIDE``."""
    environ = process_environment()
    named = [
        given or (Path(variable) if (variable := environ.get(name)) else None)
        for name, given in (("OBJREG_ASSETS_DIR", folder), ("OBJREG_ASSETS_DIR_OVERRIDE", override))
    ]
    return Assets(*(None if path is None else absolute(path) for path in named))


def _variable(model: str, what: str) -> str:
    return f"OBJREG_{re.sub(r'[/.-]+', '_', model).upper()}_{what}"


def _build(source: Path, target: Path, names: list[str], linker: Linker) -> None:
    partial = target.with_name(f".{target.name}.partial")
    remove_tree(partial)
    try:
        for name in names:
            placed = partial / name
            placed.parent.mkdir(parents=True, exist_ok=True)
            linker.place((source / name).resolve(), placed)
        make_read_only(partial)
        remove_tree(target)
        partial.rename(target)
    finally:
        remove_tree(partial)


def _is_same(source: Path, target: Path, names: list[str]) -> bool:
    """Tell whether every file is there as it is in the cache, by size and time."""
    try:
        pairs = [((source / name).stat(), (target / name).stat()) for name in names]
    except FileNotFoundError:
        return False
    return all(
        (one.st_size, one.st_mtime_ns) == (other.st_size, other.st_mtime_ns) for one, other in pairs
    ) and not _others(target, names)


def _others(target: Path, names: list[str]) -> bool:
    return sum(path.is_file() for path in target.rglob("*")) != len(names)
