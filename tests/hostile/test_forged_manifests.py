"""Entries, snapshots, records and markers that somebody forged: every method and command answers with one clear error."""

import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import objreg
from objreg.cli import invocation
from objreg.cli.program import run
from objreg.core.keys import MARKER, log_key, record_key, seq_of
from objreg.store.memory import MemoryStore
from tests.hostile.forged import DOMAIN, MODEL, Forger, compact
from tests.registry.machine import Machine

MOST_MEMORY = 64 * 1024 * 1024
Forge = Callable[[Forger], object]
FORGERIES: dict[str, Forge] = {}


def forgery(function: Forge) -> Forge:
    """Note a way to forge a registry by its name."""
    FORGERIES[function.__name__] = function
    return function


# JSON that is none, or that is too much of it, in place of each kind of object

JUNK: dict[str, bytes] = {
    "nothing": b"",
    "not-utf-8": b'{"format":1,"domain":"\xff"}',
    "utf-16": '{"format":1}'.encode("utf-16"),
    "bom": b'\xef\xbb\xbf{"format":1}',
    "truncated": b'{"format":1,"doma',
    "deep-lists": b"[" * 100_000 + b"]" * 100_000,
    "deep-objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "open": b"[" * 100_000,
    "integer": b'{"format":1' + b"0" * 400 + b"}",
    "longer-integer": b'{"format":1' + b"0" * 5000 + b"}",
    "float": b'{"format":1e999}',
    "surrogate": b'{"format":1,"domain":"\\ud800"}',
    "array": b"[1]",
    "null": b"null",
    "newer": b'{"format":2}',
}


def _objects(forger: Forger) -> dict[str, str]:
    """Return a key for each kind of object that a reader needs."""
    first = forger.store.first(f"{DOMAIN}/log/")
    assert first is not None
    return {
        "marker": MARKER,
        "entry": first.key,
        "version": _key(forger, "version"),
        "catalog": _key(forger, "catalog"),
    }


def _key(forger: Forger, kind: str) -> str:
    state = forger.state()
    return record_key(DOMAIN, state["versions"]["1.0"]["record"] if kind == "version" else state["catalog"])


def attempts(forger: Forger) -> dict[str, Callable[[], Any]]:
    """Return everything that can be done with the model, each by a machine that never saw it."""
    file = forger.folder.parent / "model.bin"
    return {
        "resolve": lambda: forger.reader().resolve(MODEL),
        "resolve version": lambda: forger.reader().resolve(f"{MODEL}:1.0"),
        "resolve part": lambda: forger.reader().resolve(f"{MODEL}:1"),
        "resolve state": lambda: forger.reader().resolve(f"{MODEL}@production"),
        "resolve digest": lambda: forger.reader().resolve(f"{MODEL}@sha256:00000000"),
        "pull": lambda: forger.reader().pull(MODEL),
        "read": lambda: b"".join(forger.reader().read(f"{MODEL}:1.0/model.bin")),
        "versions": lambda: forger.reader().versions(MODEL),
        "versions in state": lambda: forger.reader().versions(MODEL, "production"),
        "experiments": lambda: forger.reader().experiments(MODEL),
        "deployments": lambda: forger.reader().deployments(MODEL),
        "catalog": lambda: forger.reader().catalog(MODEL),
        "history": lambda: list(forger.reader().history(MODEL)),
        "head": lambda: forger.reader().head(MODEL),
        "models": lambda: forger.reader().models(),
        "namespaces": lambda: forger.reader().namespaces(),
        "states": lambda: forger.reader().states("fraud"),
        "settings": lambda: forger.reader().settings(),
        "object": lambda: forger.reader().object("sha256:" + "0" * 64),
        "record": lambda: forger.reader().object(MODEL),
        "diff": lambda: forger.reader().diff(f"{MODEL}:1.0", MODEL),
        "push": lambda: forger.reader().push(MODEL, file),
        "push the same": lambda: forger.reader().push(f"{MODEL}:1.0", file),
        "set state": lambda: forger.reader().set_state(MODEL, "production"),
        "experiment": lambda: forger.reader().record_experiment(MODEL, "backtest"),
        "deployment": lambda: forger.reader().record_deployment(MODEL, endpoint="https://y"),
        "deployment status": lambda: forger.reader().set_deployment_status(MODEL, 1, "ended"),
        "put catalog": lambda: forger.reader().put_catalog(MODEL, owner="bob"),
        "retire": lambda: forger.reader().retire(f"{MODEL}:1.0", reason="x"),
    }


def answers(forger: Forger) -> dict[str, str]:
    """Do everything, and return what was refused; anything but an error of ours with a sentence fails the test."""
    refused = {}
    tracemalloc.start()
    try:
        for name, attempt in attempts(forger).items():
            try:
                attempt()
            except objreg.ObjregError as error:
                refused[name] = str(error)
                assert len(refused[name]) < 4000, name
                assert "\n" not in refused[name], refused[name]
        assert tracemalloc.get_traced_memory()[1] < MOST_MEMORY
    finally:
        tracemalloc.stop()
    return refused


@pytest.mark.parametrize("where", ["marker", "entry", "version", "catalog"])
@pytest.mark.parametrize("junk", JUNK)
def test_what_is_no_object_is_refused(forger: Forger, where: str, junk: str) -> None:
    """In the registry's marker and in the newest entry, whose bytes nothing vouches for; in records it is damage."""
    forger.put(_objects(forger)[where], JUNK[junk])
    refused = answers(forger)
    if where == "entry":
        assert {"resolve", "pull", "versions", "push", "history", "head"} <= refused.keys()
        assert all(f"entry 4 of {DOMAIN}" in refused[name] for name in ("resolve", "pull", "push"))
    elif where == "version":
        assert {"resolve", "pull", "push the same"} <= refused.keys()
    elif where == "catalog":
        assert {"catalog", "put catalog"} <= refused.keys()
    else:
        with pytest.raises(objreg.FormatError):
            forger.reader().resolve("no/model")


@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize("where", ["record", "snapshot"])
def test_a_right_digest_does_not_make_an_object(forger: Forger, where: str, junk: str) -> None:
    """The same bytes under their own digest, named by the manifest."""
    if where == "record":
        forger.version(JUNK[junk])
        assert {"resolve", "pull", "diff"} <= answers(forger).keys()
        return
    from objreg.core.digest import digest_of
    from objreg.core.keys import snapshot_key

    head, digest = forger.head(), digest_of(JUNK[junk])
    forger.put(snapshot_key(DOMAIN, digest), JUNK[junk])
    forger.put_head(compact({**head, "snapshot": {"seq": 0, "digest": digest}, "tail": {}}))
    assert {"versions", "catalog", "push"} <= answers(forger).keys()


# States, pointers and records that contradict each other


def _state(change: Callable[[dict[str, Any]], object]) -> Forge:
    return lambda forger: forger.commit(lambda state, _: change(state))


def _refs(change: Callable[[dict[str, Any]], object]) -> Forge:
    return lambda forger: forger.commit(lambda _, refs: change(refs))


def _version(**fields: Any) -> Forge:
    return _state(lambda state: state["versions"]["1.0"].update(fields))


@forgery
def a_record_of_another_kind(forger: Forger) -> None:
    state = forger.state()
    experiment = state["versions"]["1.0"]["experiments"]["backtest"]

    def change(state: dict[str, Any], refs: dict[str, Any]) -> None:
        catalog, record = state["catalog"], state["versions"]["1.0"]["record"]
        state["versions"]["1.0"].update(record=experiment, experiments={"backtest": catalog}, retired="")
        state["catalog"] = state["deployments"]["1"]["record"] = record
        for pointer in refs.values():
            pointer["record"] = experiment

    forger.commit(change)


@forgery
def a_retirement_that_is_none(forger: Forger) -> None:
    _version(retired=forger.state()["catalog"], states=[])(forger)


def _swap_in(key: str, **fields: Any) -> Forge:
    def forge(forger: Forger) -> None:
        state = forger.state()
        places = {"version": state["versions"]["1.0"], "deployment": state["deployments"]["1"]}
        if key == "experiment":
            digest = forger.put_record(
                compact({**forger.record(places["version"]["experiments"]["backtest"]), **fields})
            )
            _version(experiments={"backtest": digest})(forger)
        elif key == "catalog":
            digest = forger.put_record(compact({**forger.record(state["catalog"]), **fields}))
            _state(lambda found: found.update(catalog=digest))(forger)
        elif key == "version":
            forger.version_with(**fields)
        else:
            digest = forger.put_record(compact({**forger.record(places[key]["record"]), **fields}))
            _state(lambda found: found["deployments"]["1"].update(record=digest))(forger)

    return forge


_DEEP: Any = "x"
for _ in range(95):
    _DEEP = {"a": [_DEEP]} if _ % 2 else _DEEP
_MORE = {
    "no_such_version_in_latest": _refs(lambda refs: refs["latest"].update(version="9.9")),
    "no_such_record_in_latest": _refs(lambda refs: refs["latest"].update(record="sha256:" + "0" * 64)),
    "a_pointer_without_a_name": _refs(lambda refs: refs.update({"": refs["latest"]})),
    "a_pointer_of_control_letters": _refs(lambda refs: refs.update({"\x1b[2J": refs["latest"]})),
    "many_pointers": _refs(lambda refs: refs.update({f"s{i}": refs["latest"] for i in range(20_000)})),
    "versions_that_are_none": _state(lambda state: state["versions"].update({"../x": state["versions"]["1.0"]})),
    "a_version_of_another_scheme": _state(lambda state: state["versions"].update({"1.2.3": state["versions"]["1.0"]})),
    "a_version_of_many_digits": _state(lambda state: state["versions"].update({"9" * 5000: state["versions"]["1.0"]})),
    "a_version_of_arabic_digits": _state(
        lambda state: state["versions"].update({"\u0661.\u0662": state["versions"]["1.0"]})
    ),
    "no_scheme": _state(lambda state: state.update(scheme="brand-new")),
    "an_integer_scheme": _state(lambda state: state.update(scheme="integer")),
    "a_free_scheme": _state(lambda state: state.update(scheme="free")),
    "versions_are_a_list": _state(lambda state: state.update(versions=[1])),
    "no_versions": _state(lambda state: state.update(versions={})),
    "deployments_without_numbers": _state(lambda state: state["deployments"].update({"x": state["deployments"]["1"]})),
    "a_deployment_twice": _state(lambda state: state["deployments"].update({"01": state["deployments"]["1"]})),
    "a_deployment_of_no_version": _state(lambda state: state["deployments"]["1"].update(version="7.7")),
    "a_deployment_number_without_end": _swap_in("deployment", number=10**400),
    "a_deployment_of_another_number": _swap_in("deployment", number=2),
    "huge_incarnations": _state(lambda state: state.update(incarnations={"0" * 64: 2**53 - 1})),
    "negative_incarnations": _state(lambda state: state.update(incarnations={"0" * 64: -1})),
    "incarnations_of_nothing": _state(lambda state: state.update(incarnations={"x": 1})),
    "condemned_paths": _state(lambda state: state.update(condemned=["../../etc/passwd"])),
    "many_versions": _state(
        lambda state: state["versions"].update({f"2.{i}": state["versions"]["1.0"] for i in range(5000)})
    ),
    "no_such_day": _version(created_at="2026-02-30T12:00:00.000Z"),
    "no_such_size": _version(size=10**400),
    "an_order_of_many_digits": _version(order=10**400),
    "a_state_of_control_letters": _version(states=["\x1b]0;owned\x07", "\u202eproduction"]),
    "an_experiment_of_control_letters": _version(experiments={"\x1b[2J\x1b[Hx": "sha256:" + "0" * 64}),
    "experiments_without_records": _version(experiments={f"e{i}": "sha256:" + "0" * 64 for i in range(3000)}),
    "a_version_of_another_model": _swap_in("version", model="fraud/other"),
    "a_version_of_another_name": _swap_in("version", version="3.1"),
    "a_version_of_a_newer_format": _swap_in("version", format=2),
    "an_experiment_of_another_name": _swap_in("experiment", name="other"),
    "metrics_that_are_none": _swap_in("experiment", metrics={"auc": "high"}),
    "a_catalog_of_another_model": _swap_in("catalog", model="fraud/other"),
    "deep_metadata": _swap_in("version", metadata={"a": _DEEP}),
    "much_metadata": _swap_in("version", metadata={str(i): "x" * 50 for i in range(20_000)}),
    "metadata_of_control_letters": _swap_in("version", metadata={"\x1b[2J": "\x9b31m"}, description="\x1b]0;x\x07\r\n"),
    "changes_that_are_none": _state(lambda state: state.update(changes=[{"kind": 1}])),
    "changes_that_are_patterns": _state(
        lambda state: state.update(changes=[{"kind": "{name:>999999999}{x.__class__}", "name": "\x1b[2J"}])
    ),
    "changes_that_are_text": _state(lambda state: state.update(changes="none")),
}
FORGERIES |= _MORE


@forgery
def an_entry_with_the_last_time_there_is(forger: Forger) -> None:
    forger.put_head(compact({**forger.head(), "time": "9999-12-31T23:59:59.999Z"}))


@forgery
def an_entry_on_no_day(forger: Forger) -> None:
    forger.put_head(compact({**forger.head(), "time": "2026-13-45T99:99:99.999Z"}))


@forgery
def an_entry_with_keys_twice(forger: Forger) -> None:
    forger.put_head(compact(forger.head())[:-1] + b',"seq":1}')


@forgery
def an_entry_of_another_domain(forger: Forger) -> None:
    forger.put_head(compact({**forger.head(), "domain": "fraud/other.model"}))


@forgery
def an_entry_that_removes(forger: Forger) -> None:
    forger.put_head(compact({**forger.head(), "patch": {"versions": None}}))


@forgery
def an_entry_that_reshapes(forger: Forger) -> None:
    forger.put_head(compact({**forger.head(), "tail": {"a": {}}, "patch": {"a": 1}}))


@forgery
def a_snapshot_that_is_not_there(forger: Forger) -> None:
    forger.put_head(compact({**forger.head(), "snapshot": {"seq": 0, "digest": "sha256:" + "0" * 64}}))


@forgery
def a_snapshot_of_the_future(forger: Forger) -> None:
    forger.put_head(compact({**forger.head(), "snapshot": {"seq": 10**9, "digest": "sha256:" + "0" * 64}}))


@forgery
def a_snapshot_of_another_domain(forger: Forger) -> None:
    from objreg.core.digest import digest_of
    from objreg.core.keys import snapshot_key

    data = compact({"format": 1, "domain": "fraud/other.model", "seq": 0, "state": {}})
    forger.put(snapshot_key(DOMAIN, digest_of(data)), data)
    forger.put_head(compact({**forger.head(), "snapshot": {"seq": 0, "digest": digest_of(data)}, "tail": {}}))


@forgery
def the_last_slot(forger: Forger) -> None:
    head = {**forger.head(), "seq": 10**12 - 1}
    forger.put(log_key(DOMAIN, 10**12 - 1), compact(head))


@forgery
def a_stray_object_in_the_log(forger: Forger) -> None:
    forger.put(f"{DOMAIN}/log/!\x1b[2J", b"")


@forgery
def stray_folders(forger: Forger) -> None:
    for name in ("a b", "\x1b[2J", "..", "x\ny", "é", "x.model.model", "-rf", "a;b"):
        forger.put(f"{name}/log/x", b"")
        forger.put(f"fraud/{name}.model/log/999999999999.json", b"")


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_manifest_is_answered_with_our_errors_alone(forger: Forger, name: str) -> None:
    """Whatever is asked of it, by readers and by writers; a pull that is refused leaves nothing."""
    FORGERIES[name](forger)
    refused = answers(forger)
    if "pull" in refused:
        assert forger.left_behind() == []


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        ("a_record_of_another_kind", {"resolve", "pull", "catalog", "experiments", "deployments"}),
        ("a_version_of_another_model", {"resolve", "resolve version", "pull", "read"}),
        ("a_version_of_another_name", {"resolve", "resolve version", "pull", "read"}),
        ("a_catalog_of_another_model", {"catalog"}),
        ("an_experiment_of_another_name", {"experiments"}),
        ("a_deployment_of_another_number", {"deployments"}),
        ("a_deployment_of_no_version", {"deployments"}),
        ("a_deployment_twice", {"deployments"}),
        ("deployments_without_numbers", {"deployments"}),
        ("no_such_version_in_latest", {"resolve", "pull"}),
        ("no_such_record_in_latest", {"resolve", "pull"}),
        ("versions_that_are_none", {"versions", "push"}),
        ("a_version_of_another_scheme", {"versions", "push"}),
        ("a_version_of_arabic_digits", {"versions", "push"}),
        ("no_scheme", {"versions", "push"}),
        ("an_entry_that_removes", {"versions", "push"}),
        ("an_entry_that_reshapes", {"versions", "push"}),
        ("an_entry_with_the_last_time_there_is", {"push", "put catalog"}),
        ("an_entry_on_no_day", {"history", "head"}),
        ("an_entry_of_another_domain", {"resolve", "push"}),
        ("a_snapshot_of_another_domain", {"versions", "push"}),
        ("the_last_slot", {"push", "history"}),
        ("a_stray_object_in_the_log", {"resolve", "push"}),
        ("changes_that_are_none", {"history", "head", "push"}),
    ],
)
def test_what_contradicts_itself_is_refused(forger: Forger, name: str, refused: set[str]) -> None:
    """The forgeries that would mislead are refused by whoever looks at what they forge."""
    FORGERIES[name](forger)
    assert refused - answers(forger).keys() == set()


def test_a_pointer_without_a_name_leads_no_version_astray(forger: Forger) -> None:
    """Whoever names a version gets that version."""
    file = forger.folder.parent / "other.bin"
    file.write_bytes(b"other")
    Machine(forger.store, cache=forger.folder / "owner").registry().push(MODEL, file)
    _refs(lambda refs: refs.update({"": refs["latest"]}))(forger)
    assert forger.reader().resolve(f"{MODEL}:1.0").version == "1.0"


def test_a_record_of_one_model_cannot_become_another_models(forger: Forger, tmp_path: Path) -> None:
    """Whoever may write to one model only cannot make a machine take its files for another model's version."""
    owner = forger.reader()
    real = owner.resolve(f"{MODEL}:1.0")
    other = tmp_path / "other.bin"
    other.write_bytes(b"evil")
    owner.push("evil/own", other)
    evil = forger.store.get(record_key("evil/own.model", owner.resolve("evil/own").digest)) or b""
    claim = compact({**json.loads(evil), "model": MODEL})
    digest = forger.put_record(claim, "evil/own.model")
    head = json.loads(forger.store.get(log_key("evil/own.model", 0)) or b"")
    head["patch"]["versions"]["1.0"]["record"] = head["refs"]["latest"]["record"] = digest
    forger.put(log_key("evil/own.model", 0), compact(head))
    victim = forger.reader()
    for spec in ("evil/own", "evil/own:1.0"):
        with pytest.raises(objreg.FormatError, match=r"has the model fraud/clf, and the manifest says evil/own"):
            victim.pull(spec)
    assert victim.resolve(f"{MODEL}:1.0").digest == real.digest
    assert (victim.pull(f"{MODEL}:1.0") / "model.bin").read_bytes() == b"weights"


def test_names_that_no_model_can_have_are_no_models(forger: Forger) -> None:
    """Stray folders are passed over: they cannot be named, and they do not stop a search."""
    stray_folders(forger)
    assert forger.reader().models() == (MODEL,)
    assert set(forger.reader().namespaces()) == {"fraud"}
    version = forger.reader().resolve(MODEL)
    assert forger.reader().object(version.digest) == forger.store.get(record_key(DOMAIN, version.digest))


# The same through the command line


COMMANDS = (
    ("ls",),
    ("ls", "fraud"),
    ("ls", MODEL),
    ("show", MODEL),
    ("log", MODEL),
    ("log", MODEL, "-n", "1" + "0" * 30),
    ("resolve", MODEL),
    ("resolve", f"{MODEL}@production"),
    ("pull", MODEL),
    ("cat", MODEL),
    ("cat", f"{MODEL}:1.0/model.bin"),
    ("diff", f"{MODEL}:1.0", MODEL),
    ("experiment", "ls", MODEL),
    ("deployment", "ls", MODEL),
    ("catalog", "show", MODEL),
    ("state", "ls"),
    ("state", "set", MODEL, "production"),
    ("retain", MODEL),
    ("gc", MODEL),
)


@pytest.fixture
def cli(forger: Forger, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run commands on the forged registry as a new machine; they may fail, and only as a program may."""
    monkeypatch.setattr(invocation.Invocation, "registry", lambda _: forger.reader())

    def call(*arguments: str) -> str:
        capsys.readouterr()
        code = run(list(arguments))
        out, err = capsys.readouterr()
        assert code in {0, *range(2, 14)}, (arguments, code, err)
        assert "Traceback" not in err
        if "--json" in arguments:
            json.loads(out if code == 0 else err)
        elif arguments[0] != "cat":
            assert all(line.replace("\t", "").isprintable() for line in (out + err).splitlines()), (out, err)
        return out + err

    return call


@pytest.mark.parametrize("name", FORGERIES)
def test_the_command_line_stays_a_program(forger: Forger, cli: Callable[..., str], name: str) -> None:
    """Text and JSON: no traceback, no control letter reaches the terminal, and the exit code says what it was."""
    FORGERIES[name](forger)
    for command in COMMANDS:
        cli(*command)
        cli(*command, "--json")


@pytest.mark.parametrize("junk", ["deep-objects", "longer-integer", "not-utf-8", "truncated", "newer"])
def test_the_command_line_refuses_what_is_no_entry(forger: Forger, cli: Callable[..., str], junk: str) -> None:
    """One sentence that names the entry."""
    forger.put_head(JUNK[junk])
    assert f"entry 4 of {DOMAIN} " in cli("resolve", MODEL)
    assert f"entry 4 of {DOMAIN} " in cli("resolve", MODEL, "--json")


def test_a_marker_of_a_newer_format_asks_for_an_upgrade(cli: Callable[..., str], forger: Forger) -> None:
    """Instead of a guess."""
    forger.put(MARKER, compact({"format": 2, "id": "a" * 32, "created_at": "2026-03-01T12:00:00.000Z"}))
    for info in list(forger.store.list("")):
        if info.key != MARKER:
            forger.store.delete(info.key)
    assert "is of format 2, and this release of objreg reads format 1: upgrade objreg" in cli("ls", MODEL)


def test_seq_of_a_key_is_never_more_than_a_slot(forger: Forger) -> None:
    """Keys of a log are twelve digits, or they are none."""
    for key in (
        "x/log/1.json",
        "x/log/" + "9" * 13 + ".json",
        "x/log/-00000000001.json",
        "x/log/" + "\u0660" * 12 + ".json",
    ):
        with pytest.raises(objreg.FormatError):
            seq_of(key)
    assert isinstance(forger.store, MemoryStore)


# Depth


@pytest.mark.parametrize("depth", [60, 99, 101, 400, 900])
def test_json_is_nested_a_hundred_deep_at_most(forger: Forger, depth: int) -> None:
    """No program that walks through what was read runs out of stack; what a writer can make is well below."""
    plain = compact(forger.version_record())
    assert plain.count(b'"metadata":{}') == 1
    inner = depth - 1  # the record itself is the first
    forger.version(plain.replace(b'"metadata":{}', b'"metadata":' + b'{"a":' * inner + b"1" + b"}" * inner))
    if depth <= 100:
        assert forger.reader().resolve(MODEL).metadata
        return
    with pytest.raises(objreg.FormatError, match="nested more than 100 deep"):
        forger.reader().resolve(MODEL)


@pytest.mark.parametrize("text", ["[" * 5000, "[{" * 500, '\\"[' * 300, "]" * 500 + "[" * 500, '"' * 3 + "{" * 200])
def test_brackets_in_a_text_are_not_nested(forger: Forger, text: str) -> None:
    """A description may hold as many as it likes."""
    forger.version_with(description=text)
    assert forger.reader().resolve(MODEL).description == text
