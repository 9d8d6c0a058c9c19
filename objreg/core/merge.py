"""JSON Merge Patch (RFC 7386), held to the part of it that is associative.

State is a plain JSON object and a commit is a merge patch of it. Objects in the state are only added to; whatever can
be removed is a string, a number or an array. So a patch has no ``null`` and never turns an object into something else
or back, and ``merge(merge(a, b), c) == merge(a, merge(b, c))``: patches can be folded together without the state that
they belong to.
"""

from typing import Any

from objreg.errors import FormatError

__all__ = ["merge"]

Json = dict[str, Any]


def merge(target: Json, patch: Json) -> Json:
    """Return ``target`` changed by ``patch``; neither is touched, and what did not change is shared.

    Raises:
        FormatError: the patch removes something or changes what kind of value a key holds.
    """
    if not patch:
        return target
    result = dict(target)
    for key, value in patch.items():
        old = result.get(key)
        if value is None or (old is not None and isinstance(old, dict) != isinstance(value, dict)):
            raise FormatError(
                f"a patch may not remove or reshape {key!r}: this state was not written by the format's rules"
            )
        result[key] = merge(old or {}, value) if isinstance(value, dict) else value
    return result
