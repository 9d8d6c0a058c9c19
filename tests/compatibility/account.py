"""What objreg says of a registry, in plain values, so that later releases can be held to it."""

import hashlib
from collections.abc import Iterator
from typing import Any

import msgspec

import objreg
from objreg.registry.download import file_paths, read_file
from objreg.registry.values import HistoryItem

__all__ = ["account_of"]


def account_of(registry: objreg.Registry) -> dict[str, Any]:
    """Return everything that can be asked of a registry."""
    models = registry.models()
    namespaces = registry.namespaces()
    return {
        "settings": plain(registry.settings()),
        "models": {model: _model(registry, model) for model in models},
        "namespaces": {namespace: _namespace(registry, namespace) for namespace in namespaces},
        "states": {namespace: plain(registry.states(namespace)) for namespace in ("", *namespaces)},
        "history": _history(registry.scope_history()),
    }


def plain(value: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(value))


def _history(items: Iterator[HistoryItem]) -> list[Any]:
    return [plain(msgspec.to_builtins(item)) for item in items]


def _namespace(registry: objreg.Registry, namespace: str) -> dict[str, Any]:
    try:
        said = plain(registry.namespace(namespace))
    except objreg.NotFound:
        said = None
    return {"says": said, "history": _history(registry.scope_history(namespace))}


def _model(registry: objreg.Registry, model: str) -> dict[str, Any]:
    versions = registry.versions(model)
    states = sorted({state for version in versions for state in version.states})
    try:
        catalog = plain(registry.catalog(model))
    except objreg.NotFound:
        catalog = None
    return {
        "catalog": catalog,
        "versions": [plain(msgspec.to_builtins(version)) for version in versions],
        "latest": registry.resolve(model).version,
        "states": {state: registry.resolve(f"{model}@{state}").version for state in states},
        "records": {version.version: plain(registry.resolve(version.spec).record) for version in versions},
        "files": {version.version: _files(registry, version.spec) for version in versions},
        "experiments": {version.version: plain(registry.experiments(version.spec)) for version in versions},
        "deployments": plain(registry.deployments(model)),
        "history": _history(registry.history(model)),
    }


def _files(registry: objreg.Registry, spec: str) -> dict[str, str] | None:
    """Return the digest of each file, of the bytes that the store has; None where they were collected.

    A pull would not do: it also gives what the cache has of another version.
    """
    version = registry.resolve(spec)
    session = registry.session
    domain = session.model(version.model).domain
    try:
        return {
            path: hashlib.sha256(b"".join(read_file(session.store, domain, path, file))).hexdigest()
            for path, file in sorted(file_paths(version.artifacts).items())
        }
    except objreg.IntegrityError:
        return None
