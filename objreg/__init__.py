"""objreg: a model registry with no server and no database. The bucket is the registry.

>>> import objreg
>>> registry = objreg.open("memory://example", create=True)
>>> registry.models()
()
"""

from typing import TYPE_CHECKING

from objreg.errors import (
    AccessDenied,
    AlreadyExists,
    CommitUnknown,
    Conflict,
    FormatError,
    IntegrityError,
    InvalidInput,
    MissingDependency,
    NotFound,
    ObjregError,
    RollbackDetected,
    StoreError,
    StoreUnavailable,
    UnsafeStore,
)

if TYPE_CHECKING:
    from objreg.core.artifacts import Artifact, File, Part
    from objreg.core.diff import Difference, FileDifference, VersionDiff
    from objreg.core.lock_file import LockedAsset, LockedEntry, LockedFile, LockFile
    from objreg.core.provenance import CodeState, Dataset, Environment, VersionReference
    from objreg.core.records import (
        Catalog,
        DataSource,
        Deployment,
        Experiment,
        Inference,
        Interface,
        Namespace,
        RegistrySettings,
        Retirement,
        StateDefinition,
        VersionRecord,
    )
    from objreg.core.state import Change
    from objreg.registry.opening import open_registry as open  # noqa: A004  # it is called objreg.open
    from objreg.registry.registry import Registry
    from objreg.registry.transaction import Transaction
    from objreg.registry.values import HistoryItem, StateChange, Version, VersionSummary

    __version__: str

__all__ = [
    "AccessDenied",
    "AlreadyExists",
    "Artifact",
    "Catalog",
    "Change",
    "CodeState",
    "CommitUnknown",
    "Conflict",
    "DataSource",
    "Dataset",
    "Deployment",
    "Difference",
    "Environment",
    "Experiment",
    "File",
    "FileDifference",
    "FormatError",
    "HistoryItem",
    "Inference",
    "IntegrityError",
    "Interface",
    "InvalidInput",
    "LockFile",
    "LockedAsset",
    "LockedEntry",
    "LockedFile",
    "MissingDependency",
    "Namespace",
    "NotFound",
    "ObjregError",
    "Part",
    "Registry",
    "RegistrySettings",
    "Retirement",
    "RollbackDetected",
    "StateChange",
    "StateDefinition",
    "StoreError",
    "StoreUnavailable",
    "Transaction",
    "UnsafeStore",
    "Version",
    "VersionDiff",
    "VersionRecord",
    "VersionReference",
    "VersionSummary",
    "__version__",
    "open",
]

_NAMES = {
    "objreg.core.artifacts": "Artifact File Part",
    "objreg.core.diff": "Difference FileDifference VersionDiff",
    "objreg.core.lock_file": "LockFile LockedAsset LockedEntry LockedFile",
    "objreg.core.provenance": "CodeState Dataset Environment VersionReference",
    "objreg.core.records": (
        "Catalog DataSource Deployment Experiment Inference Interface Namespace RegistrySettings Retirement"
        " StateDefinition VersionRecord"
    ),
    "objreg.core.state": "Change",
    "objreg.registry.registry": "Registry",
    "objreg.registry.transaction": "Transaction",
    "objreg.registry.values": "HistoryItem StateChange Version VersionSummary",
}
_PLACES = {name: place for place, names in _NAMES.items() for name in names.split()}


if not TYPE_CHECKING:  # else a type checker would take any name for one of objreg's

    def __getattr__(name: str) -> object:
        """Import a public name when it is first used, so that ``import objreg`` stays light."""
        from importlib import import_module

        if name == "open":
            found = import_module("objreg.registry.opening").open_registry
        elif name == "__version__":
            found = import_module("importlib.metadata").version("objreg")
        elif name in _PLACES:
            found = getattr(import_module(_PLACES[name]), name)
        else:
            raise AttributeError(f"module 'objreg' has no attribute {name!r}")
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    return sorted(__all__)
