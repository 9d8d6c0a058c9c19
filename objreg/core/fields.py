"""Fields: the kinds of values in stored objects; their types carry the constraints into decoding and the schemas."""

from typing import Annotated

import msgspec

from objreg.core.digest import DIGEST_PATTERN

__all__ = ["Days", "Digest", "Identifier", "Name", "OptionalDigest", "Positive", "Size", "Text", "Time"]

# The lengths say again what the patterns say, because Python's "$" also matches before a newline at the end.
Digest = Annotated[str, msgspec.Meta(pattern=DIGEST_PATTERN, max_length=71)]
OptionalDigest = Annotated[str, msgspec.Meta(pattern=r"^(sha256:[0-9a-f]{64})?$", max_length=71)]
Identifier = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}$", max_length=32)]
Time = Annotated[
    str,
    msgspec.Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$", max_length=24),
]
_MOST = 2**53 - 1  # beyond it, integers change in other JSON readers
Size = Annotated[int, msgspec.Meta(ge=0, le=_MOST)]
Positive = Annotated[int, msgspec.Meta(ge=1, le=_MOST)]
Days = Annotated[int, msgspec.Meta(ge=0, le=36500)]
Text = Annotated[str, msgspec.Meta(max_length=65536)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=400)]
