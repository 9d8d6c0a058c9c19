"""Versioning schemes: which versions a model allows, how they are ordered, and which comes next.

A scheme is a value; ``scheme(name)`` gives it. ``free`` has no order of its own: the log's order is used instead.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from objreg.core.names import check_version_text
from objreg.errors import FormatError, InvalidInput

__all__ = ["DEFAULT_SCHEME", "SCHEMES", "Scheme", "scheme"]

DEFAULT_SCHEME = "major.minor"

_NUMBER = r"(?:0|[1-9][0-9]{0,8})"
_PRERELEASE = r"(?:0|[1-9][0-9]{0,8}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"

Key = tuple[object, ...]


@dataclass(frozen=True)
class Scheme:
    """One versioning scheme.

    Attributes:
        name: as it stands in a record.
        pattern: what a complete version matches.
        partial: what a part of a version matches; it names the newest version that continues it.
        separators: what may follow a part within a version.
        bumps: what ``bump=`` accepts, the default first; empty where versions must be given.
        example: for messages.
        ordered: whether versions have an order apart from the log's.
    """

    name: str
    pattern: str
    partial: str
    separators: str
    bumps: tuple[str, ...]
    example: str
    ordered: bool = True

    def check(self, version: str) -> str:
        """Return a complete version of this scheme.

        Raises:
            InvalidInput: it is not one.
        """
        check_version_text(version)
        if not re.fullmatch(self.pattern, version) or not self._is_real(version):
            raise InvalidInput(
                f"version {version!r} is not of the scheme {self.name!r}, which this model uses; write it like"
                f" {self.example!r} (a model's scheme is chosen with its first version)",
                version=version,
                scheme=self.name,
            )
        return version

    def _is_real(self, version: str) -> bool:
        if self.name != "date":
            return True
        try:
            date.fromisoformat(version[:10])
        except ValueError:
            return False
        return True

    def key(self, version: str) -> Key:
        """Return what versions are sorted by, lowest first.

        Raises:
            FormatError: it is no version of this scheme, and stands in a state all the same.
        """
        return _key(self.name, version)

    def newest(self, versions: Iterable[str]) -> str:
        """Return the highest of some versions of an ordered scheme, or ``""`` if there are none.

        In ``semver`` a pre-release is named only where there is no release.
        """
        found = tuple(versions)
        if self.name == "semver":
            found = tuple(version for version in found if "-" not in version) or found
        return max(found, key=self.key, default="")

    def matches(self, part: str, version: str) -> bool:
        """Tell whether ``version`` continues the partial version ``part``: 1 is continued by 1.2, never by 10.2."""
        return version.startswith(part) and version[len(part) : len(part) + 1] in tuple(self.separators)

    def is_partial(self, text: str) -> bool:
        """Tell whether ``text`` can name a group of versions of this scheme."""
        return bool(self.partial and re.fullmatch(self.partial, text))

    def next(self, newest: str, bump: str | None, today: date) -> str:
        """Return the version that a push takes by itself.

        Args:
            newest: the highest version so far, or ``""``.
            bump: which part to raise, or None for the scheme's default.
            today: for the scheme ``date``.

        Raises:
            InvalidInput: the scheme has no such part, or versions of this scheme must be given.
        """
        if not self.bumps:
            raise InvalidInput(f"a model of the scheme {self.name!r} needs version=: it has no next version of its own")
        if bump is not None and bump not in self.bumps:
            raise InvalidInput(
                f"bump {bump!r} is not known to the scheme {self.name!r}; use one of {', '.join(self.bumps)}"
            )
        return _NEXT[self.name](newest, bump or self.bumps[0], today)


@lru_cache(maxsize=1 << 18)
def _key(name: str, version: str) -> Key:
    if not re.fullmatch(SCHEMES[name].pattern, version, re.ASCII):
        raise FormatError(f"{version[:100]!r} is no version of the scheme {name!r}, and the manifest holds it as one")
    if name == "semver":
        release, _, pre = version.partition("-")
        # SemVer 2.0 section 11: numeric identifiers sort below words, a release above its pre-releases.
        words = tuple((0, int(word), "") if word.isdigit() else (1, 0, word) for word in pre.split(".") if word)
        return (*map(int, release.split(".")), 0 if pre else 1, words)
    return tuple(int(number) for number in re.split(r"[.-]", version))


def _next_major_minor(newest: str, bump: str, _today: date) -> str:
    if not newest:
        return "1.0"
    major, minor = map(int, newest.split("."))
    return f"{major + 1}.0" if bump == "major" else f"{major}.{minor + 1}"


def _next_semver(newest: str, bump: str, _today: date) -> str:
    if not newest:
        return "1.0.0"
    release, _, pre = newest.partition("-")
    major, minor, patch = map(int, release.split("."))
    if bump == "major":
        return f"{major + 1}.0.0"
    if bump == "minor":
        return f"{major}.{minor + 1}.0"
    return release if pre else f"{major}.{minor}.{patch + 1}"


def _next_integer(newest: str, _bump: str, _today: date) -> str:
    return str(int(newest or "0") + 1)


def _next_date(newest: str, _bump: str, today: date) -> str:
    day = today.isoformat()
    if newest[:10] < day:
        return day
    return f"{newest[:10]}.{int(newest[11:] or '0') + 1}"


_NEXT = {"major.minor": _next_major_minor, "semver": _next_semver, "integer": _next_integer, "date": _next_date}

SCHEMES: dict[str, Scheme] = {
    found.name: found
    for found in (
        Scheme("major.minor", rf"{_NUMBER}\.{_NUMBER}", _NUMBER, ".", ("minor", "major"), "1.2"),
        Scheme(
            "semver",
            rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-{_PRERELEASE}(?:\.{_PRERELEASE})*)?",
            rf"{_NUMBER}(?:\.{_NUMBER})?",
            ".",
            ("patch", "minor", "major"),
            "1.2.3",
        ),
        Scheme("integer", r"[1-9][0-9]{0,11}", "", "", ("number",), "7"),
        Scheme(
            "date",
            r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:\.[1-9][0-9]{0,5})?",
            r"[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?",
            "-.",
            ("day",),
            "2026-03-01",
        ),
        Scheme("free", r".+", "", "", (), "spring-release", ordered=False),
    )
}


def scheme(name: str) -> Scheme:
    """Return a versioning scheme by its name.

    Raises:
        InvalidInput: there is no such scheme.
    """
    if name not in SCHEMES:
        raise InvalidInput(f"there is no versioning scheme {name!r}; choose one of {', '.join(SCHEMES)}", scheme=name)
    return SCHEMES[name]
