"""Floating specs in code: what is found, and what is not."""

from pathlib import Path

import pytest

from objreg.lock.floating import find_floating
from tests.cli.conftest import Cli
from tests.lock.conftest import lock_of, locked


def found(path: Path, text: str) -> list[tuple[int, str]]:
    path.write_text(text)
    return [(finding.line, finding.spec) for finding in find_floating([path])]


@pytest.mark.parametrize(
    ("line", "spec"),
    [
        ('registry.pull("fraud/clf@production")', "fraud/clf@production"),
        ('registry.pull("fraud/clf:1")', "fraud/clf:1"),
        ('registry.resolve("fraud/clf")', "fraud/clf"),
        ('objreg.open().pull("fraud/clf@latest")', "fraud/clf@latest"),
        ('self._registry.read("fraud/clf@production/vocab.txt")', "fraud/clf@production/vocab.txt"),
        ('registry.open("fraud/clf:2026-03/vocab.txt")', "fraud/clf:2026-03/vocab.txt"),
        ('path = [registry.pull("fraud/clf") for _ in range(2)]', "fraud/clf"),
        ('pandas.read_parquet("objreg://fraud/clf@production/x.parquet")', "fraud/clf@production/x.parquet"),
    ],
)
def test_python_that_floats(tmp_path: Path, line: str, spec: str):
    """A state, a part of a version, and a name alone."""
    assert found(tmp_path / "x.py", f"import objreg\n\n{line}\n") == [(3, spec)]


@pytest.mark.parametrize(
    "line",
    [
        'registry.pull("fraud/clf:1.2")',
        'registry.pull("fraud/clf@sha256:ab12cd34")',
        'registry.pull("fraud/clf@production")  # objreg: floating',
        'registry.pull("fraud/clf@production")  # noqa # objreg: floating, on purpose',
        'registry.pull(\n    "fraud/clf"  # objreg: floating\n)',
        "registry.pull(spec)",
        'registry.pull(f"fraud/clf:{version}")',
        'registry.push("fraud/clf", path)',
        'registry.versions("fraud/clf")',
        'registry.set_state("fraud/clf:1", "production")',
        'objreg.open("s3://models/registry")',
        'configuration.read("config/app.ini")',
        'open("fraud/clf")',
        '"""registry.pull("fraud/clf") in a text"""',
        "# registry.pull('fraud/clf')",
    ],
)
def test_python_that_does_not_float(tmp_path: Path, line: str):
    """Exact versions, what is allowed, what is no literal, and calls that are something else's."""
    assert found(tmp_path / "x.py", f"import objreg\n\n{line}\n") == []


def test_python_that_does_not_use_objreg(tmp_path: Path):
    """Other things have a pull, a resolve and a read; a registry that was handed in has a telling name."""
    text = 'repository.pull("origin")\nresolver.resolve("example.com")\nmodel_registry.pull("fraud/clf")\n'
    assert found(tmp_path / "x.py", text) == [(3, "fraud/clf")]
    assert found(tmp_path / "x.py", "import objreg\nthis is no Python") == []


@pytest.mark.parametrize(
    ("line", "spec"),
    [
        ("objreg pull fraud/clf@production ./model", "fraud/clf@production"),
        ("objreg pull --registry s3://a/b --json fraud/clf", "fraud/clf"),
        ("objreg pull --registry=s3://a/b 'fraud/clf:1'", "fraud/clf:1"),
        ('path="$(objreg pull fraud/clf@production)"', "fraud/clf@production"),
        ("  - run: python -m objreg cat fraud/clf/vocab:1/a.txt | head", "fraud/clf/vocab:1/a.txt"),
        ("RUN pip install objreg && objreg resolve fraud/clf", "fraud/clf"),
        ("fsspec: objreg://fraud/clf@production/x.parquet", "fraud/clf@production/x.parquet"),
    ],
)
def test_lines_that_float(tmp_path: Path, line: str, spec: str):
    """Shell, YAML, Dockerfiles: whatever runs the command."""
    assert found(tmp_path / "x.sh", f"\n{line}\n") == [(2, spec)]


@pytest.mark.parametrize(
    "line",
    [
        "objreg pull fraud/clf:1.2 ./model",
        'objreg pull "$SPEC"',
        "objreg pull fraud/clf:${VERSION}",
        "objreg pull fraud/clf@production  # objreg: floating",
        "# objreg pull fraud/clf@production",
        "objreg add fraud/clf@production",
        "objreg push fraud/clf model.bin",
        "objreg sync",
        "myobjreg pull fraud/clf",
        "git pull origin",
    ],
)
def test_lines_that_do_not_float(tmp_path: Path, line: str):
    """Exact, allowed, variable, a comment, or another command: a wish in objreg.toml may float."""
    assert found(tmp_path / "x.sh", f"{line}\n") == []


def test_a_locked_name_is_no_finding(tmp_path: Path):
    """Where a lock file above says which version it is, a name alone is exact; a state is still another version."""
    (tmp_path / "src").mkdir()
    (tmp_path / "objreg.lock").write_text(lock_of(locked("fraud/clf")).text())
    text = 'registry.pull("fraud/clf")\nregistry.pull("nlp/vocab")\nregistry.pull("fraud/clf@production")\n'
    assert found(tmp_path / "src" / "x.py", text) == [(2, "nlp/vocab"), (3, "fraud/clf@production")]


def test_files_that_are_no_text(tmp_path: Path):
    """Have no lines to find anything in."""
    (tmp_path / "x.py").write_bytes(b"\xff\xfe objreg pull a/b")
    assert find_floating([tmp_path / "x.py", tmp_path / "missing.sh"]) == ()


def test_the_command_names_file_line_and_reason(cli: Cli, tmp_path: Path):
    """And exits with 2; with 0 and nothing on stdout where there is none."""
    (tmp_path / "x.sh").write_text("objreg pull a/b@prod\n")
    (tmp_path / "y.sh").write_text("objreg pull a/b:1.0\n")
    bad = cli("floating", "x.sh", "y.sh", code=2)
    assert bad.rows == [["x.sh", "1", "a/b@prod", "the state prod is moved from version to version"]]
    assert "allow it: # objreg: floating" in bad.err
    assert cli("floating", "y.sh").out == ""
    assert cli("floating", "y.sh", "--json").json == []


def test_the_command_refuses_a_file_that_is_not_there(cli: Cli, tmp_path: Path):
    """A misspelt path would be found free of floating specs; a link to nowhere is there, and is."""
    (tmp_path / "link.sh").symlink_to("nowhere")
    assert cli("floating", "link.sh").out == ""
    assert "missing.sh does not exist" in cli("floating", "link.sh", "missing.sh", code=2).err
