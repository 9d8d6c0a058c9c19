"""What a repository wants of a registry: models by name, each with a request, in groups.

A request is what stands behind the name in a spec: ``"1"``, ``"1.2"``, ``"@production"``, ``"@sha256:…"``; and ``"*"``
for the latest version.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from objreg.core.names import LATEST
from objreg.core.specs import Spec, parse_spec
from objreg.errors import InvalidInput

__all__ = ["ANY", "DEFAULT_GROUP", "Want", "check_group", "read_wants", "request_of", "satisfies", "spec_of"]

ANY = "*"
DEFAULT_GROUP = "default"
"""What ``[assets]`` is, beside the groups that have a name."""
_GROUP = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_SEPARATORS = (".", "-")
"""What may follow a part of a version in any scheme."""


@dataclass(frozen=True, slots=True)
class Want:
    """One model that is wanted.

    Attributes:
        name: the model's path.
        request: which version, as ``request_of`` spells it.
        groups: that want it, sorted; ``default`` is ``[assets]``.
    """

    name: str
    request: str
    groups: tuple[str, ...]


def request_of(spec: Spec) -> str:
    """Return the request that a spec makes; each has one spelling, so that requests can be compared.

    Raises:
        InvalidInput: the spec names a file inside a version.
    """
    if spec.file:
        raise InvalidInput(f"{spec} names a file, and a version is locked as a whole: leave {spec.file!r} out")
    named = spec.state or spec.digest
    return spec.version or (f"@{named}" if named else ANY)


def spec_of(name: str, request: str) -> Spec:
    """Return the spec that a request for a model is.

    Raises:
        InvalidInput: it is none.
    """
    if request in {ANY, LATEST}:
        return parse_spec(name)
    return parse_spec(name + request if request.startswith("@") else f"{name}:{request}")


def satisfies(name: str, request: str, version: str, record: str) -> bool:
    """Tell whether a version is one that a request allows, as far as that can be told without the registry.

    Where a state or the latest version is requested, any version may have been it.
    """
    spec = spec_of(name, request)
    if spec.digest:
        return record.startswith(spec.digest)
    part = spec.version
    return version.startswith(part) and (not part or version[len(part) : len(part) + 1] in {"", *_SEPARATORS})


def check_group(name: str) -> str:
    """Return the name of a group, if it is one.

    Raises:
        InvalidInput: it is not, or it is that of ``[assets]``.
    """
    if not _GROUP.fullmatch(name):
        raise InvalidInput(f"group {name[:100]!r} is not allowed: use letters, digits, '_' and '-', like 'train'")
    if name == DEFAULT_GROUP:
        raise InvalidInput(f"a group cannot be called {DEFAULT_GROUP!r}: that is what [assets] is")
    return name


def read_wants(table: Mapping[str, Any], place: str) -> dict[str, Want]:
    """Return what a configuration file wants, by name, sorted.

    Args:
        table: ``objreg.toml``, or ``[tool.objreg]``.
        place: its file, for messages.

    Raises:
        InvalidInput: a table, a name or a request is not what it should be, or two groups want other versions of one
            model.
    """
    groups = _table(table.get("groups", {}), "groups", place)
    tables = {DEFAULT_GROUP: _table(table.get("assets", {}), "assets", place)}
    tables |= {check_group(group): _table(found, f"groups.{group}", place) for group, found in groups.items()}
    found: dict[str, Want] = {}
    for group, requests in sorted(tables.items()):
        for name, text in requests.items():
            request = _request(name, text, place)
            known = found.get(name, Want(name, request, ()))
            if known.request != request:
                raise InvalidInput(
                    f"{place} wants {name} as {known.request!r} in group {known.groups[0]} and as {request!r} in group"
                    f" {group}: one version of a model is locked, so write the same in both",
                    name=name,
                )
            found[name] = Want(name, request, (*known.groups, group))
    return dict(sorted(found.items()))


def _table(value: object, name: str, place: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidInput(f'[{name}] in {place} must be a table, with lines like "fraud/clf" = "@production"')
    return value


def _request(name: str, text: object, place: str) -> str:
    if not isinstance(text, str):
        raise InvalidInput(f'{place}: the request for {name[:100]!r} must be a text in quotes, like "1", got {text!r}')
    try:
        return request_of(spec_of(name, text))
    except InvalidInput as error:
        raise InvalidInput(f"{place}: the request {text[:100]!r} for {name[:100]!r}: {error}") from error
