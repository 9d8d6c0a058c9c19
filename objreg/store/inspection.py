"""What a cloud says of a bucket beside its objects: versioning, lifecycle rules, retention. For ``doctor``.

Asked through the fsspec file systems, which have clients for these calls. Each answer that cannot be had is a reason in
words, not an error: a bucket can be good without anybody here being allowed to see its settings.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

from objreg.errors import ObjregError, StoreError
from objreg.store.base import Store
from objreg.store.fsspec_clouds import CLOUDS
from objreg.store.fsspec_engine import FsspecStore
from objreg.store.options import Location
from objreg.store.urls import parse_location

__all__ = ["BucketInspector", "BucketSettings", "LifecycleRule", "inspector_for"]

_SECONDS = 25.0
_ARCHIVES = frozenset({"GLACIER", "DEEP_ARCHIVE"})
_ABSENT = frozenset(
    {"NoSuchLifecycleConfiguration", "ObjectLockConfigurationNotFoundError", "NoSuchObjectLockConfiguration"}
)
_UNKNOWN_CALLS = frozenset({"NotImplemented", "MethodNotAllowed", "UnknownOperation"})


@dataclass(frozen=True)
class LifecycleRule:
    """A rule that changes objects as they age.

    Attributes:
        name: its id.
        prefix: of the keys that it covers, in the bucket.
        action: ``deletes`` the present object, ``archives`` it (it can no longer be read at once), or ``other``.
        limits: what narrows it further, for people; empty where nothing does.
    """

    name: str
    prefix: str
    action: str
    limits: str = ""


@dataclass(frozen=True, kw_only=True)
class BucketSettings:
    """What the cloud says; None where it did not say.

    Attributes:
        versioning: ``on``, ``off`` or ``suspended``.
        rules: the lifecycle rules that are switched on.
        retention: what keeps objects from being deleted, for people; empty where nothing does.
        reasons: why ``versioning``, ``rules`` or ``retention`` is None, for people, with what to do.
    """

    versioning: str | None = None
    rules: tuple[LifecycleRule, ...] | None = None
    retention: str | None = None
    reasons: Mapping[str, str] = field(default_factory=dict)


class BucketInspector:
    """Asks a cloud about one bucket.

    Args:
        location: of the registry's root.
        filesystem: the cloud's file system.
    """

    def __init__(self, location: Location, filesystem: Any) -> None:
        self.location = location
        self._filesystem = filesystem
        self._cloud = CLOUDS[location.scheme](filesystem, location.bucket)

    def page(self, prefix: str, limit: int) -> list[str]:
        """Return the keys of one page of a listing that was capped at ``limit``.

        Args:
            prefix: relative to the registry's root.
            limit: how many keys were asked for.

        Raises:
            Exception: what the cloud's client raises; the caller asks the store first.
        """
        full = self.location.full(prefix)
        page = self._run(self._cloud.page(full, limit=limit))
        return [self.location.relative(found.key) for found in page.objects]

    def claiming(self, claim: Callable[[bytes], str]) -> Store:
        """Return the registry's root as a store that sends what ``claim`` takes for a digest with each create."""
        return FsspecStore(self.location, self._filesystem, self.location.url, claim)

    def settings(self) -> BucketSettings:
        """Return what the cloud says of the bucket."""
        asked = {"s3": self._s3, "gs": self._google, "az": self._azure}[self.location.scheme]()
        answers: dict[str, Any] = {}
        reasons: dict[str, str] = {}
        for name, ask in asked.items():
            try:
                answers[name] = ask()
            except Exception as error:  # noqa: BLE001  # the seam: clients raise whatever their libraries do
                reasons[name] = _reason(error, name)
        return BucketSettings(**answers, reasons=reasons)

    def _s3(self) -> dict[str, Callable[[], Any]]:
        return {
            "versioning": lambda: _s3_versioning(self._call("get_bucket_versioning")),
            "rules": lambda: _s3_rules(self._call("get_bucket_lifecycle_configuration")),
            "retention": lambda: _s3_retention(self._call("get_object_lock_configuration")),
        }

    def _call(self, operation: str) -> dict[str, Any]:
        try:
            answer = self._run(self._filesystem._call_s3(operation, Bucket=self.location.bucket))  # noqa: SLF001  # as in fsspec_clouds
        except Exception as error:
            if _code(error) in _ABSENT:
                return {}
            raise
        return answer if isinstance(answer, dict) else {}

    def _google(self) -> dict[str, Callable[[], Any]]:
        answer: dict[str, Any] = {}

        def bucket() -> dict[str, Any]:
            if not answer:
                answer.update(self._run(self._filesystem._call("GET", "b/{}", self.location.bucket, json_out=True)))  # noqa: SLF001  # as above
            return answer

        return {
            "versioning": lambda: "on" if bucket().get("versioning", {}).get("enabled") else "off",
            "rules": lambda: _google_rules(bucket()),
            "retention": lambda: _google_retention(bucket()),
        }

    def _azure(self) -> dict[str, Callable[[], Any]]:
        def hidden() -> Any:
            raise StoreError(
                "Azure tells it to the account's manager only: az storage account blob-service-properties show, and"
                " az storage account management-policy show"
            )

        async def container() -> Any:
            client = self._filesystem.service_client.get_container_client(self.location.bucket)
            return await client.get_container_properties()

        def retention() -> str:
            found = self._run(container())
            held = {"an immutability policy": found.has_immutability_policy, "a legal hold": found.has_legal_hold}
            return " and ".join(name for name, is_set in held.items() if is_set)

        return {"versioning": hidden, "rules": hidden, "retention": retention}

    def _run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        from fsspec.asyn import sync

        async def bounded() -> Any:
            return await asyncio.wait_for(coroutine, _SECONDS)

        return sync(self._filesystem.loop, bounded)


def inspector_for(url: str, storage_options: Mapping[str, object] | None = None) -> BucketInspector | None:
    """Return who asks about the bucket of an address; None for what is in no cloud.

    Raises:
        MissingDependency: the cloud's extra is not installed.
        InvalidInput: an option is wrong, or is only known to the other engine.
    """
    from objreg.store.fsspec_opening import make_filesystem, respelled_for_fsspec

    found = parse_location(url, storage_options)
    if found is None:
        return None
    location, options = found
    filesystem, _ = make_filesystem(location, respelled_for_fsspec(location, options))
    return BucketInspector(location, filesystem)


def _reason(error: Exception, name: str) -> str:
    if isinstance(error, ObjregError):
        return str(error)
    code = _code(error)
    if code in _UNKNOWN_CALLS:
        return f"this server does not know the question ({code}); see to it that it deletes nothing by itself"
    if code or isinstance(error, PermissionError):
        return f"the cloud refused to tell ({code or 'forbidden'}); ask whoever owns the bucket, or for the permission"
    return f"the cloud gave no answer about {name} ({type(error).__name__}); try again"


def _code(error: BaseException) -> str:
    """Return the cloud's own word for an error, wherever a library has put it."""
    link: BaseException | None = error
    while link is not None:
        response = getattr(link, "response", None)
        if isinstance(response, dict):
            return str(response.get("Error", {}).get("Code", ""))
        code = getattr(link, "error_code", None) or getattr(link, "code", None)
        if code:
            return str(code)
        link = link.__cause__
    return ""


def _s3_versioning(answer: dict[str, Any]) -> str:
    return {"Enabled": "on", "Suspended": "suspended"}.get(answer.get("Status", ""), "off")


def _s3_rules(answer: dict[str, Any]) -> tuple[LifecycleRule, ...]:
    return tuple(
        _s3_rule(rule, number)
        for number, rule in enumerate(answer.get("Rules", ()), 1)
        if rule.get("Status") == "Enabled"
    )


def _s3_rule(rule: dict[str, Any], number: int) -> LifecycleRule:
    shape = rule.get("Filter", {})
    narrow = {**shape, **shape.get("And", {})}
    expiration = rule.get("Expiration", {})
    action = "other"
    if any(found.get("StorageClass") in _ARCHIVES for found in rule.get("Transitions", ())):
        action = "archives"
    if "Days" in expiration or "Date" in expiration:
        action = "deletes"
    limits = [name for name in ("Tag", "Tags", "ObjectSizeGreaterThan", "ObjectSizeLessThan") if narrow.get(name)]
    prefix = narrow.get("Prefix") or rule.get("Prefix") or ""
    return LifecycleRule(rule.get("ID") or f"rule {number}", prefix, action, ", ".join(limits))


def _s3_retention(answer: dict[str, Any]) -> str:
    lock = answer.get("ObjectLockConfiguration", {})
    if lock.get("ObjectLockEnabled") != "Enabled":
        return ""
    kept = lock.get("Rule", {}).get("DefaultRetention", {})
    if not kept:
        return "Object Lock, without a default retention"
    span = f"{kept['Days']} days" if "Days" in kept else f"{kept.get('Years')} years"
    return f"Object Lock, {kept.get('Mode', '').lower()} for {span}"


def _google_rules(bucket: dict[str, Any]) -> tuple[LifecycleRule, ...]:
    found = []
    for number, rule in enumerate(bucket.get("lifecycle", {}).get("rule", ()), 1):
        condition = rule.get("condition", {})
        old = condition.get("isLive") is False or any(
            condition.get(name) for name in ("numNewerVersions", "daysSinceNoncurrentTime", "noncurrentTimeBefore")
        )
        action = "deletes" if rule.get("action", {}).get("type") == "Delete" and not old else "other"
        limits = "matchesSuffix" if condition.get("matchesSuffix") else ""
        prefixes = condition.get("matchesPrefix") or [""]
        found += [LifecycleRule(f"rule {number}", prefix, action, limits) for prefix in prefixes]
    return tuple(found)


def _google_retention(bucket: dict[str, Any]) -> str:
    seconds = int(bucket.get("retentionPolicy", {}).get("retentionPeriod", 0))
    return f"a retention policy of {seconds // 86400} days" if seconds else ""
