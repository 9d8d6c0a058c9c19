"""Specs: the text that names a version, both ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from objreg.core.names import check_file_path, check_path, check_state, check_version_text
from objreg.core.specs import Spec, parse_spec
from objreg.errors import InvalidInput

HEX = "0123456789abcdef"


def allowed(check, text: str) -> bool:
    try:
        check(text)
    except InvalidInput:
        return False
    return True


part = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,12}", fullmatch=True)
paths = st.lists(part, min_size=1, max_size=4).map("/".join).filter(lambda text: allowed(check_path, text))
versions = part.filter(lambda text: allowed(check_version_text, text))
states = part.filter(lambda text: allowed(check_state, text))
digests = st.text(HEX, min_size=8, max_size=64).map("sha256:".__add__)
files = st.just("") | st.text(max_size=30).filter(lambda text: allowed(check_file_path, text))
specs = st.one_of(
    st.builds(Spec, paths, file=files),
    st.builds(Spec, paths, version=versions, file=files),
    st.builds(Spec, paths, state=states, file=files),
    st.builds(Spec, paths, digest=digests, file=files),
)


@given(specs)
def test_a_spec_that_is_written_is_read_back(spec: Spec) -> None:
    """Text and value are two forms of the same thing."""
    assert parse_spec(str(spec)) == spec


@given(st.text(max_size=60))
def test_any_text_is_a_spec_or_is_refused(text: str) -> None:
    """Nothing but InvalidInput comes out of the parser, and what it takes it can write and take again."""
    try:
        spec = parse_spec(text)
    except InvalidInput:
        return
    assert parse_spec(str(spec)) == spec


@given(st.text(":@/sha256.lte01\n", max_size=40))
def test_texts_near_the_grammar_are_read_one_way(text: str) -> None:
    """Texts of the grammar's own characters are refused or survive a round trip."""
    try:
        spec = parse_spec(text)
    except InvalidInput:
        return
    assert parse_spec(str(spec)) == spec


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("clf", Spec("clf")),
        ("fraud/clf", Spec("fraud/clf")),
        ("fraud/clf@latest", Spec("fraud/clf")),
        ("fraud/clf:1.2", Spec("fraud/clf", version="1.2")),
        ("fraud/clf:1", Spec("fraud/clf", version="1")),
        ("fraud/clf@production", Spec("fraud/clf", state="production")),
        ("fraud/clf@sha256:ab12cd34", Spec("fraud/clf", digest="sha256:ab12cd34")),
        ("fraud/clf:1.2/a/b.txt", Spec("fraud/clf", version="1.2", file="a/b.txt")),
        ("fraud/clf@production/a b", Spec("fraud/clf", state="production", file="a b")),
        ("fraud/clf@latest/x", Spec("fraud/clf", file="x")),
        (f"fraud/clf@sha256:{'a' * 64}/x@y", Spec("fraud/clf", digest=f"sha256:{'a' * 64}", file="x@y")),
    ],
)
def test_each_form_means_what_the_grammar_says(text: str, spec: Spec) -> None:
    """One example of each form."""
    assert parse_spec(text) == spec


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "needs a name"),
        ("fraud/clf:", "not complete"),
        ("fraud/clf@", "not complete"),
        (":1.2", "needs a name"),
        ("fraud/clf:1.2/", "must be relative"),
        ("fraud/clf:1.2/../x", "must be relative"),
        ("fraud/clf:latest", "is 'fraud/clf' alone"),
        ("fraud/clf:Latest", "is 'fraud/clf' alone"),
        ("fraud/clf@1.2", "first a letter"),
        ("fraud/clf@v2", "looks like a version"),
        ("fraud/clf@sha256:ab12", "at least 8"),
        ("fraud/clf@sha256:AB12CD34", "lower-case"),
        (f"fraud/clf@sha256:{'a' * 65}", "64"),
        ("fraud/clf:1:2", "not allowed"),
        ("fraud/clf@a@b", "not allowed"),
        ("s3://bucket/clf", "not complete"),
        ("fraud/clf:1.2\n", "not allowed"),
    ],
)
def test_a_wrong_spec_is_refused_with_a_lesson(text: str, reason: str) -> None:
    """The message says what is wrong or how it is written."""
    with pytest.raises(InvalidInput, match=reason):
        parse_spec(text)


def test_a_spec_knows_the_pointer_that_it_follows() -> None:
    """Latest and states are pointers of the head; versions and digests are not."""
    assert parse_spec("m").pointer == "latest"
    assert parse_spec("m@production").pointer == "production"
    assert parse_spec("m:1").pointer == ""
    assert parse_spec("m@sha256:ab12cd34").pointer == ""
