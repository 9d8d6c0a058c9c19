"""A role as an AWS policy: an identity's without principals, a bucket's with them.

Source of the condition: Amazon S3 user guide, "Enforce conditional writes on Amazon S3 buckets". The condition stands
in a denial, not in the permission, because a server that knows neither key then goes on working.
"""

from typing import Any

from objreg.core.access.grants import MANIFEST_FOLDERS, PROBES, Grant
from objreg.core.keys import MARKER, REGISTRY_DOMAIN

__all__ = ["s3_policy"]

_ANY_NAMESPACE = ("_namespace/", "*/_namespace/")


def s3_policy(grant: Grant, principals: tuple[str, ...]) -> dict[str, Any]:
    """Return the policy; what is denied is denied to everybody where there are principals."""
    allowed = [_statement(f"{grant.role.capitalize()}{name}", "Allow", *rest) for name, *rest in _allowed(grant)]
    denied = [_statement(name, "Deny", *rest) for name, *rest in _denied_to_role(grant)]
    guards = [_statement(f"Guard{name}", "Deny", *rest) for name, *rest in _guards(grant)]
    if principals:
        for statement in (*allowed, *denied):
            statement["Principal"] = {"AWS": list(principals)}
        for statement in guards:
            statement["Principal"] = "*"
    return {"Version": "2012-10-17", "Statement": [*allowed, *denied, *guards]}


def _statement(
    name: str, effect: str, actions: list[str], resources: list[str], condition: dict[str, Any] | None = None
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "Sid": name,
        "Effect": effect,
        "Action": [f"s3:{action}" for action in actions],
        "Resource": resources,
    }
    return found | ({"Condition": condition} if condition else {})


def _allowed(grant: Grant) -> list[tuple[Any, ...]]:
    bucket = [f"arn:aws:s3:::{grant.bucket}"]
    # No condition on s3:prefix: a GET has no prefix, so it would take the 404 of a missing object away (403 instead).
    found: list[tuple[Any, ...]] = [
        ("Lists", ["ListBucket", "GetBucketLocation"], bucket),
        ("Reads", ["GetObject"], _keys(grant, [f"{prefix}*" for prefix in grant.reads])),
    ]
    if grant.creates:
        found.append(("Creates", ["PutObject"], _keys(grant, _created(grant))))
        deleted = [*_in_models(grant, ("blobs",)), f"{PROBES}*"] if grant.collects else [f"{PROBES}*"]
        found.append(("Deletes", ["DeleteObject"], _keys(grant, deleted)))
    if grant.role == "admin":
        asked = ["GetBucketVersioning", "GetLifecycleConfiguration", "GetBucketObjectLockConfiguration"]
        found.append(("Inspects", asked, bucket))
    return found


def _created(grant: Grant) -> list[str]:
    found = [*_in_models(grant, grant.folders), f"{PROBES}*"]
    # A folder name may end in _namespace, so the slash before it is spelled out.
    for start in grant.namespaces:
        found += [f"{start}{middle}{folder}/*" for middle in _middles(start) for folder in MANIFEST_FOLDERS]
    if grant.registry:
        found += [MARKER, *(f"{REGISTRY_DOMAIN}/{folder}/*" for folder in MANIFEST_FOLDERS)]
    return found


def _denied_to_role(grant: Grant) -> list[tuple[Any, ...]]:
    """Return what the patterns of a writer's models would let through: they match across slashes."""
    if not grant.creates or grant.namespaces:
        return []
    keys = [f"{start}{middle}*" for start in grant.models for middle in _middles(start)]
    if "" in grant.models:
        keys += [f"{REGISTRY_DOMAIN}/{folder}/*" for folder in MANIFEST_FOLDERS]
    return [("NoManifestsOfNamespaces", ["PutObject"], _keys(grant, keys))]


def _guards(grant: Grant) -> list[tuple[Any, ...]]:
    """Return what nobody may do, whatever else is granted."""
    kept = [f"*.model/{folder}/*" for folder in MANIFEST_FOLDERS]
    kept += [f"*/{_ANY_NAMESPACE[0]}*", *(f"{REGISTRY_DOMAIN}/{folder}/*" for folder in MANIFEST_FOLDERS), MARKER]
    # The second key exempts the parts of a multipart upload, which cannot carry the header; its completion can.
    unconditional = {"Null": {"s3:if-none-match": "true"}, "Bool": {"s3:ObjectCreationOperation": "true"}}
    return [
        ("CreatesOnly", ["PutObject"], _keys(grant, ["*"]), unconditional),
        ("KeepsHistory", ["DeleteObject", "DeleteObjectVersion"], _keys(grant, kept)),
        ("KeepsLifecycle", ["PutLifecycleConfiguration"], [f"arn:aws:s3:::{grant.bucket}"]),
    ]


def _in_models(grant: Grant, folders: tuple[str, ...]) -> list[str]:
    return [f"{start}*.model/{folder}/*" for start in grant.models for folder in folders]


def _middles(start: str) -> tuple[str, ...]:
    """Return the patterns of namespaces' manifests below a prefix; the registry itself has none there."""
    return _ANY_NAMESPACE if start else _ANY_NAMESPACE[1:]


def _keys(grant: Grant, patterns: list[str]) -> list[str]:
    return [f"arn:aws:s3:::{grant.bucket}/{grant.root}{pattern}" for pattern in patterns]
