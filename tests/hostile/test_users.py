"""What a person or a program gives: names, specs, addresses, files, documents, values. Each mistake is one clear sentence."""

import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import objreg
from objreg.catalog.documents import check_documents
from objreg.cli.program import run
from objreg.core.encoding import json_value
from objreg.core.specs import parse_spec
from objreg.local.config import load_settings
from objreg.local.trees import remove_tree
from objreg.registry import upload
from tests.hostile.forged import MODEL, Forger

NAMES = [
    "",
    "/",
    "..",
    "../x",
    "/etc/passwd",
    "a/../b",
    "a//b",
    "C:\\x",
    "c:/x",
    "a\\b",
    ".hidden",
    "_registry",
    "x.model",
    "x.",
    "a b",
    "nul\0",
    "\x1b[2J",
    "a\nb",
    "é",
    "e\u0301",
    "ﬁ",
    "а",  # noqa: RUF001  # a Cyrillic letter that looks like a Latin one
    "\ud800",
    "\u202ex",
    "\uff0e\uff0e/x",
    "x" * 100_000,
    "a/" * 300 + "a",
]


@pytest.mark.parametrize("name", NAMES, ids=lambda name: ascii(name[:20]))
def test_no_such_name_reaches_a_store(forger: Forger, name: str) -> None:
    """As a model, a namespace, an artifact, an experiment, a state, a version: refused before a key is made of it."""
    registry = forger.reader()
    before = {info.key for info in forger.store.list("")}
    file = forger.folder.parent / "model.bin"
    attempts: list[Callable[[], Any]] = [
        lambda: registry.push(name, file),
        lambda: registry.push(MODEL, {name: file}),
        lambda: registry.push(f"{MODEL}:{name}" if name else "", file),
        lambda: registry.resolve(name),
        lambda: registry.pull(f"{MODEL}@latest/{name}"),
        lambda: registry.put_catalog(name),
        lambda: registry.put_namespace(name),
        lambda: registry.define_state(name if not name.startswith("x.") else "1"),  # no key is made of a state
        lambda: registry.set_state(MODEL, name),
        lambda: registry.record_experiment(MODEL, name),
        lambda: registry.record_deployment(MODEL, endpoint="x", status=name),
    ]
    for attempt in attempts:
        with pytest.raises((objreg.InvalidInput, objreg.NotFound)) as caught:
            attempt()
        assert len(str(caught.value)) < 1000
        assert not any(letter < " " for letter in str(caught.value))
    assert {info.key for info in forger.store.list("")} == before


@given(st.text(max_size=40))
@example("a@sha256:" + "0" * 64)
@example("memory://[x")
def test_any_text_is_a_spec_or_a_mistake(text: str) -> None:
    """Nothing else comes of it."""
    try:
        found = parse_spec(text)
    except objreg.InvalidInput:
        return
    assert found.path.isascii()
    assert ".." not in found.path.split("/")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "   ",
        "nul\0",
        "\ud800",
        "~nobody-of-that-name/x",
        "http://[bad/x",
        "http://a\u2100b/x",
        "s3://",
        "s3:///x",
        "s3://bucket/../x",
        "s3://bucket/a/%2e%2e/b",
        "s3://bucket/\x1b[2J",
        "s3://bucket#x",
        "s3://bucket/x?regoin=y",
        "s3://bucket/x?path_style=perhaps",
        "ftp://host/x",
        "file://host/x",
        "https://host/x?y=1",
        "javascript:alert(1)//://x",
        "az://",
        "gs://#",
    ],
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    """Before anything is asked of anybody."""
    with pytest.raises(objreg.InvalidInput) as caught:
        objreg.open(url)
    assert str(caught.value).isprintable()


def test_a_folder_need_not_have_a_name_in_unicode(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 are a folder's good name on Linux."""
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe"))
    with objreg_opened(folder) as registry:
        assert registry.models() == ()
        assert "%FF%FE" in registry.url
        assert repr(registry).isprintable()


def objreg_opened(folder: Path) -> Any:
    """Return a registry in a folder, closed at the end of a block."""
    from contextlib import closing

    return closing(objreg.open(folder, create=True))


# Files to push


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    listening = socket.socket(socket.AF_UNIX)
    os.chdir(path.parent)
    listening.bind(path.name)
    listening.close()


def _device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _outside(path: Path) -> None:
    path.symlink_to("/etc/hostname")


def _up(path: Path) -> None:
    path.symlink_to("../model.bin")


def _loop(path: Path) -> None:
    path.symlink_to(path.name)


def _folder_link(path: Path) -> None:
    (path.parent / "real").mkdir()
    path.symlink_to("real")


def _dangling(path: Path) -> None:
    path.symlink_to("nowhere")


@pytest.mark.parametrize("make", [_fifo, _socket, _device, _outside, _up, _loop, _folder_link, _dangling])
def test_what_is_no_file_of_the_folder_is_not_pushed(
    forger: Forger, tmp_path: Path, make: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pipes, sockets, devices, links that leave: refused before any byte is read, and nothing is sent."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "pushed"
    folder.mkdir()
    (folder / "model.bin").write_bytes(b"weights of a folder")
    make(folder / "special")
    before = {info.key for info in forger.store.list("")}
    with pytest.raises(objreg.InvalidInput, match="special"):
        forger.reader().push(MODEL, folder)
    with pytest.raises(objreg.InvalidInput, match="special"):
        forger.reader().push(MODEL, {"weights": folder / "model.bin", "other": folder})
    assert {info.key for info in forger.store.list("")} == before


@pytest.mark.parametrize(
    "source", ["/dev/null", "/dev/zero", "nul\0", "\ud800", "", "/no/such/file", "/etc/hostname/x"]
)
def test_a_source_that_is_no_file_is_refused(forger: Forger, source: str) -> None:
    """Devices, paths that no path can be, and nothing."""
    with pytest.raises(objreg.InvalidInput):
        forger.reader().push(MODEL, Path(source) if source else Path("/no/such"))
    with pytest.raises(objreg.InvalidInput):
        forger.reader().record_experiment(MODEL, "x", datasets={"data": Path(source) if source else "/no/such"})


def test_a_file_that_grows_for_ever_is_given_up(
    forger: Forger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A log that is still written is not read to an end that never comes."""
    monkeypatch.setattr(upload, "PART_SIZE", 4096)
    path = tmp_path / "growing"
    path.write_bytes(bytes(10_000))
    pushed = forger.reader()
    stop = threading.Event()

    def grow() -> None:
        with path.open("ab") as file:
            while not stop.is_set():
                file.write(bytes(1 << 16))
                file.flush()

    writer = threading.Thread(target=grow)
    reading = upload._read
    read: list[int] = []

    def watched(source: Any, *others: Any) -> Any:
        writer.start()
        while path.stat().st_size < 1_000_000:
            pass
        for data in reading(source, *others):
            read.append(len(data))
            yield data

    monkeypatch.setattr(upload, "_read", watched)
    try:
        with pytest.raises(objreg.InvalidInput, match="changed while it was pushed"):
            pushed.push(MODEL, path)
    finally:
        stop.set()
        writer.join()
    assert sum(read) < 10_000 + 2 * 4096
    with pytest.raises(objreg.NotFound):
        forger.reader().resolve(f"{MODEL}:1.1")


@pytest.mark.parametrize("destination", ["nul\0", "\ud800", "x" * 300])
def test_a_destination_that_no_path_can_be_is_refused(forger: Forger, tmp_path: Path, destination: str) -> None:
    """And nothing is left beside it."""
    with pytest.raises((objreg.InvalidInput, objreg.StoreError)):
        forger.reader().pull(MODEL, destination=tmp_path / "out" / destination)
    assert not (tmp_path / "out").exists() or list((tmp_path / "out").iterdir()) == []
    for machine in forger.machines:
        remove_tree(machine.cache)


# Values


def _nested(depth: int) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = [value]
    return value


_itself: list[Any] = []
_itself.append(_itself)


@pytest.mark.parametrize(
    "value",
    [
        10**400,
        10**5000,
        -(10**5000),
        2**53,
        float("nan"),
        float("inf"),
        1e999,
        _nested(65),
        _nested(900),
        _itself,
        "\ud800",
        {"\udcff": 1},
        {1: 2},
        {None: 1},
        b"bytes",
        {1, 2},
        object(),
        1j,
    ],
    ids=lambda value: ascii(type(value).__name__),
)
def test_a_value_that_json_cannot_hold_is_refused(forger: Forger, value: Any) -> None:
    """In metadata and parameters, with where it stands; the model stays as it was."""
    registry, file = forger.reader(), forger.folder.parent / "model.bin"
    before = registry.head(MODEL).digest
    with pytest.raises(objreg.InvalidInput):
        registry.push(MODEL, file, metadata={"deep": {"value": value}})
    with pytest.raises(objreg.InvalidInput):
        registry.record_experiment(MODEL, "x", parameters={"value": value})
    with pytest.raises(objreg.InvalidInput):
        registry.put_catalog(MODEL, inference={"input": {"schema": {"value": value}}})
    assert forger.reader().head(MODEL).digest == before


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400, "x", True, None, [1]])
def test_a_metric_is_a_finite_number(forger: Forger, value: Any) -> None:
    """Nothing else is recorded, as experiments are for ever."""
    with pytest.raises(objreg.InvalidInput):
        forger.reader().record_experiment(MODEL, "x", metrics={"auc": value})


@pytest.mark.parametrize("text", ["\ud800", "x" * 65537])
@pytest.mark.parametrize("field", ["description", "message", "framework"])
def test_a_text_that_cannot_be_stored_is_refused(forger: Forger, field: str, text: str) -> None:
    """Half a letter, or more than a record takes."""
    with pytest.raises(objreg.InvalidInput):
        forger.reader().push(MODEL, forger.folder.parent / "model.bin", **{field: text})


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=20))
def test_a_value_is_plain_json_or_a_mistake(value: Any) -> None:
    """Whatever it is; a long integer is not even spelled out."""
    try:
        json_value({"value": value}, "metadata")
    except objreg.InvalidInput as error:
        if not str(error).startswith("metadata.value"):
            raise AssertionError("it is not said where the mistake is") from error


# Files that people write


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", '{"model": 1' + "0" * 5000 + "}"),
        ("a.toml", "model = 1" + "0" * 5000),
        ("a.yaml", "model: 1" + "0" * 5000),
        ("a.json", '{"a":' * 100_000),
        ("a.json", "[" * 100_000),
        ("a.yaml", "[" * 10_000),
        ("a.toml", "a = " + "[" * 100_000),
        ("a.json", '{"model": "a", "model": "b"}'),
        ("a.json", '{"model": "a", "inference": {"input": {"schema": {"x": Infinity}}}}'),
        ("a.json", '{"model": "\\ud800"}'),
        ("a.yaml", "model: !!python/object/apply:os.system ['true']"),
        ("a.yaml", "a: &a [x, x]\nmodel: [*a, *a]"),
        ("a.yaml", "- &a [*a]"),
        ("a.yaml", "? [a]\n: b"),
        ("a.yaml", "model: 2026-03-01"),
        ("a.toml", "model = 2026-03-01"),
        ("a.json", "\ufeff{}"),
        ("a.json", ""),
        ("a.toml", ""),
        ("a.yaml", ""),
        ("a.yaml", "\x00"),
        ("a.txt", "x"),
    ],
    ids=lambda value: ascii(value[:24]),
)
def test_a_document_that_is_none_is_a_problem_of_its_file(tmp_path: Path, name: str, text: str) -> None:
    """Told with the file's name; no alias, tag, depth or number makes work of it."""
    path = tmp_path / name
    path.write_text(text, "utf-8")
    documents, problems = check_documents([path])
    assert documents == ()
    assert {problem.file for problem in problems} == {str(path)}


def test_aliases_that_stand_for_gigabytes_are_not_written_out(tmp_path: Path) -> None:
    """Ten lines of YAML that would be ten to the ninth values."""
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    path = tmp_path / "bomb.yaml"
    path.write_text("\n".join(lines))
    _, problems = check_documents([path])
    assert "has a YAML alias" in problems[0].message


@pytest.mark.parametrize(
    "text",
    [
        b"url = 1" + b"0" * 5000,
        b"url = " + b"[" * 100_000,
        b"url = '\xff'",
        b"url = 'a'\nurl = 'b'",
        b"url = ['a']",
        b"url = '~nobody-of-that-name/x'",
        b"storage_options = 1",
        b"engine = 'x'\nurl = 'y'",
        b"\xff\xfeu\x00",
        b"urll = 'x'",
    ],
)
def test_a_configuration_that_is_none_is_refused(tmp_path: Path, text: bytes) -> None:
    """With the file's name."""
    (tmp_path / "objreg.toml").write_bytes(text)
    with pytest.raises(objreg.InvalidInput, match=r"objreg\.toml|engine"):
        load_settings(start=tmp_path, environ={"OBJREG_CACHE_DIR": str(tmp_path)})


@pytest.mark.parametrize(
    "arguments",
    [
        ("push", MODEL, "model.bin", "--metadata", "n=" + "9" * 400),
        ("push", MODEL, "model.bin", "--metadata", "n=" + "[" * 70 + "]" * 70),
        ("push", MODEL, "model.bin", "--metadata", "n=NaN"),
        ("push", MODEL, "model.bin", "-m", "\udcff"),
        ("push", MODEL, "\udcff"),
        ("push", "\udcff", "model.bin"),
        ("push", MODEL, "/dev/zero"),
        ("pull", MODEL + "@latest/../../etc/passwd"),
        ("pull", "\x1b[2J"),
        ("log", MODEL, "-n", "9" * 5000),
        ("deployment", "set", MODEL, "9" * 5000, "ended"),
        ("experiment", "record", MODEL, "x", "--metric", "auc=" + "9" * 5000),
        ("experiment", "record", MODEL, "x", "--duration", "nan"),
        ("ls", "--registry", "~nobody-of-that-name/x"),
        ("ls", "--registry", "http://[x"),
        ("cat", "sha256:" + "x" * 100_000),
    ],
    ids=lambda arguments: ascii(" ".join(arguments)[:40]),
)
@pytest.mark.parametrize("form", [(), ("--json",)], ids=["text", "json"])
def test_the_command_line_tells_what_is_wrong(
    arguments: tuple[str, ...],
    form: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With an exit code of ours, one printable sentence, and no traceback."""
    monkeypatch.setenv("OBJREG_URL", str(tmp_path / "registry"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.bin").write_bytes(b"weights")
    assert run(["init"]) == 0
    capsys.readouterr()
    code = run([*arguments, *form])
    out, err = capsys.readouterr()
    assert code in range(2, 14), (code, out, err)
    assert "Traceback" not in err
    assert "bug in objreg" not in err
    assert all(line.isprintable() for line in err.splitlines())
