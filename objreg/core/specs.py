"""Specs: the text that names a version, ``path[:version | @state | @sha256:hex][/file/inside]``.

>>> parse_spec("fraud/clf@production").state
'production'
"""

import re
from dataclasses import dataclass, field

from objreg.core.names import LATEST, check_file_path, check_path, check_state, check_version_text
from objreg.errors import InvalidInput

__all__ = ["Spec", "parse_spec"]

_SPEC = re.compile(r"(?P<path>[^:@]*)(?:(?P<mark>[:@])(?P<what>sha256:[^/]*|[^/]*)(?:/(?P<file>.*))?)?", re.DOTALL)
_HEX = re.compile(r"[0-9a-f]{8,64}")
_SHORTEST_DIGEST = 8


@dataclass(frozen=True, slots=True)
class Spec:
    """A parsed spec.

    At most one of ``version``, ``state`` and ``digest`` is set; with none it names the latest version.

    Attributes:
        path: the model.
        version: complete or partial.
        state: whose version is meant.
        digest: ``sha256:`` and at least 8 of the hex digits of a version's record.
        file: a path inside the version, or ``""``.
        bare: whether the text is the model's name alone: it means the latest version, unless a lock file says which.
    """

    path: str
    version: str = ""
    state: str = ""
    digest: str = ""
    file: str = ""
    bare: bool = field(default=False, compare=False)

    @property
    def pointer(self) -> str:
        """The pointer that this spec follows (``latest`` or a state), or ``""`` if it names a version itself."""
        return self.state or ("" if self.version or self.digest else LATEST)

    def __str__(self) -> str:
        mark = (
            f":{self.version}" if self.version else f"@{self.state or self.digest}" if self.state or self.digest else ""
        )
        if self.file and not mark:
            mark = f"@{LATEST}"
        return self.path + mark + (f"/{self.file}" if self.file else "")


def parse_spec(text: str) -> Spec:
    """Parse a spec.

    Args:
        text: ``fraud/clf``, ``fraud/clf:1.2``, ``fraud/clf@production``, ``fraud/clf@sha256:ab12cd34``, each with an
            optional
            ``/path/of/a/file`` behind the version. ``@latest`` is the spelled-out form of leaving the version out.

    Raises:
        InvalidInput: the text is not a spec; the message shows how to write it.
    """
    match = _SPEC.fullmatch(text)
    if match is None or (match["mark"] and not match["what"]):
        raise InvalidInput(
            f"spec {text[:120]!r} is not complete: write it like 'fraud/clf', 'fraud/clf:1.2' or"
            f" 'fraud/clf@production'",
            spec=text,
        )
    path, what, file = check_path(match["path"]), match["what"] or "", match["file"]
    if not match["mark"]:
        return Spec(path, bare=True)
    if file is not None:
        check_file_path(file)
    file = file or ""
    if match["mark"] == ":":
        if what.lower() == LATEST:
            raise InvalidInput(f"spec {text!r}: the latest version is {path!r} alone, or '{path}@{LATEST}'", spec=text)
        return Spec(path, version=check_version_text(what), file=file)
    if what.startswith("sha256:"):
        return Spec(path, digest=_check_short_digest(what), file=file)
    if what == LATEST or not what:
        return Spec(path, file=file)
    return Spec(path, state=check_state(what), file=file)


def _check_short_digest(text: str) -> str:
    if not _HEX.fullmatch(text.removeprefix("sha256:")):
        raise InvalidInput(
            f"{text[:80]!r} is not a digest: write 'sha256:' and at least {_SHORTEST_DIGEST} of its 64 lower-case hex"
            f" digits"
        )
    return text
