"""What this machine remembers of verifications: how far each domain was found without errors."""

from collections.abc import Iterable

import msgspec

from objreg.core.audit.replay import Checkpoint
from objreg.core.encoding import encode
from objreg.core.keys import REGISTRY_DOMAIN
from objreg.maintenance.depth import Depth
from objreg.registry.recall import Recall

__all__ = ["Verified", "VerifiedDomain"]


class VerifiedDomain(msgspec.Struct, frozen=True, kw_only=True):
    """How far one domain was verified.

    Attributes:
        seq: of the last entry.
        digest: of its bytes.
        state_digest: of the state after it.
        definitions: that were ever made in it, for a scope: the state's name and whether it is exclusive, by digest.
    """

    seq: int
    digest: str
    state_digest: str
    definitions: dict[str, tuple[str, bool]] = {}

    @property
    def checkpoint(self) -> Checkpoint:
        """The entry itself."""
        return Checkpoint(self.seq, self.digest, self.state_digest)


class Verified:
    """The memory of one registry.

    Args:
        recall: the machine's cache.
        depth: of this verification, which does not stand for a deeper one.
    """

    def __init__(self, recall: Recall, *, depth: Depth) -> None:
        self._recall = recall
        self._kinds = depth.covers

    def get(self, domain: str) -> VerifiedDomain | None:
        """Return how far a domain was verified, or None."""
        data = self._read(domain, self._kinds[0])
        try:
            return None if data is None else msgspec.json.decode(data, type=VerifiedDomain)
        except msgspec.DecodeError:  # an older release's, which is as good as none
            return None

    def put(self, domain: str, found: VerifiedDomain) -> None:
        """Remember how far a domain was verified, at this depth and at those that ask less."""
        for kind in self._kinds:
            self._write(domain, kind, encode(found))

    def forget(self, domain: str) -> None:
        """Forget how far a domain was verified: it has an error now, so all of it is looked at the next time."""
        marker = self.marker() if domain == REGISTRY_DOMAIN else None
        self._recall.cache.forget_verified(self._recall.registry, domain)
        if marker is not None:
            self.keep_marker(marker)

    def marker(self) -> bytes | None:
        """Return the registry's marker as it was verified, or None; it is forgotten with the registry's own history."""
        return self._read(REGISTRY_DOMAIN, "marker")

    def keep_marker(self, data: bytes) -> None:
        """Remember the registry's marker; the first one stays."""
        if self.marker() is None:
            self._write(REGISTRY_DOMAIN, "marker", data)

    def domains(self) -> frozenset[str]:
        """Return the domains that were verified, and not forgotten since: one that is gone is missed by this alone."""
        return frozenset(domain for domain in self._domains() if self._recall.head(domain) is not None)

    def add_domains(self, domains: Iterable[str]) -> None:
        """Remember more domains."""
        known = self._domains()
        if not known.issuperset(found := frozenset(domains)):
            self._write("", "domains", encode(sorted(known | found)))

    def _domains(self) -> frozenset[str]:
        data = self._read("", "domains")
        return frozenset(msgspec.json.decode(data, type=list[str])) if data else frozenset()

    def _read(self, domain: str, kind: str) -> bytes | None:
        return self._recall.cache.verified(self._recall.registry, domain, kind)

    def _write(self, domain: str, kind: str, data: bytes) -> None:
        self._recall.cache.remember_verified(self._recall.registry, domain, kind, data)
