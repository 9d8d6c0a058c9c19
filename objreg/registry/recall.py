"""What this machine remembers of one registry: immutable objects, and the newest entry that it saw of each domain.

It saves requests, and it is what makes a rollback visible: a registry that is older than what was seen is refused.
"""

from dataclasses import dataclass
from datetime import datetime

from objreg.core.encoding import decode_json
from objreg.core.entries import Head, read_entry
from objreg.local.cache import Cache
from objreg.local.cache_heads import SeenHead

__all__ = ["Recall", "Seen"]


@dataclass(frozen=True)
class Seen:
    """The newest entry of a domain that this machine saw.

    Attributes:
        head: the entry.
        modified: the store's time of it, if it was told.
    """

    head: Head
    modified: datetime | None


@dataclass(frozen=True)
class Recall:
    """One registry's part of the machine's cache.

    Attributes:
        cache: shared by all registries and processes.
        registry: tells this registry from others.
    """

    cache: Cache
    registry: str

    def object(self, digest: str) -> bytes | None:
        """Return a record, an entry or a snapshot that was read before."""
        return self.cache.get_object(digest)

    def keep_object(self, digest: str, data: bytes) -> None:
        """Remember an immutable object."""
        self.cache.put_object(digest, data)

    def head(self, domain: str) -> Seen | None:
        """Return the newest entry of a domain that this machine saw."""
        found = self.cache.head(self.registry, domain)
        if found is None:
            return None
        seq = decode_json(found.data, f"the remembered entry of {domain}")["seq"]
        return Seen(read_entry(found.data, domain, seq), found.modified)

    def keep_head(self, head: Head, modified: datetime | None) -> None:
        """Remember an entry and the store's time of it, unless a newer one is remembered."""
        self.cache.remember_head(self.registry, head.entry.domain, SeenHead(head.seq, head.data, modified))

    def forget_head(self, domain: str) -> None:
        """Forget what was seen of a domain, so that another history is accepted."""
        self.cache.forget_head(self.registry, domain)

    def forget_versions(self, model: str) -> None:
        """Forget which record each version of a model has, for the same reason."""
        self.cache.forget_versions(self.registry, model)

    def version(self, model: str, version: str) -> str | None:
        """Return the record's digest of a complete version that was resolved before: it never changes."""
        return self.cache.version_digest(self.registry, model, version)

    def keep_version(self, model: str, version: str, digest: str) -> None:
        """Remember which record a complete version has."""
        self.cache.remember_version(self.registry, model, version, digest)
