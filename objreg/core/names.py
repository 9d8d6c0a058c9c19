"""The grammar of names. Every name that reaches a key or a path passes here first, and the messages teach it.

Names are ASCII: letters, digits, ``.``, ``_`` and ``-``, first a letter or a digit. They become parts of keys in a
bucket and of folders on any operating system, so ``..``, leading dots and underscores and control characters are
refused.
"""

import re
import unicodedata

from objreg.errors import InvalidInput

__all__ = [
    "LATEST",
    "NO_STATE",
    "check_file_path",
    "check_namespace",
    "check_part",
    "check_path",
    "check_state",
    "check_version_text",
    "is_part",
    "parent_namespaces",
    "windows_problem",
]

LATEST = "latest"
NO_STATE = "none"
"""In a retention policy: versions that are in no state."""
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_STATE = re.compile(r"[A-Za-z][A-Za-z0-9._-]*")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_VERSION_LIKE = re.compile(r"v?[0-9].*", re.IGNORECASE)
_WINDOWS_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$) *(\..*)?", re.IGNORECASE)
_MOST_PART = 100
_MOST_PATH = 400
_MOST_FILE_PATH = 1000
_MOST_FILE_DEPTH = 64


def check_part(text: str, what: str) -> str:
    """Return one part of a path, an artifact's or an experiment's name, if the grammar allows it.

    Args:
        text: the name.
        what: how to call it in the message (``experiment name``).

    Raises:
        InvalidInput: with what is wrong and an example of what is right.
    """
    if not _PART.fullmatch(text):
        raise InvalidInput(
            f"{what} {text[:100]!r} is not allowed: use letters, digits, '.', '_' and '-', first a letter or a digit,"
            " like 'doc_classification'",
            text=text,
        )
    if len(text) > _MOST_PART:
        raise InvalidInput(f"{what} {text[:20]!r}… has {len(text)} characters; at most {_MOST_PART} are allowed")
    if text.endswith((".model", ".")):
        raise InvalidInput(f"{what} {text!r} ends in '.' or '.model', which objreg's own folders use; choose another")
    return text


def is_part(text: str) -> bool:
    """Tell whether a text can be one part of a path."""
    try:
        check_part(text, "part")
    except InvalidInput:
        return False
    return True


def check_path(text: str, what: str = "model") -> str:
    """Return a slash path like ``abc_corp/claim/doc_classification`` if each part is a name.

    Raises:
        InvalidInput: with the part that is wrong.
    """
    if not text:
        raise InvalidInput(f"a {what} needs a name, like 'fraud/clf'; got an empty one")
    if len(text) > _MOST_PATH:
        raise InvalidInput(f"{what} path has {len(text)} characters; at most {_MOST_PATH} are allowed")
    parts = text.split("/")
    if "" in parts:
        raise InvalidInput(
            f"{what} {text[:100]!r} has an empty part: write it like 'fraud/clf', with single slashes inside only"
        )
    for part in parts:
        check_part(part, f"{what} part" if len(parts) > 1 else what)
    return text


def check_namespace(text: str) -> str:
    """Return a namespace's path, or ``""`` for the whole registry."""
    return check_path(text, "namespace") if text else ""


def check_state(text: str) -> str:
    """Return a state's name if the grammar allows it and nobody can take it for a version or for *latest*."""
    if not _STATE.fullmatch(text) or len(text) > _MOST_PART:
        raise InvalidInput(
            f"state {text[:100]!r} is not allowed: use letters, digits, '.', '_' and '-', first a letter, like"
            f" 'production'",
            text=text,
        )
    if text.lower() in {LATEST, "sha256", NO_STATE}:
        raise InvalidInput(f"a state cannot be called {text!r}: it has a meaning of its own in specs and policies")
    if _VERSION_LIKE.fullmatch(text):
        raise InvalidInput(f"a state cannot be called {text!r}: it looks like a version; use a word, like 'production'")
    return text


def check_version_text(text: str) -> str:
    """Return what may be a version in some scheme; each scheme is stricter."""
    if not isinstance(text, str):
        raise InvalidInput(f"a version is a {type(text).__name__}: write it as text, like '1.2'")
    if not _VERSION.fullmatch(text) or len(text) > _MOST_PART or text.endswith(".") or ".." in text:
        raise InvalidInput(
            f"version {text[:100]!r} is not allowed: use letters, digits, '.', '_' and '-', like '1.2'", text=text
        )
    if text.lower() == LATEST:
        raise InvalidInput("a version cannot be called 'latest': leave the version out of the spec to name the latest")
    return text


def check_file_path(text: str) -> str:
    """Return the path of a file inside an artifact: relative, ``/``-separated, safe to join to a folder.

    Raises:
        InvalidInput: it is absolute, leaves its folder, or has a part that an operating system treats specially.
    """
    problem = _file_path_problem(text)
    if problem:
        raise InvalidInput(f"file path {text[:120]!r} is not allowed: {problem}", path=text)
    return text


def _file_path_problem(text: str) -> str:
    parts = text.split("/")
    if len(text.encode("utf-8", "surrogatepass")) > _MOST_FILE_PATH or len(parts) > _MOST_FILE_DEPTH:
        return f"at most {_MOST_FILE_PATH} bytes and {_MOST_FILE_DEPTH} folders deep"
    if any(unicodedata.category(char) in {"Cc", "Cs"} for char in text):
        return "it has a control character or is not valid Unicode"
    if "\\" in text or ":" in text:
        return "it has a backslash or a colon, which mean a folder or a drive elsewhere"
    if "" in parts or "." in parts or ".." in parts:
        return "it must be relative, without '.', '..' or empty parts"
    return ""


def windows_problem(path: str) -> str:
    """Return why a file path cannot be one on Windows, though the grammar allows it; ``""`` where it can.

    Source: https://learn.microsoft.com/windows/win32/fileio/naming-a-file
    """
    for part in path.split("/"):
        if _WINDOWS_DEVICE.fullmatch(part):
            return f"{part!r} names a device"
        if part.endswith((".", " ")):
            return f"{part!r} ends in a dot or a space, which Windows drops"
        if set(part) & set('<>"|?*'):
            return f'{part!r} has one of the characters < > " | ? *'
    return ""


def parent_namespaces(path: str) -> tuple[str, ...]:
    """Return the namespaces that hold a model or a namespace, nearest first.

    >>> parent_namespaces("abc_corp/claim/doc")
    ('abc_corp/claim', 'abc_corp')
    """
    parts = path.split("/")[:-1]
    return tuple("/".join(parts[:count]) for count in range(len(parts), 0, -1))
