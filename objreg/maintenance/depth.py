"""How far down a verification looks: at what is there, at what the store says of it, or at the bytes."""

from enum import StrEnum

__all__ = ["Depth"]


class Depth(StrEnum):
    """What a verification asks of blobs, from least to most; what was found so stands for what asks less."""

    QUICK = "quick"
    VOUCHED = "vouched"
    DEEP = "deep"

    @property
    def hashes(self) -> bool:
        """Whether bytes are read and hashed: all of them, or those for which the store does not vouch."""
        return self is not Depth.QUICK

    @property
    def covers(self) -> tuple["Depth", ...]:
        """Itself, and whatever asks less, from most to least."""
        depths = list(Depth)
        return tuple(reversed(depths[: depths.index(self) + 1]))
