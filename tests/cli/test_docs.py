"""docs/cli.md says what the program does."""

import hashlib
import re
import runpy
import sys
from pathlib import Path

import pytest

from objreg.catalog.documents import check_documents
from tests.cli.conftest import Cli
from tests.cli.test_program import LEAVES

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "cli.md").read_text(encoding="utf-8")
DOCUMENTS = dict(re.findall(r"^\| `([^`]+)` \| ((?:object|array|record).*) \|$", PAGE, re.MULTILINE))


def test_the_reference_and_the_exit_codes_are_the_program_s(monkeypatch: pytest.MonkeyPatch, capsys):
    """The generated parts are up to date; ``python docs/cli_reference.py`` mends them."""
    monkeypatch.setattr(sys, "argv", ["cli_reference.py", "--check"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(DOCS / "cli_reference.py"), run_name="__main__")
    assert ended.value.code == 0, capsys.readouterr().out


def test_every_command_s_document_is_described():
    """The table of JSON documents has each command."""
    assert {name.replace("ls MODEL", "ls") for name in DOCUMENTS} == set(LEAVES)


RUNS = {
    "init": ["init"],
    "push": ["push", "fraud/clf", "model"],
    "pull": ["pull", "fraud/clf"],
    "ls": ["ls"],
    "ls MODEL": ["ls", "fraud/clf"],
    "show": ["show", "fraud/clf"],
    "log": ["log", "fraud/clf"],
    "resolve": ["resolve", "fraud/clf"],
    "diff": ["diff", "fraud/clf:1.0", "fraud/clf:1.1"],
    "cat": ["cat", "fraud/clf"],
    "accept": ["accept"],
    "add": ["add", "nlp/vocab:1.1"],
    "remove": ["remove", "nlp/vocab"],
    "lock": ["lock", "--upgrade"],
    "sync": ["sync"],
    "outdated": ["outdated"],
    "why": ["why", "nlp/vocab"],
    "floating": ["floating", "deploy.sh"],
    "cache dir": ["cache", "dir"],
    "cache ls": ["cache", "ls"],
    "cache prune": ["cache", "prune", "--max-size", "0", "--keep", "0"],
    "cache rm": ["cache", "rm", "--all"],
    "cache verify": ["cache", "verify"],
    "retire": ["retire", "fraud/clf:1.1", "--reason", "old"],
    "state define": ["state", "define", "shadow"],
    "state set": ["state", "set", "fraud/clf:1.1", "production"],
    "state unset": ["state", "unset", "fraud/clf:1.0", "production"],
    "state ls": ["state", "ls"],
    "experiment record": ["experiment", "record", "fraud/clf", "other"],
    "experiment ls": ["experiment", "ls", "fraud/clf"],
    "experiment show": ["experiment", "show", "fraud/clf", "holdout"],
    "deployment record": ["deployment", "record", "fraud/clf:1.0", "--endpoint", "x"],
    "deployment ls": ["deployment", "ls", "fraud/clf"],
    "deployment status": ["deployment", "status", "fraud/clf", "1", "ended"],
    "catalog apply": ["catalog", "apply", "clf.toml"],
    "catalog show": ["catalog", "show", "fraud/clf"],
    "catalog validate": ["catalog", "validate", "clf.toml"],
    "namespace put": ["namespace", "put", "fraud", "--owner", "you"],
    "namespace show": ["namespace", "show", "fraud"],
    "namespace ls": ["namespace", "ls"],
    "retain plan": ["retain", "plan", "--all"],
    "retain set": ["retain", "set", "retention.toml"],
    "retain show": ["retain", "show"],
    "gc": ["gc", "--grace", "0"],
    "doctor": ["doctor", "--racers", "4"],
    "policy": ["policy", "s3", "--role", "reader", "--registry", "s3://models/registry"],
    "fsck": ["fsck", "--deep"],
    "completion": ["completion", "bash"],
}


CODES = {"floating": 2}


@pytest.fixture
def full(clf: Cli) -> Cli:
    """A registry in which each command has something to answer."""
    Path("clf.toml").write_text('model = "fraud/clf"')
    clf("experiment", "record", "fraud/clf", "holdout")
    clf("deployment", "record", "fraud/clf:1.0", "--endpoint", "x")
    clf("catalog", "apply", "clf.toml")
    clf("namespace", "put", "fraud", "--owner", "me")
    Path("retention.toml").write_text("[retention.none]\nmodels = 30\n")
    clf("retain", "set", "retention.toml")
    clf("push", "nlp/vocab", "model")
    clf("pull", "nlp/vocab")
    clf("add", "nlp/vocab")
    clf("push", "nlp/vocab", "model/vocab.txt")
    Path("deploy.sh").write_text("objreg pull nlp/vocab@production")
    Path("registry/fraud/clf.model/blobs", hashlib.sha256(b"stray").hexdigest()).write_bytes(b"stray")
    return clf


@pytest.mark.parametrize("name", DOCUMENTS)
def test_each_document_is_as_it_is_described(full: Cli, name: str):
    """Its fields are exactly those of the table, or it is a record of that kind."""
    found = full(*RUNS[name], "--json", code=CODES.get(name, 0)).json
    shape, _, described = DOCUMENTS[name].partition(": ")
    names = re.findall(r"`([^`]+)`", described)
    if shape.startswith("array"):
        assert isinstance(found, list)
        found = found[0]
    if shape.endswith("record"):
        assert [found["kind"], *(name for name in names[1:] if name in found)] == names
    else:
        assert list(found) == names


COLUMNS = dict(re.findall(r"^\| `([^`]+)` \| ((?!object|array|record).*) \|$", PAGE, re.MULTILINE))


@pytest.mark.parametrize("name", [name for name in COLUMNS if name != "catalog validate"])
def test_each_list_has_the_columns_that_are_described(full: Cli, name: str):
    """In a pipe, each line has as many columns as the table says, empty ones too."""
    rows = full(*RUNS[name], code=CODES.get(name, 0)).rows
    assert rows
    assert {len(row) for row in rows} == {len(COLUMNS[name].split(", "))}


def test_the_catalog_document_is_right(tmp_path: Path):
    """The example of a document has no problem."""
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "example.toml").write_text(example)
    documents, problems = check_documents([tmp_path / "example.toml"])
    assert problems == ()
    assert documents[0].model == "abc_corp/claim/doc_classification"


def test_the_first_lines_run(cli: Cli, monkeypatch: pytest.MonkeyPatch):
    """The quick start is run as it stands, and prints what it says."""
    import shlex

    (example,) = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    Path("model.joblib").write_bytes(b"model")
    lines = example.splitlines()
    for index, line in enumerate(lines):
        if not line.startswith("$ "):
            continue
        words = shlex.split(line.removeprefix("$ "))
        if words[0] == "export":
            monkeypatch.setenv(*words[1].split("=", 1))
            continue
        printed = cli(*words[1:]).out
        if index + 1 < len(lines) and not lines[index + 1].startswith("$ "):
            assert printed == lines[index + 1] + "\n"
