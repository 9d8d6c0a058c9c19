"""From a role to the policy documents of a cloud, so that the bucket itself keeps what is written as it is."""

from collections.abc import Callable, Iterable
from typing import Any

from objreg.core.access.azure import azure_policy
from objreg.core.access.gcs import gcs_policy
from objreg.core.access.grants import ROLES, Grant, grant_of
from objreg.core.access.s3 import s3_policy
from objreg.errors import InvalidInput

__all__ = ["CLOUDS", "ROLES", "policy"]

CLOUDS = ("s3", "gcs", "azure")

_DOCUMENTS: dict[str, Callable[[Grant, tuple[str, ...]], dict[str, Any]]] = {
    "s3": s3_policy,
    "gcs": gcs_policy,
    "azure": azure_policy,
}


def policy(
    cloud: str,
    role: str,
    *,
    bucket: str,
    prefix: str = "",
    namespaces: Iterable[str] = (),
    principals: Iterable[str] = (),
) -> dict[str, Any]:
    """Return the least that a role needs, as JSON in the cloud's own words.

    Args:
        cloud: ``s3``, ``gcs`` or ``azure``.
        role: ``reader``, ``writer``, ``promoter`` or ``admin``.
        bucket: or Azure's container.
        prefix: the registry's root in the bucket.
        namespaces: limit the role to these and all below them; none means the whole registry.
        principals: who gets it, in the cloud's own words (an ARN, ``serviceAccount:…``, an object id). On S3, with
            principals the document is a bucket policy, whose denials hold for everybody; without, a policy to attach to
            a user or a role. Elsewhere a placeholder stands where none is given.

    Raises:
        InvalidInput: an unknown cloud or role, or a name that is none.
    """
    if cloud not in _DOCUMENTS:
        raise InvalidInput(f"cloud {cloud!r} is not known; use one of {', '.join(CLOUDS)}", cloud=cloud)
    return _DOCUMENTS[cloud](grant_of(role, bucket=bucket, root=prefix, namespaces=namespaces), tuple(principals))
