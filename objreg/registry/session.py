"""One process's use of one registry: its store, what the machine remembers, a manifest for each domain in use.

Made anew after a fork, because locks and connections do not survive one.
"""

import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from objreg.core.decisions import View
from objreg.core.encoding import decode, decode_record, encode, of_kind
from objreg.core.keys import MARKER, REGISTRY_DOMAIN, model_domain, namespace_domain
from objreg.core.names import parent_namespaces
from objreg.core.records import AnyRecord, Marker, Record
from objreg.core.state import ModelState, ScopeState, StateItem, typed_state
from objreg.core.times import format_time
from objreg.errors import FormatError, NotFound
from objreg.local.cache import Cache
from objreg.registry.clock import Clock
from objreg.registry.commit import Committed, create_durably
from objreg.registry.known import KnownContent
from objreg.registry.manifest import Manifest
from objreg.registry.recall import Recall
from objreg.store.base import Store
from objreg.store.conditional import prove_conditional_create

__all__ = ["Connected", "Session", "create_marker", "read_marker"]

_FORMAT = 1
_MARKER_SECONDS = 60.0

Kind = TypeVar("Kind", bound=Record)


def read_marker(store: Store) -> Marker | None:
    """Return what the root says of the registry, or None if there is none.

    Raises:
        FormatError: it is of a newer format, or not a marker.
    """
    data = store.get(MARKER)
    if data is None:
        return None
    marker = decode(data, Marker, f"{MARKER} in {store.url}")
    if marker.format != _FORMAT:
        raise FormatError(
            f"the registry in {store.url} is of format {marker.format}, and this release of objreg reads format"
            f" {_FORMAT}: upgrade objreg"
        )
    return marker


def create_marker(store: Store, clock: Clock) -> tuple[Marker, bool]:
    """Return the registry's marker, made if there was none, and whether this call made it.

    Raises:
        UnsafeStore: the store does not keep conditional creates, so no registry can be in it.
    """
    marker = read_marker(store)
    if marker is not None:
        return marker, False
    prove_conditional_create(store)
    marker = Marker(format=_FORMAT, id=clock.new_id(), created_at=format_time(clock.now()))
    create_durably(store, MARKER, encode(marker), clock, clock.monotonic() + _MARKER_SECONDS)
    found = read_marker(store)
    if found is None:
        raise FormatError(f"{MARKER} was created in {store.url} and cannot be read back: is a cache in between?")
    return found, found == marker


def _log(text: str) -> None:
    import logging

    logging.getLogger("objreg").info("%s", text)


def _pass(_: bool) -> None:
    """Nobody wants to know."""


@dataclass
class Session:
    """What a process holds while it uses a registry.

    Attributes:
        store: the objects.
        recall: what the machine remembers.
        clock: time and chance.
        actor: who commits.
        tell: takes what a person who waits wants to know; by default it goes to the log.
        committed: takes of each commit whether it changed anything.
        offline: whether only what this machine has seen is used; the store is then one that refuses.
        connections: how many blobs are sent or fetched at a time.
    """

    store: Store
    recall: Recall
    clock: Clock
    actor: str
    tell: Callable[[str], None] = _log
    committed: Callable[[bool], None] = _pass
    offline: bool = False
    connections: int = 8
    pid: int = field(default_factory=os.getpid)
    _manifests: dict[str, Manifest] = field(default_factory=dict)
    _known: dict[str, KnownContent] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _typed: dict[str, tuple[str, Any]] = field(default_factory=dict)
    _is_registry: bool = False
    _fetching: ThreadPoolExecutor | None = None

    @property
    def fetching(self) -> ThreadPoolExecutor:
        """Where blobs are fetched: one pool for all pulls of this process, so that they share the connections."""
        with self._lock:
            if self._fetching is None:
                self._fetching = ThreadPoolExecutor(self.connections, thread_name_prefix="objreg-pull")
            return self._fetching

    def told(self, commit: Committed) -> Any:
        """Tell whether a commit changed anything, and return its value."""
        self.committed(commit.changed)
        return commit.value

    def close(self) -> None:
        """Release connections and threads; the session is not used afterwards."""
        if self._fetching is not None:
            self._fetching.shutdown(wait=False)
        self.store.close()

    @property
    def cache(self) -> Cache:
        """The machine's cache."""
        return self.recall.cache

    @property
    def cache_dir(self) -> Path:
        """Where the cache is."""
        return self.recall.cache.root

    def manifest(self, domain: str) -> Manifest:
        """Return the manifest of a domain; one for each, so that threads share what is known."""
        with self._lock:
            if domain not in self._manifests:
                self._manifests[domain] = Manifest(domain, self.store, self.recall, self.clock, offline=self.offline)
            return self._manifests[domain]

    def drop(self, domain: str) -> None:
        """Forget what this process knows of a domain."""
        with self._lock:
            self._manifests.pop(domain, None)
            self._typed.pop(domain, None)
            self._known.pop(domain, None)

    def known(self, domain: str) -> KnownContent:
        """Return what this process knows to be in the store of a model's content."""
        with self._lock:
            if domain not in self._known:
                self._known[domain] = KnownContent(domain, self.recall)
            return self._known[domain]

    def model(self, model: str) -> Manifest:
        """Return the manifest of a model."""
        return self.manifest(model_domain(model))

    def existing_model(self, model: str) -> Manifest:
        """Return the manifest of a model that has history, its head refreshed.

        Raises:
            NotFound: there is no such model, or no registry.
        """
        manifest = self.model(model)
        if manifest.refresh() is None:
            self.check_registry()
            raise NotFound(
                f"there is no model {model} in {self.store.url}; push to it, or list the models", model=model
            )
        return manifest

    def check_registry(self) -> None:
        """See to it that there is a registry at all.

        Asked only where nothing was found, so it costs the usual reader nothing; and once, for a marker stays.

        Raises:
            NotFound: there is none.
        """
        if self._is_registry:
            return
        self._is_registry = read_marker(self.store) is not None
        if not self._is_registry:
            raise NotFound(f"there is no registry in {self.store.url}; check the URL, or create one with 'objreg init'")

    def view(self, model: str, manifest: Manifest) -> View:
        """Return what a rule sees of a model now."""
        with manifest.lock:
            head = manifest.head
            state: ModelState = self.typed(manifest, ModelState)
        return View(
            model=model,
            state=state,
            head=head.digest if head else "",
            load=lambda digest: self.record(manifest, digest),
        )

    def typed(self, manifest: Manifest, kind: type[Any]) -> Any:
        """Return the state of a domain as a typed value; converted once for each entry."""
        digest = manifest.head.digest if manifest.head else ""
        known = self._typed.get(manifest.domain)
        if known is None or known[0] != digest:
            known = (digest, typed_state(manifest.state(), kind, manifest.domain))
            self._typed[manifest.domain] = known
        return known[1]

    def record(self, manifest: Manifest, digest: str) -> AnyRecord:
        """Return a record of a domain."""
        return decode_record(manifest.record(digest), f"record {digest[:19]}… of {manifest.domain}")

    def record_of(self, manifest: Manifest, digest: str, kind: type[Kind], **expected: object) -> Kind:
        """Return a record of a domain that must be of one kind, and say what the manifest says of it.

        A record's bytes may be known from another domain, so that its digest is right does not make it this domain's.

        Raises:
            FormatError: it is of another kind, or says otherwise.
        """
        what = f"record {digest[:19]}… of {manifest.domain}"
        record = of_kind(self.record(manifest, digest), kind, what)
        for name, value in expected.items():
            if (found := getattr(record, name)) != value:
                raise FormatError(f"{what} has the {name} {found}, and the manifest says {value}: do not trust it")
        return record

    # Definitions of states: they are only ever added, so one that was seen holds for good

    def definition(self, model: str, state: str) -> StateItem:
        """Return the definition that rules a state of a model.

        It is the registry's, or that of the widest namespace above the model that has one.

        Raises:
            NotFound: nobody defined it; the message says which are.
        """
        defined: set[str] = set()
        for domain in self._scopes(model):
            found = self._defined(domain, state)
            if found is not None:
                return found
            defined |= set(self.typed(self.manifest(domain), ScopeState).states)
        if not defined:
            self.check_registry()
        names = f"; defined are {', '.join(sorted(defined))}" if defined else ""
        raise NotFound(
            f"no state {state} is defined for {model}{names}; define it first: objreg state define {state}", state=state
        )

    def _scopes(self, path: str) -> tuple[str, ...]:
        return (REGISTRY_DOMAIN, *(namespace_domain(namespace) for namespace in reversed(parent_namespaces(path))))

    def _defined(self, domain: str, state: str) -> StateItem | None:
        manifest = self.manifest(domain)
        with manifest.lock:
            found: StateItem | None = self.typed(manifest, ScopeState).states.get(state)
            if found is None:
                manifest.refresh()
                found = self.typed(manifest, ScopeState).states.get(state)
        return found

    def definitions(self, namespace: str) -> dict[str, tuple[str, StateItem]]:
        """Return the states that may be used in a namespace: for each the domain that defines it, and what it says."""
        found: dict[str, tuple[str, StateItem]] = {}
        for domain in self._scopes(f"{namespace}/x" if namespace else "x"):
            manifest = self.manifest(domain)
            with manifest.lock:
                manifest.refresh()
                for name, item in self.typed(manifest, ScopeState).states.items():
                    found.setdefault(name, (domain, item))
        return found


class Connected(ABC):
    """What the methods of a registry and of a transaction share: a session."""

    @property
    @abstractmethod
    def _session(self) -> Session:
        """What this process holds of the registry."""
