"""Artifacts: what a record says of files, down to the slices of blobs that their bytes are in."""

from typing import Annotated, Literal

import msgspec

from objreg.core.fields import Digest, Name, Size, Text

__all__ = ["Artifact", "File", "Part"]


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A slice of a blob; a file is its parts one after another.

    Attributes:
        blob: digest of the blob's plain bytes.
        incarnation: 0, or which re-upload of a collected blob this is.
        encoding: how the blob is stored: ``""`` as it is, or ``"zstd"``.
        blob_size: plain bytes in the blob.
        stored_size: bytes of the stored object.
        stored_digest: digest of the stored object.
        offset: where the slice begins in the plain bytes.
        length: bytes of the slice.
    """

    blob: Digest
    incarnation: Size = 0
    encoding: Literal["", "zstd"] = ""
    blob_size: Size
    stored_size: Size
    stored_digest: Digest
    offset: Size = 0
    length: Size


class File(msgspec.Struct, frozen=True, kw_only=True):
    """One file of an artifact.

    Attributes:
        path: relative to the artifact's folder.
        digest: of the whole file.
        size: in bytes.
        media_type: as in RFC 6838.
        parts: empty for an empty file.
    """

    path: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
    digest: Digest
    size: Size
    media_type: Text
    parts: tuple[Part, ...]


class Artifact(msgspec.Struct, frozen=True, kw_only=True):
    """A named set of files.

    Attributes:
        name: unique in its version or experiment.
        folder: where the files stand in a pulled version: ``""`` for the top, else the name.
        digest: SHA-256 of the files' raw digests in path order (by code point).
        size: of all files, in bytes.
        description: for people.
        files: in path order.
    """

    name: Name
    folder: Annotated[str, msgspec.Meta(max_length=400)]
    digest: Digest
    size: Size
    description: Text = ""
    files: tuple[File, ...]
