"""A reader that imports nothing of objreg must see what objreg sees: the format is the document, not the library."""

import json
import multiprocessing
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import objreg
from objreg.core.keys import model_domain
from objreg.registry.registry import Registry
from tests.compatibility.everything import MODEL, SMALL, fill, small_sizes

READER = Path(__file__).with_name("reader.mjs")
KEPT = sorted(Path(__file__).parent.glob("registry-*"))
NO_ZSTD = 3
FEWEST_CASES = 80
WRITERS, COMMITS = 3, 72


def node(*arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["node", READER, *arguments], capture_output=True, check=False)


def read(root: Path, domain: str) -> Any:
    done = node("state", root, domain)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def domains(root: Path) -> list[str]:
    return sorted(log.parent.relative_to(root).as_posix() for log in root.rglob("log"))


def assert_agrees(root: Path, registry: Registry, domain: str) -> dict[str, Any]:
    """Compare what the reader prints of a domain with what objreg says of it."""
    found: dict[str, Any] = read(root, domain)
    manifest = registry._session.manifest(domain)
    head = manifest.refresh()
    assert head is not None
    assert (found["seq"], found["digest"]) == (head.seq, head.digest)
    assert found["state"] == manifest.state()
    assert found["refs"] == {
        name: {"version": pointer.version, "record": pointer.record} for name, pointer in head.entry.refs.items()
    }
    return found


def assert_files_agree(root: Path, registry: Registry, spec: str) -> set[int]:
    """Compare every file of a version, byte by byte; returns the reader's exit codes."""
    version = registry.resolve(spec)
    codes = set()
    for artifact in version.artifacts:
        for file in artifact.files:
            path = f"{artifact.folder}/{file.path}" if artifact.folder else file.path
            done = node("cat", root, model_domain(version.model), version.version, path)
            codes.add(done.returncode)
            if any(part.encoding for part in file.parts) and done.returncode == NO_ZSTD:
                continue
            assert done.returncode == 0, done.stderr
            assert done.stdout == b"".join(registry.read(f"{version.spec}/{path}"))
    return codes


def test_it_replays_the_vectors() -> None:
    """Merging, tails, keys, digests and the order of versions are in JavaScript what the vectors say."""
    vectors = READER.parents[2] / "schemas/vectors"
    done = subprocess.run(
        ["node", READER.with_name("vectors.mjs"), vectors], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) >= FEWEST_CASES


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry with one of everything, written by this release."""
    root = tmp_path_factory.mktemp("fresh")
    with small_sizes(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("OBJREG_CACHE_DIR", str(root / "cache"))
        fill(objreg.open(root / "registry", create=True, actor="ci@abc.example"), root / "files")
    return root / "registry"


def test_it_sees_every_domain_of_a_fresh_registry(fresh: Path) -> None:
    """States, pointers and newest entries of all manifests agree, and all records are where they should be."""
    registry = objreg.open(fresh)
    found = {domain: assert_agrees(fresh, registry, domain) for domain in domains(fresh)}
    assert set(found) >= {"_registry", "abc_corp/_namespace", f"{MODEL}.model", f"{SMALL}.model"}
    assert found[f"{MODEL}.model"]["snapshots"] > 0


def test_it_reads_files_by_their_parts(fresh: Path) -> None:
    """Whole files, files in parts, in a pack, empty ones: the same bytes (compressed ones where Node has zstd)."""
    codes = assert_files_agree(fresh, objreg.open(fresh), f"{MODEL}:1.1")
    assert codes <= {0, NO_ZSTD}
    assert 0 in codes


@pytest.mark.parametrize("root", KEPT, ids=lambda root: root.name)
def test_it_sees_every_domain_of_a_kept_registry(root: Path) -> None:
    """What earlier releases wrote is read by today's objreg and by the reader, and they agree."""
    registry = objreg.open(root)
    for domain in domains(root):
        assert_agrees(root, registry, domain)
    assert_files_agree(root, registry, f"{MODEL}:1.1")


def commit_many(root: Path, number: int, files: Path) -> None:
    """Be one of several writers: push a version, and move another in and out of a state."""
    registry = objreg.open(root, actor=f"writer-{number}")
    for turn in range(COMMITS // 3):
        (files / f"{number}.txt").write_text(f"{number} {turn}")
        registry.push("fraud/clf", files / f"{number}.txt")
        registry.set_state("fraud/clf:1.0", f"busy-{number}")
        registry.unset_state("fraud/clf:1.0", f"busy-{number}")


def test_it_agrees_on_more_than_200_commits_of_several_writers(tmp_path: Path) -> None:
    """Three processes write 216 commits to one model, with snapshots in between: one history, one state."""
    root, files = tmp_path / "registry", tmp_path / "files"
    files.mkdir()
    (files / "first.txt").write_text("first")
    registry = objreg.open(root, create=True, actor="first")
    registry.push("fraud/clf", files / "first.txt")
    for number in range(WRITERS):
        registry.define_state(f"busy-{number}")
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write, args=(root, number, files)) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * WRITERS
    found = assert_agrees(root, objreg.open(root), "fraud/clf.model")
    assert found["seq"] == WRITERS * COMMITS
    assert found["snapshots"] > 1
    actors = {item.actor for item in objreg.open(root).history("fraud/clf")}
    assert actors == {"first", *(f"writer-{number}" for number in range(WRITERS))}


def _write(root: Path, number: int, files: Path) -> None:
    with small_sizes():
        commit_many(root, number, files)


def flip(path: Path, position: int) -> None:
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)


def first_entry(domain: Path) -> Path:
    return domain / "log/999999999999.json"


def a_snapshot(domain: Path) -> Path:
    return min(domain.glob("snapshots/*.json"))


def a_record(domain: Path) -> Path:
    newest = json.loads(min(domain.glob("log/*.json")).read_bytes())
    digest: str = newest["refs"]["latest"]["record"]
    return domain / f"records/{digest.removeprefix('sha256:')}.json"


@pytest.mark.parametrize("choose", [first_entry, a_snapshot, a_record], ids=lambda choose: choose.__name__)
@pytest.mark.parametrize("where", [0.1, 0.5, 0.9])
def test_it_fails_on_a_flipped_bit(fresh: Path, tmp_path: Path, choose: Callable[[Path], Path], where: float) -> None:
    """One bit of an entry, a snapshot or a record is another: the reader says so and prints nothing."""
    shutil.copytree(fresh, tmp_path / "registry")
    path = choose(tmp_path / "registry" / f"{MODEL}.model")
    flip(path, int(path.stat().st_size * where))
    done = node("state", tmp_path / "registry", f"{MODEL}.model")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr


def test_it_fails_on_a_flipped_bit_of_a_blob(fresh: Path, tmp_path: Path) -> None:
    """One bit of a file's content is another: the reader gives out nothing of the file."""
    shutil.copytree(fresh, tmp_path / "registry")
    for blob in (tmp_path / "registry" / f"{MODEL}.model" / "blobs").iterdir():
        flip(blob, 3)
    done = node("cat", tmp_path / "registry", f"{MODEL}.model", "1.1", "model/weights.bin")
    assert (done.returncode, done.stdout) == (1, b"")


def test_it_fails_on_a_missing_entry(fresh: Path, tmp_path: Path) -> None:
    """A gap in the log is seen."""
    shutil.copytree(fresh, tmp_path / "registry")
    (tmp_path / "registry" / f"{MODEL}.model" / "log/999999999990.json").unlink()
    assert node("state", tmp_path / "registry", f"{MODEL}.model").returncode == 1
