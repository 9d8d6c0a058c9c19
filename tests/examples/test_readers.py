"""The bucket is readable without objreg: jq and DuckDB find in its files what objreg says."""

import json
import sys
from pathlib import Path

import pytest

import objreg
from tests.examples.running import EXAMPLES, machine, run

MODEL = "fraud/clf"


@pytest.fixture
def registry(tmp_path: Path) -> objreg.Registry:
    """Three versions, two of them in production one after the other, an experiment each."""
    registry = objreg.open(tmp_path / "registry", create=True, actor="ada@example.com")
    registry.define_state("production", exclusive=True)
    (tmp_path / "model.bin").write_bytes(b"weights")
    for number in range(3):
        version = registry.push(MODEL, tmp_path / "model.bin", metadata={"number": number})
        registry.record_experiment(version, "holdout", metrics={"auc": 0.5 + number / 10}, status="passed")
        if number != 1:
            registry.set_state(version, "production", message=f"reason {number}")
    return registry


def folder_of(registry: objreg.Registry) -> Path:
    return Path(registry.url.removeprefix("file://"))


def jq_reader(registry: objreg.Registry, tmp_path: Path, *, fails: bool = False) -> tuple[str, str]:
    """Return what read_with_jq.sh prints and complains of."""
    command = (EXAMPLES / "read_with_jq.sh", folder_of(registry), MODEL)
    done = run(*command, environment=machine(tmp_path / "home"), fails=fails)
    return done.stdout, done.stderr


def test_duckdb_tells_who_was_in_production_when(registry: objreg.Registry, tmp_path: Path):
    """The times, the actors and the reasons are those of the history, and each stay ends where the next begins."""
    command = (sys.executable, EXAMPLES / "read_with_duckdb.py", folder_of(registry) / f"{MODEL}.model")
    rows = [json.loads(line) for line in run(*command, environment=machine(tmp_path / "home")).stdout.splitlines()]
    stays, experiments = rows[:2], rows[2:]
    moves = [item for item in registry.history(MODEL) if item.changes[0].kind == "state_change"][::-1]
    assert [row["version"] for row in stays] == ["1.0", "1.2"]
    assert [row["message"] for row in stays] == ["reason 0", "reason 2"]
    assert [row["since"] for row in stays] == [str(item.time) for item in moves]
    assert (stays[0]["until"], stays[1]["until"]) == (stays[1]["since"], None)
    assert {row["actor"] for row in stays} == {"ada@example.com"}
    assert [row["version"] for row in experiments] == ["1.0", "1.1", "1.2"]
    assert [row["metrics"] for row in experiments] == [{"auc": 0.5}, {"auc": 0.6}, {"auc": 0.7}]


def test_jq_tells_pointers_versions_and_history(registry: objreg.Registry, tmp_path: Path):
    """Each state's version, the list of versions with their states, who moved what, the files, and that the chain holds."""
    out, _ = jq_reader(registry, tmp_path)
    newest = registry.resolve(MODEL)
    assert f"  production\t1.2\t{newest.digest}" in out
    for summary in registry.versions(MODEL):
        time = summary.created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        assert f"  {summary.version}\t{time}\tada@example.com\t{','.join(summary.states)}\n" in out
    assert "nothing -> 1.0\tada@example.com\treason 0" in out
    assert "1.0 -> 1.2\tada@example.com\treason 2" in out
    assert f"  7\t{newest.artifacts[0].files[0].digest}\tmodel.bin" in out
    assert f"{registry.head(MODEL).seq + 1} entries, and the chain holds" in out


def test_jq_folds_a_history_with_a_snapshot(registry: objreg.Registry, tmp_path: Path):
    """In a model long enough for snapshots the script still lists every version, from snapshot, tail and patch."""
    while not (folder_of(registry) / f"{MODEL}.model" / "snapshots").exists():
        registry.push(MODEL, tmp_path / "model.bin")
        assert registry.head(MODEL).seq < 400, "no snapshot was written"
    registry.push(MODEL, tmp_path / "model.bin")
    listed = jq_reader(registry, tmp_path)[0].partition("versions:\n")[2].partition("\nwho put")[0].splitlines()
    assert [line.split()[0] for line in listed] == [found.version for found in registry.versions(MODEL)][::-1]


def test_jq_sees_a_rewritten_history(registry: objreg.Registry, tmp_path: Path):
    """One other word in an old entry breaks the chain, and the script says where."""
    entry = sorted((folder_of(registry) / f"{MODEL}.model" / "log").iterdir())[-2]
    entry.chmod(0o644)
    entry.write_bytes(entry.read_bytes().replace(b"ada@example.com", b"eve@example.com"))
    assert "the chain is broken at" in jq_reader(registry, tmp_path, fails=True)[1]
