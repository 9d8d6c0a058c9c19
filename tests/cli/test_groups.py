"""The groups of commands: state, experiment, deployment, catalog, namespace."""

from pathlib import Path

import pytest

from tests.cli.conftest import Cli


def test_a_state_is_defined_once(empty: Cli):
    """Its definition is the answer; the other rule, or a wider scope's name, ends with 5."""
    found = empty("state", "define", "production", "--exclusive", "-d", "live", "--json").json
    assert (found["kind"], found["name"], found["exclusive"], found["namespace"]) == (
        "state_definition",
        "production",
        True,
        "",
    )
    assert empty("state", "define", "production", "--exclusive", "-d", "live").out == "production\n"
    assert "cannot become shared" in empty("state", "define", "production", code=5).err
    assert "wider scope" in empty("state", "define", "production", "--namespace", "fraud", code=5).err
    assert "looks like a version" in empty("state", "define", "v1", code=2).err


def test_states_are_listed_with_their_rule(empty: Cli):
    """Those of the registry and of the namespaces above; in JSON their records."""
    empty("state", "define", "production", "--exclusive")
    empty("state", "define", "shadow", "--namespace", "fraud", "-d", "answers, unheard")
    assert empty("state", "ls").rows == [["production", "exclusive", "", ""]]
    assert empty("state", "ls", "fraud/").rows[1] == ["shadow", "shared", "fraud", "answers, unheard"]
    assert [item["name"] for item in empty("state", "ls", "fraud", "--json").json] == ["production", "shadow"]


def test_a_version_is_moved_into_a_state_and_out(clf: Cli):
    """The version is printed, a note says from what to what, and --expect refuses what nobody saw."""
    moved = clf("state", "set", "fraud/clf:1.1", "production", "--expect", "1.0")
    assert moved.out == "fraud/clf:1.1\n"
    assert moved.err == "objreg: state production of fraud/clf: 1.0 -> 1.1\n"
    assert clf("state", "set", "fraud/clf:1.1", "production").err == "objreg: nothing changed\n"
    refused = clf("state", "set", "fraud/clf:1.0", "production", "--expect", "1.0", "--json", code=5).error
    assert (refused["type"], refused["facts"]) == ("Conflict", {"expected": "1.0", "found": ["1.1"]})
    assert clf("state", "unset", "fraud/clf:1.1", "production", "--json").json == {
        "model": "fraud/clf",
        "state": "production",
        "version": "1.1",
        "before": ["1.1"],
        "after": [],
        "changed": True,
    }
    assert "define it first" in clf("state", "set", "fraud/clf", "nowhere", code=3).err
    assert clf("state", "set", "fraud/clf:9", "production", code=3).out == ""


def test_an_experiment_is_recorded_once(clf: Cli):
    """Metrics, parameters, data sets and files are kept; the second time ends with 4 and shows the first."""
    Path("metrics.json").write_text('{"auc": 0.93, "f1": 0.5}')
    Path("data.csv").write_text("1,2\n")
    options = ["--metric", "loss=0.1", "--metrics-file", "metrics.json", "--parameter", "lr=0.01", "--seed", "7"]
    options += ["--dataset", "holdout=data.csv", "--artifact", "data.csv", "--duration", "1.5", "--status", "passed"]
    assert clf("experiment", "record", "fraud/clf", "gate", *options).rows == [["fraud/clf:1.1", "gate"]]
    found = clf("experiment", "show", "fraud/clf", "gate", "--json").json
    assert found["metrics"] == {"auc": 0.93, "f1": 0.5, "loss": 0.1}
    assert (found["parameters"], found["seed"], found["duration_seconds"], found["status"]) == (
        {"lr": 0.01},
        7,
        1.5,
        "passed",
    )
    assert found["datasets"][0]["digest"].startswith("sha256:")
    assert found["artifacts"][0]["files"][0]["path"] == "data.csv"
    again = clf("experiment", "record", "fraud/clf", "gate", "--json", code=4).error
    assert again["facts"]["experiment"]["metrics"]["auc"] == 0.93


def test_experiments_are_listed_and_shown(clf: Cli):
    """One a line; one alone with a value on each line; an unknown one ends with 3 and says which there are."""
    clf("experiment", "record", "fraud/clf", "a", "--metric", "x=1", "--metric", "b=2.5", "-d", "words")
    assert clf("experiment", "ls", "fraud/clf").rows[0][:3] == ["a", "finished", "b=2.5 x=1.0"]
    assert clf("experiment", "ls", "fraud/clf:1.0", "--json").json == []
    rows = clf("experiment", "show", "fraud/clf", "a").rows
    assert ["metric.x", "1.0"] in rows
    assert ["description", "words"] in rows
    assert "it has a" in clf("experiment", "show", "fraud/clf", "b", code=3).err
    assert "it has none" in clf("experiment", "show", "fraud/clf:1.0", "b", code=3).err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--metric", "auc=high"], "metrics.auc is a str"),
        (["--metric", "auc=NaN"], "NaN"),
        (["--status", "great"], "'great' is not one of"),
        (["--duration", "-1"], "-1"),
        (["--artifact", "missing"], "does not exist"),
        (["--dataset", "x=missing.csv"], "does not exist"),
    ],
)
def test_what_is_no_experiment_is_refused(clf: Cli, options: list[str], message: str):
    """A wrong metric, status, duration or file ends with 2 and records nothing."""
    assert message in clf("experiment", "record", "fraud/clf", "e", *options, code=2).err
    assert clf("experiment", "ls", "fraud/clf").out == ""


def test_deployments_are_numbered(clf: Cli):
    """The number is printed; variables are kept, secrets refused, the status changes and is expected."""
    first = clf("deployment", "record", "fraud/clf:1.0", "--endpoint", "https://a", "--env", "THRESHOLD=0.4")
    assert first.out == "1\n"
    options = ["--endpoint", "https://b", "--method", "ecs", "--rolling-strategy", "canary", "--status", "rolling-out"]
    found = clf("deployment", "record", "fraud/clf", *options, "--expect", "1", "--json").json
    assert (found["number"], found["environment"], found["method"]) == (2, {}, "ecs")
    assert [row[:4] for row in clf("deployment", "ls", "fraud/clf").rows] == [
        ["1", "fraud/clf:1.0", "active", "https://a"],
        ["2", "fraud/clf:1.1", "rolling-out", "https://b"],
    ]
    assert clf("deployment", "ls", "fraud/clf", "--json").json[0]["environment"] == {"THRESHOLD": "0.4"}
    assert clf("deployment", "status", "fraud/clf", "1", "ended", "--expect", "active").rows == [["1", "ended"]]
    assert clf("deployment", "status", "fraud/clf", "2", "active", "--json").json["status"] == "active"
    assert clf("deployment", "status", "fraud/clf", "1", "x", "--expect", "active", code=5).out == ""
    assert "has no deployment 9" in clf("deployment", "status", "fraud/clf", "9", "ended", code=3).err
    secret = clf("deployment", "record", "fraud/clf", "--endpoint", "x", "--env", "API_KEY=hunter2", code=2)
    assert "looks like a secret" in secret.err
    assert "hunter2" not in secret.err
    assert "--endpoint" in clf("deployment", "record", "fraud/clf", code=2).err


def test_a_catalog_is_applied_from_documents(clf: Cli):
    """Each document becomes its model's catalog; the second time nothing changes; show prints it."""
    Path("clf.toml").write_text(
        'model = "fraud/clf"\nowner = "me"\ntags = ["b", "a"]\n[inference.input.schema]\ntype = "array"\n'
    )
    Path("new.json").write_text('{"namespace": "/fraud", "model_name": "new", "data_sources": [{"name": "dwh"}]}')
    applied = clf("catalog", "apply", "clf.toml", "new.json", "-m", "first")
    assert applied.rows == [["fraud/clf", "changed"], ["fraud/new", "changed"]]
    again = clf("catalog", "apply", "clf.toml", "--json").json
    assert [(item["file"], item["model"], item["changed"]) for item in again] == [("clf.toml", "fraud/clf", False)]
    rows = clf("catalog", "show", "fraud/clf").rows
    assert ["tags", "a,b"] in rows
    assert ["input.schema", '{"type": "array"}'] in rows
    assert clf("catalog", "show", "fraud/new", "--json").json["data_sources"][0]["name"] == "dwh"
    assert "there is no model" in clf("catalog", "show", "fraud/none", code=3).err
    clf("push", "fraud/bare", "model")
    assert "has no catalog" in clf("catalog", "show", "fraud/bare", code=3).err


def test_a_wrong_document_applies_nothing(clf: Cli):
    """All documents are checked before the first is applied."""
    Path("right.toml").write_text('model = "fraud/clf"')
    Path("wrong.toml").write_text('model = "fraud/clf2"\nowner = 3')
    result = clf("catalog", "apply", "right.toml", "wrong.toml", code=2)
    assert "wrong.toml: owner: must be text" in result.err
    assert "has no catalog" in clf("catalog", "show", "fraud/clf", code=3).err
    assert "one document" in clf("catalog", "apply", "right.toml", "wrong.toml", "--expect", "", code=2).err
    assert "expected the catalog" in clf("catalog", "apply", "right.toml", "--expect", "x", code=5).err


def test_documents_are_validated_without_a_registry(cli: Cli, monkeypatch: pytest.MonkeyPatch):
    """All that is wrong in all files is told at once, with file and field; it needs no registry and ends with 2."""
    monkeypatch.setenv("OBJREG_URL", "s3://nowhere/x?endpoint_url=http://127.0.0.1:9")
    Path("right.toml").write_text('model = "fraud/clf"')
    Path("a.json").write_text('{"model": "fraud/..", "ownr": "me"}')
    Path("b.json").write_text("{")
    assert cli("catalog", "validate", "right.toml").err == "objreg: 1 document is right\n"
    wrong = cli("catalog", "validate", "right.toml", "a.json", "b.json", code=2)
    assert [row[:2] for row in wrong.rows] == [["a.json", "ownr"], ["a.json", "model"], ["b.json", ""]]
    found = cli("catalog", "validate", "right.toml", "a.json", "--json", code=2).json
    assert found["documents"] == [{"file": "right.toml", "model": "fraud/clf"}]
    assert found["problems"][0] == {
        "file": "a.json",
        "field": "ownr",
        "message": "unknown field; did you mean owner?",
    }


def test_a_namespace_says_what_it_is(empty: Cli):
    """What is left out stays, an empty text takes it away, and a namespace without a model is listed."""
    assert empty("namespace", "put", "abc/claim", "--owner", "alice", "-d", "claims").out == "abc/claim\n"
    found = empty("namespace", "put", "abc/claim", "--url", "https://x", "--json").json
    assert (found["owner"], found["description"], found["url"]) == ("alice", "claims", "https://x")
    empty("namespace", "put", "abc/claim", "--owner", "")
    assert ["owner", ""] in empty("namespace", "show", "abc/claim").rows
    assert empty("namespace", "show", "abc/claim", "--json").json["kind"] == "namespace"
    assert empty("namespace", "ls").rows == [["abc"], ["abc/claim"]]
    assert empty("namespace", "ls", "--json").json == [{"namespace": "abc"}, {"namespace": "abc/claim"}]
    assert "says nothing of itself" in empty("namespace", "show", "abc", code=3).err
    assert "not allowed" in empty("namespace", "put", "_x", code=2).err
    assert "password" in empty("namespace", "put", "x", "--url", "https://u:pw@host/", code=2).err


SAYING_AGAIN = (
    ("state define", ["state", "define", "shadow", "-d", "unheard"]),
    ("namespace put", ["namespace", "put", "fraud", "--owner", "me"]),
    ("retire", ["retire", "fraud/clf:1.1", "--reason", "old"]),
    ("retain set", ["retain", "set", "retention.toml"]),
    ("deployment status", ["deployment", "status", "fraud/clf", "1", "ended"]),
    ("init", ["init", "--owner", "me"]),
    ("catalog apply", ["catalog", "apply", "clf.toml"]),
)


@pytest.mark.parametrize(("name", "arguments"), SAYING_AGAIN, ids=[name for name, _ in SAYING_AGAIN])
def test_saying_the_same_again_is_told(clf: Cli, name: str, arguments: list[str]):
    """The document says whether this command changed anything, and a note does, or the row of a document that was applied."""
    Path("retention.toml").write_text("[retention.none]\nmodels = 30\n")
    Path("clf.toml").write_text('model = "fraud/clf"\nowner = "me"')
    clf("deployment", "record", "fraud/clf:1.0", "--endpoint", "x")
    first, second = (clf(*arguments, "--json").json for _ in range(2))
    if name == "catalog apply":
        first, second = first[0], second[0]
    assert (first["changed"], second["changed"]) == (True, False)
    again = clf(*arguments)
    said = again.out if name == "catalog apply" else again.err
    assert {"init": "already", "catalog apply": "unchanged"}.get(name, "nothing changed") in said
