"""Whether listings are whole and in order: the newest entry of a log is found by the first key of a capped one."""

import secrets

from objreg.core.keys import log_key, log_prefix
from objreg.maintenance.bench import USE_ANOTHER, Bench
from objreg.maintenance.checks import Check, failed, ok, unknown, warning

__all__ = ["listing", "listing_is_capped"]

_ENTRIES = 5


def listing(bench: Bench) -> Check:
    """Make a log of a few entries; the newest is listed first, all are listed, and nothing of the neighbours."""
    name = "listing"
    prefix, keys = _entries(bench)
    found = sorted(info.key for info in bench.store.list(prefix))
    if found != sorted(keys):
        return failed(name, f"{len(found)} of {len(keys)} entries are listed", f"exactly the {len(keys)}", USE_ANOTHER)
    if not bench.store.ordered:
        return ok(name, "whole, in no order: the newest entry is found by asking for keys")
    first = bench.store.first(prefix)
    if first is None or first.key != min(keys):
        return failed(name, "the newest entry is not listed first", "keys in byte order", USE_ANOTHER)
    return ok(name, "whole, and the newest entry first")


def listing_is_capped(bench: Bench) -> Check:
    """Ask the wire for two keys, and get the newest two."""
    name = "capped listing"
    if not bench.store.ordered:
        return ok(name, "not used here")
    if bench.pages is None:
        return unknown(name, "not asked on the wire", bench.why_not)
    prefix, keys = _entries(bench)
    page = bench.pages.page(prefix, 2)
    wanted = sorted(keys)[:2]
    if page == wanted:
        return ok(name, "two were asked for, and the first two came, in order")
    if page[:2] == wanted:
        return warning(
            name,
            f"two were asked for, and {len(page)} came",
            "it works; looking for the newest entry of a long log costs a whole page",
            "two",
        )
    return failed(name, "other keys came than the first two", "keys in byte order", USE_ANOTHER)


def _entries(bench: Bench) -> tuple[str, list[str]]:
    """Make a short log, not in its order, beside a folder whose name begins like its own."""
    domain = f"{bench.root}listing-{secrets.token_hex(4)}.model"
    keys = [log_key(domain, seq) for seq in range(_ENTRIES)]
    for key in (keys[2], keys[4], keys[0], keys[3], keys[1], f"{domain}/log-old/000000000000.json"):
        bench.store.create(bench.will_make(key), b"{}")
    return log_prefix(domain), keys
