"""Verify a registry: every domain, from its first entry to its last, with every object that stands in it.

Nothing is repaired, and no finding ends it: what is wrong is collected, said in words, and left as it is.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from objreg.core.audit.findings import Finding, Severity, finding
from objreg.core.audit.inventory import place_of, scopes_of
from objreg.core.audit.moves import judge_moves
from objreg.core.audit.replay import Checkpoint
from objreg.core.audit.scope import Definitions, defined_twice
from objreg.core.digest import digest_of
from objreg.core.keys import MARKER, model_domain
from objreg.core.names import check_path
from objreg.errors import FormatError, InvalidInput, NotFound
from objreg.maintenance.depth import Depth
from objreg.maintenance.domain_check import DomainCheck, DomainResult
from objreg.maintenance.fetching import Fetching, fetching
from objreg.maintenance.verified import Verified, VerifiedDomain
from objreg.registry.recall import Recall
from objreg.registry.registry import Registry
from objreg.registry.session import read_marker
from objreg.store.base import Store

__all__ = ["FsckReport", "fsck"]

_DOMAIN_WORKERS = 4
_ORDER: dict[Severity, int] = {"error": 0, "warning": 1, "note": 2}

Listed = dict[str, dict[str, int]]
"""Sizes of objects by key, by domain; ``""`` has those outside of all domains."""


@dataclass(frozen=True, slots=True)
class FsckReport:
    """What a verification found.

    Attributes:
        url: of the registry.
        findings: errors first, then warnings, then notes; each by key.
        domains: how many were verified.
        entries: how many were replayed.
        records: how many were read and hashed.
        blobs: how many are needed by what was replayed.
        blobs_read: how many of them were read and hashed, with ``deep``.
        blobs_vouched: how many of them were taken at the store's word, with ``stored_checksums``.
        bytes_hashed: of blobs that were read, needed or not.
    """

    url: str
    findings: tuple[Finding, ...]
    domains: int
    entries: int
    records: int
    blobs: int
    blobs_read: int
    blobs_vouched: int
    bytes_hashed: int

    @property
    def ok(self) -> bool:
        """Whether no promise is broken: there may be warnings and notes."""
        return self.count("error") == 0

    def count(self, severity: Severity) -> int:
        """Return how many findings are of a severity."""
        return sum(found.severity == severity for found in self.findings)


def fsck(
    registry: Registry,
    path: str = "",
    *,
    deep: bool = False,
    stored_checksums: bool = False,
    since: bool = False,
    since_entry: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> FsckReport:
    """Verify a registry, a namespace with all below, or a model.

    It reads from the store alone, never from this machine's cache; the cache tells what this machine saw earlier, so
    that an older or another history is found. May run beside any number of writers, readers and collectors.

    Args:
        registry: which one.
        path: of a model or a namespace; ``""`` for all. The manifests that define states for it are verified too.
        deep: read and hash every blob, and whatever nothing names.
        stored_checksums: with ``deep``, do not read a blob of which the store itself keeps the right SHA-256: for
            stores that ``objreg doctor`` saw refuse a wrong one. It speaks of the bytes at the upload.
        since: replay only what came after the last entry that this machine verified without errors.
        since_entry: take a model's entries up to this number on trust, and replay only later ones.
        progress: is told how many more objects were read; from any thread.

    Returns:
        All findings, and what was looked at.

    Raises:
        NotFound: there is no such model or namespace, or no registry.
        InvalidInput: ``since_entry`` without a model; a version instead of a model; ``stored_checksums`` without
            ``deep``, or of a storage that keeps none.
        MissingDependency: the package that asks for checksums is not installed.
        StoreError: the store gave no answer, or cannot be listed: nothing can be said then.
    """
    session = registry.session
    if path:
        _check_whole(path)
    depth = _depth(deep=deep, stored_checksums=stored_checksums)
    with fetching(session.store, session.clock, progress or _ignore) as reading:
        if depth is Depth.VOUCHED:
            reading.recorded((MARKER,))  # a storage that keeps none is told before anything is read
        run = _Run(reading, session.recall, depth=depth, since=since)
        listed = _listed(session.store, path)
        trusted = _trusted(path, since_entry, listed)
        return run.report(listed, path, trusted)


class _Run:
    def __init__(self, reading: Fetching, recall: Recall, *, depth: Depth, since: bool) -> None:
        self._fetching = reading
        self._recall = recall
        self._depth = depth
        self._since = since
        self._verified = Verified(recall, depth=depth)

    def report(self, listed: Listed, path: str, trusted: Mapping[str, int]) -> FsckReport:
        outside = listed.pop("", {})
        findings = list(self._check_root(outside))
        known = (domain for domain in self._verified.domains() if _is_inside(domain, path))
        domains = sorted({*listed, *known})
        if path and self._is_nothing(path, domains):
            raise NotFound(f"there is no model or namespace {path} in {self._fetching.store.url}", path=path)
        if not path and not domains and findings:
            raise NotFound(f"there is no registry in {self._fetching.store.url}; check the URL")
        scopes = [domain for domain in domains if not domain.endswith(".model")]
        models = [domain for domain in domains if domain.endswith(".model")]
        results = self._check_all(scopes, listed, {}, trusted)
        definitions = {result.domain: result.definitions for result in results}
        for domain in scopes:
            wider = {scope: definitions.get(scope, {}) for scope in scopes_of(domain) if scope != domain}
            findings += defined_twice(domain, definitions[domain], wider)
        results += self._decided(self._check_all(models, listed, definitions, trusted))
        for result in results:
            if result.has_errors:
                self._verified.forget(result.domain)
        self._remember(result for result in results if not result.has_errors and result.domain not in trusted)
        findings += [found for result in results for found in result.findings]
        return FsckReport(
            url=self._fetching.store.url,
            findings=tuple(sorted(findings, key=lambda found: (_ORDER[found.severity], found.key, found.code))),
            domains=len(domains),
            entries=sum(result.entries for result in results),
            records=sum(result.records for result in results),
            blobs=sum(result.blobs for result in results),
            blobs_read=sum(result.blobs_read for result in results),
            blobs_vouched=sum(result.blobs_vouched for result in results),
            bytes_hashed=sum(result.bytes_hashed for result in results),
        )

    def _check_root(self, outside: Mapping[str, int]) -> Iterator[Finding]:
        data = self._fetching.get(MARKER)
        known = self._verified.marker()
        if data is None:
            yield finding("marker-missing", "", MARKER, "expected the marker of a registry, and it is not there")
        elif known is not None and known != data:
            message = f"it was {digest_of(known)} when this machine verified it, and it is {digest_of(data)} now"
            yield finding("marker-changed", "", MARKER, message)
        if data != known:
            try:
                if read_marker(self._fetching.store) is not None and data is not None:
                    self._verified.keep_marker(data)
            except FormatError as error:
                yield finding("marker-unreadable", "", MARKER, str(error))
        for key, size in outside.items():
            if key != MARKER:
                message = f"{size} bytes outside of every model, namespace and the registry"
                yield finding("unknown-key", "", key, message)

    def _is_nothing(self, path: str, domains: Iterable[str]) -> bool:
        """Whether neither the store nor this machine's memory has anything of a path."""
        inside = any(_is_inside(domain, path) and domain not in scopes_of(path) for domain in domains)
        return not inside and self._recall.head(model_domain(path)) is None

    def _decided(self, results: list[DomainResult]) -> list[DomainResult]:
        """Read the definitions once more, where a state was used that may have been defined a moment ago."""
        scopes = sorted({scope for result in results if result.undecided for scope in _scopes_of_model(result.domain)})
        listed = _list_prefixes(self._fetching.store, (f"{scope}/" for scope in scopes))
        definitions = {result.domain: result.definitions for result in self._check_all(scopes, listed, {}, {})}

        def decided(result: DomainResult) -> DomainResult:
            holding = _holding(result.domain, definitions)
            return replace(result, findings=(*result.findings, *judge_moves(result.domain, result.undecided, holding)))

        return [decided(result) if result.undecided else result for result in results]

    def _check_all(
        self, domains: list[str], listed: Listed, definitions: Mapping[str, Definitions], trusted: Mapping[str, int]
    ) -> list[DomainResult]:
        def check(domain: str) -> DomainResult:
            return self._check(domain, listed.get(domain, {}), definitions, trusted.get(domain))

        with ThreadPoolExecutor(_DOMAIN_WORKERS, thread_name_prefix="objreg-fsck-domains") as pool:
            return list(pool.map(check, domains))

    def _check(
        self, domain: str, listed: Mapping[str, int], definitions: Mapping[str, Definitions], trusted: int | None
    ) -> DomainResult:
        seen = self._recall.head(domain)
        check = DomainCheck(
            domain,
            listed,
            self._fetching,
            seen=seen.head if seen else None,
            definitions=_holding(domain, definitions),
            depth=self._depth,
        )
        last = self._verified.get(domain) if self._since else None
        begin: Checkpoint | int | None = trusted if last is None or trusted is not None else last.checkpoint
        return check.run(begin, last.definitions if last else {})

    def _remember(self, results: Iterable[DomainResult]) -> None:
        domains = []
        for result in results:
            found = result.checkpoint
            if result.head is None or found is None:
                continue
            domains.append(result.domain)
            self._recall.keep_head(result.head, None)
            verified = VerifiedDomain(
                seq=found.seq,
                digest=found.digest,
                state_digest=found.state_digest,
                definitions=dict(result.definitions),
            )
            self._verified.put(result.domain, verified)
        self._verified.add_domains(domains)


def _check_whole(path: str) -> None:
    mark = min((path.find(mark) for mark in ":@" if mark in path), default=-1)
    if mark > 0:
        raise InvalidInput(f"a version is verified with its whole model: write {path[:mark]!r}", path=path)
    check_path(path)


def _depth(*, deep: bool, stored_checksums: bool) -> Depth:
    if not stored_checksums:
        return Depth.DEEP if deep else Depth.QUICK
    if not deep:
        raise InvalidInput("--stored-checksums says how blobs are verified: add --deep, or leave it out")
    return Depth.VOUCHED


def _scopes_of_model(domain: str) -> tuple[str, ...]:
    return scopes_of(domain.removesuffix(".model"))


def _holding(domain: str, definitions: Mapping[str, Definitions]) -> Definitions:
    """Return the definitions that hold for a model; none for a scope, which only makes them."""
    found: dict[str, tuple[str, bool]] = {}
    if domain.endswith(".model"):
        for scope in _scopes_of_model(domain):
            found.update(definitions.get(scope, {}))
    return found


def _listed(store: Store, path: str) -> Listed:
    """List what shall be verified: each object once, whatever its kind."""
    inside = {*(f"{scope}/" for scope in scopes_of(path)), f"{model_domain(path)}/", f"{path}/"} if path else {""}
    return _list_prefixes(store, inside)


def _list_prefixes(store: Store, prefixes: Iterable[str]) -> Listed:
    found: Listed = defaultdict(dict)
    for prefix in sorted(prefixes):
        for info in store.list(prefix):
            place = place_of(info.key)
            found[place[0] if place else ""][info.key] = info.size
    return found


def _trusted(path: str, since_entry: int | None, listed: Listed) -> dict[str, int]:
    if since_entry is None:
        return {}
    if not path or model_domain(path) not in listed:
        raise InvalidInput("--since-entry is a number of one model's log: name the model")
    return {model_domain(path): since_entry}


def _is_inside(domain: str, path: str) -> bool:
    return not path or domain == model_domain(path) or domain.startswith(f"{path}/") or domain in scopes_of(path)


def _ignore(_: int) -> None:
    """Nobody watches."""
