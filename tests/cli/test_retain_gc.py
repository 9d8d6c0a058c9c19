"""``objreg retain`` and ``objreg gc``."""

from pathlib import Path

import pytest

from tests.cli.conftest import Cli


def policy(text: str = "[retention.none]\nmodels = 0\nkeep_last = 0\n") -> Path:
    path = Path("retention.toml")
    path.write_text(text)
    return path


def test_a_policy_is_set_from_a_file_and_shown(empty: Cli):
    """Tables as documented; the nearest holds; what is wrong with a file is told with its name."""
    assert empty("retain", "show").out == ""
    rules = policy("[retention.production]\nmodels = 365\nruns = 28\n[retention.none]\nkeep_last = 3\n")
    rows = [["none", "for ever", "for ever", "3"], ["production", "365 days", "28 days", "1"]]
    assert empty("retain", "set", rules, "-m", "agreed with legal").rows == rows
    near = empty("retain", "set", policy(), "--namespace", "fraud/", "--json").json
    assert (near["kind"], near["namespace"]) == ("retention_policy", "fraud")
    assert near["rules"] == {"none": {"models": 0, "runs": None, "keep_last": 0}}
    assert empty("retain", "show", "acme/clf").rows == rows
    assert empty("retain", "show", "fraud/clf", "--json").json | {"changed": True} == near
    assert empty("log").rows[0][3:5] == ["retention policy", "agreed with legal"]

    assert "retention.toml is not TOML" in empty("retain", "set", policy("x"), code=2).err
    assert "may hold models, runs" in empty("retain", "set", policy("[retention.none]\ndays = 1\n"), code=2).err
    assert "cannot be read" in empty("retain", "set", "missing.toml", code=2).err


def test_retention_shows_a_plan_and_changes_nothing_without_apply(clf: Cli):
    """A line with a reason for each version; --all shows what is kept, too; then one commit."""
    assert clf("retain").err == "objreg: no retention policy holds for fraud/clf: all is kept\n"
    clf("retain", "set", policy())

    due = ["retire", "fraud/clf:1.1", "", "in no state for more than 0 days"]
    plan = clf("retain")
    assert plan.rows == [due]
    assert plan.err == "objreg: nothing was changed: --apply does it\n"
    kept = ["keep", "fraud/clf:1.0", "", "in state production, which is kept for ever"]
    assert clf("retain", "fraud/clf", "--all", "--dry-run").rows == [due, kept]
    (document,) = clf("retain", "plan", "fraud/clf", "--json").json
    assert (document["model"], document["policy"], document["applied"]) == ("fraud/clf", "", [])
    assert [line["action"] for line in document["lines"]] == ["retire", "keep"]
    assert clf("log", "fraud/clf", "--json").json[0]["changes"][0]["kind"] == "state_change"

    assert clf("retain", "--apply").rows == [due]
    assert clf("log", "fraud/clf", "-n", "1").rows[0][3:5] == ["version 1.1 retired", "apply the retention policy"]
    assert clf("retain").out == ""
    assert "there is no model" in clf("retain", "other", code=3).err


def test_gc_shows_a_plan_and_changes_nothing_without_apply(clf: Cli):
    """Each blob with its size and reason; the grace leaves what is young; a collected version says so."""
    clf("retire", "fraud/clf:1.1", "--reason", "biased")
    blobs = sorted(Path("registry/fraud/clf.model/blobs").iterdir())

    young = clf("gc")
    assert young.out == ""
    assert young.err.splitlines() == [
        "objreg: fraud/clf: 1 blob younger, or retired more recently, than 7 days: left",
        "objreg: there is nothing to delete",
    ]
    plan = clf("gc", "fraud/clf", "--grace", "0")
    ((key, size, reason),) = plan.rows
    assert (key.rsplit("/", 1)[0], size) == ("fraud/clf.model/blobs", "6")
    assert reason.startswith("only in version 1.1, retired on ")
    assert plan.err == "objreg: 1 blob, 6 bytes, would be deleted; nothing was changed: --apply does it\n"
    assert sorted(Path("registry/fraud/clf.model/blobs").iterdir()) == blobs

    (done,) = clf("gc", "--grace", "0", "--apply", "--json").json
    assert (done["applied"], [item["key"] for item in done["deleted"]], done["kept"]) == (True, [key], [])
    assert not Path("registry", key).exists()
    assert [row[3] for row in clf("log", "fraud/clf", "-n", "2").rows] == ["blobs deleted", "blobs condemned"]
    gone = clf("pull", "fraud/clf:1.1", code=3).err
    assert "was retired" in gone
    assert "(biased), and collected since" in gone
    assert Path(clf("pull", "fraud/clf:1.0").out.strip(), "weights.bin").read_bytes() == b"weights"
    assert clf("gc", "--grace", "0", "--apply").err == "objreg: deleted 0 blobs, 0 bytes\n"


@pytest.mark.parametrize("command", ["retain", "gc", "accept"])
def test_a_first_push_that_broke_off_is_in_nobody_s_way(clf: Cli, command: str):
    """What looks at all models passes over one that has no version yet; who names it is told that there is none."""
    blob = Path("registry/fraud/new.model/blobs") / ("ab" * 32)
    blob.parent.mkdir(parents=True)
    blob.write_bytes(b"left")
    assert "fraud/new" not in clf(command).out
    assert "there is no model fraud/new" in clf(command, "fraud/new", code=3).err
    assert blob.exists()
