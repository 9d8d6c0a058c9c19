"""Push: what may be pushed, what is refused, and how files become blobs."""

import os
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import objreg
from objreg.core.digest import combined_digest, digest_of
from objreg.registry import compression, sources, upload
from objreg.store.memory import MemoryStore
from objreg.store.wrappers import CountingStore
from tests.registry.machine import Machine

MODEL = "fraud/clf"


def only_file(version: objreg.Version) -> objreg.File:
    (artifact,) = version.artifacts
    (file,) = artifact.files
    return file


def blob_names(store: MemoryStore) -> list[str]:
    return sorted(info.key.rpartition("/")[2] for info in store.list(f"{MODEL}.model/blobs/"))


# What is pushed


def test_a_file_becomes_the_artifact_model(registry: objreg.Registry, file: Callable[..., Path]) -> None:
    """A single file stands at the top of the artifact ``model``, with its digest, size and media type."""
    version = registry.push(MODEL, file(b"weights", "clf.safetensors"))
    assert (version.spec, version.created) == ("fraud/clf:1.0", True)
    (artifact,) = version.artifacts
    assert (artifact.name, artifact.folder, artifact.size) == ("model", "", 7)
    found = only_file(version)
    assert (found.path, found.digest, found.size) == ("clf.safetensors", digest_of(b"weights"), 7)
    assert found.media_type == "application/x-safetensors"
    assert artifact.digest == combined_digest([digest_of(b"weights")])


def test_a_folder_keeps_its_shape(registry: objreg.Registry, folder: Callable[..., Path]) -> None:
    """All files below it, in path order by code point, whatever the order on disk."""
    root = folder({"b/2.bin": b"2", "a.bin": b"1", "b/1.bin": b"3", "Z": b"4", ".hidden/x": b"5"})
    (artifact,) = registry.push(MODEL, root).artifacts
    assert [found.path for found in artifact.files] == [".hidden/x", "Z", "a.bin", "b/1.bin", "b/2.bin"]
    assert artifact.digest == combined_digest(digest_of(content) for content in (b"5", b"4", b"1", b"3", b"2"))


def test_a_mapping_names_its_artifacts(
    registry: objreg.Registry, file: Callable[..., Path], folder: Callable[..., Path]
) -> None:
    """Each stands in a folder of its name, in the order of the names."""
    sources_by_name = {"tokenizer": folder({"vocab.txt": b"a"}), "model": file(b"weights")}
    version = registry.push(MODEL, sources_by_name)
    assert [(found.name, found.folder) for found in version.artifacts] == [
        ("model", "model"),
        ("tokenizer", "tokenizer"),
    ]
    pulled = registry.pull(version)
    assert (pulled / "tokenizer/vocab.txt").read_bytes() == b"a"
    assert (pulled / "model/model.bin").read_bytes() == b"weights"


def test_an_empty_file_has_no_blob(registry: objreg.Registry, store: MemoryStore, file: Callable[..., Path]) -> None:
    """It is a file without parts, and comes back empty."""
    version = registry.push(MODEL, file(b"", "empty.txt"))
    assert only_file(version).parts == ()
    assert only_file(version).digest == digest_of(b"")
    assert blob_names(store) == []
    assert (registry.pull(version) / "empty.txt").read_bytes() == b""


def test_files_keep_their_unicode_names(registry: objreg.Registry, folder: Callable[..., Path]) -> None:
    """Names that no model could have come back as they were."""
    names = {"Größe/模型.bin", "a b.txt", "émile", "🤖.bin", "_x", "-dash"}
    version = registry.push(MODEL, folder({name: name.encode() for name in names}))
    pulled = registry.pull(version)
    for name in names:
        assert (pulled / name).read_bytes() == name.encode()


def test_a_link_inside_the_folder_is_the_file_that_it_points_to(
    registry: objreg.Registry, folder: Callable[..., Path]
) -> None:
    """A link to a file of the same folder is pushed as a file, and its bytes are stored once."""
    root = folder({"real.bin": b"weights"})
    (root / "link.bin").symlink_to("real.bin")
    pulled = registry.pull(registry.push(MODEL, root))
    assert (pulled / "link.bin").read_bytes() == b"weights"
    assert not (pulled / "link.bin").is_symlink()


# What is refused, before anything is sent


@pytest.fixture
def nothing_sent(store: MemoryStore) -> Callable[[], bool]:
    """Tell whether the store still holds only what it held."""
    before = {info.key for info in store.list("")}
    return lambda: {info.key for info in store.list("")} == before


def refused(registry: objreg.Registry, path: object, match: str) -> None:
    with pytest.raises(objreg.InvalidInput, match=match):
        registry.push(MODEL, path)


def test_nothing_is_nothing_to_push(
    registry: objreg.Registry, tmp_path: Path, nothing_sent: Callable[[], bool]
) -> None:
    """A path that is not there, a folder without files and a mapping without artifacts are refused."""
    refused(registry, tmp_path / "missing", "does not exist: there is nothing to push")
    (tmp_path / "empty/below").mkdir(parents=True)
    refused(registry, tmp_path / "empty", "holds no file: there is nothing to push")
    refused(registry, {}, "at least one artifact")
    refused(registry, {"a/b": tmp_path}, "artifact name 'a/b' is not allowed")
    assert nothing_sent()


def test_what_is_no_path_is_no_path_to_push(registry: objreg.Registry, nothing_sent: Callable[[], bool]) -> None:
    """Things of other types are told what they should be, not what they lack."""
    for wrong in ([], ["a", "b"], b"a", None, 1.0, {"a": ["b"]}):
        refused(registry, wrong, "cannot be pushed: give the path of a file or a folder, or a mapping")
    assert nothing_sent()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has files without a size")
def test_a_file_that_hides_its_size_is_refused(registry: objreg.Registry) -> None:
    """Linux says of these files that they are empty; what they hold would be lost."""
    refused(
        registry, "/proc/version", "/proc/version has more than the 0 bytes that the system says.*: push a copy of it"
    )


@pytest.mark.parametrize("wrong", [1.1, 2, ("1", "1")])
def test_a_version_is_text(registry: objreg.Registry, file: Callable[..., Path], wrong: object) -> None:
    """1.10 as a number is 1.1, so numbers are not taken for what they look like."""
    for named in ("version", "expect"):
        with pytest.raises(objreg.InvalidInput, match=f"{named} is a (float|int|tuple): write it as text, like '1.2'"):
            registry.push(MODEL, file(), **{named: wrong})


@pytest.mark.parametrize("target", ["/etc/hostname", "../outside", "/"])
def test_a_link_that_leaves_the_folder_is_refused(
    registry: objreg.Registry, folder: Callable[..., Path], nothing_sent: Callable[[], bool], target: str
) -> None:
    """Nobody pushes by accident what a link of somebody else's points to."""
    root = folder({"a": b"1"})
    (root.parent / "outside").write_bytes(b"secret")
    (root / "link").symlink_to(target)
    refused(registry, root, "is a link that leaves")
    assert nothing_sent()


def test_links_to_folders_and_to_nothing_are_refused(
    registry: objreg.Registry, folder: Callable[..., Path], nothing_sent: Callable[[], bool]
) -> None:
    """A link to a folder could go round in circles; one to nothing, or to itself, has no bytes."""
    root = folder({"below/a": b"1"})
    (root / "link").symlink_to("below")
    refused(registry, root, "is a link to a folder")
    (root / "link").unlink()
    (root / "link").symlink_to("missing")
    refused(registry, root, "does not exist")
    (root / "link").unlink()
    (root / "link").symlink_to("link")
    refused(registry, root, "link cannot be read: Too many levels of symbolic links")
    assert nothing_sent()


def test_what_is_no_file_is_refused(
    registry: objreg.Registry, folder: Callable[..., Path], nothing_sent: Callable[[], bool], monkeypatch
) -> None:
    """A pipe would be waited for for ever; a socket and a device hold no bytes of their own."""
    root = folder({"a": b"1"})
    os.mkfifo(root / "pipe")
    refused(registry, root, "is not a file")
    refused(registry, root / "pipe", "is not a file")
    (root / "pipe").unlink()
    monkeypatch.chdir(root)  # a socket's path must be short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        refused(registry, root, "is not a file")
    refused(registry, "/dev/zero", "is not a file")
    assert nothing_sent()


@pytest.mark.parametrize("name", ["a\\b", "a:b", "line\nfeed", "esc\x1b", "x" * 200 + "/" + "y" * 200])
def test_a_file_name_that_cannot_be_stored_is_refused(
    registry: objreg.Registry, folder: Callable[..., Path], nothing_sent: Callable[[], bool], name: str
) -> None:
    """Names that mean something else on another system are refused; long ones only beyond 1,000 bytes."""
    root = folder({name: b"1"})
    if len(name) < 100:
        refused(registry, root, "file path")
        assert nothing_sent()
    else:
        assert registry.push(MODEL, root).created


def test_a_file_name_that_is_not_unicode_is_refused(
    registry: objreg.Registry, folder: Callable[..., Path], nothing_sent: Callable[[], bool]
) -> None:
    """A name of bytes that are no UTF-8 has no text that JSON could hold."""
    root = folder({"a": b"1"})
    with open(os.fsencode(root) + b"/bad\xff", "wb") as file:  # noqa: PTH123  # a Path cannot be made of bytes
        file.write(b"1")
    refused(registry, root, "not valid Unicode")
    assert nothing_sent()


def test_a_file_that_changes_while_it_is_pushed_is_refused(
    registry: objreg.Registry, file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A version is what was there at one moment, so a file that somebody writes to is not pushed."""
    path = file(b"half of it")
    looked_at = sources.artifact_sources(path)
    path.write_bytes(b"all of it, longer than before")
    monkeypatch.setattr("objreg.registry.version_changes.artifact_sources", lambda _: looked_at)
    with pytest.raises(objreg.InvalidInput, match=r"changed while it was pushed \(10 bytes, then 29\): push it when"):
        registry.push(MODEL, path)
    with pytest.raises(objreg.NotFound):
        registry.resolve(MODEL)


def test_a_file_that_goes_away_while_it_is_pushed_is_refused(
    registry: objreg.Registry, file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message names it and says why it cannot be read."""
    path = file(b"x")
    looked_at = sources.artifact_sources(path)
    path.unlink()
    monkeypatch.setattr("objreg.registry.version_changes.artifact_sources", lambda _: looked_at)
    with pytest.raises(objreg.InvalidInput, match="cannot be read: No such file"):
        registry.push(MODEL, path)


# How files become blobs


def test_a_long_file_is_cut_into_parts(
    registry: objreg.Registry, store: MemoryStore, file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parts are of the part size, the last is what is left, and together they are the file."""
    monkeypatch.setattr(upload, "PART_SIZE", 1000)
    content = os.urandom(2500)
    version = registry.push(MODEL, file(content))
    found = only_file(version)
    assert [(part.offset, part.length) for part in found.parts] == [(0, 1000), (0, 1000), (0, 500)]
    assert found.digest == digest_of(content)
    assert [part.blob for part in found.parts] == [digest_of(content[at : at + 1000]) for at in (0, 1000, 2000)]
    assert len(blob_names(store)) == 3
    assert (registry.pull(version) / "model.bin").read_bytes() == content
    assert b"".join(registry.read(f"{version}/model.bin")) == content


def test_equal_parts_are_stored_once(
    registry: objreg.Registry, store: MemoryStore, file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that repeats itself, and the next version that shares most of it, take only what is new."""
    monkeypatch.setattr(upload, "PART_SIZE", 1000)
    one, two = os.urandom(1000), os.urandom(1000)
    registry.push(MODEL, file(one + one + two))
    assert len(blob_names(store)) == 2
    changed = registry.push(MODEL, file(one + two + two))
    assert len(blob_names(store)) == 2
    assert (registry.pull(changed) / "model.bin").read_bytes() == one + two + two


def test_many_small_files_are_packed(
    registry: objreg.Registry, store: MemoryStore, folder: Callable[..., Path]
) -> None:
    """Seventy small files are one blob; each is a slice of it, and a large one beside them stays by itself."""
    contents = {f"{number:03}.bin": os.urandom(50 + number) for number in range(70)} | {"empty": b""}
    large = {"large.bin": os.urandom(300 * 1024)}
    version = registry.push(MODEL, folder(contents | large))
    assert len(blob_names(store)) == 2
    (artifact,) = version.artifacts
    by_path = {found.path: found for found in artifact.files}
    assert [found.path for found in artifact.files] == sorted(contents | large)
    assert len({part.blob for name in contents for part in by_path[name].parts}) == 1
    assert by_path["large.bin"].parts[0].blob == by_path["large.bin"].digest
    pulled = registry.pull(version)
    for name, content in (contents | large).items():
        assert (pulled / name).read_bytes() == content
        assert b"".join(registry.read(f"{version}/{name}")) == content


def test_a_few_small_files_are_not_packed(
    registry: objreg.Registry, store: MemoryStore, folder: Callable[..., Path]
) -> None:
    """Sixty-three files stay plain files that any tool can read."""
    registry.push(MODEL, folder({f"{number}.bin": f"content {number}".encode() for number in range(63)}))
    assert len(blob_names(store)) == 63


def test_what_compresses_is_compressed(
    registry: objreg.Registry, store: MemoryStore, folder: Callable[..., Path]
) -> None:
    """Text is stored as zstd under the digest of its plain bytes; random bytes and short files as they are."""
    text = b"the quick brown fox jumps over the lazy dog\n" * 1000
    noise = os.urandom(50_000)
    version = registry.push(MODEL, folder({"text": text, "noise": noise, "short": b"a" * 4000}))
    parts = {found.path: found.parts[0] for found in version.artifacts[0].files}
    assert {name: part.encoding for name, part in parts.items()} == {"text": "zstd", "noise": "", "short": ""}
    assert parts["text"].stored_size < len(text) / 10
    assert parts["text"].blob == digest_of(text)
    key = f"{MODEL}.model/blobs/{digest_of(text).removeprefix('sha256:')}.zst"
    stored = store.get(key)
    assert stored is not None
    assert parts["text"].stored_digest == digest_of(stored)
    assert parts["noise"].stored_digest == parts["noise"].blob
    assert (registry.pull(version) / "text").read_bytes() == text


def test_every_connection_sends_a_part(
    new_machine: Callable[..., Machine], file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the longest parts, too, as many are on their way as there are connections: each may be slower than the line."""
    monkeypatch.setattr(upload, "PART_SIZE", 1000)
    together = threading.Barrier(8)

    class SlowStore(CountingStore):
        def create(self, key: str, data: bytes) -> bool:
            if "/blobs/" in key:
                together.wait(timeout=30)
            return super().create(key, data)

    machine = new_machine()
    machine.registry(SlowStore(machine.store)).push(MODEL, file(os.urandom(16_000)))
    assert not together.broken


def test_a_sample_that_misleads_does_no_harm(registry: objreg.Registry, file: Callable[..., Path]) -> None:
    """Where the middle compresses and the whole does not, the plain bytes are stored."""
    content = os.urandom(2_000_000) + b"a" * compression._SAMPLE + os.urandom(2_000_000)
    version = registry.push(MODEL, file(content))
    assert only_file(version).parts[0].encoding == ""
    assert (registry.pull(version) / "model.bin").read_bytes() == content


def test_another_compressors_bytes_are_taken_as_they_are(
    registry: objreg.Registry, store: MemoryStore, file: Callable[..., Path]
) -> None:
    """The same content that was stored by another level of zstd is verified and referenced, not replaced."""
    import zstandard

    text = b"the quick brown fox jumps over the lazy dog\n" * 1000
    stored = zstandard.ZstdCompressor(level=19).compress(text)
    store.create(f"{MODEL}.model/blobs/{digest_of(text).removeprefix('sha256:')}.zst", stored)
    version = registry.push(MODEL, file(text))
    assert only_file(version).parts[0].stored_digest == digest_of(stored)
    assert (registry.pull(version) / "model.bin").read_bytes() == text


def test_a_wrong_blob_in_the_way_is_seen_before_it_is_named(
    registry: objreg.Registry, store: MemoryStore, file: Callable[..., Path]
) -> None:
    """A compressed blob that holds something else must not get into a record."""
    text = b"the quick brown fox jumps over the lazy dog\n" * 1000
    store.create(f"{MODEL}.model/blobs/{digest_of(text).removeprefix('sha256:')}.zst", b"not zstd")
    with pytest.raises(objreg.IntegrityError, match="not what zstd makes"):
        registry.push(MODEL, file(text))


def test_progress_counts_every_byte(
    registry: objreg.Registry, folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bytes that are told add up to the files, for a push, for one that sends nothing, and for a pull."""
    monkeypatch.setattr(upload, "PART_SIZE", 1000)
    root = folder({"a": os.urandom(2500), "b": b"x" * 10, "empty": b""})
    counted: list[int] = []
    version = registry.push(MODEL, root, progress=counted.append)
    assert sum(counted) == 2510
    counted.clear()
    registry.push(MODEL, root, progress=counted.append)
    assert sum(counted) == 2510
    counted.clear()
    registry.pull(version, progress=counted.append)
    assert sum(counted) == 2510


# What it becomes


def test_the_same_bytes_again_change_nothing(registry: objreg.Registry, file: Callable[..., Path]) -> None:
    """A CI job that runs twice pushes once; the second time it is told so."""
    first = registry.push(f"{MODEL}:1.0", file(b"weights"), description="first")
    again = registry.push(f"{MODEL}:1.0", file(b"weights"), description="second")
    assert (again.digest, again.created, again.description) == (first.digest, False, "first")
    assert registry.head(MODEL).seq == 0


def test_the_same_bytes_in_other_parts_are_the_same(
    registry: objreg.Registry, file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """How a file is cut is the writer's choice and does not make it another file."""
    content = os.urandom(2500)
    registry.push(f"{MODEL}:1.0", file(content))
    monkeypatch.setattr(upload, "PART_SIZE", 1000)
    assert not registry.push(f"{MODEL}:1.0", file(content)).created


def test_other_bytes_under_the_same_version_are_refused(registry: objreg.Registry, file: Callable[..., Path]) -> None:
    """Versions never change."""
    first = registry.push(f"{MODEL}:1.0", file(b"weights"))
    with pytest.raises(objreg.AlreadyExists, match=r"version 1\.0 of fraud/clf exists with other files") as caught:
        registry.push(f"{MODEL}:1.0", file(b"others"))
    assert caught.value.facts["record"] == first.digest


def test_the_version_is_given_or_found(registry: objreg.Registry, file: Callable[..., Path]) -> None:
    """In the spec, in ``version=``, by ``bump=``, or by the scheme."""
    path = file()
    pushed = [
        registry.push(MODEL, path).version,
        registry.push(MODEL, path).version,
        registry.push(f"{MODEL}:3.0", path).version,
        registry.push(MODEL, path, version="3.5").version,
        registry.push(f"{MODEL}:3.6", path, version="3.6").version,
        registry.push(MODEL, path, bump="major").version,
    ]
    assert pushed == ["1.0", "1.1", "3.0", "3.5", "3.6", "4.0"]
    with pytest.raises(objreg.InvalidInput, match=r"the spec says version 3\.7 and version= says 3\.8"):
        registry.push(f"{MODEL}:3.7", path, version="3.8")
    for spec in (f"{MODEL}@production", f"{MODEL}@sha256:ab12cd34", f"{MODEL}:1.0/file"):
        with pytest.raises(objreg.InvalidInput, match="push to a model, or to the version it shall have"):
            registry.push(spec, path)


def test_the_scheme_is_chosen_with_the_first_version(registry: objreg.Registry, file: Callable[..., Path]) -> None:
    """And stays."""
    assert registry.push("fraud/semver", file(), scheme="semver").version == "1.0.0"
    assert registry.push("fraud/semver", file(), bump="minor").version == "1.1.0"
    assert registry.push("fraud/free", file(), scheme="free", version="spring").version == "spring"
    with pytest.raises(objreg.Conflict, match="uses the scheme 'semver'"):
        registry.push("fraud/semver", file(), scheme="integer")


def test_a_push_can_expect_what_was_seen(
    registry: objreg.Registry, file: Callable[..., Path], new_machine: Callable[..., Machine]
) -> None:
    """Another writer's version in between is a conflict, also for a process that has not seen it."""
    registry.push(MODEL, file(b"1"), expect="")
    seen = registry.head(MODEL).digest
    new_machine().registry().push(MODEL, file(b"2"))
    for expect in ("1.0", "", seen):
        with pytest.raises(objreg.Conflict, match="look at what changed and decide again"):
            registry.push(MODEL, file(b"3"), expect=expect)
    assert registry.push(MODEL, file(b"3"), expect="1.1").version == "1.2"


def test_a_record_says_all_that_was_said(
    registry: objreg.Registry, file: Callable[..., Path], new_machine: Callable[..., Machine]
) -> None:
    """Description, metadata, framework, parent, author and environment, for any other machine to read."""
    parent = registry.push("fraud/base", file(b"base"))
    registry.push(
        MODEL,
        file(),
        description="first",
        metadata={"lr": 0.1, "layers": (1, 2)},
        framework="scikit-learn",
        parent=parent,
    )
    version = new_machine().registry().resolve(MODEL)
    assert (version.description, version.metadata) == ("first", {"lr": 0.1, "layers": [1, 2]})
    assert version.record.framework == "scikit-learn"
    assert version.record.parent is not None
    assert (version.record.parent.model, version.record.parent.record) == ("fraud/base", parent.digest)
    assert version.created_by == "ci@acme"
    assert version.record.environment.python.startswith("3.")
    assert "objreg" in version.record.environment.dependencies
    assert registry.push(MODEL, file(b"child"), parent="fraud/clf:1.0").record.parent.version == "1.0"
    with pytest.raises(objreg.NotFound):
        registry.push(MODEL, file(b"x"), parent="fraud/missing")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"metadata": {"api_key": "abcdef"}}, "looks like a secret"),
        ({"metadata": {"a": float("nan")}}, r"metadata\.a is nan"),
        ({"metadata": [1]}, "must be a mapping"),
        ({"description": 5}, "description must be text"),
        ({"description": "https://u:pw@host"}, "URL with a password"),
        ({"description": "\ud800"}, "cannot be stored|Unicode"),
        ({"message": "\ud800"}, "cannot be stored|Unicode"),
        ({"description": "x" * 65537}, "cannot be stored"),
        ({"scheme": "calver"}, "no versioning scheme"),
        ({"bump": "patch"}, "not known to the scheme"),
        ({"version": "latest"}, "cannot be called 'latest'"),
    ],
    ids=lambda value: str(value)[:20].encode("ascii", "replace").decode() if isinstance(value, dict) else "",
)
def test_wrong_arguments_are_refused(
    registry: objreg.Registry, file: Callable[..., Path], arguments: dict, reason: str
) -> None:
    """Before a commit; the model does not come into being."""
    with pytest.raises(objreg.InvalidInput, match=reason):
        registry.push(MODEL, file(), **arguments)
    with pytest.raises(objreg.NotFound):
        registry.resolve(MODEL)


def test_sixteen_threads_push_sixteen_versions(registry: objreg.Registry, folder: Callable[..., Path]) -> None:
    """One registry object is safe for threads: no version is lost or given twice."""
    pushed: list[str] = []
    root = folder({f"{number}": f"{number}".encode() for number in range(16)})
    barrier = threading.Barrier(16)

    def push(number: int) -> None:
        barrier.wait()
        pushed.append(registry.push(MODEL, root / str(number)).version)

    threads = [threading.Thread(target=push, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(pushed, key=lambda text: int(text[2:])) == [f"1.{number}" for number in range(16)]
    assert registry.head(MODEL).seq == 15
