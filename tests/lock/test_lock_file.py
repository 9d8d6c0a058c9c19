"""The lock file as text."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from objreg.core.digest import digest_of
from objreg.core.lock_file import LockedFile, differences, read_lock
from objreg.core.names import check_file_path
from objreg.core.wants import Want
from objreg.errors import FormatError, InvalidInput, ObjregError
from objreg.local.project import load_lock
from tests.lock.conftest import lock_of, locked

TEXT = f"""\
# Made by "objreg lock" from what objreg.toml asks for. Commit it; objreg changes it.
version = 1
revision = 0
registry = "s3://models/registry"

[[asset]]
name = "fraud/clf"
requested = "@production"
groups = ["default"]
version = "1.0"
record = "{digest_of(b"fraud/clf 1.0")}"
entry = {{ seq = 3, digest = "{digest_of(b"entry")}" }}
files = [
    {{ path = "model.bin", digest = "{digest_of(b"weights")}", size = 7 }},
]
"""


def test_the_text_is_this():
    """One block a model, one line a file, no time of generation: what is reviewed in a pull request."""
    assert lock_of(locked()).text() == TEXT
    assert read_lock(TEXT, "objreg.lock") == lock_of(locked())


def test_the_same_versions_are_the_same_bytes():
    """In whatever order they were found."""
    files = tuple(LockedFile(path=path, digest=digest_of(path.encode()), size=1) for path in ("b", "a/z", "a/b"))
    assets = (
        locked("a/b", files=files, groups=("train", "default")),
        locked("a/b.c", files=files[::-1]),
        locked("c"),
    )
    texts = {lock_of(*order).text() for order in itertools.permutations(assets)}
    assert len(texts) == 1
    names = [line for line in texts.pop().splitlines() if line.startswith("name")]
    assert names == ['name = "a/b"', 'name = "a/b.c"', 'name = "c"']


def is_path(text: str) -> bool:
    try:
        check_file_path(text)
    except InvalidInput:
        return False
    return True


@given(st.text(min_size=1, max_size=30).filter(is_path), st.text(max_size=20))
def test_any_path_comes_back(path: str, registry: str):
    """Quotes and any letters are escaped as TOML wants it."""
    lock = lock_of(locked(files=(LockedFile(path=path, digest=digest_of(b""), size=0),)), registry=registry)
    assert read_lock(lock.text(), "x") == lock


@given(st.text(max_size=200))
def test_no_text_is_worse_than_refused(text: str):
    """Whatever stands in the file, it is a lock file or an error of ours."""
    for candidate in (text, TEXT + text, TEXT.replace("1.0", text)):
        try:
            read_lock(candidate, "objreg.lock")
        except ObjregError as error:
            assert "objreg.lock" in str(error) or "not allowed" in str(error)  # noqa: PT017  # it need not be raised


@pytest.mark.parametrize(
    ("old", "new", "error", "message"),
    [
        ("version = 1\n", "version = 2\n", FormatError, "is of version 2.*upgrade objreg"),
        ("[[asset]]", "<<<<<<< HEAD\n[[asset]]", InvalidInput, "unresolved merge conflict.*git checkout --theirs"),
        ("[[asset]]", "=======\n[[asset]]", InvalidInput, "unresolved merge conflict"),
        ("seq = 3", "seq = -3", InvalidInput, "not what objreg writes.*restore it from Git"),
        ("size = 7", "size = 7, size = 8", InvalidInput, "not valid TOML"),
        ('path = "model.bin"', 'path = "../model.bin"', InvalidInput, "not allowed"),
        ('name = "fraud/clf"', 'name = "/fraud"', InvalidInput, "empty part"),
        ("sha256:", "md5:", InvalidInput, "not what objreg writes"),
    ],
)
def test_what_is_wrong_with_a_file_is_told(old: str, new: str, error: type, message: str):
    """With the file's name and what to do."""
    with pytest.raises(error, match=message):
        read_lock(TEXT.replace(old, new), "objreg.lock")


def test_what_a_merge_left_twice_is_told():
    """A union of both sides can hold a model twice: neither is right."""
    block = TEXT.partition("\n\n")[2]
    with pytest.raises(InvalidInput, match="holds fraud/clf or one of its files twice"):
        read_lock(f"{TEXT}\n{block}", "objreg.lock")


def test_a_newer_revision_is_read_with_a_warning(tmp_path):
    """Fields that this release does not know are passed over; a newer version would be an error."""
    path = tmp_path / "objreg.lock"
    path.write_text(TEXT.replace("revision = 0", 'revision = 7\nsigned = "yes"'))
    with pytest.warns(UserWarning, match="revision 7, and this release of objreg writes revision 0"):
        lock = load_lock(path)
    assert lock.get("fraud/clf") == locked()
    assert load_lock(tmp_path / "other.lock") is None


def test_differences_are_told_by_model():
    """Each way in which a lock file is not what is wanted, without a registry."""
    wants = {
        want.name: want
        for want in (
            Want("a/new", "1", ("default",)),
            Want("a/same", "1", ("default", "train")),
            Want("b/request", "@production", ("default",)),
            Want("c/groups", "1", ("default", "train")),
            Want("d/version", "2", ("default",)),
        )
    }
    lock = lock_of(
        locked("a/same", "1.4", "1", groups=("default", "train")),
        locked("b/request", "1.4", "1"),
        locked("c/groups", "1.4", "1"),
        locked("d/version", "1.4", "2"),
        locked("e/old", "1.4", "1"),
    )
    assert differences(wants, lock) == {
        "a/new": "it is not locked",
        "b/request": "'@production' is wanted, and '1' was locked",
        "c/groups": "groups default, train want it, and it is locked for default",
        "d/version": "it is locked to version 1.4, which '2' does not allow",
        "e/old": "it is locked, and not wanted any more",
    }
    assert differences({}, None) == {}
