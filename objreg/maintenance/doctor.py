"""Examine a store before it is trusted: every probe in turn, to the end, whatever the first ones say."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

from objreg.errors import AccessDenied, MissingDependency, ObjregError, StoreError, StoreUnavailable
from objreg.maintenance.bench import Bench
from objreg.maintenance.checks import Check, Diagnosis, Outcome, failed, not_tried, unknown
from objreg.maintenance.checksum_probe import checksums
from objreg.maintenance.create_probes import create_after_delete, create_twice, wins_once
from objreg.maintenance.listing_probes import listing, listing_is_capped
from objreg.maintenance.probes import (
    cleans_up,
    marker,
    may_create,
    may_delete,
    missing,
    ranges,
    same_time,
    visible_at_once,
)
from objreg.maintenance.surroundings import bucket_checks, folder_checks, web_checks
from objreg.registry.clock import Clock, SystemClock
from objreg.store.folder_inspection import inspect_folder, prune
from objreg.store.inspection import BucketInspector, inspector_for
from objreg.store.urls import open_store

__all__ = ["RACERS", "diagnose", "examine"]

RACERS = 32

Probe = Callable[[Bench], Check]

_READING: dict[str, Probe] = {"reads": marker, "missing is missing": missing}
_WRITING: dict[str, Probe] = {
    "create never replaces": create_twice,
    "creates at once": wins_once,
    "visible at once": visible_at_once,
    "may delete": may_delete,
    "create over a deleted key": create_after_delete,
    "listing": listing,
    "capped listing": listing_is_capped,
    "ranges": ranges,
    "clock": same_time,
}
_ON_S3: dict[str, Probe] = {"checksums": checksums}


def diagnose(
    url: str,
    *,
    storage_options: Mapping[str, object] | None = None,
    engine: str | None = None,
    racers: int = RACERS,
    clock: Clock | None = None,
) -> Diagnosis:
    """Examine the store at an address; it need not hold a registry.

    Objects are made below ``_registry/probe/`` only, and deleted again where that is allowed.

    Args:
        url: of the registry's root.
        storage_options: as of ``open_store``.
        engine: as of ``open_store``.
        racers: how many creates of one key are sent at once, each over connections of its own.
        clock: this machine's; another one in tests.

    Raises:
        InvalidInput: the address or an option is wrong.
        MissingDependency: the engine's extra is not installed.
    """
    another = partial(open_store, url, storage_options=storage_options, engine=engine)
    store = another()
    clock = clock or SystemClock()
    try:
        inspector, why = _inspector(url, storage_options)
        claiming = inspector.claiming if inspector else None
        bench = Bench(store, another, clock, racers, pages=inspector, claiming=claiming, why_not=why)
        if url.startswith(("http://", "https://")):
            checks = [_examined("reads", marker, bench), *_guarded("web server", web_checks(bench, clock))]
            return Diagnosis(store.url, tuple(checks))
        checks = list(examine(bench))
        checks += _surroundings(bench, inspector, why, checks[0])
        return Diagnosis(store.url, tuple(checks))
    finally:
        store.close()


def examine(bench: Bench) -> Iterator[Check]:
    """Put every question to a store; the first check says whether it answers at all."""
    writing = _WRITING | (_ON_S3 if bench.store.url.startswith("s3://") else {})
    first = _examined("reads", marker, bench)
    yield first
    if first.outcome is Outcome.UNKNOWN:
        for name in ("missing is missing", "may create", *writing):
            yield not_tried(name, "the store does not answer")
        return
    yield _examined("missing is missing", missing, bench)
    created = _examined("may create", may_create, bench)
    yield created
    for name, probe in writing.items():
        if created.outcome is Outcome.OK:
            yield _examined(name, probe, bench)
        else:
            yield not_tried(name, "nothing can be created here")
    yield _examined("clean-up", cleans_up, bench)


def _examined(name: str, probe: Probe, bench: Bench) -> Check:
    """Return the probe's check; an error of the store is a check too."""
    try:
        return probe(bench)
    except (StoreUnavailable, MissingDependency) as error:
        return unknown(name, str(error), "try again, when the store answers")
    except AccessDenied as error:
        return failed(name, str(error), "", "set credentials, or have the permission granted: see 'objreg policy'")
    except ObjregError as error:
        return failed(name, str(error), "", "")


def _guarded(name: str, checks: Iterable[Check]) -> Iterator[Check]:
    try:
        yield from checks
    except StoreUnavailable as error:
        yield unknown(name, str(error), "try again, when the store answers")
    except StoreError as error:
        yield failed(name, str(error), "", "")


def _inspector(url: str, storage_options: Mapping[str, object] | None) -> tuple[BucketInspector | None, str]:
    """Return who asks about a bucket's settings, or why nobody can."""
    try:
        return inspector_for(url, storage_options), ""
    except ObjregError as error:
        return None, str(error)


def _folder(bench: Bench) -> Iterator[Check]:
    yield from folder_checks(inspect_folder(bench.store.url))


def _surroundings(bench: Bench, inspector: BucketInspector | None, why: str, first: Check) -> list[Check]:
    if bench.store.url.startswith("file://"):
        if first.outcome is not Outcome.OK:
            return []
        prune(bench.store.url, bench.root)
        return list(_guarded("file system", _folder(bench)))
    if why:
        return [unknown(name, "not known", why) for name in ("versioning", "lifecycle rules", "retention")]
    if inspector is None:
        return []
    if first.outcome is not Outcome.OK:
        return [not_tried(name, "the store does not answer") for name in ("versioning", "lifecycle rules", "retention")]
    return list(bucket_checks(inspector.settings(), inspector.location.full("")))
