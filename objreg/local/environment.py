"""What this interpreter runs with: recorded with a version, so that somebody can build the same place again."""

import re

__all__ = ["dependency_versions", "platform_name", "python_version"]


def python_version() -> str:
    """Return the interpreter's version, such as "3.11.9"; with its name in front when it is not CPython."""
    import platform

    name = platform.python_implementation().lower()
    return platform.python_version() if name == "cpython" else f"{name}-{platform.python_version()}"


def platform_name() -> str:
    """Return system, processor and C library (on macOS its release): what decides which wheels fit.

    Examples: "linux-x86_64-glibc2.36", "linux-aarch64-musl", "darwin-arm64-macos14.4", "windows-amd64".
    """
    import platform

    parts = (platform.system(), platform.machine(), _base())
    return "-".join(part.lower() for part in parts if part)


def dependency_versions() -> dict[str, str]:
    """Return name (normalised as in PEP 503) and version of every distribution this interpreter can import, sorted.

    Of a name that is installed twice, the one counts that is first on ``sys.path``, because that is the one imported.
    """
    from importlib.metadata import distributions

    found: dict[str, str] = {}
    for distribution in distributions():
        metadata = distribution.metadata
        # A folder left over by an interrupted install has a name and no metadata: nothing that could be imported.
        if metadata and "Name" in metadata and "Version" in metadata:
            found.setdefault(re.sub(r"[-_.]+", "-", metadata["Name"]).lower(), metadata["Version"])
    return dict(sorted(found.items()))


def _base() -> str:
    import platform
    import sys

    if sys.platform == "darwin":
        return f"macos{platform.mac_ver()[0]}"
    library, version = platform.libc_ver()
    if not library and sys.platform == "linux":
        return "musl"  # libc_ver knows glibc only (musl from Python 3.13), and wheels exist for these two
    return f"{library}{version}"
