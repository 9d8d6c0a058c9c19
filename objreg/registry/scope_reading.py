"""Reading what is above the models: which models and namespaces there are, and what the registry and these say."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from objreg.core.keys import REGISTRY_DOMAIN, namespace_domain
from objreg.core.names import check_namespace, is_part
from objreg.core.records import AnyRecord, Namespace, RegistrySettings, StateDefinition
from objreg.core.state import ScopeState
from objreg.errors import NotFound
from objreg.registry.session import Connected
from objreg.registry.values import HistoryItem

__all__ = ["ScopeReading"]

_WORKERS = 8


class ScopeReading(Connected):
    """The methods that read a registry and its namespaces."""

    def models(self, namespace: str = "") -> tuple[str, ...]:
        """Return the paths of all models in a namespace and below, sorted.

        The store is asked for folders, and for nothing in them: a model whose first push is sending files, or broke off
        there, is listed before it has a version.

        Raises:
            NotFound: there is no registry.
            StoreError: the registry cannot be listed (``https://``).
        """
        return tuple(sorted(self._folders(check_namespace(namespace))[0]))

    def namespaces(self) -> tuple[str, ...]:
        """Return the paths of all namespaces, sorted: those that hold a model, or say something of themselves."""
        return tuple(sorted(self._folders("")[1]))

    def _folders(self, namespace: str) -> tuple[set[str], set[str]]:
        """Walk the folders: those that end in ``.model`` are models, all others are namespaces."""
        models: set[str] = set()
        namespaces: set[str] = set()
        level = [namespace]
        with ThreadPoolExecutor(_WORKERS, thread_name_prefix="objreg-list") as pool:
            while level:
                prefixes = [f"{path}/" if path else "" for path in level]
                below = [
                    prefix + name
                    for prefix, names in zip(prefixes, pool.map(self._session.store.folders, prefixes), strict=True)
                    for name in names
                    if is_part(name.removesuffix(".model"))  # no other can be a namespace or a model
                ]
                models |= {path.removesuffix(".model") for path in below if path.endswith(".model")}
                level = [path for path in below if not path.endswith(".model")]
                namespaces |= set(level)
        if not models and not namespaces:
            self._session.check_registry()
        return models, namespaces

    def namespace(self, namespace: str) -> Namespace:
        """Return what a namespace says of itself.

        Raises:
            NotFound: nothing.
        """
        record = self._description(namespace_domain(check_namespace(namespace)))
        if not isinstance(record, Namespace):
            raise NotFound(
                f"namespace {namespace} says nothing of itself; 'objreg namespace put' does", namespace=namespace
            )
        return record

    def settings(self) -> RegistrySettings | None:
        """Return what the registry says of itself, or None."""
        record = self._description(REGISTRY_DOMAIN)
        return record if isinstance(record, RegistrySettings) else None

    def _description(self, domain: str) -> AnyRecord | None:
        manifest = self._session.manifest(domain)
        if manifest.refresh() is None:
            self._session.check_registry()
            return None
        state: ScopeState = self._session.typed(manifest, ScopeState)
        return self._session.record(manifest, state.record) if state.record else None

    def states(self, namespace: str = "") -> tuple[StateDefinition, ...]:
        """Return the definitions of all states that versions in a namespace may be moved into, by name."""
        found = self._session.definitions(check_namespace(namespace))
        if not found:
            self._session.check_registry()
        records = [
            self._session.record(self._session.manifest(domain), item.record)
            for _, (domain, item) in sorted(found.items())
        ]
        return tuple(record for record in records if isinstance(record, StateDefinition))

    def scope_history(self, namespace: str = "") -> Iterator[HistoryItem]:
        """Yield the commits to a namespace's own manifest, or to the registry's, the newest first."""
        manifest = self._session.manifest(namespace_domain(check_namespace(namespace)))
        head = manifest.refresh()
        if head is None:
            self._session.check_registry()
            return iter(())
        return (HistoryItem.of(item) for item in manifest.history(head))
