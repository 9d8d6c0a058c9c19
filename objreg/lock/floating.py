"""Find specs in code that may name another version tomorrow: a state, the latest, a part of a version.

Python is parsed: calls of ``pull``, ``resolve``, ``read`` and ``open`` with a literal spec, in a module that imports
objreg or on something called a registry. Other text is searched for lines that run ``objreg pull``, ``resolve`` or
``cat``. A line that says ``objreg: floating`` in a comment is meant so. A model's name alone is no finding where a lock
file beside or above the file says which version it is: following the lock is what such code is for.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from objreg.core.lock_file import LockFile
from objreg.core.specs import Spec, parse_spec
from objreg.errors import InvalidInput
from objreg.local.config import absolute
from objreg.local.project import find_lock, load_lock, read_text

__all__ = ["Finding", "find_floating"]

_METHODS = frozenset({"open", "pull", "read", "resolve"})
_ALLOWED = re.compile(r"(#|//|--|;)\s*objreg:\s*floating\b", re.IGNORECASE)
_COMMAND = re.compile(r"(?:^|[\s;&|(\"'`$])(?:objreg|-m\s+objreg)\s+(?:pull|resolve|cat)\s+(?P<rest>[^\n;&|)`]*)")
_WITH_VALUE = frozenset({"--registry", "--option", "--engine", "--include", "--exclude"})
_URL = re.compile(r"objreg://(?P<spec>[A-Za-z0-9][^\s\"'`<>]*)")
_MAY_BE_PART = re.compile(r"[0-9]+|[0-9]{4}-[0-9]{2}")
"""``1`` is a part of 1.2, except in the scheme ``integer``; longer versions are taken to be whole."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A spec that may name another version tomorrow.

    Attributes:
        file: as it was named.
        line: counts from 1.
        spec: as it is written.
        reason: why it is not exact.
    """

    file: str
    line: int
    spec: str
    reason: str


def find_floating(files: Iterable[Path]) -> tuple[Finding, ...]:
    """Return the floating specs in some files, in the order of files and lines.

    A file that is not text, and Python that does not parse, has none.
    """
    found: list[Finding] = []
    for file in files:
        try:
            text = read_text(file)
        except InvalidInput:
            continue
        specs = _in_python(text or "") if file.suffix in {".py", ".pyi"} else _in_text(text or "")
        for line, spec in sorted(set(specs)):
            if reason := _reason(spec, file):
                found.append(Finding(str(file), line, spec, reason))
    return tuple(found)


def _reason(text: str, file: Path) -> str:
    try:
        spec = parse_spec(text)
    except InvalidInput:
        return ""  # a variable, a pattern, or something else's argument
    if spec.state:
        return f"the state {spec.state} is moved from version to version"
    if spec.version:
        partial = _MAY_BE_PART.fullmatch(spec.version)
        return f"{spec.version} is continued by newer versions, unless the scheme is 'integer'" if partial else ""
    if spec.digest or _is_locked(spec, file):
        return ""
    return "it is the latest version, whichever that is"


def _is_locked(spec: Spec, file: Path) -> bool:
    lock = _lock_above(absolute(file).parent) if spec.bare else None
    return lock is not None and lock.get(spec.path) is not None


@lru_cache(maxsize=1024)
def _lock_above(folder: Path) -> LockFile | None:
    path = find_lock(folder, environ={})
    return load_lock(path) if path else None


# Python


def _in_python(text: str) -> Iterator[tuple[int, str]]:
    if "objreg" not in text and "registry" not in text.lower():
        return
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return
    lines = text.splitlines()
    nodes = list(ast.walk(tree))
    imports = any(_imports_objreg(node) for node in nodes)
    for node in nodes:
        first, last = getattr(node, "lineno", 0), getattr(node, "end_lineno", None) or 0
        if any(_ALLOWED.search(line) for line in lines[max(first - 1, 0) : last]) and isinstance(
            node, ast.Call | ast.Constant
        ):
            continue
        if isinstance(node, ast.Call) and (spec := _literal_spec(node, imports=imports)):
            yield first, spec
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and (url := _URL.fullmatch(node.value)):
            yield first, url["spec"]


def _imports_objreg(node: ast.AST) -> bool:
    if isinstance(node, ast.Import):
        return any(alias.name.partition(".")[0] == "objreg" for alias in node.names)
    return isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "objreg"


def _literal_spec(call: ast.Call, *, imports: bool) -> str:
    """Return the literal spec that a call reads, or ``""``."""
    function = call.func
    if not isinstance(function, ast.Attribute) or function.attr not in _METHODS or not call.args:
        return ""
    first = call.args[0]
    if not isinstance(first, ast.Constant) or not isinstance(first.value, str):
        return ""
    receiver = _name(function.value)
    if receiver == "objreg" or not (imports or "registry" in receiver.lower()):
        return ""
    text = first.value
    # ``read`` and ``open`` take a file inside a version, so a path alone is somebody else's.
    return text if function.attr in {"pull", "resolve"} or "@" in text or ":" in text else ""


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Call):
        return _name(node.func)
    return node.id if isinstance(node, ast.Name) else ""


# Other text


def _in_text(text: str) -> Iterator[tuple[int, str]]:
    if "objreg" not in text:
        return
    for number, line in enumerate(text.splitlines(), 1):
        if _ALLOWED.search(line) or line.lstrip().startswith("#"):
            continue
        for match in _COMMAND.finditer(line):
            if spec := _first_argument(match["rest"].split()):
                yield number, spec
        for match in _URL.finditer(line):
            yield number, match["spec"]


def _first_argument(words: list[str]) -> str:
    rest = iter(words)
    for word in rest:
        if word in _WITH_VALUE:
            next(rest, None)
        elif not word.startswith("-"):
            return word.strip("\"'")
    return ""
