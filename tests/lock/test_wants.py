"""What a configuration file wants."""

import pytest

from objreg.core.specs import parse_spec
from objreg.core.wants import Want, read_wants, request_of, satisfies, spec_of
from objreg.errors import InvalidInput


def test_wants_are_read_from_assets_and_groups():
    """Sorted by name; a model that several groups want is there once; [assets] is the group default."""
    table = {
        "url": "s3://models",
        "assets": {"nlp/vocab": "1", "fraud/clf": "@production"},
        "groups": {"train": {"nlp/vocab": "1", "base/bert": "*"}, "empty": {}},
    }
    assert list(read_wants(table, "objreg.toml").values()) == [
        Want("base/bert", "*", ("train",)),
        Want("fraud/clf", "@production", ("default",)),
        Want("nlp/vocab", "1", ("default", "train")),
    ]
    assert read_wants({}, "objreg.toml") == {}


@pytest.mark.parametrize(
    ("spec", "request_text"),
    [
        ("fraud/clf", "*"),
        ("fraud/clf@latest", "*"),
        ("fraud/clf:1", "1"),
        ("fraud/clf:1.2", "1.2"),
        ("fraud/clf@production", "@production"),
        ("fraud/clf@sha256:ab12cd34", "@sha256:ab12cd34"),
    ],
)
def test_a_request_is_what_stands_behind_the_name(spec: str, request_text: str):
    """Both ways; the latest has one spelling."""
    assert request_of(parse_spec(spec)) == request_text
    assert spec_of("fraud/clf", request_text) == parse_spec(spec)


@pytest.mark.parametrize("text", ["*", "latest", "@latest"])
def test_the_latest_may_be_written_in_three_ways(text: str):
    """And is kept in one, so that writing it otherwise is no change."""
    assert read_wants({"assets": {"fraud/clf": text}}, "x")["fraud/clf"].request == "*"


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"assets": {"fraud/clf": 1}}, "must be a text in quotes"),
        ({"assets": {"fraud/clf": "1/vocab.txt"}}, "names a file"),
        ({"assets": {"fraud/clf": ""}}, "not complete"),
        ({"assets": {"../clf": "1"}}, "not allowed"),
        ({"assets": ["fraud/clf"]}, r"\[assets\] in objreg.toml must be a table"),
        ({"groups": {"default": {}}}, r"that is what \[assets\] is"),
        ({"groups": {"a.b": {}}}, "group 'a.b' is not allowed"),
        ({"groups": {"train": ["x"]}}, r"\[groups.train\] in objreg.toml must be a table"),
        ({"assets": {"a/b": "1"}, "groups": {"t": {"a/b": "2"}}}, "as '1' in group default and as '2' in group t"),
    ],
)
def test_what_is_no_wish_is_refused(table: dict, message: str):
    """The message names the file, the model and what to write."""
    with pytest.raises(InvalidInput, match=message):
        read_wants(table, "objreg.toml")


@pytest.mark.parametrize(
    ("request_text", "version", "allowed"),
    [
        ("1", "1.2", True),
        ("1", "10.2", False),
        ("1.2", "1.2", True),
        ("1.2", "1.20", False),
        ("1.2", "1.2.3", True),
        ("2026-03", "2026-03-01", True),
        ("@production", "7.0", True),
        ("*", "7.0", True),
        ("@sha256:ab12cd34", "1.0", True),
        ("@sha256:ff12cd34", "1.0", False),
    ],
)
def test_what_a_request_allows(request_text: str, version: str, allowed: bool):
    """A part of a version is continued at its separators; of a state nothing can be told here."""
    assert satisfies("a/b", request_text, version, "sha256:ab12cd34" + "0" * 56) is allowed
