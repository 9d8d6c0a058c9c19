"""Changes to what is above the models: states are defined, a namespace or the registry says what it is."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from objreg.core.decisions import Decision
from objreg.core.keys import REGISTRY_DOMAIN, namespace_domain
from objreg.core.names import check_namespace, check_path, check_state
from objreg.core.records import Namespace, RegistrySettings, StateDefinition
from objreg.core.scopes import define_state, put_description
from objreg.core.state import ScopeState
from objreg.registry import drafts
from objreg.registry.committing import commit_to_scope
from objreg.registry.drafts import Stamp
from objreg.registry.manifest import Manifest
from objreg.registry.session import Connected

__all__ = ["ScopeChanges"]


class ScopeChanges(Connected):
    """The methods that change a registry's own manifest, or a namespace's."""

    def define_state(
        self,
        name: str,
        *,
        exclusive: bool = False,
        namespace: str | None = None,
        description: str = "",
        message: str = "",
    ) -> StateDefinition:
        """Define a state that versions may be moved into.

        Args:
            name: a word, like ``production``.
            exclusive: whether at most one version of a model is in it; setting it then moves it.
            namespace: where it holds, with everything below; None for the whole registry.
            description: for people.
            message: why, for the history.

        Returns:
            The definition; the earlier one if it says the same.

        Raises:
            Conflict: it is defined otherwise, or for a wider scope.
        """
        scope = check_namespace(namespace or "")
        stamp = Stamp.of(self._session.clock, self._session.actor)
        draft = StateDefinition(
            created_at=stamp.created_at,
            created_by=stamp.created_by,
            namespace=scope,
            name=check_state(name),
            exclusive=exclusive,
            description=drafts.text(description, "description"),
        )
        domain = namespace_domain(scope)
        wider = {
            found: item
            for found, (defining, item) in (self._session.definitions(scope) if scope else {}).items()
            if defining != domain
        }

        def rule(state: ScopeState, manifest: Manifest) -> Decision:
            item = state.states.get(name)
            existing = self._session.record_of(manifest, item.record, StateDefinition) if item else None
            return define_state(state, draft, wider, existing)

        found: StateDefinition = self._commit_scope(domain, rule, message)
        return found

    def put_namespace(
        self,
        namespace: str,
        *,
        description: str | None = "",
        owner: str | None = "",
        url: str | None = "",
        message: str = "",
    ) -> Namespace:
        """Say what a namespace is; it needs no other act to exist.

        Args:
            namespace: its path.
            description: for people; None leaves it as it is, as it does for the others.
            owner: who answers for it.
            url: of its page.
            message: why, for the history.

        Returns:
            The record; the earlier one if it says the same.
        """
        stamp = Stamp.of(self._session.clock, self._session.actor)
        draft = Namespace(
            created_at=stamp.created_at,
            created_by=stamp.created_by,
            namespace=check_path(namespace, "namespace"),
        )
        said = {"description": description, "owner": owner, "url": url}
        found: Namespace = self._put_description(namespace_domain(namespace), draft, said, message)
        return found

    def put_settings(
        self, *, description: str | None = "", owner: str | None = "", url: str | None = "", message: str = ""
    ) -> RegistrySettings:
        """Say what the registry is; arguments and value as for ``put_namespace``."""
        stamp = Stamp.of(self._session.clock, self._session.actor)
        draft = RegistrySettings(created_at=stamp.created_at, created_by=stamp.created_by)
        said = {"description": description, "owner": owner, "url": url}
        found: RegistrySettings = self._put_description(REGISTRY_DOMAIN, draft, said, message)
        return found

    def _put_description(
        self, domain: str, draft: Namespace | RegistrySettings, said: Mapping[str, str | None], message: str
    ) -> Any:
        new = {name: drafts.text(text, name) for name, text in said.items() if text is not None}

        def rule(state: ScopeState, manifest: Manifest) -> Decision:
            current = self._session.record(manifest, state.record) if state.record else None
            kept = {name: getattr(current, name) for name in said.keys() - new.keys()} if current else {}
            return put_description(state, msgspec.structs.replace(draft, **kept, **new), current)

        return self._commit_scope(domain, rule, message)

    def _commit_scope(self, domain: str, rule: Callable[[ScopeState, Manifest], Decision], message: str) -> Any:
        manifest = self._session.manifest(domain)

        def plan() -> Decision:
            return rule(self._session.typed(manifest, ScopeState), manifest)

        return commit_to_scope(self._session, manifest, plan, message)
