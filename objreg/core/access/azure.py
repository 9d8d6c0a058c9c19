"""A role as Azure RBAC: one custom role, and its assignment with a condition on the blobs' paths.

``blobs/add/action`` lets somebody create a blob, and not write to an existing one, which ``blobs/write`` would.
"""

from collections.abc import Iterable
from typing import Any

from objreg.core.access.grants import MANIFEST_FOLDERS, PROBES, Grant
from objreg.core.keys import MARKER, REGISTRY_DOMAIN

__all__ = ["azure_policy"]

_BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
_READ, _CREATE, _DELETE = f"{_BLOBS}/read", f"{_BLOBS}/add/action", f"{_BLOBS}/delete"
_SCOPE = (
    "/subscriptions/SUBSCRIPTION/resourceGroups/GROUP/providers/Microsoft.Storage/storageAccounts/ACCOUNT"
    "/blobServices/default/containers/"
)


def azure_policy(grant: Grant, principals: tuple[str, ...]) -> dict[str, Any]:
    """Return ``role`` for ``az role definition create``, and ``assignments`` for ``az role assignment create``."""
    name = f"objreg {grant.role} of {grant.bucket}"
    condition = " AND ".join(_conditions(grant))
    role = {
        "Name": name,
        "IsCustom": True,
        "Description": f"What a {grant.role} of an objreg registry needs",
        "Actions": [],
        "NotActions": [],
        "DataActions": [_READ, *([_CREATE, _DELETE] if grant.creates else [])],
        "NotDataActions": [],
        "AssignableScopes": ["/subscriptions/SUBSCRIPTION"],
    }
    assignments = [
        {
            "role": name,
            "assignee": principal,
            "scope": f"{_SCOPE}{grant.bucket}",
            "condition": condition,
            "conditionVersion": "2.0",
        }
        for principal in principals or ("PRINCIPAL",)
    ]
    return {"role": role, "assignments": assignments}


def _conditions(grant: Grant) -> list[str]:
    # Listing is left free: the container's names are seen, their content is not.
    read = _only(f"{{'{_READ}'}} AND NOT SubOperationMatches{{'Blob.List'}}", _starts(grant, grant.reads))
    if not grant.creates:
        return [read]
    probes = _starts(grant, (PROBES,))
    created = [*_in_models(grant, grant.folders), *_manifests(grant), *probes]
    deleted = [*(_in_models(grant, ("blobs",)) if grant.collects else ()), *probes]
    return [read, _only(f"{{'{_CREATE}'}}", created), _only(f"{{'{_DELETE}'}}", deleted)]


def _only(action: str, paths: Iterable[str]) -> str:
    return f"((!(ActionMatches{action})) OR ({' OR '.join(paths)}))"


def _in_models(grant: Grant, folders: tuple[str, ...]) -> list[str]:
    own = f"{grant.root}{REGISTRY_DOMAIN}/"
    outside = f"{_path('StringNotLike')} '*/_namespace/*' AND {_path('StringNotStartsWith')} '{own}'"
    return [
        f"({_path('StringLike')} '{grant.root}{start}*.model/{folder}/*' AND {outside})"
        for start in grant.models
        for folder in folders
    ]


def _manifests(grant: Grant) -> list[str]:
    found = [
        f"{_path('StringLike')} '{grant.root}{start}{middle}_namespace/{folder}/*'"
        for start in grant.namespaces
        for middle in (("", "*/") if start else ("*/",))
        for folder in MANIFEST_FOLDERS
    ]
    if grant.registry:
        found.append(f"{_path('StringEquals')} '{grant.root}{MARKER}'")
        found += _starts(grant, tuple(f"{REGISTRY_DOMAIN}/{folder}/" for folder in MANIFEST_FOLDERS))
    return found


def _starts(grant: Grant, prefixes: Iterable[str]) -> list[str]:
    starts = (f"{grant.root}{prefix}" for prefix in prefixes)
    return [f"{_path('StringStartsWith')} '{start}'" if start else f"{_path('StringLike')} '*'" for start in starts]


def _path(operator: str) -> str:
    return f"@Resource[{_BLOBS}:path] {operator}"
