"""What is round a store's objects: a bucket's settings, a folder's file system, a web server's caches."""

from collections.abc import Iterator

from objreg.core.access.grants import PROBES
from objreg.core.keys import MARKER, REGISTRY_DOMAIN, log_key
from objreg.maintenance.bench import Bench
from objreg.maintenance.checks import Check, failed, ok, unknown, warning
from objreg.maintenance.probes import clock_check
from objreg.registry.clock import Clock
from objreg.store.folder_inspection import FolderFacts
from objreg.store.inspection import BucketSettings, LifecycleRule
from objreg.store.web_inspection import ask_web

__all__ = ["bucket_checks", "folder_checks", "web_checks"]

_GIB = 1 << 30
_NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre", "virtiofs"})
_MEMORY = frozenset({"tmpfs", "ramfs"})


def bucket_checks(settings: BucketSettings, root: str) -> Iterator[Check]:
    """Judge a bucket's settings.

    Args:
        settings: what the cloud says.
        root: the registry's prefix in the bucket, with a slash at its end, or empty.
    """
    yield _versioning(settings)
    yield _lifecycle(settings, root)
    if settings.retention is None:
        yield _not_told("retention", settings)
    elif settings.retention:
        yield ok("retention", f"{settings.retention}: history is kept by force; unused blobs, too, until it ends")
    else:
        yield ok("retention", "nothing but permissions keeps history; see 'objreg policy'")


def _versioning(settings: BucketSettings) -> Check:
    if settings.versioning is None:
        return _not_told("versioning", settings)
    if settings.versioning == "on":
        return ok("versioning", "on: what is deleted by mistake can be brought back")
    return ok("versioning", f"{settings.versioning}: what is deleted is gone")


def _lifecycle(settings: BucketSettings, root: str) -> Check:
    name = "lifecycle rules"
    if settings.rules is None:
        return _not_told(name, settings, "rules")
    harmful = [rule for rule in settings.rules if rule.action != "other" and _covers(rule, root)]
    if not harmful:
        return ok(name, f"{len(settings.rules) or 'no'} rules, none of which deletes what the registry needs")
    said = "; ".join(
        f"{rule.name!r} {rule.action} objects below {rule.prefix or 'the whole bucket'!r}"
        + (f" (limited by {rule.limits})" if rule.limits else "")
        for rule in harmful
    )
    remedy = "switch it off, or give it a prefix outside the registry: old entries are history, and never out of date"
    # A rule that asks for a tag, or a size, may pass objreg's objects by: they have no tags.
    if all(rule.limits for rule in harmful):
        return warning(name, said, remedy, "none that can touch the registry")
    return failed(name, said, "none that can touch the registry", remedy)


def _covers(rule: LifecycleRule, root: str) -> bool:
    if rule.prefix.startswith(f"{root}{PROBES}"):
        return False
    return root.startswith(rule.prefix) or rule.prefix.startswith(root)


def _not_told(name: str, settings: BucketSettings, attribute: str = "") -> Check:
    return unknown(name, "not known", settings.reasons.get(attribute or name, ""))


def folder_checks(facts: FolderFacts) -> Iterator[Check]:
    """Judge a folder's file system."""
    if facts.hard_links:
        yield ok("hard links", "a create is one link, atomic for every process")
    else:
        yield warning(
            "hard links",
            "this file system has none, so a lock file serialises creates",
            "fine for one machine; for several, use a file system with hard links, or a bucket",
        )
    if facts.case_sensitive:
        yield ok("letter case", "names that differ in case are two")
    else:
        yield warning(
            "letter case",
            "names that differ in case are one here",
            "do not use models like Fraud/clf and fraud/clf side by side",
        )
    room = f"{facts.free / _GIB:.1f} GiB are free"
    yield ok("free space", room) if facts.free >= _GIB else warning("free space", room, "make room", "1 GiB or more")
    yield _file_system(facts.kind)


def _file_system(kind: str) -> Check:
    name = "file system"
    if kind in _MEMORY:
        return warning(name, f"{kind}: memory", "it is lost when the machine restarts; use a disk")
    if kind in _NETWORK or kind.startswith("fuse"):
        return warning(
            name,
            f"{kind}: it may be shared with other machines, which this examination cannot see",
            "run 'objreg doctor' on two of them at the same time, or use a bucket",
        )
    return ok(name, kind) if kind else unknown(name, "this system does not say")


def web_checks(bench: Bench, clock: Clock) -> Iterator[Check]:
    """Judge a web server by its answers to what is there and to what is not."""
    url = bench.store.url
    before = clock.now()
    whole = ask_web(url, MARKER)
    after = clock.now()
    if whole.time is None:
        yield unknown("clock", "the server does not say what time it is")
    else:
        yield clock_check(whole.time - before, whole.time - after)
    if whole.status != 200:
        yield failed("marker", f"{MARKER} was answered with {whole.status}", "200", "publish the whole registry folder")
        return
    part = ask_web(url, MARKER, first_bytes=2)
    if part.status == 206 and part.size == 2:
        yield ok("ranges", "a part of an object is read by itself")
    else:
        yield warning(
            "ranges", "the server sends whole objects", "it works; parts of long files cost whole ones", "206"
        )
    yield _absent(url)


def _absent(url: str) -> Check:
    """Judge the answer to the log slot that nobody will reach, which stands for the next one."""
    name = "missing is missing"
    answer = ask_web(url, log_key(REGISTRY_DOMAIN, 10**12 - 1))
    if answer.status not in {404, 410}:
        return failed(
            name,
            f"what does not exist is answered with {answer.status}",
            "404",
            "let the server say 404: no error page with 200, and no 403",
        )
    if answer.kept_seconds:
        return warning(
            name,
            f"a cache may repeat 'not found' for {answer.kept_seconds} s, and hide new entries as long",
            "send Cache-Control: no-store with 404, or no-cache below log/",
            "404 that nobody keeps",
        )
    return ok(name, "what does not exist is answered with 404, and no cache is asked to keep that")
