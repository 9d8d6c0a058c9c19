"""A role as Google IAM: custom roles, and bindings with conditions for a bucket's policy.

On Cloud Storage whoever may create but not delete cannot replace an object either, so no condition on the request is
needed. A condition has at most twelve logical operators, hence several bindings.
"""

from typing import Any

from objreg.core.access.grants import MANIFEST_FOLDERS, PROBES, Grant
from objreg.core.keys import MARKER, REGISTRY_DOMAIN

__all__ = ["gcs_policy"]

_PERMISSIONS = {
    "List": "storage.objects.list",
    "Read": "storage.objects.get",
    "Create": "storage.objects.create",
    "Delete": "storage.objects.delete",
    "Inspect": "storage.buckets.get",
}
_MOST_TERMS = 10
_PLACEHOLDER = "serviceAccount:NAME@PROJECT.iam.gserviceaccount.com"


def gcs_policy(grant: Grant, principals: tuple[str, ...]) -> dict[str, Any]:
    """Return ``roles`` for ``gcloud iam roles create``, and ``policy``, whose bindings are added to the bucket's."""
    members = list(principals) or [_PLACEHOLDER]
    bindings = [
        {"role": f"projects/PROJECT/roles/objreg{name}", "members": members}
        | ({"condition": {"title": f"objreg {grant.role} {title}", "expression": expression}} if expression else {})
        for name, title, expression in _bindings(grant)
    ]
    used = [name for name in _PERMISSIONS if any(binding[0] == name for binding in _bindings(grant))]
    roles = [
        {
            "name": f"objreg{name}",
            "title": f"objreg: {name.lower()}",
            "includedPermissions": [_PERMISSIONS[name]],
            "stage": "GA",
        }
        for name in used
    ]
    return {"roles": roles, "policy": {"version": 3, "bindings": bindings}}


def _bindings(grant: Grant) -> list[tuple[str, str, str]]:
    """Return for each binding the custom role, a title, and the condition (empty: none)."""
    # Listing has no condition: without it on the whole bucket a missing object is answered with 403.
    found = [("List", "lists", "")]
    found += [("Read", f"reads {number}", terms) for number, terms in _numbered(_starts(grant, grant.reads))]
    if grant.creates:
        inside = " || ".join(f"{_FOLDER} == {_text(folder)}" for folder in grant.folders)
        found += [("Create", f"creates in models {n}", e) for n, e in _models(grant, inside)]
        found.append(("Create", "probes", _starts(grant, (PROBES,))[0]))
        found.append(("Delete", "probes", _starts(grant, (PROBES,))[0]))
    for number, start in enumerate(_starts(grant, grant.namespaces), 1):
        found.append(("Create", f"creates manifests {number}", f'{start} && {_extracted("/_namespace/{part}/")} != ""'))
    if grant.registry:
        keys = (MARKER, *(f"{REGISTRY_DOMAIN}/{folder}/" for folder in MANIFEST_FOLDERS))
        found.append(("Create", "creates the registry", " || ".join(_starts(grant, keys))))
    if grant.collects:
        found += [("Delete", f"collects {n}", e) for n, e in _models(grant, f'{_FOLDER} == "blobs"')]
    if grant.role == "admin":
        found.append(("Inspect", "inspects", ""))
    return found


def _models(grant: Grant, inside: str) -> list[tuple[int, str]]:
    outside = f'{_extracted("/_namespace/{part}/")} == "" && !{_start(grant, f"{REGISTRY_DOMAIN}/")}'
    return [
        (number, f"{start} && ({inside}) && {outside}") for number, start in enumerate(_starts(grant, grant.models), 1)
    ]


def _numbered(terms: list[str]) -> list[tuple[int, str]]:
    chunks = [terms[at : at + _MOST_TERMS] for at in range(0, len(terms), _MOST_TERMS)]
    return [(number, " || ".join(chunk)) for number, chunk in enumerate(chunks, 1)]


def _starts(grant: Grant, prefixes: tuple[str, ...]) -> list[str]:
    return [_start(grant, prefix) for prefix in prefixes]


def _start(grant: Grant, prefix: str) -> str:
    return f"resource.name.startsWith({_text(f'projects/_/buckets/{grant.bucket}/objects/{grant.root}{prefix}')})"


def _extracted(template: str) -> str:
    return f"resource.name.extract({_text(template)})"


def _text(text: str) -> str:
    return f'"{text}"'


_FOLDER = _extracted(".model/{part}/")
"""The folder of a model that an object is in: what stands after the first ``.model/``."""
