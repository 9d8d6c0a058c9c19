"""What each role may do with which keys, before any cloud's way of saying it.

Roles can only be told apart by keys, since a bucket knows keys and nothing else: a change of state and a push both
append an entry to the model's log. What that leaves open is said in ``docs/access.md``.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from objreg.core.keys import MARKER, REGISTRY_DOMAIN
from objreg.core.names import check_path, parent_namespaces
from objreg.errors import InvalidInput

__all__ = ["FOLDERS", "MANIFEST_FOLDERS", "PROBES", "ROLES", "Grant", "grant_of"]

ROLES = ("reader", "writer", "promoter", "admin")
MANIFEST_FOLDERS = ("log", "records", "snapshots")
"""Of every domain: what is created once and never deleted."""
FOLDERS = (*MANIFEST_FOLDERS, "blobs")
"""Of a model."""
PROBES = f"{REGISTRY_DOMAIN}/probe/"
"""Where ``doctor`` and ``init`` make short-lived objects."""

_PLAIN = re.compile(r"[A-Za-z0-9._+=@/-]*")


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What one role may do. Prefixes are relative to the registry's root; ``""`` is all of it.

    Attributes:
        role: one of ``ROLES``.
        bucket: or Azure's container.
        root: the registry's prefix in the bucket, with a slash at its end, or empty.
        reads: prefixes of the keys that may be read. Listing is never limited: see ``docs/access.md``.
        models: prefixes below which the role creates in models; empty for a reader.
        folders: of those models, in which it creates.
        namespaces: prefixes below which it writes manifests of namespaces.
        registry: whether it writes the registry's own manifest and the marker.
        collects: whether it deletes blobs of those models.
    """

    role: str
    bucket: str
    root: str
    reads: tuple[str, ...]
    models: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    registry: bool = False
    collects: bool = False

    @property
    def creates(self) -> bool:
        """Whether the role writes anything at all."""
        return bool(self.models)


def grant_of(role: str, *, bucket: str, root: str = "", namespaces: Iterable[str] = ()) -> Grant:
    """Return what a role may do.

    Args:
        role: one of ``ROLES``.
        bucket: or Azure's container.
        root: the registry's prefix in the bucket; may be empty.
        namespaces: the role is limited to these and all below them; none means the whole registry.

    Raises:
        InvalidInput: an unknown role, a name that is none, or a prefix that a policy would read as a pattern.
    """
    if role not in ROLES:
        raise InvalidInput(f"role {role!r} is not known; use one of {', '.join(ROLES)}", role=role)
    names = tuple(dict.fromkeys(check_path(namespace, "namespace") for namespace in namespaces))
    root = f"{root.strip('/')}/" if root.strip("/") else ""
    for what, text in (("bucket", bucket), ("prefix", root)):
        # In a policy, * and ? are patterns, and quotes end a string.
        if not _PLAIN.fullmatch(text) or ".model/" in text:
            raise InvalidInput(
                f"the {what} {text!r} cannot be written in a policy; use letters, digits and . _ + = @ / -, and no part"
                " that ends in .model"
            )
    if not bucket:
        raise InvalidInput("a policy needs a bucket; name a registry in a bucket with --registry")
    below = tuple(f"{name}/" for name in names) or ("",)
    grant = Grant(role=role, bucket=bucket, root=root, reads=_readable(names))
    if role == "reader":
        return grant
    return Grant(
        role=role,
        bucket=bucket,
        root=root,
        reads=grant.reads,
        models=below,
        folders=MANIFEST_FOLDERS if role == "promoter" else FOLDERS,
        namespaces=below if role == "admin" else (),
        registry=role == "admin" and not names,
        collects=role == "admin",
    )


def _readable(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the namespaces, and what rules them: the marker, and the manifests of the registry and of those above."""
    if not names:
        return ("",)
    above = {f"{parent}/_namespace/" for name in names for parent in parent_namespaces(f"{name}/x") if parent != name}
    return (MARKER, f"{REGISTRY_DOMAIN}/", *sorted(above), *(f"{name}/" for name in names))
