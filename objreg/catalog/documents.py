"""Catalog documents: what a model is, as a file in Git; read, and checked without a registry.

The fields of a document are those of a catalog; the model is named by ``model``, or by ``namespace`` and
``model_name``. All that is wrong is told at once, each problem with its file and field.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from objreg.catalog.files import read_document
from objreg.core.encoding import json_value
from objreg.core.names import check_path
from objreg.core.secrets import refuse_secret_text, refuse_secrets
from objreg.errors import InvalidInput

__all__ = ["CatalogDocument", "Problem", "check_documents"]

_NAMES = ("model", "namespace", "model_name")
_TEXTS = ("description", "owner", "url")
_FIELDS = (*_NAMES, *_TEXTS, "data_sources", "inference", "tags")
_SOURCE_FIELDS = ("name", "type", "description", "owner", "connection")
_SIDES = ("input", "output")
_SIDE_FIELDS = ("description", "schema")
_LONGEST = 65536


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in a document.

    Attributes:
        file: as it was named.
        field: where in the document, like ``data_sources[0].name``; ``""`` for the document as a whole.
        message: what is wrong.
    """

    file: str
    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}: {self.field}: {self.message}" if self.field else f"{self.file}: {self.message}"


@dataclass(frozen=True)
class CatalogDocument:
    """A document that was read and found right.

    Attributes:
        file: as it was named.
        model: that it describes.
        fields: what ``Registry.put_catalog`` takes.
    """

    file: str
    model: str
    fields: Mapping[str, Any]


def check_documents(paths: Iterable[Path]) -> tuple[tuple[CatalogDocument, ...], tuple[Problem, ...]]:
    """Read documents without a registry.

    Returns:
        Those that are right, and everything that is wrong with the others.

    Raises:
        MissingDependency: one is YAML, and PyYAML is not installed.
    """
    documents: list[CatalogDocument] = []
    problems: list[Problem] = []
    models: dict[str, str] = {}
    for path in paths:
        try:
            document = read_document(path)
        except InvalidInput as error:
            problems.append(Problem(str(path), "", error.message.removeprefix(f"{path} ")))
            continue
        found = [Problem(str(path), field, message) for field, message in _problems(document)]
        model = "" if found else _model(document)
        if model in models:
            found.append(Problem(str(path), "model", f"{model} is described by {models[model]} too: keep one of them"))
        problems += found
        if not found:
            models[model] = str(path)
            fields = {name: value for name, value in document.items() if name not in _NAMES}
            documents.append(CatalogDocument(str(path), model, fields))
    return tuple(documents), tuple(problems)


Found = Iterator[tuple[str, str]]


def _problems(document: Mapping[str, Any]) -> Found:
    """Yield everything that is wrong in a document: the field, and what is wrong with it."""
    yield from _unknown(document, _FIELDS, "")
    yield from _name_problems(document)
    for name in _TEXTS:
        yield from _text(document.get(name, ""), name)
    yield from _each(document.get("data_sources", []), "data_sources", _source)
    yield from _source_names(document.get("data_sources", []))
    yield from _each(document.get("tags", []), "tags", _text)
    yield from _object(document.get("inference", {}), "inference", _SIDES)
    inference = document.get("inference")
    if isinstance(inference, Mapping):
        for side in _SIDES:
            yield from _side(inference.get(side, {}), f"inference.{side}")


def _name_problems(document: Mapping[str, Any]) -> Found:
    if "model" in document and ("namespace" in document or "model_name" in document):
        yield "model", "give either model, or namespace and model_name"
        return
    names = ("model",) if "model" in document else ("namespace", "model_name")
    if "model_name" not in document and "model" not in document:
        yield "model", "missing: name the model, like model = 'fraud/clf'"
        return
    wrong = [name for name in names if not isinstance(document.get(name, ""), str)]
    for name in wrong:
        yield name, f"must be text, not {_word(document[name])}"
    if not wrong:
        yield from _refused(names[-1], lambda: check_path(_model(document)))


def _model(document: Mapping[str, Any]) -> str:
    """Return the model that a document names; a leading slash of a namespace says nothing."""
    if "model" in document:
        return str(document["model"])
    namespace = str(document.get("namespace", "")).strip("/")
    return f"{namespace}/{document['model_name']}" if namespace else str(document["model_name"])


def _source(source: Any, field: str) -> Found:
    yield from _object(source, field, _SOURCE_FIELDS)
    if not isinstance(source, Mapping):
        return
    if not source.get("name"):
        yield f"{field}.name", "missing: a data source needs a name"
    for name in ("name", "type", "description", "owner"):
        yield from _text(source.get(name, ""), f"{field}.{name}")
    connection = source.get("connection", {})
    yield from _json_object(connection, f"{field}.connection")
    yield from _refused(f"{field}.connection", lambda: refuse_secrets(connection, f"{field}.connection"))


def _source_names(sources: Any) -> Found:
    seen: set[Any] = set()
    for index, source in enumerate(sources if isinstance(sources, list) else ()):
        name = source.get("name") if isinstance(source, Mapping) else None
        if isinstance(name, str) and name in seen:
            yield f"data_sources[{index}].name", f"{name!r} is used twice: data sources need different names"
        if isinstance(name, str):
            seen.add(name)


def _side(side: Any, field: str) -> Found:
    yield from _object(side, field, _SIDE_FIELDS)
    if isinstance(side, Mapping):
        yield from _text(side.get("description", ""), f"{field}.description")
        yield from _json_object(side.get("schema", {}), f"{field}.schema")


def _unknown(value: Mapping[Any, Any], known: tuple[str, ...], prefix: str) -> Found:
    for name in value:
        if name not in known:
            close = get_close_matches(str(name), known, 1)
            yield f"{prefix}{name}", f"unknown field; {f'did you mean {close[0]}?' if close else _known(known)}"


def _known(known: tuple[str, ...]) -> str:
    return f"known are {', '.join(known)}"


def _object(value: Any, field: str, known: tuple[str, ...]) -> Found:
    if isinstance(value, Mapping):
        yield from _unknown(value, known, f"{field}.")
    else:
        yield field, f"must be an object with {', '.join(known)}, not {_word(value)}"


def _json_object(value: Any, field: str) -> Found:
    if not isinstance(value, Mapping):
        yield field, f"must be an object, not {_word(value)}"
        return
    yield from _refused(field, lambda: json_value(value, field))


def _each(value: Any, field: str, check: Callable[[Any, str], Found]) -> Found:
    if not isinstance(value, list):
        yield field, f"must be a list, not {_word(value)}"
        return
    for index, item in enumerate(value):
        yield from check(item, f"{field}[{index}]")


def _text(value: Any, field: str) -> Found:
    if not isinstance(value, str):
        yield field, f"must be text, not {_word(value)}"
    elif len(value) > _LONGEST:
        yield field, f"has {len(value)} characters; at most {_LONGEST} are allowed"
    else:
        yield from _refused(field, lambda: refuse_secret_text(value, field))


def _refused(field: str, check: Callable[[], object]) -> Found:
    """Yield what a check of the core refuses."""
    try:
        check()
    except InvalidInput as error:
        yield field, error.message.removeprefix(f"{field} ")


def _word(value: Any) -> str:
    words = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}
    return words.get(type(value), f"a {type(value).__name__}")
