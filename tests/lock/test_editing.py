"""Editing a configuration file: one line changes, and nothing else."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from objreg.errors import InvalidInput
from objreg.lock.editing import with_request

OBJREG = Path("objreg.toml")
TEXT = """\
url = "registry"   # ours

[assets]
# from the fraud team
"fraud/clf" = "@production"   # ask before you change it

# words
"nlp/vocab" = "1"

[groups.train]
'x/y' = "*"
"""


def changed(before: str, after: str) -> tuple[list[str], list[str]]:
    """Return the lines that are gone and those that are new."""
    old, new = before.split("\n"), after.split("\n")
    return [line for line in old if line not in new], [line for line in new if line not in old]


def test_a_new_line_stands_where_its_name_belongs():
    """Between its neighbours, and before the comment of the next one."""
    text = with_request(TEXT, OBJREG, "m/n", "1.2")
    assert changed(TEXT, text) == ([], ['"m/n" = "1.2"'])
    assert text.index("fraud/clf") < text.index("m/n") < text.index("# words")
    assert with_request(text, OBJREG, "m/n", None) == TEXT


def test_the_first_and_the_last_line():
    """Before the first one's comment, and behind the last one in the same table."""
    lines = with_request(TEXT, OBJREG, "a/b", "1").split("\n")
    assert lines[2:5] == ["[assets]", '"a/b" = "1"', "# from the fraud team"]
    lines = with_request(TEXT, OBJREG, "z/z", "1").split("\n")
    assert lines[7:9] == ['"nlp/vocab" = "1"', '"z/z" = "1"']


def test_a_changed_request_keeps_its_comment():
    """Only the value changes."""
    text = with_request(TEXT, OBJREG, "fraud/clf", "2.0")
    assert changed(TEXT, text)[1] == ['"fraud/clf" = "2.0"   # ask before you change it']


def test_groups_are_tables_of_their_own():
    """A group that is there is added to, one that is not is made at the end."""
    assert with_request(TEXT, OBJREG, "a/b", "1", "train").endswith('[groups.train]\n"a/b" = "1"\n\'x/y\' = "*"\n')
    assert with_request(TEXT, OBJREG, "a/b", "1", "test") == TEXT + '\n[groups.test]\n"a/b" = "1"\n'
    assert "x/y" not in with_request(TEXT, OBJREG, "x/y", None, "train")


def test_a_new_file_and_a_project_file():
    """An empty file gets a table; in pyproject.toml it is below [tool.objreg]."""
    assert with_request("", OBJREG, "a/b", "*") == '[assets]\n"a/b" = "*"\n'
    project = '[project]\nname = "x"\n\n[tool.objreg]\nurl = "r"\n\n[tool.ruff]\nline-length = 120\n'
    text = with_request(project, Path("pyproject.toml"), "a/b", "*")
    assert text == project + '\n[tool.objreg.assets]\n"a/b" = "*"\n'
    assert with_request(text, Path("pyproject.toml"), "a/c", "*").endswith('"a/b" = "*"\n"a/c" = "*"\n')


def test_line_endings_stay():
    """A file from Windows stays one."""
    windows = TEXT.replace("\n", "\r\n")
    assert with_request(windows, OBJREG, "m/n", "1.2") == with_request(TEXT, OBJREG, "m/n", "1.2").replace("\n", "\r\n")
    assert with_request(windows, OBJREG, "a/b", "1", "test").count("\r\n") == windows.count("\r\n") + 3


@pytest.mark.parametrize(
    "text",
    [
        'assets = { "fraud/clf" = "1" }\n',
        'assets."fraud/clf" = "1"\n',
        '[assets]\n"fraud/clf" = """\n1"""\n',
        'note = """\n[assets]\n"""\n',
    ],
)
def test_what_lines_cannot_edit_is_refused(text: str):
    """The result is held to what was meant, so a file is never spoilt; the message has what to write by hand."""
    with pytest.raises(InvalidInput, match=r'write it yourself, in a table \[assets\]: "fraud/clf" = "2"'):
        with_request(text, OBJREG, "fraud/clf", "2")


NAMES = st.sampled_from(["a", "a/b", "b", "b-c/d", "c.d/e", "z"])


@given(
    st.lists(st.tuples(NAMES, st.sampled_from(["1", "@x", None]), st.sampled_from(["default", "train"])), max_size=8)
)
def test_any_edits_one_after_another(edits):
    """Always valid TOML that says what was asked for, with every comment where it was."""
    text, expected = TEXT, tomllib.loads(TEXT)
    for name, request, group in edits:
        text = with_request(text, OBJREG, name, request, group)
        table = expected["assets"] if group == "default" else expected["groups"]["train"]
        table.pop(name, None) if request is None else table.update({name: request})
    assert tomllib.loads(text) == expected
    assert [line for line in text.split("\n") if "#" in line] == [line for line in TEXT.split("\n") if "#" in line]
