"""The commands about versions: init, push, pull, ls, show, log, resolve, diff, cat, retire."""

import base64
import hashlib
import json
import subprocess
from pathlib import Path

import pytest

import objreg
from tests.cli.conftest import Cli

RECORDS = "registry/fraud/clf.model/records"


def test_init_creates_a_registry_once(cli: Cli, tmp_path: Path):
    """The URL is printed; the second time a note says that it is there, and nothing is changed."""
    first = cli("init", "--json")
    assert first.json == {"url": (tmp_path / "registry").as_uri(), "created": True, "settings": None, "changed": True}
    again = cli("init")
    assert again.out == (tmp_path / "registry").as_uri() + "\n"
    assert "there is a registry" in again.err
    assert cli("init", "--json").json["created"] is False


def test_init_says_what_the_registry_is(cli: Cli, tmp_path: Path):
    """Description and owner are recorded; what is left out later stays as it was."""
    cli("init", tmp_path / "other", "--description", "of the team", "--owner", "a@example.com")
    settings = cli("init", "--registry", tmp_path / "other", "--owner", "b@example.com", "--json").json["settings"]
    assert (settings["description"], settings["owner"]) == ("of the team", "b@example.com")
    assert "give one of them" in cli("init", "a", "--registry", "b", code=2).err


def test_a_command_without_a_registry_says_how_to_make_one(cli: Cli):
    """Where nothing is, the error names the remedy, exit code 3."""
    assert "objreg init" in cli("ls", code=3).err
    assert cli("show", "fraud/clf", "--json", code=3).error["type"] == "NotFound"


def test_push_prints_the_new_version(empty: Cli, tmp_path: Path):
    """The spec is all that stands on stdout; the record holds what was said."""
    (tmp_path / "m.bin").write_bytes(b"x")
    (tmp_path / "more.toml").write_text('layers = [1, 2]\nname = "net"\n')
    options = ["-d", "text", "--metadata", "epochs=3", "--metadata", "optimizer=adam", "--metadata", 'tag="1.10"']
    result = empty("push", "fraud/clf", "m.bin", *options, "--metadata-file", "more.toml", "--framework", "own")
    assert (result.out, result.err) == ("fraud/clf:1.0\n", "")
    record = json.loads(empty("cat", "fraud/clf").out)
    metadata = {"epochs": 3, "optimizer": "adam", "tag": "1.10", "layers": [1, 2], "name": "net"}
    assert record["metadata"] == metadata
    assert (record["description"], record["framework"], record["created_by"]) == ("text", "own", "tester")


def test_push_answers_in_json(empty: Cli, tmp_path: Path):
    """The document names the version, its digest and size, and whether it is new."""
    (tmp_path / "m.bin").write_bytes(b"xyz")
    found = empty("push", "fraud/clf", "m.bin", "--json").json
    assert found.pop("digest").startswith("sha256:")
    assert found == {
        "spec": "fraud/clf:1.0",
        "model": "fraud/clf",
        "version": "1.0",
        "created": True,
        "size": 3,
        "state": None,
    }


def test_the_same_files_again_change_nothing(clf: Cli):
    """A note says so, on stderr only; other files under the same version end with 4."""
    again = clf("push", "fraud/clf:1.1", "model")
    assert again.out == "fraud/clf:1.1\n"
    assert "was there already" in again.err
    assert clf("push", "fraud/clf:1.1", "model", "--json").json["created"] is False
    Path("model/weights.bin").write_bytes(b"other")
    assert "exists with other files" in clf("push", "fraud/clf:1.1", "model", code=4).err


def test_versions_are_chosen_by_options(empty: Cli, tmp_path: Path):
    """--version, --bump, --scheme and --expect do what the library's arguments do."""
    (tmp_path / "m").write_bytes(b"1")
    assert empty("push", "a", "m", "--scheme", "semver").out == "a:1.0.0\n"
    (tmp_path / "m").write_bytes(b"2")
    assert empty("push", "a", "m", "--bump", "major", "--parent", "a:1.0.0").out == "a:2.0.0\n"
    assert empty("push", "a", "m", "-v", "3.0.0", "--expect", "2.0.0").out == "a:3.0.0\n"
    assert "expected the latest version" in empty("push", "a", "m", "--expect", "2.0.0", code=5).err
    assert "bump 'none'" in empty("push", "a", "m", "--bump", "none", code=2).err


def test_artifacts_are_named(empty: Cli, tmp_path: Path):
    """NAME=PATH names an artifact; of several paths each is named by its file; a path with a = in it is a path."""
    for name in ("a.bin", "b.bin", "x=y"):
        (tmp_path / name).write_bytes(name.encode())
    empty("push", "m", "weights=a.bin", "b.bin")
    files = {row[0] for row in empty("show", "m").rows}
    assert {"weights/a.bin", "b/b.bin"} <= files
    empty("push", "m", "x=y")
    assert empty("cat", "m:1.1/x=y").out == "x=y"
    assert "would both be the artifact 'a'" in empty("push", "m", "a=b.bin", "a.bin", code=2).err


def test_push_moves_into_a_state_in_the_same_commit(clf: Cli):
    """--state makes one commit that does both; a state that nobody defined leaves no version behind."""
    Path("model/weights.bin").write_bytes(b"third")
    assert clf("push", "fraud/clf", "model", "--state", "production", "-m", "ship").out == "fraud/clf:1.2\n"
    (commit,) = clf("log", "fraud/clf", "-n", "1", "--json").json
    assert [change["kind"] for change in commit["changes"]] == ["version", "state_change"]
    assert commit["message"] == "ship"
    Path("model/weights.bin").write_bytes(b"fourth")
    assert "define it first" in clf("push", "fraud/clf", "model", "--state", "nowhere", code=3).err
    assert clf("resolve", "fraud/clf").rows[0][0] == "fraud/clf:1.2"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["push", "bad name", "model"], "not allowed"),
        (["push", "fraud/clf@production", "model"], "push to a model"),
        (["push", "fraud/clf", "missing.bin"], "does not exist"),
        (["push", "fraud/clf", "model", "--metadata", "password=hunter2"], "looks like a secret"),
        (["push", "fraud/clf", "model", "--metadata-file", "missing.json"], "cannot be read"),
        (["push", "fraud/clf", "model", "--metadata-file", "list.json"], "must hold an object"),
        (["push", "fraud/clf", "model", "--metadata-file", "more.toml", "--metadata", "a=1"], "keep one of them"),
        (["push", "fraud/clf", "model", "--metadata", "x=NaN"], "NaN"),
    ],
)
def test_a_push_of_what_is_not_allowed_is_refused(clf: Cli, arguments: list[str], message: str):
    """Wrong names, files and values end with 2, in words; a secret is not repeated."""
    Path("list.json").write_text("[1]")
    Path("more.toml").write_text("a = 2")
    result = clf(*arguments, code=2)
    assert message in result.err
    assert "hunter2" not in result.err
    assert clf(*arguments, "--json", code=2).error["type"] == "InvalidInput"


def test_pull_prints_a_path(clf: Cli, tmp_path: Path):
    """The path is all that stands on stdout, a note says which version it is, and the files are there."""
    result = clf("pull", "fraud/clf@production")
    folder = Path(result.out.removesuffix("\n"))
    assert (folder / "weights.bin").read_bytes() == b"weights"
    assert result.err == "objreg: fraud/clf@production is fraud/clf:1.0\n"
    assert clf("pull", "fraud/clf:1.1", "copy").out == "copy\n"
    assert (tmp_path / "copy/weights.bin").read_bytes() == b"better"
    assert "not an empty folder" in clf("pull", "fraud/clf:1.1", "copy", code=2).err


def test_one_file_is_pulled(clf: Cli):
    """With a file behind the version its path is printed, in JSON with the version."""
    found = clf("pull", "fraud/clf/vocab.txt", "--json", code=3)
    assert found.error["type"] == "NotFound"  # without a version it is a model's name
    found = clf("pull", "fraud/clf@latest/vocab.txt", "--json").json
    assert Path(found["path"]).read_text() == "a\nb\n"
    assert (found["spec"], found["file"]) == ("fraud/clf:1.1", "vocab.txt")
    assert found["digest"].startswith("sha256:")
    assert "has no file" in clf("pull", "fraud/clf:1.1/none", code=3).err


def test_some_files_are_pulled(clf: Cli):
    """By pattern or by folder; what nothing matches ends with 3, what can match nothing with 2."""
    for options in (["--include", "*.txt"], ["--exclude", "*.bin"], ["--include", "**", "--exclude", "w*"]):
        pulled = Path(clf("pull", "fraud/clf:1.1", *options).out.strip())
        assert [path.name for path in pulled.iterdir()] == ["vocab.txt"]
    Path("model/tokenizer").mkdir()
    Path("model/tokenizer/a.json").write_text("{}")
    clf("push", "fraud/clf", "model")
    found = clf("pull", "fraud/clf@latest/tokenizer", "--json").json
    assert (found["file"], [path.name for path in Path(found["path"]).iterdir()]) == ("tokenizer", ["a.json"])
    assert "has no file that the patterns choose" in clf("pull", "fraud/clf", "--include", "*.json", code=3).err
    assert "can match no file" in clf("pull", "fraud/clf", "--exclude", "/a", code=2).err


def test_changed_bytes_are_not_pulled(clf: Cli):
    """A blob that was altered in the bucket ends with 6, and leaves nothing."""
    blob = Path("registry/fraud/clf.model/blobs") / hashlib.sha256(b"better").hexdigest()
    blob.chmod(0o644)
    blob.write_bytes(b"worse!")
    assert "expected sha256" in clf("pull", "fraud/clf", "copy", code=6).err
    assert not Path("copy").exists()


def test_ls_lists_models_and_namespaces(clf: Cli):
    """In a pipe: type and path, tab-separated, without a header."""
    clf("push", "fraud/eu/clf", "model")
    clf("push", "top", "model")
    assert clf("ls").out == (
        "namespace\tfraud\nmodel\tfraud/clf\nnamespace\tfraud/eu\nmodel\tfraud/eu/clf\nmodel\ttop\n"
    )
    below = [["model", "fraud/clf"], ["namespace", "fraud/eu"], ["model", "fraud/eu/clf"]]
    assert clf("ls", "fraud").rows == below
    assert clf("ls", "fraud/").rows == below
    assert clf("ls", "fraud/eu", "--json").json == [{"type": "model", "path": "fraud/eu/clf"}]
    assert "no model in namespace nowhere" in clf("ls", "nowhere/", code=3).err
    assert "there is no model nowhere" in clf("ls", "nowhere", code=3).err


def test_ls_lists_versions(clf: Cli):
    """The newest first, with states, sizes in bytes and whole digests; --state narrows it."""
    rows = clf("ls", "fraud/clf").rows
    assert [row[:2] for row in rows] == [["fraud/clf:1.1", ""], ["fraud/clf:1.0", "production"]]
    assert [row[4:6] for row in rows] == [["2", "10"], ["2", "11"]]
    assert all(len(row[-1]) == 71 for row in rows)
    (found,) = clf("ls", "fraud/clf", "--state", "production", "--json").json
    assert (found["spec"], found["states"], found["files"], found["retired"]) == (
        "fraud/clf:1.0",
        ["production"],
        2,
        False,
    )
    assert found["created_at"].endswith("Z")
    assert clf("ls", "fraud/clf", "--state", "shadow").out == ""
    assert "--state needs a model" in clf("ls", "--state", "production", code=2).err


def test_show_tells_all_of_a_version(clf: Cli):
    """Its record, files, states, experiments and deployments; a model alone is its latest version."""
    clf("experiment", "record", "fraud/clf:1.0", "holdout", "--metric", "auc=0.9")
    clf("deployment", "record", "fraud/clf:1.0", "--endpoint", "https://x.example.com")
    text = clf("show", "fraud/clf@production")
    assert ["states", "production"] in text.rows
    assert ["metadata.epochs", "3"] in text.rows
    assert "weights.bin" in text.out
    assert "auc=0.9" in text.out
    assert "https://x.example.com" in text.out
    found = clf("show", "fraud/clf:1.0", "--json").json
    assert set(found) == {"spec", "digest", "states", "retired", "record", "experiments", "deployments"}
    assert found["record"]["kind"] == "version"
    assert found["experiments"][0]["metrics"] == {"auc": 0.9}
    assert found["deployments"][0]["number"] == 1
    assert clf("show", "fraud/clf", "--json").json["spec"] == "fraud/clf:1.1"
    assert clf("show", "fraud/clf:1.1", "--json").json["deployments"] == []


def test_show_tells_where_a_version_came_from(clf: Cli):
    """The version that it was made from, and the Git commit of the working directory, with whether files were changed."""
    for command in ("init -q", "add model", "commit -q -m x"):
        subprocess.run(["git", *command.split()], check=True)
    Path("model/weights.bin").write_bytes(b"third")
    clf("push", "fraud/clf", "model", "--parent", "fraud/clf:1.0", "--framework", "own")
    rows = dict(row[:2] for row in clf("show", "fraud/clf").rows)
    commit = subprocess.run(["git", "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    assert (rows["parent"], rows["commit"], rows["framework"]) == ("fraud/clf:1.0", f"{commit} and changes", "own")


def test_log_says_who_when_why_and_from_what_to_what(clf: Cli):
    """The newest commit comes first; --limit cuts it; the registry and namespaces have histories of their own."""
    rows = clf("log", "fraud/clf").rows
    assert [(row[0], row[2], row[3], row[4]) for row in rows] == [
        ("2", "tester", "state production: none -> 1.0", "go"),
        ("1", "tester", "version 1.1", ""),
        ("0", "tester", "version 1.0", "start"),
    ]
    newest, *_ = clf("log", "fraud/clf", "--json").json
    assert set(newest) == {"seq", "digest", "time", "actor", "message", "changes"}
    assert newest["changes"][0]["after"] == ["1.0"]
    assert len(clf("log", "fraud/clf", "--limit", "1").rows) == 1
    assert clf("log").rows[0][3] == "state production defined"
    clf("namespace", "put", "fraud", "--owner", "me", "-m", "named")
    assert clf("log", "--namespace", "fraud").rows[0][4] == "named"
    assert clf("log", "--namespace", "empty").out == ""
    assert "there is no model" in clf("log", "none", code=3).err


def test_every_kind_of_change_has_words(clf: Cli):
    """Experiments, deployments, catalogs and retirements are told in the log."""
    Path("c.json").write_text('{"model": "fraud/clf", "owner": "me"}')
    clf("experiment", "record", "fraud/clf:1.0", "holdout")
    clf("deployment", "record", "fraud/clf:1.0", "--endpoint", "x")
    clf("deployment", "status", "fraud/clf", "1", "ended")
    clf("catalog", "apply", "c.json")
    clf("retire", "fraud/clf:1.1", "--reason", "bad")
    assert [row[3] for row in clf("log", "fraud/clf", "-n", "5").rows] == [
        "version 1.1 retired",
        "catalog",
        "deployment 1 of 1.0: active -> ended",
        "deployment 1 of 1.0: active",
        "experiment holdout of 1.0",
    ]


def test_resolve_prints_version_and_digest(clf: Cli):
    """Two columns; in JSON an object; a spec that is none ends with 2, an unknown one with 3."""
    ((spec, digest),) = clf("resolve", "fraud/clf@production").rows
    assert spec == "fraud/clf:1.0"
    assert clf("resolve", f"fraud/clf@{digest}", "--json").json == {
        "spec": spec,
        "model": "fraud/clf",
        "version": "1.0",
        "digest": digest,
    }
    assert "not complete" in clf("resolve", "fraud/clf:", code=2).err
    assert "in state shadow" in clf("resolve", "fraud/clf@shadow", code=3).err


def test_diff_compares_two_versions(clf: Cli):
    """What differs, one a line; in JSON also the files that are the same."""
    clf("experiment", "record", "fraud/clf:1.1", "holdout", "--metric", "auc=0.9")
    rows = clf("diff", "fraud/clf:1.0", "fraud/clf:1.1").rows
    assert [row[:3] for row in rows] == [
        ["file", "weights.bin", "changed"],
        ["description", "description", "removed"],
        ["metadata", "epochs", "removed"],
        ["metrics", "holdout.auc", "added"],
        ["metrics", "holdout.status", "added"],
    ]
    assert rows[3][3:] == ["", "0.9"]
    found = clf("diff", "fraud/clf:1.0", "fraud/clf:1.1", "--json").json
    assert (found["same"], found["before"], found["after"]) == (False, "fraud/clf:1.0", "fraud/clf:1.1")
    assert [file["status"] for file in found["files"]] == ["same", "changed"]
    same = clf("diff", "fraud/clf", "fraud/clf:1.1")
    assert same.out == ""
    assert "are the same" in same.err
    assert clf("diff", "fraud/clf", "fraud/clf:9", code=3).out == ""


def test_cat_prints_objects_as_they_are_stored(clf: Cli):
    """A spec is its record, a file behind it that file, a digest whatever has it; every byte as it is in the bucket."""
    record = next(path for path in Path(RECORDS).iterdir() if '"version":"1.0"' in path.read_text())
    assert clf("cat", "fraud/clf:1.0").out == record.read_text()
    assert clf("cat", f"sha256:{record.stem}").out == record.read_text()
    assert clf("cat", f"fraud/clf@sha256:{record.stem}").out == record.read_text()
    assert clf("cat", "fraud/clf:1.0/vocab.txt").out == "a\nb\n"
    entry = Path("registry/fraud/clf.model/log/999999999999.json").read_bytes()
    digest = f"sha256:{hashlib.sha256(entry).hexdigest()}"
    found = clf("cat", digest, "--json").json
    assert base64.b64decode(found.pop("base64")) == entry
    assert found == {"object": digest, "digest": digest, "size": len(entry)}
    assert "no object" in clf("cat", "sha256:" + "0" * 64, code=3).err
    assert "a digest is" in clf("cat", "sha256:123", code=2).err


def test_retire_takes_a_version_out_of_use(clf: Cli):
    """The version is not the latest any more; one in a state ends with 5; the reason stands in the record."""
    assert "in state production" in clf("retire", "fraud/clf:1.0", "--reason", "old", code=5).err
    assert "--reason" in clf("retire", "fraud/clf:1.1", code=2).err
    assert clf("retire", "fraud/clf:1.1", "--reason", "leaked labels", "--expect", "1.1").out == "fraud/clf:1.1\n"
    assert clf("resolve", "fraud/clf").rows[0][0] == "fraud/clf:1.0"
    assert clf("ls", "fraud/clf").rows[0][7] == "retired"
    assert ["retired", "yes"] in clf("show", "fraud/clf:1.1").rows
    found = clf("retire", "fraud/clf:1.1", "--reason", "again", "--json").json
    assert (found["kind"], found["reason"]) == ("retirement", "leaked labels")


def test_what_came_from_the_bucket_cannot_speak_to_the_terminal(clf: Cli):
    """Escapes in an actor, a message, a description or metadata are shown, not sent; one line stays one line."""
    other = objreg.open("registry", actor="\x1b[2Jsomebody")
    other.set_state("fraud/clf:1.1", "production")
    assert "\\x1b[2Jsomebody" in clf("log", "fraud/clf", "-n", "1").out
    clf("push", "fraud/clf:2.0", "model", "-m", "\x1b[2Jgone\nnext", "-d", "\x1b]0;title\x07")
    clf("push", "fraud/clf:2.1", "model", "--metadata", "a=\x9b31m")
    for arguments in (["log", "fraud/clf"], ["show", "fraud/clf:2.0"], ["show", "fraud/clf:2.1"], ["ls", "fraud/clf"]):
        for options in ([], ["--json"]):
            out = clf(*arguments, *options).out
            assert not {"\x1b", "\x07", "\x9b"} & set(out)
    assert len(clf("log", "fraud/clf").rows) == 6
    assert "\\x1b[2Jgone\\nnext" in clf("log", "fraud/clf").out
