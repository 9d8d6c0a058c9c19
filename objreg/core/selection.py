"""Which files of a version are meant: by a folder or a file in the spec, and by patterns.

>>> select_files(["a.json", "tokenizer/vocab.txt"], include=["**/*.txt"])
('tokenizer/vocab.txt',)
"""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from objreg.core.digest import digest_of
from objreg.errors import InvalidInput

__all__ = ["select_files", "selection_digest"]

_ANY_FOLDERS = "**"


def select_files(
    paths: Iterable[str], *, below: str = "", include: Sequence[str] = (), exclude: Sequence[str] = ()
) -> tuple[str, ...]:
    """Return the paths that are meant, sorted.

    A pattern is a path inside the version in which ``*``, ``?`` and ``[abc]`` stand for characters of one name, and
    ``**`` for any number of folders. With ``/`` at its end it means all that is below a folder. Upper and lower case
    differ.

    Args:
        paths: of all files of a version.
        below: a folder, with all that is in it, or one file; ``""`` for all.
        include: only what one of these matches; empty for all.
        exclude: not what one of these matches.

    Raises:
        InvalidInput: a pattern can match nothing.
    """
    wanted = [_parsed(pattern) for pattern in include]
    unwanted = [_parsed(pattern) for pattern in exclude]

    def is_meant(path: str) -> bool:
        if below and path != below and not path.startswith(f"{below}/"):
            return False
        parts = path.split("/")
        if wanted and not any(_matches(parts, pattern) for pattern in wanted):
            return False
        return not any(_matches(parts, pattern) for pattern in unwanted)

    return tuple(sorted(filter(is_meant, paths)))


def selection_digest(record: str, paths: Iterable[str]) -> str:
    """Return the name of a folder that holds some files of a version and no others.

    Args:
        record: the digest of the version's record.
        paths: of the files; no path holds a line's end.
    """
    return digest_of("\n".join([record, *sorted(paths)]).encode())


def _parsed(pattern: str) -> list[str]:
    parts = pattern.split("/")
    if parts[-1] == "":
        parts[-1] = _ANY_FOLDERS
    if not pattern or not {"", ".", ".."}.isdisjoint(parts):
        raise InvalidInput(
            f"pattern {pattern[:120]!r} can match no file: write a path inside the version, like '*.json',"
            f" 'tokenizer/*' or '**/*.txt'",
            pattern=pattern,
        )
    # Of neighbours that all mean "any folders" one is enough; more would only multiply the ways to try.
    return [part for place, part in enumerate(parts) if part != _ANY_FOLDERS or parts[place - 1 : place] != [part]]


def _matches(parts: list[str], pattern: list[str]) -> bool:
    if not pattern:
        return not parts
    if pattern[0] == _ANY_FOLDERS:
        return any(_matches(parts[count:], pattern[1:]) for count in range(len(parts) + 1))
    return bool(parts) and fnmatchcase(parts[0], pattern[0]) and _matches(parts[1:], pattern[1:])
