"""Collection beside pushes and other collections: whichever request of one the other comes before, nothing live is lost.

Every point of an interleaving is tried, one request after another; so these are all the schedules in which one of two
machines does its work whole, between two requests of the other.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest

import objreg
from objreg.maintenance import collect, plan_collection
from objreg.registry.values import Version
from tests.maintenance.dated import MODEL, Interrupted, Site

NONE = timedelta(0)
TEXT = b"compressible " * 2000
PLAIN = bytes(range(256))
CONTENTS = pytest.mark.parametrize("content", [TEXT, PLAIN], ids=["compressed", "plain"])


def prepared(site: Site, content: bytes) -> None:
    """A live version, and one with ``content`` that was retired: its blob is what collectors and pushes fight over."""
    registry = site.registry()
    registry.push(MODEL, site.file(content))
    registry.push(MODEL, site.file(b"live"))
    registry.retire(f"{MODEL}:1.0", reason="old")


def collect_all(registry: objreg.Registry) -> None:
    for plan in plan_collection(registry, MODEL, grace=NONE):
        collect(registry, plan)


def check(site: Site, pushed: Version, content: bytes) -> None:
    """The pushed version is whole, and so is the other live one; after one more collection too."""
    for _ in range(2):
        assert site.pulled(pushed.spec) == content
        assert site.pulled(f"{MODEL}:1.1") == b"live"
        collect_all(site.registry("janitor@acme"))
    registry = site.registry()
    state = registry.session.view(MODEL, registry.session.existing_model(MODEL)).state
    assert state.condemned == ()
    assert len(site.blobs()) == 2


def at_every_request(run: Callable[[Callable[[int, str, str], bool]], Interrupted], least: int) -> None:
    """Run once for each request of the first machine, with the second's work just before it."""
    number = 0
    while run(lambda count, _method, _key, number=number: count == number).happened:  # the default binds the number
        number += 1
    assert number >= least, f"only {number} moments were tried"


@CONTENTS
def test_a_push_at_any_moment_of_a_collection_loses_nothing(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    """What it shares with the condemned is sent anew under the next incarnation, or dropped from the condemned."""
    incarnations = set()

    def run(at: Callable[[int, str, str], bool]) -> Interrupted:
        site = Site(tmp_path_factory.mktemp("site"))
        prepared(site, content)
        pushed: list[Version] = []
        pusher = site.registry("pusher@acme")
        store = Interrupted(site.store, at, lambda: pushed.append(pusher.push(MODEL, site.file(content))))
        collect_all(site.registry("collector@acme", store))
        if pushed:
            incarnations.add(pushed[0].artifacts[0].files[0].parts[0].incarnation)
            check(site, pushed[0], content)
        return store

    at_every_request(run, least=10)
    assert incarnations == {0, 1}, "the collection was never overtaken, or always"


@CONTENTS
@pytest.mark.parametrize("warm", [False, True], ids=["cold", "warm"])
def test_a_collection_at_any_moment_of_a_push_loses_nothing(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, warm: bool
) -> None:
    """Also of a push whose machine knew the model before it was condemned, and wrote the condemned name again."""
    incarnations = set()

    def run(at: Callable[[int, str, str], bool]) -> Interrupted:
        site = Site(tmp_path_factory.mktemp("site"))
        prepared(site, content)
        collector = site.registry("collector@acme")
        begun = []
        store = Interrupted(
            site.store,
            lambda number, method, key: bool(begun) and at(number - begun[0], method, key),
            lambda: collect_all(collector),
        )
        pusher = site.registry("pusher@acme", store)
        if warm:
            pusher.versions(MODEL)
        begun.append(store.requests)
        pushed = pusher.push(MODEL, site.file(content))
        incarnations.add(pushed.artifacts[0].files[0].parts[0].incarnation)
        check(site, pushed, content)
        return store

    at_every_request(run, least=3 if warm else 5)
    assert incarnations == {0, 1}, "the collection was never in time, or always"


def test_an_experiment_at_any_moment_of_a_collection_keeps_its_artifacts(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Its artifacts share a blob with what is condemned."""

    def run(at: Callable[[int, str, str], bool]) -> Interrupted:
        site = Site(tmp_path_factory.mktemp("site"))
        prepared(site, PLAIN)
        recorder = site.registry("recorder@acme")
        store = Interrupted(
            site.store, at, lambda: recorder.record_experiment(f"{MODEL}:1.1", "holdout", artifacts=site.file(PLAIN))
        )
        collect_all(site.registry("collector@acme", store))
        if store.happened:
            (part,) = site.registry().experiments(f"{MODEL}:1.1")[0].artifacts[0].files[0].parts
            name = part.blob.removeprefix("sha256:") + (f".{part.incarnation}" if part.incarnation else "")
            assert name in site.blobs()
        return store

    at_every_request(run, least=10)


def test_two_collectors_at_any_moment_of_each_other_lose_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    """One finishes what the other began, and both end with nothing condemned."""

    def run(at: Callable[[int, str, str], bool]) -> Interrupted:
        site = Site(tmp_path_factory.mktemp("site"))
        prepared(site, PLAIN)
        other = site.registry("other@acme")
        store = Interrupted(site.store, at, lambda: collect_all(other))
        collect_all(site.registry("collector@acme", store))
        if store.happened:
            check(site, site.registry().push(MODEL, site.file(PLAIN)), PLAIN)
        return store

    at_every_request(run, least=10)


def test_a_push_between_two_collectors_loses_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The second collection begins at any request of the first, and brings a push of the same content with it."""

    def run(at: Callable[[int, str, str], bool]) -> Interrupted:
        site = Site(tmp_path_factory.mktemp("site"))
        prepared(site, TEXT)
        pusher = site.registry("pusher@acme")
        pushed: list[Version] = []

        def both() -> None:
            inner = Interrupted(
                site.store,
                lambda _, method, key: method == "create" and "/log/" in key,
                lambda: pushed.append(pusher.push(MODEL, site.file(TEXT))),
            )
            collect_all(site.registry("other@acme", inner))
            if not pushed:
                pushed.append(pusher.push(MODEL, site.file(TEXT)))

        store = Interrupted(site.store, at, both)
        collect_all(site.registry("collector@acme", store))
        if pushed:
            check(site, pushed[0], TEXT)
        return store

    at_every_request(run, least=10)


def test_a_late_delete_of_every_name_that_was_ever_condemned_hits_nothing(site: Site) -> None:
    """However often a delete is repeated by the network, and however late."""
    prepared(site, PLAIN)
    collector, pusher = site.registry("collector@acme"), site.registry("pusher@acme")
    names: set[str] = set()
    for _ in range(3):
        collect_all(collector)
        version = pusher.push(MODEL, site.file(PLAIN))
        for item in pusher.history(MODEL):
            names |= {name for change in item.changes if change.kind == "condemned" for name in change.after}
        for name in names:
            site.store.delete(f"{MODEL}.model/blobs/{name}")
        assert site.pulled(version.spec) == PLAIN
        pusher.retire(version, reason="again")
    assert len(names) == 3
