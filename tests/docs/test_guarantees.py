"""The pages of guarantees and threats name evidence that exists."""

import ast
import re
from functools import cache

import pytest

from tests.docs.pages import ROOT, section, table

GUARANTEES = ROOT / "docs/guarantees.md"
THREATS = ROOT / "docs/threat-model.md"
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


@cache
def names_in(path: str) -> set[str]:
    """Return the names of the tests in a file, those of its classes too."""
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test")}


@pytest.mark.parametrize("page", [GUARANTEES, THREATS], ids=lambda page: page.name)
def test_every_named_test_exists(page) -> None:
    """A promise whose test was renamed or removed has lost its evidence."""
    named = _TEST.findall(page.read_text("utf-8"))
    assert len(named) > 5
    missing = [f"{path}::{name}" for path, name in named if name not in names_in(path)]
    assert missing == []


def test_every_promise_has_a_number_an_assumption_and_a_test() -> None:
    """Numbers count up, so that they can be spoken of; assumptions are those of the page."""
    assumptions = {row[0] for row in table(section(GUARANTEES, "What everything rests on"))}
    rows = table(section(GUARANTEES, "The promises"))
    assert [row[0] for row in rows] == [f"G{number}" for number in range(1, len(rows) + 1)]
    for number, promise, rests_on, shown_by in rows:
        assert promise.startswith("**"), number
        assert set(re.findall(r"A\d", rests_on)) <= assumptions, number
        assert rests_on, number
        assert _TEST.findall(shown_by), number


def test_every_rule_that_can_be_switched_off_is_one_of_the_page() -> None:
    """The page says that each rule earns its place; that test runs as many as there are."""
    assert "tests/simulation/test_rules.py" in GUARANTEES.read_text("utf-8")
    assert "test_without_the_rule_a_promise_breaks" in names_in("tests/simulation/test_rules.py")
