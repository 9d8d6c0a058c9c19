"""Make the JSON Schemas of every stored object from the types that objreg decodes with.

A schema says what a writer of format 1 writes: every field of a stored object is required there, though a reader fills
in what is missing; and none forbids fields that it does not know, for later releases may add some.
"""

import inspect
import re
from typing import Any

import msgspec

from objreg.core import artifacts, entries, provenance, records, state
from objreg.core.entries import Entry, Snapshot
from objreg.core.records import RECORD_KINDS, AnyRecord, Marker
from objreg.core.state import Change, ModelState, ScopeState

__all__ = ["json_schemas"]

Json = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
# A name and not an address: nobody has to serve it.
IDENTIFIER = "urn:objreg:format:1:{name}"

STORED: dict[str, Any] = {
    "marker": Marker,
    "entry": Entry,
    "snapshot": Snapshot,
    "record": AnyRecord,
    **{f"record.{kind}": found for kind, found in RECORD_KINDS.items()},
}
VIEWS: dict[str, Any] = {"state.model": ModelState, "state.scope": ScopeState, "change": Change}
"""Parts of an entry or a snapshot, not objects of their own: a key of the state that is absent is empty."""

# Fields that came after the first release, by title: older objects do not have them.
ADDED_LATER: dict[str, frozenset[str]] = {}

_ITEM = re.compile(r"^(?:Attributes|Args):\n(?P<items>(?:(?:[ ]{4}.*)?\n?)*)", re.MULTILINE)
_FIELD = re.compile(r"^[ ]{4}(?P<name>\w+): (?P<text>.*(?:\n[ ]{8}.*)*)", re.MULTILINE)


def json_schemas() -> dict[str, Json]:
    """Return every schema by the name of its object."""
    found = {name: _schema(name, kind, stored=True) for name, kind in STORED.items()}
    return found | {name: _schema(name, kind, stored=False) for name, kind in VIEWS.items()}


def _schema(name: str, kind: Any, *, stored: bool) -> Json:
    made: Json = msgspec.json.schema(kind)
    definitions: Json = made.pop("$defs")
    # The mapping of a discriminator is OpenAPI's and no word of JSON Schema; "kind" tells the records apart anyway.
    made.pop("discriminator", None)
    types = _types()
    for title, definition in definitions.items():
        _describe(definition, types[title])
        if stored:
            definition["required"] = [
                field for field in definition["properties"] if field not in ADDED_LATER.get(title, ())
            ]
        for field in definition["properties"].values():
            _simplify(field, keep_default=not stored)
    if "$ref" in made:
        made = definitions.pop(made["$ref"].removeprefix("#/$defs/"))
    head = {"$schema": DIALECT, "$id": IDENTIFIER.format(name=name)}
    return head | made | ({"$defs": dict(sorted(definitions.items()))} if definitions else {})


def _types() -> dict[str, type[msgspec.Struct]]:
    return {
        name: found
        for module in (artifacts, provenance, records, state, entries)
        for name, found in vars(module).items()
        if isinstance(found, type) and issubclass(found, msgspec.Struct)
    }


def _describe(definition: Json, kind: type[msgspec.Struct]) -> None:
    """Say what the docstrings say: of the object, and of each field, also of those that it inherits."""
    definition["description"] = _plain(_ITEM.sub("", inspect.getdoc(kind) or ""))
    for base in reversed(kind.__mro__):
        for name, text in _fields_of(base).items():
            if name in definition["properties"]:
                definition["properties"][name] = {"description": text} | definition["properties"][name]


def _fields_of(kind: type) -> dict[str, str]:
    section = _ITEM.search(inspect.cleandoc(kind.__doc__ or ""))
    if section is None:
        return {}
    return {match["name"]: _plain(match["text"]) for match in _FIELD.finditer(section["items"])}


def _plain(text: str) -> str:
    """Return a docstring's text in JSON's words."""
    return re.sub(r"\s+", " ", re.sub(r"\bNone\b", "null", text.replace("``", "`"))).strip()


def _simplify(field: Json, *, keep_default: bool) -> None:
    if len(field.get("enum", ())) == 1:
        field["const"] = field.pop("enum")[0]
    if not keep_default:
        field.pop("default", None)
