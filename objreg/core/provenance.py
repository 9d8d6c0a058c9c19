"""Provenance: what a record says of where something comes from: code, an environment, a data set, another version."""

import msgspec

from objreg.core.fields import Digest, Name, OptionalDigest, Text

__all__ = ["CodeState", "Dataset", "Environment", "VersionReference"]


class CodeState(msgspec.Struct, frozen=True, kw_only=True):
    """The Git state that something was made from; a field is ``""`` where it is not known.

    Attributes:
        remote: URL of ``origin``, without credentials.
        commit: full object id.
        branch: or ``""`` on a detached head.
        dirty: whether tracked files were changed.
    """

    remote: Text
    commit: Text
    branch: Text
    dirty: bool


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """What a version was pushed from.

    Attributes:
        python: version of the interpreter.
        platform: operating system and processor.
        dependencies: installed distributions and their versions.
    """

    python: Text
    platform: Text
    dependencies: dict[str, str]


class VersionReference(msgspec.Struct, frozen=True, kw_only=True):
    """Names one version for ever: by its name and by its record's digest."""

    model: Name
    version: Name
    record: Digest


class Dataset(msgspec.Struct, frozen=True, kw_only=True):
    """A data set that an experiment used.

    Attributes:
        name: for people.
        digest: of its content, or ``""`` where it is not known.
        url: where it is, or ``""``; never with credentials.
        description: for people.
    """

    name: Name
    digest: OptionalDigest = ""
    url: Text = ""
    description: Text = ""
