"""Merge patches: associative under the rule that objects are only added to, and refused where they break it."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from objreg.core.merge import merge
from objreg.errors import FormatError

# Under the format's rule a key always holds the same kind of value: an object, or something that is replaced whole.
leaves = st.integers() | st.text(max_size=3) | st.booleans() | st.lists(st.integers(), max_size=2)
leaf_keys = st.sampled_from(["a", "b", "c"])
object_keys = st.sampled_from(["X", "Y"])
objects = st.recursive(
    st.dictionaries(leaf_keys, leaves, max_size=3),
    lambda inner: st.builds(
        lambda values, below: values | below,
        st.dictionaries(leaf_keys, leaves, max_size=3),
        st.dictionaries(object_keys, inner, max_size=2),
    ),
    max_leaves=6,
)


def rfc7386(target: object, patch: object) -> object:
    """The algorithm of RFC 7386, section 2, word by word."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = rfc7386(result.get(name), value)
    return result


@given(objects, objects, objects)
def test_merging_is_associative(one: dict, two: dict, three: dict) -> None:
    """Patches can be folded together first: that is what an entry's tail is."""
    assert merge(merge(one, two), three) == merge(one, merge(two, three))


@given(objects, objects)
def test_merging_is_that_of_rfc_7386(state: dict, patch: dict) -> None:
    """Any library for merge patches replays a manifest."""
    assert merge(state, patch) == rfc7386(state, patch)


@given(objects, objects)
def test_neither_side_is_changed(state: dict, patch: dict) -> None:
    """States are shared between threads, so merging touches neither."""
    before = copy.deepcopy((state, patch))
    merge(state, patch)
    assert (state, patch) == before


@given(objects)
def test_nothing_merges_to_nothing(state: dict) -> None:
    """An empty patch changes nothing, an empty state becomes the patch, and the same patch twice is once."""
    assert merge(state, {}) == state
    assert merge({}, state) == state
    assert merge(state, state) == state


@pytest.mark.parametrize(
    ("state", "patch"),
    [
        ({"a": 1}, {"a": None}),
        ({}, {"a": None}),
        ({}, {"a": {"b": None}}),
        ({"a": {"b": 1}}, {"a": 1}),
        ({"a": {"b": 1}}, {"a": []}),
        ({"a": 1}, {"a": {"b": 1}}),
        ({"a": []}, {"a": {}}),
        ({"x": {"a": {"b": 1}}}, {"x": {"a": "text"}}),
    ],
)
def test_removing_and_reshaping_are_refused(state: dict, patch: dict) -> None:
    """null, and an object in the place of something else or the other way round, would break associativity."""
    with pytest.raises(FormatError, match=r"may not remove or reshape '[ab]'"):
        merge(state, patch)


def test_arrays_are_replaced_whole() -> None:
    """What can be taken back is an array, and a patch names all of it."""
    assert merge({"states": ["a", "b"]}, {"states": ["b"]}) == {"states": ["b"]}
