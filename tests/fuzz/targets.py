"""What is fuzzed: everything that takes bytes or text from a bucket, a file or a person. Only ObjregError may come out."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from objreg.catalog.documents import check_documents
from objreg.cli.output import dump, visible
from objreg.core import names
from objreg.core.artifacts import Part
from objreg.core.digest import digest_of, hex_of
from objreg.core.encoding import decode_json, decode_record
from objreg.core.entries import SnapshotReference, fold, read_entry, read_snapshot
from objreg.core.keys import MARKER, parse_blob_name, seq_of
from objreg.core.merge import merge
from objreg.core.secrets import refuse_secrets
from objreg.core.specs import parse_spec
from objreg.core.state import ModelState, ScopeState, model_refs, typed_state
from objreg.core.times import after, parse_time
from objreg.errors import InvalidInput, ObjregError
from objreg.local.config import load_settings
from objreg.registry.blobs import read_blob
from objreg.registry.clock import SystemClock
from objreg.registry.download import file_paths
from objreg.registry.session import read_marker
from objreg.registry.values import HistoryItem, VersionSummary
from objreg.store.memory import MemoryStore
from objreg.store.options import parse_options
from objreg.store.urls import redact

__all__ = ["CORPUS", "TARGETS", "Target", "only_ours"]

CORPUS = Path(__file__).parent / "corpus"
Target = Callable[[bytes], None]

_DOMAIN = "fraud/clf.model"
_LONGEST_BLOB = 1 << 20
_COMMON = 12  # shorter texts may be words of the message


def only_ours(target: Target, data: bytes) -> bool:
    """Run a target and return whether it took the input; an ObjregError with a sentence is the other good answer."""
    try:
        target(data)
    except ObjregError as error:
        message = str(error)
        assert message.strip(), "an error without a sentence"
        assert "\n\n" not in message, f"not one sentence: {message!r}"
        return False
    return True


def entry(data: bytes) -> None:
    """An object in slot 7 of a log, then all that a reader does with it."""
    head = read_entry(data, _DOMAIN, 7)
    dump(HistoryItem.of(head))
    after(head.entry.time, SystemClock().now())
    _use(fold(head, {}))


def snapshot(data: bytes) -> None:
    """A snapshot whose digest is right."""
    _use(read_snapshot(data, _DOMAIN, SnapshotReference(seq=3, digest=digest_of(data))))


def record(data: bytes) -> None:
    """A record of any kind, shown and taken apart."""
    found = decode_record(data, "record")
    dump(found)
    parse_time(found.created_at)
    for path in file_paths(getattr(found, "artifacts", ())):
        assert ".." not in path.split("/"), path
        assert not path.startswith("/"), path


def marker(data: bytes) -> None:
    """The object at the root."""
    store = MemoryStore()
    store.create(MARKER, data)
    read_marker(store)


def state(data: bytes) -> None:
    """The state of a model or a namespace."""
    _use(decode_json(data, "state"))


def _use(found: object) -> None:
    if not isinstance(found, dict):
        return
    typed_state(found, ScopeState, _DOMAIN)
    model: ModelState = typed_state(found, ModelState, _DOMAIN)
    model_refs(model)
    model.continuing("1")
    for version in model.newest_first():
        visible(str(VersionSummary.of("fraud/clf", version, model.versions[version])))
    if model.versioning.ordered and model.versioning.bumps:
        model.versioning.next(model.versioning.newest(model.versions), None, SystemClock().now().date())


def merging(data: bytes) -> None:
    """Three patches, which merge in any grouping to the same."""
    one, two, three = (decode_json(part, "patch") for part in (*data.split(b"\n", 2), b"{}", b"{}", b"{}")[:3])
    if all(isinstance(patch, dict) for patch in (one, two, three)):
        assert merge(merge(one, two), three) == merge(one, merge(two, three))


def spec(data: bytes) -> None:
    """A spec, and what it is written as again."""
    found = parse_spec(data.decode(errors="surrogateescape"))
    assert parse_spec(str(found)) == found


def name(data: bytes) -> None:
    """Names of all kinds; what is allowed as a file stays in its folder."""
    text = data.decode(errors="surrogateescape")
    names.windows_problem(text)
    for check in (names.check_path, names.check_namespace, names.check_state, names.check_version_text):
        _refused(check, text)
    _refused(seq_of, text)
    parse_blob_name(text)
    path = names.check_file_path(text)
    inside = Path("/folder").joinpath(*path.split("/"))
    assert str(inside).startswith("/folder/"), path
    assert ".." not in inside.parts, path


def _refused(check: Callable[[str], object], text: str) -> None:
    try:
        check(text)
    except ObjregError:
        return
    assert text.isprintable(), f"{check.__name__} let {text!r} pass"


def url(data: bytes) -> None:
    """An address, and how it is shown."""
    text = data.decode(errors="surrogateescape")
    redact(text)
    if "hunter2" not in "".join(text.split()):  # tabs and line ends are taken out of addresses
        assert "hunter2" not in redact(f"s3://ada:hunter2@{text}")
        assert "hunter2" not in redact(f"https://host/{text.partition('?')[0].partition('#')[0]}?token=hunter2")
    query = dict(pair.partition("=")[::2] for pair in text.partition("?")[2].split("&") if pair)
    parse_options(query, None)


def config(data: bytes) -> None:
    """The file objreg.toml."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "objreg.toml").write_bytes(data)
        load_settings(start=Path(folder), environ={"OBJREG_CACHE_DIR": folder})


def catalog_toml(data: bytes) -> None:
    """A catalog document in TOML."""
    _document(data, ".toml")


def catalog_json(data: bytes) -> None:
    """A catalog document in JSON."""
    _document(data, ".json")


def catalog_yaml(data: bytes) -> None:
    """A catalog document in YAML."""
    _document(data, ".yaml")


def _document(data: bytes, suffix: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "catalog" + suffix)
        path.write_bytes(data)
        _, problems = check_documents([path])
        for problem in problems:
            visible(str(problem))


def blob(data: bytes) -> None:
    """A compressed blob; the first three bytes are the size that its record promises."""
    size, stored = int.from_bytes(data[:3], "big") % _LONGEST_BLOB, data[3:]
    promised = digest_of(b"promised")
    store = MemoryStore()
    store.create(f"{_DOMAIN}/blobs/{hex_of(promised)}.zst", stored)
    part = Part(
        blob=promised,
        encoding="zstd",
        blob_size=size,
        stored_size=len(stored),
        stored_digest=digest_of(stored),
        length=size,
    )
    read_blob(store, _DOMAIN, part)


def secret(data: bytes) -> None:
    """Metadata that may hold secrets."""
    text = data.decode(errors="replace")
    refuse_secrets({text: ["x"]}, "metadata")
    try:
        refuse_secrets({"note": text}, "metadata")
    except InvalidInput as error:
        said = str(error)
        if len(text) > _COMMON and text in said:
            raise AssertionError("the refusal repeats the secret") from error
        raise


TARGETS: dict[str, Target] = {
    target.__name__: target
    for target in (
        entry,
        snapshot,
        record,
        marker,
        state,
        merging,
        spec,
        name,
        url,
        config,
        catalog_toml,
        catalog_json,
        catalog_yaml,
        blob,
        secret,
    )
}
