"""The public names, as programs depend on them: what changes here is a change that users notice."""

import dataclasses
import inspect
import pickle
import typing
from collections.abc import Iterator
from itertools import pairwise

import msgspec
import pytest

import objreg
from objreg import errors
from objreg.core.decisions import Decision, View
from objreg.registry.session import Session

SIGNATURES = """
AccessDenied
AlreadyExists
Artifact: name, folder, digest, size, description, files
Catalog: format, created_at, created_by, model, description, owner, url, data_sources, inference, tags, code
Change: kind, name, version, record, before, after
CodeState: remote, commit, branch, dirty
CommitUnknown
Conflict
DataSource: name, type, description, owner, connection
Dataset: name, digest, url, description
Deployment: format, created_at, created_by, version, number, endpoint, environment, method, rolling_strategy, status, description, code
Difference: name, status, before, after
Environment: python, platform, dependencies
Experiment: format, created_at, created_by, version, name, description, status, parameters, metrics, datasets, artifacts, duration_seconds, seed, code, environment
File: path, digest, size, media_type, parts
FileDifference: path, status, before, after, size_before, size_after
FormatError
HistoryItem: seq, digest, time, actor, message, changes
Inference: input, output
IntegrityError
Interface: description, schema
InvalidInput
LockFile: version, revision, registry, assets
LockedAsset: name, requested, groups, version, record, entry, files
LockedEntry: seq, digest
LockedFile: path, digest, size
MissingDependency
Namespace: format, created_at, created_by, namespace, description, owner, url
NotFound
ObjregError
Part: blob, incarnation, encoding, blob_size, stored_size, stored_digest, offset, length
Registry.accept_history(model='', *, namespace=None)
Registry.catalog(model)
Registry.close()
Registry.define_state(name, *, exclusive=False, namespace=None, description='', message='')
Registry.deployments(model)
Registry.diff(before, after)
Registry.experiments(spec)
Registry.head(model)
Registry.history(model)
Registry.lock
Registry.models(namespace='')
Registry.namespace(namespace)
Registry.namespaces()
Registry.object(name)
Registry.open(spec, *, verify=False, local_files_only=False)
Registry.pull(spec, *, destination=None, include=(), exclude=(), local_files_only=False, progress=None)
Registry.push(spec, sources, *, version=None, bump=None, scheme=None, description='', metadata=None, framework='', parent=None, message='', expect=None, compress=None, progress=None)
Registry.put_catalog(model, *, description='', owner='', url='', data_sources=(), inference=None, tags=(), message='', expect=None)
Registry.put_namespace(namespace, *, description='', owner='', url='', message='')
Registry.put_settings(*, description='', owner='', url='', message='')
Registry.read(spec, *, local_files_only=False)
Registry.record_deployment(spec, *, endpoint, environment=None, method='', rolling_strategy='', status='active', description='', message='', expect=None)
Registry.record_experiment(spec, name, *, metrics=None, parameters=None, datasets=None, artifacts=None, duration=None, status='finished', seed=None, description='', message='', expect=None, progress=None)
Registry.resolve(spec, *, local_files_only=False)
Registry.retire(spec, *, reason, expect=None, message='')
Registry.scope_history(namespace='')
Registry.session
Registry.set_deployment_status(model, number, status, *, expect=None, message='')
Registry.set_state(spec, state, *, expect=None, message='')
Registry.settings()
Registry.states(namespace='')
Registry.transaction(model, *, message='')
Registry.unset_state(spec, state, *, expect=None, message='')
Registry.versions(model, state=None)
RegistrySettings: format, created_at, created_by, description, owner, url
Retirement: format, created_at, created_by, version, reason
RollbackDetected
StateChange: model, state, version, before, after
StateDefinition: format, created_at, created_by, namespace, name, exclusive, description
StoreError
StoreUnavailable
Transaction.decide(view)
Transaction.finish()
Transaction.is_empty
Transaction.push(spec, sources, *, version=None, bump=None, scheme=None, description='', metadata=None, framework='', parent=None, message='', expect=None, compress=None, progress=None)
Transaction.put_catalog(model, *, description='', owner='', url='', data_sources=(), inference=None, tags=(), message='', expect=None)
Transaction.record_deployment(spec, *, endpoint, environment=None, method='', rolling_strategy='', status='active', description='', message='', expect=None)
Transaction.record_experiment(spec, name, *, metrics=None, parameters=None, datasets=None, artifacts=None, duration=None, status='finished', seed=None, description='', message='', expect=None, progress=None)
Transaction.retire(spec, *, reason, expect=None, message='')
Transaction.set_deployment_status(model, number, status, *, expect=None, message='')
Transaction.set_state(spec, state, *, expect=None, message='')
Transaction.unset_state(spec, state, *, expect=None, message='')
UnsafeStore
Version: model, version, digest, record, created
VersionDiff: before, after, before_digest, after_digest, files, description, metadata, environment, code, metrics, catalog
VersionRecord: format, created_at, created_by, model, version, description, metadata, artifacts, framework, parent, code, environment
VersionReference: model, version, record
VersionSummary: model, version, digest, created_at, created_by, size, files, states, experiments, retired
__version__
open(url=None, *, storage_options=None, create=False, engine=None, filesystem=None, actor=None, lock=True, offline=False, assets_dir=None, connections=None)
"""

ERRORS = {
    "ObjregError": (1, ["Exception"]),
    "InvalidInput": (2, ["ObjregError", "ValueError"]),
    "NotFound": (3, ["ObjregError", "LookupError"]),
    "AlreadyExists": (4, ["ObjregError"]),
    "Conflict": (5, ["ObjregError"]),
    "IntegrityError": (6, ["ObjregError"]),
    "RollbackDetected": (6, ["IntegrityError"]),
    "FormatError": (7, ["ObjregError"]),
    "CommitUnknown": (8, ["ObjregError"]),
    "MissingDependency": (9, ["ObjregError", "ImportError"]),
    "StoreError": (10, ["ObjregError"]),
    "StoreUnavailable": (11, ["StoreError"]),
    "AccessDenied": (12, ["StoreError", "PermissionError"]),
    "UnsafeStore": (13, ["StoreError"]),
}


def described() -> list[str]:
    """Return every public name: functions and methods with their parameters, values with their fields, errors by name."""
    lines = []
    for name in objreg.__all__:
        found = getattr(objreg, name)
        if name == "__version__":
            lines.append(name)
        elif not inspect.isclass(found):
            lines.append(f"{name}({_parameters(found)})")
        elif issubclass(found, errors.ObjregError):
            lines.append(name)
        elif fields := _fields(found):
            lines.append(f"{name}: {', '.join(fields)}")
        else:
            methods = [method for method in dir(found) if not method.startswith("_")]
            lines += [f"{name}.{method}{_called(getattr(found, method))}" for method in methods]
    return lines


def _fields(kind: type) -> tuple[str, ...]:
    if issubclass(kind, msgspec.Struct):
        return kind.__struct_fields__
    return tuple(field.name for field in dataclasses.fields(kind)) if dataclasses.is_dataclass(kind) else ()


def _called(member: object) -> str:
    return f"({_parameters(member)})" if callable(member) else ""


def _parameters(function: object) -> str:
    parameters = list(inspect.signature(function).parameters.values())
    words = []
    for before, parameter in pairwise([None, *parameters]):
        assert parameter is not None
        if parameter.kind is parameter.KEYWORD_ONLY and (before is None or before.kind is not parameter.KEYWORD_ONLY):
            words.append("*")
        if parameter.name != "self":
            words.append(
                parameter.name if parameter.default is parameter.empty else f"{parameter.name}={parameter.default!r}"
            )
    return ", ".join(words)


def test_the_public_names_are_these() -> None:
    """Names, parameters, defaults and fields; a difference needs an entry in the changelog."""
    assert described() == SIGNATURES.strip().splitlines()


def test_the_list_of_names_is_sorted_and_complete() -> None:
    """Every name of ``__all__`` can be had, ``dir`` lists them, and any other name is an AttributeError."""
    assert objreg.__all__ == sorted(objreg.__all__)
    assert dir(objreg) == sorted(objreg.__all__)
    with pytest.raises(AttributeError, match="module 'objreg' has no attribute 'opne'"):
        objreg.opne  # noqa: B018  # reading it is what is tested


def test_what_users_hold_has_a_public_name() -> None:
    """Whatever a public value or method hands out can be named in an annotation: each type of objreg is exported."""
    known = {getattr(objreg, name) for name in objreg.__all__}
    held = {kind for name in known if inspect.isclass(name) for kind in _handed_out(name)}
    assert {kind for kind in held - known if kind not in (Session, View, Decision)} == set()


def _handed_out(kind: type) -> Iterator[type]:
    members = [member for name, member in inspect.getmembers_static(kind) if not name.startswith("_")]
    functions = [getattr(member, "fget", None) or getattr(member, "func", member) for member in members]
    hints = [typing.get_type_hints(kind)] if _fields(kind) else []
    hints += [
        {"return": typing.get_type_hints(found).get("return")} for found in functions if inspect.isfunction(found)
    ]
    for hint in hints:
        yield from (found for part in hint.values() for found in _classes(part))


def _classes(hint: object) -> Iterator[type]:
    if inspect.isclass(hint) and hint.__module__.startswith("objreg."):
        yield hint
    for part in typing.get_args(hint):
        yield from _classes(part)


def test_the_error_tree_is_this() -> None:
    """At most fifteen classes, cut by what the caller does next."""
    tree = {
        name: (getattr(errors, name).exit_code, [base.__name__ for base in getattr(errors, name).__bases__])
        for name in errors.__all__
    }
    assert tree == dict(sorted(ERRORS.items()))
    assert len(tree) <= 15
    assert set(errors.__all__) <= set(objreg.__all__)


def test_exit_codes_are_distinct() -> None:
    """A script tells errors apart by them; only a rollback shares its parent's, for both mean: do not use these bytes."""
    codes = [code for name, (code, _) in ERRORS.items() if name != "RollbackDetected"]
    assert len(set(codes)) == len(codes)
    assert all(0 < code < 64 for code in codes), "64 and more are for what is not objreg's own: signals, bugs"


@pytest.mark.parametrize("name", ERRORS)
def test_every_error_goes_to_another_process(name: str) -> None:
    """With its message, its facts and its class."""
    error = getattr(errors, name)("version 1.2 exists; push 1.3", version="1.2", seen=("a", "b"))
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        copy = pickle.loads(pickle.dumps(error, protocol))
        assert type(copy) is type(error)
        assert (copy.message, copy.facts, str(copy)) == (error.message, error.facts, "version 1.2 exists; push 1.3")


@pytest.mark.parametrize("name", ["push", "resolve", "pull", "transaction", "open"])
def test_help_says_what_is_raised(name: str) -> None:
    """The main calls document arguments and errors."""
    documented = objreg.open if name == "open" else getattr(objreg.Registry, name)
    text = inspect.getdoc(documented) or ""
    assert "Raises:" in text
    for parameter in inspect.signature(documented).parameters:
        assert parameter == "self" or f"{parameter}:" in text, parameter
