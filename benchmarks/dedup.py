"""What the next version of a file costs: bytes sent against bytes changed, for objreg, DVC and Xet's chunking.

``python -m benchmarks.dedup [--dvc PATH] [--write]``: makes four pairs of files (2 GB in a temporary folder), stores
the first of each pair and counts what storing the second adds. Needs numpy, and DVC (``pip install dvc``). ``--write``
puts the table into docs/performance.md.

objreg and DVC run as they are. Of Xet, Hugging Face's store, the published chunking is computed: a gear hash over the
last 64 bytes, chunks of 64 KiB on average, from 8 to 128, with a table of random numbers as good as theirs. What is
counted for it are the new chunks alone; the real client sends some known ones besides, to keep files in few pieces.
"""

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.harness.measure import progress
from benchmarks.harness.options import new_parser
from benchmarks.harness.tables import publish, table
from objreg.local.cache import Cache
from objreg.registry.clock import SystemClock
from objreg.registry.cutting import read_pieces
from objreg.registry.recall import Recall
from objreg.registry.registry import Registry
from objreg.registry.session import Session, create_marker
from objreg.store.memory import MemoryStore
from objreg.store.wrappers import CountingStore

MIB = 1024 * 1024
HEADER = (
    "the second version",
    "changed",
    "objreg sends",
    "parts",
    "requests",
    "Xet: new chunks",
    "DVC sends",
)
LAYERS, WIDTH, WORDS, CONTEXT = 12, 768, 50257, 1024
LAYER = {
    "attn.c_attn.bias": (3 * WIDTH,),
    "attn.c_attn.weight": (WIDTH, 3 * WIDTH),
    "attn.c_proj.bias": (WIDTH,),
    "attn.c_proj.weight": (WIDTH, WIDTH),
    "ln_1.bias": (WIDTH,),
    "ln_1.weight": (WIDTH,),
    "ln_2.bias": (WIDTH,),
    "ln_2.weight": (WIDTH,),
    "mlp.c_fc.bias": (4 * WIDTH,),
    "mlp.c_fc.weight": (WIDTH, 4 * WIDTH),
    "mlp.c_proj.bias": (WIDTH,),
    "mlp.c_proj.weight": (4 * WIDTH, WIDTH),
}


@dataclass(frozen=True)
class Case:
    """Two versions of a file."""

    name: str
    before: Path
    after: Path
    changed: int


@dataclass(frozen=True)
class Cost:
    """What the second version took."""

    sent: int
    requests: int
    seconds: float


def gpt2() -> dict[str, np.ndarray]:
    """Return tensors of the names and shapes of GPT-2 small, 498 MB in float32, in the order of a file."""
    shapes = {
        "wte.weight": (WORDS, WIDTH),
        "wpe.weight": (CONTEXT, WIDTH),
        "ln_f.weight": (WIDTH,),
        "ln_f.bias": (WIDTH,),
    }
    shapes |= {f"h.{number}.{name}": shape for number in range(LAYERS) for name, shape in LAYER.items()}
    chance = np.random.default_rng(1)
    return {name: chance.standard_normal(shapes[name], np.float32) * np.float32(0.02) for name in sorted(shapes)}


def retrained(tensors: dict[str, np.ndarray], is_changed: Callable[[str], bool]) -> tuple[dict[str, np.ndarray], int]:
    """Return the tensors with some of them moved a little, and how many bytes these have."""
    chance = np.random.default_rng(2)
    found, changed = dict(tensors), 0
    for name, values in tensors.items():
        if is_changed(name):
            found[name] = values + chance.standard_normal(values.shape, np.float32) * np.float32(0.001)
            changed += values.nbytes
    return found, changed


def write_safetensors(path: Path, tensors: dict[str, np.ndarray], **metadata: str) -> Path:
    """Write a safetensors file."""
    header: dict[str, object] = {"__metadata__": {"format": "pt", **metadata}}
    position = 0
    for name, values in tensors.items():
        end = position + values.nbytes
        header[name] = {"dtype": "F32", "shape": list(values.shape), "data_offsets": [position, end]}
        position = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for values in tensors.values():
            file.write(values.tobytes())
    return path


def cases(folder: Path) -> Iterator[Case]:
    """Make the files."""
    tensors = gpt2()
    before = write_safetensors(folder / "gpt2.safetensors", tensors)
    after, changed = retrained(tensors, lambda name: name.startswith("h.11."))
    path = write_safetensors(folder / "layer.safetensors", after, note="one layer of twelve retrained, a longer header")
    yield Case("GPT-2 small, 1 layer of 12 retrained, header longer", before, path, changed)
    after, changed = retrained(tensors, lambda name: ".ln_" in name)
    path = write_safetensors(folder / "norms.safetensors", after)
    yield Case("GPT-2 small, the norms of all layers retrained", before, path, changed)
    content = np.random.default_rng(3).bytes(256 * MIB)
    before = folder / "plain.bin"
    before.write_bytes(content)
    (folder / "appended.bin").write_bytes(content + np.random.default_rng(4).bytes(16 * MIB))
    yield Case("256 MiB, 16 MiB appended", before, folder / "appended.bin", 16 * MIB)
    (folder / "inserted.bin").write_bytes(b"x" * 1000 + content)
    yield Case("256 MiB, 1,000 bytes inserted at the start", before, folder / "inserted.bin", 1000)


def objreg_cost(case: Case, folder: Path) -> Cost:
    """Push both to one model in memory."""
    counting = CountingStore(MemoryStore())
    create_marker(counting, SystemClock())
    cache = Cache(Path(tempfile.mkdtemp(dir=folder)))
    registry = Registry(
        counting.url, lambda: Session(counting, Recall(cache, counting.identity), SystemClock(), "benchmark")
    )
    registry.push("bench/model", case.before)
    counting.reset()
    began = time.perf_counter()
    registry.push("bench/model", case.after)
    return Cost(counting.counts["bytes_written"], counting.requests, time.perf_counter() - began)


def dvc_cost(case: Case, folder: Path, dvc: str) -> Cost:
    """Push both to one remote in a folder."""
    work, remote = folder / "dvc", folder / "remote"
    work.mkdir()

    def run(*arguments: str) -> None:
        subprocess.run([dvc, *arguments], cwd=work, check=True, capture_output=True)

    def stored() -> dict[Path, int]:
        return {path: path.stat().st_size for path in remote.rglob("*") if path.is_file()}

    run("init", "--no-scm")
    run("remote", "add", "--default", "here", str(remote))
    shutil.copy(case.before, work / "model")
    run("add", "model")
    run("push")
    first = stored()
    shutil.copy(case.after, work / "model")
    began = time.perf_counter()
    run("add", "model")
    run("push")
    seconds = time.perf_counter() - began
    new = {path: size for path, size in stored().items() if path not in first}
    shutil.rmtree(work)
    shutil.rmtree(remote)
    return Cost(sum(new.values()), len(new), seconds)


def xet_cuts(data: bytes) -> Iterator[int]:
    """Yield where chunks end."""
    least, most, block = 8 * 1024, 128 * 1024, 8 * MIB
    table = np.random.default_rng(0).integers(0, 2**64, 256, np.uint64)
    values = np.frombuffer(data, np.uint8)
    found = []
    for start in range(0, len(values), block):
        begin = max(0, start - 63)
        hashes = table[values[begin : start + block]]
        for shift in (1, 2, 4, 8, 16, 32):  # each step doubles how many bytes a hash has seen: 64 in the end
            hashes[shift:] = hashes[shift:] + (hashes[:-shift] << np.uint64(shift))
        found.append(np.flatnonzero(hashes[start - begin :] >> np.uint64(48) == 0) + start + 1)
    candidates = np.concatenate(found)
    position = 0
    while position < len(values):
        index = np.searchsorted(candidates, position + least)
        end = int(candidates[index]) if index < len(candidates) else len(values)
        position = min(end, position + most, len(values))
        yield position


def xet_cost(case: Case) -> Cost:
    """Count the chunks of the second that the first has not."""

    def chunks(path: Path) -> dict[bytes, int]:
        data, begin, found = path.read_bytes(), 0, {}
        for end in xet_cuts(data):
            found[hashlib.blake2b(data[begin:end]).digest()] = end - begin
            begin = end
        return found

    before = chunks(case.before)
    began = time.perf_counter()
    new = {digest: size for digest, size in chunks(case.after).items() if digest not in before}
    return Cost(sum(new.values()), len(new), time.perf_counter() - began)


def part_count(path: Path) -> int:
    """Return how many parts objreg's record names."""
    with path.open("rb") as file:
        return sum(1 for _ in read_pieces(file, path.stat().st_size, 32 * MIB))


def shown(size: int) -> str:
    """Return a size for people."""
    return f"{size / MIB:,.1f} MiB" if size >= MIB / 10 else f"{size:,} bytes"


def measured(dvc: str) -> str:
    """Run everything."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="objreg-dedup-") as name:
        folder = Path(name)
        for case in cases(folder):
            ours, theirs, whole = objreg_cost(case, folder), xet_cost(case), dvc_cost(case, folder, dvc)
            sent = (shown(case.changed), shown(ours.sent), str(part_count(case.after)), str(ours.requests))
            rows.append((case.name, *sent, f"{shown(theirs.sent)} in {theirs.requests:,}", shown(whole.sent)))
            progress(f"{rows[-1]} objreg {ours.seconds:.1f} s, DVC {whole.seconds:.1f} s")
    return table(HEADER, rows)


def main() -> int:
    """Print the table, and put it into the page if that is asked for."""
    parser = new_parser(__doc__)
    parser.add_argument("--dvc", default="dvc", help="the command of DVC")
    arguments = parser.parse_args()
    found = measured(arguments.dvc)
    publish("dedup", found, write=arguments.write)
    return 0


if __name__ == "__main__":
    sys.exit(main())
