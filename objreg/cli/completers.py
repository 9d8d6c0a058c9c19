"""What a shell may offer: names that are in the registry. Never an error, and never a long wait."""

import threading
import warnings
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from objreg.cli.invocation import Invocation

if TYPE_CHECKING:  # imported by the completers when they are used
    from objreg.registry.registry import Registry

__all__ = ["complete_models", "complete_namespaces", "complete_paths", "complete_specs", "complete_states"]

LONGEST_SECONDS = 2.0

Names = Callable[["Registry"], Iterable[str]]


def _complete(ctx: click.Context, incomplete: str, names: Names) -> list[CompletionItem]:
    """Return the names that go on from what was typed, if the registry tells them in time."""
    found: list[str] = []
    invocation = ctx.ensure_object(Invocation)

    def ask() -> None:
        # A person is typing: an error of any kind means that there is nothing to offer.
        with warnings.catch_warnings(), suppress(Exception):
            warnings.simplefilter("ignore")
            import objreg

            registry = objreg.open(invocation.url, storage_options=invocation.options or None, engine=invocation.engine)
            found.extend(names(registry))

    # A thread that does not keep the process alive: a store that does not answer must not hold up the shell.
    worker = threading.Thread(target=ask, daemon=True)
    worker.start()
    worker.join(LONGEST_SECONDS)
    return [CompletionItem(name) for name in sorted(set(found)) if name.startswith(incomplete)]


def complete_models(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer models."""
    return _complete(ctx, incomplete, lambda registry: registry.models())


def complete_namespaces(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer namespaces."""
    return _complete(ctx, incomplete, lambda registry: registry.namespaces())


def complete_paths(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer namespaces and models."""
    return _complete(ctx, incomplete, lambda registry: (*registry.namespaces(), *registry.models()))


def complete_states(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the states that the model on the command line can be in, or that are defined for the whole registry."""
    spec = str(ctx.params.get("spec") or ctx.params.get("model") or ctx.params.get("path") or "")
    namespace = spec.partition(":")[0].partition("@")[0].rpartition("/")[0]
    return _complete(ctx, incomplete, lambda registry: (item.name for item in registry.states(namespace)))


def complete_specs(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer models; behind a colon the model's versions, behind an ``@`` the states that its versions are in."""
    model, mark, _ = incomplete.partition(":") if ":" in incomplete else incomplete.partition("@")
    if not mark:
        return complete_models(ctx, _param, incomplete)

    def names(registry: "Registry") -> Iterable[str]:
        versions = registry.versions(model)
        if mark == ":":
            return (version.spec for version in versions)
        return (f"{model}@{state}" for version in versions for state in version.states)

    return _complete(ctx, incomplete, names)
