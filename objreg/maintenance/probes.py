"""Whether a store answers, what the credentials may do, and whether what is written is seen at once."""

import secrets
from datetime import timedelta

from objreg.errors import AccessDenied
from objreg.maintenance.bench import USE_ANOTHER, Bench
from objreg.maintenance.checks import Check, failed, ok, unknown, warning
from objreg.registry.session import read_marker

__all__ = [
    "cleans_up",
    "clock_check",
    "marker",
    "may_create",
    "may_delete",
    "missing",
    "ranges",
    "same_time",
    "visible_at_once",
]

_MOST_SKEW = timedelta(minutes=5)
_SOME_SKEW = timedelta(seconds=30)


def marker(bench: Bench) -> Check:
    """Ask for the registry's marker: the store answers, and the credentials may read."""
    found = read_marker(bench.store)
    said = "no registry is here yet" if found is None else f"registry {found.id} of format {found.format}"
    return ok("reads", f"the store answers; {said}")


def missing(bench: Bench) -> Check:
    """Ask for what is not there: 404, and not 403."""
    key = f"{bench.root}missing"
    if bench.store.get(key) is None and bench.store.head(key) is None:
        return ok("missing is missing", "an object that does not exist is said not to exist")
    return failed("missing is missing", "an object that nobody made is there", "none", USE_ANOTHER)


def may_create(bench: Bench) -> Check:
    """Create an object."""
    try:
        bench.store.create(bench.key("create"), b"probe")
    except AccessDenied:
        return warning(
            "may create",
            "these credentials may not create: enough for a reader",
            "for a writer, see 'objreg policy … --role writer'",
        )
    return ok("may create", "these credentials may create")


def may_delete(bench: Bench) -> Check:
    """Delete an object."""
    key = bench.key("delete")
    bench.store.create(key, b"probe")
    try:
        bench.store.delete(key)
    except AccessDenied:
        bench.deletes = False
        return ok("may delete", "these credentials may not delete: the safer kind, and all that a writer needs")
    bench.deletes = True
    if bench.store.get(key) is not None:
        return failed("may delete", "a deleted object is still there", "none", "remove the cache in between")
    return ok("may delete", "these credentials may delete probes; who may delete history, see 'objreg policy'")


def visible_at_once(bench: Bench) -> Check:
    """See over another connection what was created a moment ago, and as it is."""
    name, key, data = "visible at once", bench.key("visible"), secrets.token_bytes(64)
    other = bench.another()
    try:
        other.get(key)  # a cache that keeps what was not there would keep this
        bench.store.create(key, data)
        seen = {
            "get": other.get(key) == data,
            "head": other.head(key) is not None,
            "list": any(found.key == key for found in other.list(bench.root)),
        }
    finally:
        other.close()
    if all(seen.values()):
        return ok(name, "what is created is read and listed at once over another connection")
    late = ", ".join(call for call, is_seen in seen.items() if not is_seen)
    return failed(name, f"not seen by {late}", "seen by get, head and list", "remove the cache in between")


def ranges(bench: Bench) -> Check:
    """Read a part of an object."""
    key, data = bench.key("range"), secrets.token_bytes(1000)
    bench.store.create(key, data)
    if bench.store.get_range(key, 100, 50) == data[100:150]:
        return ok("ranges", "a part of an object is read by itself")
    return failed("ranges", "another part came than was asked for", "the bytes of the range", USE_ANOTHER)


def same_time(bench: Bench) -> Check:
    """Compare this machine's clock with the store's, by an object that was made just now."""
    key = bench.key("clock")
    before = bench.clock.now()
    bench.store.create(key, b"probe")
    after = bench.clock.now()
    info = bench.store.head(key)
    if info is None or info.modified is None:
        return unknown("clock", "the store does not say when an object was made")
    return clock_check(info.modified - before, info.modified - after)


def clock_check(most: timedelta, least: timedelta) -> Check:
    """Return what it means that the store's clock is between ``least`` and ``most`` ahead of this machine's."""
    skew = max(timedelta(), least - timedelta(seconds=1), -most - timedelta(seconds=1))
    where = "behind the store's" if least > timedelta() else "ahead of the store's"
    said = f"this machine's clock is {skew.total_seconds():.0f} s {where}"
    if skew > _MOST_SKEW:
        return failed("clock", said, "less than 5 minutes", "set the clock right: until then objreg refuses to commit")
    if skew > _SOME_SKEW:
        return warning("clock", said, "set the clock right", "seconds")
    return ok("clock", "this machine's clock and the store's agree")


def cleans_up(bench: Bench) -> Check:
    """Delete what the other probes made."""
    left = bench.left_after_cleaning()
    if not left:
        return ok("clean-up", "the probes' objects are deleted")
    return ok("clean-up", f"{len(left)} tiny objects stay below {bench.root}: these credentials may not delete them")
