"""What a simulated machine remembers: the cache's shape, in memory, so that a seed needs no disk."""

from pathlib import Path

from objreg.local.cache_heads import SeenHead

__all__ = ["MemoryCache"]


class MemoryCache:
    """The part of ``objreg.local.cache.Cache`` that a registry uses, but for pulled files: none is ever there."""

    root = Path("/nowhere")

    def __init__(self) -> None:
        self._objects: dict[str, bytes] = {}
        self._heads: dict[tuple[str, str], SeenHead] = {}
        self._versions: dict[tuple[str, str, str], str] = {}

    @property
    def files(self) -> "MemoryCache":
        return self

    @property
    def trees(self) -> "MemoryCache":
        return self

    def find(self, digest: str, size: int) -> None:
        """No file is cached."""

    def tree(self, name: str) -> None:
        """No version is."""

    def entries(self, *, layers: bool) -> list[tuple[Path, None]]:
        return []

    def get_object(self, digest: str) -> bytes | None:
        return self._objects.get(digest)

    def put_object(self, digest: str, data: bytes) -> bool:
        self._objects[digest] = data
        return True

    def head(self, registry: str, domain: str) -> SeenHead | None:
        return self._heads.get((registry, domain))

    def remember_head(self, registry: str, domain: str, seen: SeenHead) -> None:
        known = self._heads.get((registry, domain))
        if known is None or seen.is_newer_than(known):
            self._heads[registry, domain] = seen

    def forget_head(self, registry: str, domain: str) -> None:
        self._heads.pop((registry, domain), None)

    def version_digest(self, registry: str, model: str, version: str) -> str | None:
        return self._versions.get((registry, model, version))

    def remember_version(self, registry: str, model: str, version: str, digest: str) -> None:
        self._versions[registry, model, version] = digest

    def verified(self, registry: str, domain: str, kind: str) -> bytes | None:
        return None

    def remember_verified(self, registry: str, domain: str, kind: str, content: bytes) -> None:
        """Every verification begins anew here."""

    def forget_verified(self, registry: str, domain: str) -> None:
        """Nothing is remembered of verifications."""

    def forget_versions(self, registry: str, model: str) -> None:
        self._versions = {key: digest for key, digest in self._versions.items() if key[:2] != (registry, model)}
