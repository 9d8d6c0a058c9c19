"""docs/format.md, held to the code and to the kept registry: every field is in a table, every example is run."""

import re
import subprocess
from pathlib import Path

import msgspec
import pytest

from objreg.core import artifacts, entries, provenance, records, state

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs/format.md").read_text(encoding="utf-8")
EXAMPLE = ROOT / "tests/compatibility/registry-0.1.0/abc_corp/claim/doc_classification.model"
SHELL = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C"}

TYPES = {
    name: found
    for module in (artifacts, provenance, records, state, entries)
    for name, found in vars(module).items()
    if isinstance(found, type) and issubclass(found, msgspec.Struct) and not name.startswith("_")
}
TABLES = dict(re.findall(r"^<!-- fields: (\w+) -->\n((?:\|.*\n)+)", DOCUMENT, re.MULTILINE))
COMMANDS = re.findall(
    r"^\$ (.+)\n((?:(?!\$ ).+\n)*)",
    "\n".join(re.findall(r"^```console\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)),
    re.MULTILINE,
)


def fields_of(name: str) -> set[str]:
    """Return the fields that a table gives a type."""
    first_cells = [line.split("|")[1] for line in TABLES[name].splitlines()[2:]]
    return {field for cell in first_cells for field in re.findall(r"`(\w+)`", cell)}


def test_every_type_has_a_table() -> None:
    """Every type that is stored, or is part of what is, has a table of its fields, and no table is of another."""
    assert set(TABLES) == set(TYPES) - {"Head"}  # a Head is an entry in memory


@pytest.mark.parametrize("name", TABLES)
def test_tables_name_every_field(name: str) -> None:
    """A table has the fields of its type; what all records have stands in one table of its own."""
    fields = {field.encode_name for field in msgspec.structs.fields(TYPES[name])}
    shared = {field.encode_name for field in msgspec.structs.fields(records.Record)}
    if name == "Record":
        fields |= {"kind"}
    elif issubclass(TYPES[name], records.Record):
        fields -= shared
    assert fields_of(name) == fields


def test_every_record_kind_and_change_is_named() -> None:
    """Each kind of record has a heading; each kind of change that the type lists is in the table of changes."""
    for kind in records.RECORD_KINDS:
        assert f"### `{kind}` (" in DOCUMENT
    table = DOCUMENT.split("| kind | `name` |")[1].split("\n\n")[0]
    listed = re.search(r"kind: what was changed: (.*?)\. Later", state.Change.__doc__ or "", re.DOTALL)
    assert listed is not None
    for kind in re.findall(r"``(\w+)``", re.sub(r"\(.*?\)", "", listed[1], flags=re.DOTALL)):
        assert f"`{kind}`" in table


@pytest.mark.parametrize(("command", "output"), COMMANDS, ids=[command for command, _ in COMMANDS])
def test_examples(command: str, output: str) -> None:
    """Each command of the document, run in a model's folder of the kept registry, prints what the document says."""
    done = subprocess.run(["bash", "-c", command], cwd=EXAMPLE, env=SHELL, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == (output, "")


def test_there_are_examples() -> None:
    """The pattern that finds the examples finds them."""
    assert len(COMMANDS) >= DOCUMENT.count("```console")
