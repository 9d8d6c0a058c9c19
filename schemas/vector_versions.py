"""The cases of the test vectors for versioning schemes, written by hand."""

from typing import Any

__all__ = ["VERSIONS"]

Json = dict[str, Any]


def _next(newest: str, bump: str | None, expected: str, today: str = "2026-03-01") -> Json:
    return {"newest": newest, "bump": bump, "today": today, "version": expected}


def _partial(part: str, versions: str, expected: str) -> Json:
    return {"part": part, "versions": versions.split(), "version": expected}


VERSIONS: Json = {
    "about": "for each scheme: versions that it allows and refuses, versions in ascending order, which of some is the"
    " latest, the version that a part of one names ('' for none), and (policy, not format) which one comes next."
    " 'free' has no order: there the log's order is used, and versions are given",
    "schemes": {
        "major.minor": {
            "allowed": ["1.0", "0.0", "10.2", "999999999.1"],
            "refused": ["1", "1.2.3", "01.0", "1.00", "v1.0", "1.x", "1.-1", "1000000000.0", "1.0\n"],
            "ascending": ["0.0", "0.9", "0.10", "1.0", "1.2", "1.10", "2.0", "10.0", "10.1"],
            "latest": [{"versions": ["1.9", "1.10", "0.99"], "version": "1.10"}, {"versions": [], "version": ""}],
            "partial": [
                _partial("1", "1.0 1.2 1.10 10.0 10.2", "1.10"),
                _partial("10", "1.0 1.10 10.0 10.2", "10.2"),
                _partial("2", "1.0 1.2 20.0", ""),
                _partial("1.1", "1.10 1.11", ""),
            ],
            "next": [_next("", None, "1.0"), _next("1.9", None, "1.10"), _next("1.9", "major", "2.0")],
        },
        "semver": {
            "allowed": ["1.0.0", "0.0.1", "1.0.0-rc.1", "1.0.0-alpha-1.0", "1.2.3-0a"],
            "refused": ["1.0", "1", "1.0.0.0", "01.0.0", "1.0.0-", "1.0.0-01", "1.0.0+build", "1.0.0-a..b", "v1.0.0"],
            "ascending": [
                "0.9.9",
                "1.0.0-1",
                "1.0.0-2",
                "1.0.0-11",
                "1.0.0-alpha",
                "1.0.0-alpha.1",
                "1.0.0-alpha.beta",
                "1.0.0-beta",
                "1.0.0-beta.2",
                "1.0.0-beta.11",
                "1.0.0-rc.1",
                "1.0.0",
                "1.0.1-rc.1",
                "1.0.1",
                "1.10.0",
                "2.0.0",
            ],
            "latest": [
                {"versions": ["1.0.0", "1.1.0-rc.1"], "version": "1.0.0"},
                {"versions": ["1.0.0-rc.1", "1.0.0-rc.2"], "version": "1.0.0-rc.2"},
            ],
            "partial": [
                _partial("1", "1.0.0 1.2.0 1.3.0-rc.1 10.0.0", "1.2.0"),
                _partial("1.2", "1.2.0 1.2.9 1.2.10 1.20.0", "1.2.10"),
                _partial("1.3", "1.3.0-rc.1 1.3.0-rc.2", "1.3.0-rc.2"),
                _partial("1.0.0", "1.0.0-rc.1", ""),
            ],
            "next": [
                _next("", None, "1.0.0"),
                _next("1.2.3", None, "1.2.4"),
                _next("1.2.3", "minor", "1.3.0"),
                _next("1.2.3", "major", "2.0.0"),
                _next("1.3.0-rc.1", None, "1.3.0"),
            ],
        },
        "integer": {
            "allowed": ["1", "10", "999999999999"],
            "refused": ["0", "01", "1.0", "-1", "1000000000000", "a"],
            "ascending": ["1", "2", "9", "10", "100"],
            "latest": [{"versions": ["9", "10", "2"], "version": "10"}],
            "partial": [_partial("1", "10 11", "")],
            "next": [_next("", None, "1"), _next("9", None, "10")],
        },
        "date": {
            "allowed": ["2026-03-01", "2026-03-01.1", "2024-02-29", "2026-03-01.999999"],
            "refused": ["2026-3-1", "2026-02-30", "2026-13-01", "2026-03-01.0", "2026-03-01.01", "20260301", "2026-03"],
            "ascending": ["2025-12-31", "2026-03-01", "2026-03-01.1", "2026-03-01.2", "2026-03-01.10", "2026-03-02"],
            "latest": [{"versions": ["2026-03-01.2", "2026-03-01.10", "2026-02-28"], "version": "2026-03-01.10"}],
            "partial": [
                _partial("2026", "2025-12-31 2026-01-01 2026-03-01", "2026-03-01"),
                _partial("2026-03", "2026-03-01 2026-03-09 2026-04-01", "2026-03-09"),
                _partial("2026-03-01", "2026-03-01.1 2026-03-01.2", "2026-03-01.2"),
                _partial("202", "2026-03-01", ""),
            ],
            "next": [
                _next("", None, "2026-03-01"),
                _next("2026-02-28", None, "2026-03-01"),
                _next("2026-03-01", None, "2026-03-01.1"),
                _next("2026-03-01.9", None, "2026-03-01.10"),
                _next("2026-03-05", None, "2026-03-05.1"),
            ],
        },
        "free": {
            "allowed": ["spring-release", "1", "v2", "2026"],
            "refused": ["", "latest", "_x", "a..b", "a/b"],
            "ascending": [],
            "latest": [],
            "partial": [_partial("spring", "spring-release spring.1", "")],
            "next": [],
        },
    },
}
