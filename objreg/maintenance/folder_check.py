"""Verify what stands in a domain's folder: the blobs that records need, and every object that nothing names."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from objreg.core.audit.findings import Finding, finding
from objreg.core.audit.inventory import kind_of
from objreg.core.audit.model import ModelAudit
from objreg.core.audit.needs import Need
from objreg.core.digest import digest_of
from objreg.maintenance.blob_check import blob_damage, nameless_damage
from objreg.maintenance.depth import Depth
from objreg.maintenance.fetching import Fetching

__all__ = ["FolderCheck"]


class FolderCheck:
    """One domain's folder.

    Args:
        domain: the folder.
        listed: sizes of what is in it, by key.
        fetching: reads.
        depth: whether blobs, and objects that nothing names, are read and hashed.

    Attributes:
        bytes_hashed: of what was read.
        blobs_read: how many blobs that records need were read and hashed.
        blobs_vouched: how many were taken at the store's word instead.
    """

    def __init__(self, domain: str, listed: Mapping[str, int], fetching: Fetching, *, depth: Depth) -> None:
        self.bytes_hashed = self.blobs_read = self.blobs_vouched = 0
        self._domain = domain
        self._listed = listed
        self._fetching = fetching
        self._depth = depth

    def blobs(self, audit: ModelAudit) -> Iterator[Finding]:
        """Yield each blob that is not there as records promise it."""
        needs = audit.needs.by_key
        sizes = dict(self._listed) | self._fetching.sizes(sorted(needs.keys() - self._listed.keys()))
        wrong: set[str] = set()
        problems = audit.needs.problems(sizes.get, audit.versions, audit.small.incarnations, audit.condemned)
        for key, (code, message) in problems:
            yield finding(code, self._domain, key, message)
            wrong.add(key)
        if self._depth.hashes:
            sound = {key for key in needs if key in sizes and key not in wrong}
            vouched = self._vouched(sound, needs) if self._depth is Depth.VOUCHED else set()
            doubtful = sorted(sound - vouched)
            self.blobs_vouched, self.blobs_read = len(vouched), len(doubtful)
            for key, damage in self._hashed(doubtful, lambda key, data: blob_damage(data, needs[key].part)):
                if damage is not None:
                    yield finding("blob-damaged", self._domain, key, damage)
                    continue
                self.blobs_read -= 1  # it was not there to be read
                if audit.needs.is_live(key, audit.versions):  # others may be collected meanwhile
                    yield finding("blob-missing", self._domain, key, "it was listed, and could not be read any more")

    def _vouched(self, keys: Iterable[str], needs: Mapping[str, Need]) -> set[str]:
        """Return those blobs of which the store says what records promise.

        One with another checksum is not among them, and so is read: it may be damaged, or the checksum may be wrong.
        """
        said = self._fetching.recorded(sorted(keys))
        return {key for key, digest in said.items() if digest == needs[key].part.stored_digest}

    def strangers(self, named: set[str], condemned: Iterable[str], *, partial: bool) -> Iterator[Finding]:
        """Yield every object that nothing names.

        Args:
            named: keys that entries and records name.
            condemned: names of blobs that a collector is deleting.
            partial: whether only later entries were replayed, so that what earlier ones name is not known.
        """
        doomed = set(condemned)
        orphans = []
        for key, size in sorted(self._listed.items()):
            rest = key[len(self._domain) + 1 :]
            kind = kind_of(rest, has_blobs=self._domain.endswith(".model"))
            if kind == "log-foreign":
                yield finding("log-foreign-key", self._domain, key, "expected entries only, named by twelve digits")
            elif kind == "unknown":
                yield finding("unknown-key", self._domain, key, f"{size} bytes of no kind that the format knows")
            elif kind == "blob" and rest.removeprefix("blobs/") in doomed:
                yield finding("condemned-left", self._domain, key, f"{size} bytes, condemned and not deleted yet")
            elif kind != "entry" and key not in named and not partial:
                yield finding(f"orphan-{kind}", self._domain, key, f"{size} bytes that no entry or record names")
                orphans.append(key)
        if self._depth.hashes:
            for key, damage in self._hashed(orphans, _orphan_damage):
                if damage is not None:
                    yield finding("orphan-damaged", self._domain, key, damage)

    def _hashed(self, keys: Iterable[str], damage: Callable[[str, bytes], str]) -> Iterator[tuple[str, str | None]]:
        """Yield the keys of objects that are damaged, with how; or with None, of those that are gone."""

        def check(key: str) -> tuple[str, str | None, int]:
            data = self._fetching.get(key)
            return (key, None, 0) if data is None else (key, damage(key, data), len(data))

        for key, found, size in self._fetching.blobs(check, keys):
            self.bytes_hashed += size
            if found != "":
                yield key, found


def _orphan_damage(key: str, data: bytes) -> str:
    folder, _, name = key.rpartition("/")
    if folder.endswith("/blobs"):
        return nameless_damage(name, data)
    expected, found = f"sha256:{name.removesuffix('.json')}", digest_of(data)
    return "" if found == expected else f"expected {expected}, found {found}"
