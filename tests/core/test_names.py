"""The grammar of names: what may become a key or a path, and what may not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from objreg.core.names import (
    check_file_path,
    check_namespace,
    check_part,
    check_path,
    check_state,
    check_version_text,
    parent_namespaces,
)
from objreg.errors import InvalidInput

ANY_TEXT = st.text(max_size=120)


@pytest.mark.parametrize("path", ["clf", "fraud/clf", "abc_corp/claim/doc-classification.v2", "0/1", "A" * 100])
def test_a_path_of_plain_names_is_allowed(path: str) -> None:
    """Letters, digits, dots, underscores and dashes, first a letter or a digit, joined by single slashes."""
    assert check_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/clf",
        "fraud/",
        "fraud//clf",
        "..",
        "fraud/../clf",
        ".hidden",
        "_registry",
        "fraud/_namespace",
        "-x",
        "fraud/clf.model",
        "ends.",
        "with space",
        "new\nline",
        "nul\0",
        "esc\x1b[2J",
        "ümlaut",
        "back\\slash",
        "a:b",
        "a@b",
        "A" * 101,
        "/".join(["a" * 99] * 5),
    ],
)
def test_what_could_hurt_a_key_or_a_path_is_refused(path: str) -> None:
    """Empty and dotted parts, objreg's own names, control characters and what is not ASCII are refused."""
    with pytest.raises(InvalidInput):
        check_path(path)


@given(ANY_TEXT)
def test_whatever_passes_is_safe_in_a_key(text: str) -> None:
    """A path that the grammar lets through is ASCII, relative, and stays where it is joined to."""
    try:
        path = check_path(text)
    except InvalidInput:
        return
    assert path == text
    assert path.isascii()
    assert path.isprintable()
    for part in path.split("/"):
        assert part
        assert part[0] not in "._-"
        assert not part.endswith((".model", "."))


def test_a_refusal_names_the_part_and_shows_how_to_write_it() -> None:
    """The message says which part is wrong and gives a right one."""
    with pytest.raises(InvalidInput, match=r"model part '_x' is not allowed.*'doc_classification'") as caught:
        check_path("fraud/_x")
    assert caught.value.facts["text"] == "_x"


def test_a_refusal_repeats_no_control_character() -> None:
    """What a terminal would obey is escaped in the message."""
    for check in (check_path, check_state, check_version_text, check_file_path):
        with pytest.raises(InvalidInput) as caught:
            check("\x1b[2J")
        assert "\x1b" not in str(caught.value)


def test_an_empty_namespace_is_the_registry() -> None:
    """``""`` stands for the whole registry; anything else must be a path."""
    assert check_namespace("") == ""
    assert check_namespace("a/b") == "a/b"
    with pytest.raises(InvalidInput, match="namespace"):
        check_namespace("a//b")


@pytest.mark.parametrize("state", ["production", "Shadow", "a", "qa.eu-1", "very" * 25])
def test_a_word_is_a_state(state: str) -> None:
    """A state is a word that cannot be taken for anything else."""
    assert check_state(state) == state


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("latest", "meaning of its own"),
        ("Latest", "meaning of its own"),
        ("sha256", "meaning of its own"),
        ("v1", "looks like a version"),
        ("V2.0", "looks like a version"),
        ("1.0", "first a letter"),
        ("", "first a letter"),
        ("a b", "first a letter"),
        ("a/b", "first a letter"),
        ("a" * 101, "first a letter"),
    ],
)
def test_a_state_that_reads_as_something_else_is_refused(state: str, reason: str) -> None:
    """What looks like a version, or has a meaning in a spec, is no state; the message says why."""
    with pytest.raises(InvalidInput, match=reason):
        check_state(state)


@pytest.mark.parametrize("version", ["", "latest", "LATEST", "1.", "1..2", ".1", "1/2", "1 2", "-1", "1@2", "x" * 101])
def test_no_scheme_allows_these_versions(version: str) -> None:
    """Whatever the scheme, a version is a plain name and not called latest."""
    with pytest.raises(InvalidInput):
        check_version_text(version)


@pytest.mark.parametrize(
    "path", ["a", "vocab.txt", "weights/0001.bin", "Größe/模型.bin", "a b", ".hidden", "_x", "a" * 1000]
)
def test_files_may_have_names_that_models_may_not(path: str) -> None:
    """A file keeps its name: Unicode, spaces and leading dots are allowed."""
    assert check_file_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/passwd",
        "../up",
        "a/../../up",
        "a/./b",
        "a//b",
        "a/",
        "C:\\x",
        "c:x",
        "a\\b",
        "nul\0",
        "line\nfeed",
        "\x7f",
        "\x85",
        "\ud800",
        "ü" * 501,
        "/".join("a" * 65),
    ],
)
def test_a_file_path_that_leaves_its_folder_is_refused(path: str) -> None:
    """Absolute paths, ``..``, drives, backslashes, control characters and excess are refused."""
    with pytest.raises(InvalidInput, match="not allowed"):
        check_file_path(path)


@given(ANY_TEXT)
def test_whatever_file_path_passes_stays_below_its_folder(text: str) -> None:
    """Joined to a folder, an allowed path is below it."""
    from pathlib import PurePosixPath, PureWindowsPath

    try:
        path = check_file_path(text)
    except InvalidInput:
        return
    for kind in (PurePosixPath, PureWindowsPath):
        assert not kind(path).is_absolute()
        assert ".." not in kind(path).parts


def test_part_names_what_it_checks() -> None:
    """The caller's word for the name stands in the message."""
    with pytest.raises(InvalidInput, match=r"experiment name 'a/b' is not allowed"):
        check_part("a/b", "experiment name")


def test_namespaces_above_are_nearest_first() -> None:
    """The nearest namespace comes first, and a model at the top has none."""
    assert parent_namespaces("a/b/c") == ("a/b", "a")
    assert parent_namespaces("a") == ()
