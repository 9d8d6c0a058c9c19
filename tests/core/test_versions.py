"""Versioning schemes: what is a version, how versions are ordered, which comes next."""

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from objreg.core.state import ModelState, VersionItem
from objreg.core.versions import DEFAULT_SCHEME, SCHEMES, scheme
from objreg.errors import FormatError, InvalidInput

TODAY = date(2026, 3, 1)
numbers = st.integers(0, 999_999_999)


def model(name: str, *versions: str, retired: tuple[str, ...] = ()) -> ModelState:
    """Return a model with these versions, pushed in this order."""
    digest = "sha256:" + "a" * 64
    items = {
        version: VersionItem(
            record=digest,
            created_at="2026-01-01T00:00:00.000Z",
            created_by="x",
            size=1,
            files=1,
            order=order,
            retired=digest if version in retired else "",
        )
        for order, version in enumerate(versions, 1)
    }
    return ModelState(scheme=name, versions=items)


@pytest.mark.parametrize(
    ("name", "versions"),
    [
        ("major.minor", ["0.0", "1.0", "1.2", "10.20", "999999999.999999999"]),
        ("semver", ["0.0.0", "1.2.3", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-x-y-z.--", "1.0.0-0a"]),
        ("integer", ["1", "7", "999999999999"]),
        ("date", ["2026-03-01", "2024-02-29", "2026-03-01.1", "2026-03-01.12"]),
        ("free", ["spring-release", "1.0", "2026-03-01", "a_b"]),
    ],
)
def test_versions_of_a_scheme_are_allowed(name: str, versions: list[str]) -> None:
    """Each scheme takes its own."""
    for version in versions:
        assert scheme(name).check(version) == version


@pytest.mark.parametrize(
    ("name", "versions"),
    [
        ("major.minor", ["1", "1.2.3", "01.2", "1.02", "v1.2", "1.x", "-1.0", "1.0000000000", "latest"]),
        ("semver", ["1.2", "1.2.3.4", "01.2.3", "1.2.3-", "1.2.3-01", "1.2.3-a..b", "1.2.3+build", "v1.2.3"]),
        ("integer", ["0", "01", "1.0", "-1", "1000000000000", "x"]),
        ("date", ["2026-02-30", "2026-13-01", "2026-3-1", "20260301", "2026-03-01.0", "2026-03-01.01", "0000-01-01"]),
        ("free", ["latest", "a b", "a/b", "", ".a", "_a"]),
    ],
)
def test_what_is_not_of_a_scheme_is_refused(name: str, versions: list[str]) -> None:
    """Other forms, leading zeros, dates that do not exist and build metadata are refused."""
    for version in versions:
        with pytest.raises(InvalidInput):
            scheme(name).check(version)


def test_a_refusal_names_both_sides_and_the_remedy() -> None:
    """The message has the version, the scheme and an example."""
    with pytest.raises(InvalidInput, match=r"'1' is not of the scheme 'major.minor'.*'1.2'") as caught:
        scheme("major.minor").check("1")
    assert caught.value.facts == {"version": "1", "scheme": "major.minor"}


def test_an_unknown_scheme_is_refused_with_the_known_ones() -> None:
    """The message lists the schemes."""
    with pytest.raises(InvalidInput, match=r"choose one of major\.minor, semver, integer, date, free"):
        scheme("calver")
    assert DEFAULT_SCHEME == "major.minor"
    assert set(SCHEMES) == {"major.minor", "semver", "integer", "date", "free"}


@pytest.mark.parametrize(
    ("name", "rising"),
    [
        ("major.minor", ["0.9", "1.0", "1.2", "1.10", "2.0", "10.0"]),
        # The example of SemVer 2.0, section 11, and its neighbours.
        (
            "semver",
            [
                "0.9.9",
                "1.0.0-1",
                "1.0.0-2",
                "1.0.0-10",
                "1.0.0-alpha",
                "1.0.0-alpha.1",
                "1.0.0-alpha.beta",
                "1.0.0-beta",
                "1.0.0-beta.2",
                "1.0.0-beta.11",
                "1.0.0-rc.1",
                "1.0.0",
                "1.0.1-0",
                "1.0.1",
                "1.2.0",
                "1.10.0",
                "2.0.0",
                "10.0.0",
            ],
        ),
        ("integer", ["1", "2", "10", "100"]),
        ("date", ["2025-12-31", "2026-03-01", "2026-03-01.1", "2026-03-01.2", "2026-03-01.10", "2026-03-02"]),
    ],
)
def test_versions_rise_as_numbers_do(name: str, rising: list[str]) -> None:
    """Parts are compared as numbers, and semver's pre-releases as section 11 of SemVer 2.0 says."""
    falling = rising[::-1]
    assert sorted(falling, key=scheme(name).key) == rising
    for lower, higher in pairwise(rising):
        assert scheme(name).key(lower) < scheme(name).key(higher)


@pytest.mark.parametrize(
    ("name", "newest", "bump", "following"),
    [
        ("major.minor", "", None, "1.0"),
        ("major.minor", "", "major", "1.0"),
        ("major.minor", "1.9", None, "1.10"),
        ("major.minor", "1.9", "minor", "1.10"),
        ("major.minor", "1.9", "major", "2.0"),
        ("semver", "", None, "1.0.0"),
        ("semver", "1.2.3", None, "1.2.4"),
        ("semver", "1.2.3", "minor", "1.3.0"),
        ("semver", "1.2.3", "major", "2.0.0"),
        ("semver", "2.0.0-rc.1", None, "2.0.0"),
        ("integer", "", None, "1"),
        ("integer", "9", None, "10"),
        ("date", "", None, "2026-03-01"),
        ("date", "2026-02-28.7", None, "2026-03-01"),
        ("date", "2026-03-01", None, "2026-03-01.1"),
        ("date", "2026-03-01.9", None, "2026-03-01.10"),
        ("date", "2026-03-02", None, "2026-03-02.1"),
    ],
)
def test_the_next_version_is_known(name: str, newest: str, bump: str | None, following: str) -> None:
    """A push without a version takes the next one of the scheme."""
    assert scheme(name).next(newest, bump, TODAY) == following


@pytest.mark.parametrize("name", [name for name in SCHEMES if name != "free"])
def test_the_next_version_is_always_higher(name: str) -> None:
    """Ten pushes in a row, with each bump, rise and are versions of the scheme."""
    versioning = scheme(name)
    newest = ""
    for bump in versioning.bumps * 10:
        following = versioning.check(versioning.next(newest, bump, TODAY))
        assert not newest or versioning.key(following) > versioning.key(newest)
        newest = following


def test_free_versions_must_be_given() -> None:
    """A scheme without order has no next version; an unknown bump is refused with the known ones."""
    with pytest.raises(InvalidInput, match="needs version="):
        scheme("free").next("", None, TODAY)
    with pytest.raises(InvalidInput, match="use one of minor, major"):
        scheme("major.minor").next("1.0", "patch", TODAY)


@given(numbers, numbers, numbers)
def test_a_part_is_continued_at_its_separator_only(major: int, other: int, minor: int) -> None:
    """1 names 1.x and never 10.x: for any numbers, a part matches exactly where the numbers are equal."""
    versioning = scheme("major.minor")
    assert versioning.matches(str(major), f"{other}.{minor}") == (major == other)


def test_one_never_continues_ten() -> None:
    """The newest 1.x is named though 10.0 and 11.3 are higher and 1.9 was pushed later."""
    found = model("major.minor", "1.0", "1.10", "10.0", "11.3", "1.9")
    assert found.continuing("1") == "1.10"
    assert found.continuing("11") == "11.3"
    assert found.continuing("2") == ""
    assert found.latest() == "11.3"


@pytest.mark.parametrize(
    ("name", "versions", "part", "newest"),
    [
        ("semver", ["1.2.3", "1.10.0", "1.2.10", "12.0.0"], "1", "1.10.0"),
        ("semver", ["1.2.3", "1.10.0", "1.2.10", "12.0.0"], "1.2", "1.2.10"),
        ("semver", ["1.0.0", "1.1.0-rc.1"], "1", "1.0.0"),
        ("semver", ["2.0.0-rc.1", "2.0.0-rc.2"], "2", "2.0.0-rc.2"),
        ("date", ["2026-03-01", "2026-03-01.1", "2026-03-11", "2027-01-01"], "2026", "2026-03-11"),
        ("date", ["2026-03-01", "2026-03-01.10", "2026-03-01.9"], "2026-03-01", "2026-03-01.10"),
        ("integer", ["1", "10"], "1", ""),
        ("free", ["a-1", "a-2"], "a", ""),
    ],
)
def test_a_part_names_the_newest_that_continues_it(name: str, versions: list[str], part: str, newest: str) -> None:
    """In schemes with parts; where there are none, a version names itself only."""
    assert model(name, *versions).continuing(part) == newest


def test_latest_in_semver_passes_over_pre_releases() -> None:
    """A pre-release is latest only where there is no release."""
    assert model("semver", "1.0.0", "2.0.0-rc.1").latest() == "1.0.0"
    assert model("semver", "1.0.0-a", "1.0.0-b").latest() == "1.0.0-b"


def test_latest_is_the_highest_or_in_free_the_last_pushed() -> None:
    """An ordered scheme goes by its order, free by the log's; retired versions do not count."""
    assert model("major.minor", "2.0", "1.5").latest() == "2.0"
    assert model("free", "zebra", "ant").latest() == "ant"
    assert model("major.minor", "1.0", "2.0", retired=("2.0",)).latest() == "1.0"
    assert model("free", "zebra", "ant", retired=("ant", "zebra")).latest() == ""
    assert model("free", "b", "a").newest_first() == ("a", "b")
    assert model("major.minor", "1.2", "1.10").newest_first() == ("1.10", "1.2")


semver_identifiers = st.one_of(
    st.integers(0, 999).map(str), st.from_regex(r"[0-9]{0,2}[A-Za-z-][0-9A-Za-z-]{0,3}", fullmatch=True)
)
semver_versions = st.builds(
    lambda release, pre: ".".join(map(str, release)) + ("-" + ".".join(pre) if pre else ""),
    st.tuples(*[st.integers(0, 3)] * 3),
    st.lists(semver_identifiers, max_size=3),
)


def semver_is_lower(one: str, two: str) -> bool:
    """Section 11 of SemVer 2.0, word by word."""
    (release_one, _, pre_one), (release_two, _, pre_two) = one.partition("-"), two.partition("-")
    numbers_one, numbers_two = ([int(number) for number in text.split(".")] for text in (release_one, release_two))
    if numbers_one != numbers_two:
        return numbers_one < numbers_two
    if not pre_one or not pre_two:
        return bool(pre_one) and not pre_two
    words_one, words_two = pre_one.split("."), pre_two.split(".")
    for word_one, word_two in zip(words_one, words_two, strict=False):
        if word_one == word_two:
            continue
        if word_one.isdigit() and word_two.isdigit():
            return int(word_one) < int(word_two)
        if word_one.isdigit() or word_two.isdigit():
            return word_one.isdigit()
        return word_one < word_two
    return len(words_one) < len(words_two)


@given(semver_versions, semver_versions)
def test_semver_is_ordered_as_its_own_document_says(one: str, two: str) -> None:
    """The sort key agrees with a comparison written straight from section 11."""
    versioning = scheme("semver")
    assert (versioning.key(versioning.check(one)) < versioning.key(versioning.check(two))) == semver_is_lower(one, two)


@pytest.mark.parametrize(
    ("name", "version"), [("major.minor", "x"), ("semver", "1.2"), ("integer", "a"), ("date", "2026")]
)
def test_a_version_that_is_none_has_no_place_in_the_order(name: str, version: str) -> None:
    """A manifest that holds one was not written by the rules; the reader says so."""
    with pytest.raises(FormatError, match=f"{version!r} is no version of the scheme {name!r}"):
        model(name, version).latest()
