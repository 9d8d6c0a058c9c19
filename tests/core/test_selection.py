"""Which files are meant: patterns, folders, and a name for what was chosen."""

import re
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from objreg.core.selection import select_files, selection_digest
from objreg.errors import InvalidInput

PATHS = ("README.md", "a.json", "logs/1.txt", "logs/old/2.txt", "tokenizer/a.json", "tokenizer/vocab.txt")


@pytest.mark.parametrize(
    ("include", "expected"),
    [
        ((), PATHS),
        (("*.json",), ("a.json",)),
        (("**/*.json",), ("a.json", "tokenizer/a.json")),
        (("*/*.json",), ("tokenizer/a.json",)),
        (("logs/",), ("logs/1.txt", "logs/old/2.txt")),
        (("logs/**",), ("logs/1.txt", "logs/old/2.txt")),
        (("logs/*",), ("logs/1.txt",)),
        (("logs/**/2.txt",), ("logs/old/2.txt",)),
        (("logs/**/1.txt",), ("logs/1.txt",)),
        (("**",), PATHS),
        (("**/**/**",), PATHS),
        (("*",), ("README.md", "a.json")),
        (("[a-b].json", "R?ADME.md"), ("README.md", "a.json")),
        (("[!a]*",), ("README.md",)),
        (("readme.md",), ()),
        (("logs",), ()),
    ],
)
def test_include(include: tuple[str, ...], expected: tuple[str, ...]) -> None:
    """A star stays within one name, two stars are folders, a slash at the end is all below; case counts."""
    assert select_files(PATHS, include=include) == expected
    assert select_files(PATHS, exclude=include) == tuple(path for path in PATHS if path not in expected or not include)


def test_folder_and_patterns_go_together() -> None:
    """A file has to be below the folder, included, and not excluded; a folder is not the beginning of a name."""
    assert select_files(PATHS, below="logs") == ("logs/1.txt", "logs/old/2.txt")
    assert select_files(PATHS, below="logs/old/2.txt") == ("logs/old/2.txt",)
    assert select_files(PATHS, below="log") == ()
    assert select_files(PATHS, below="tokenizer", include=["**/*.json"]) == ("tokenizer/a.json",)
    assert select_files(PATHS, include=["**/*.txt"], exclude=["logs/old/", "tokenizer/*"]) == ("logs/1.txt",)


@pytest.mark.parametrize("pattern", ["", "/a", "a//b", "../a", "a/./b", "/"])
def test_a_pattern_that_can_match_nothing_is_refused(pattern: str) -> None:
    """It is a mistake, and the message shows patterns."""
    with pytest.raises(InvalidInput, match=re.escape("'tokenizer/*'")):
        select_files(PATHS, include=[pattern])
    with pytest.raises(InvalidInput, match="can match no file"):
        select_files(PATHS, exclude=[pattern])


NAMES = st.lists(st.sampled_from(["a", "b", "ab"]), min_size=1, max_size=4)
PATTERNS = st.lists(st.sampled_from(["a", "b", "a*", "?b", "**"]), min_size=1, max_size=5)


def _regular(pattern: list[str]) -> str:
    """The same meaning, said as one regular expression."""
    text = ""
    for place, part in enumerate(pattern):
        is_last = place == len(pattern) - 1
        if part == "**":
            text += "(?:[^/]+/)*" if not is_last else "(?:[^/]+/)*[^/]*"
        else:
            text += part.replace("*", "[^/]*").replace("?", "[^/]") + ("" if is_last else "/")
    return text


@given(NAMES, PATTERNS)
def test_patterns_mean_what_a_regular_expression_says(names: list[str], pattern: list[str]) -> None:
    """Matched name by name or as one text is the same, but that two stars at the end may also be no folder at all."""
    path = PurePosixPath(*names).as_posix()
    found = bool(select_files([path], include=["/".join(pattern)]))
    texts = [path, f"{path}/"] if pattern[-1] == "**" else [path]
    assert found == any(re.fullmatch(_regular(pattern), text) for text in texts)


def test_a_selection_has_a_name() -> None:
    """The same files of the same version, in any order, and no others."""
    record, other = f"sha256:{'0' * 64}", f"sha256:{'1' * 64}"
    assert selection_digest(record, ["b", "a"]) == selection_digest(record, ["a", "b"])
    names = {
        selection_digest(*case) for case in [(record, ["a"]), (record, ["a", "b"]), (record, ["a/b"]), (other, ["a"])]
    }
    assert len(names) == 4
