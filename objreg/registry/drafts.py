"""Make the fields of records from what a caller gives: checked, as plain JSON, without secrets, stamped."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from objreg.core.digest import check_digest, combined_digest
from objreg.core.encoding import json_value
from objreg.core.names import check_part
from objreg.core.provenance import CodeState, Dataset, Environment
from objreg.core.records import DataSource, Inference
from objreg.core.secrets import refuse_secret_text, refuse_secrets
from objreg.core.times import format_time
from objreg.errors import InvalidInput
from objreg.registry.clock import Clock
from objreg.registry.sources import artifact_sources, file_digest

__all__ = [
    "DatasetLike",
    "Stamp",
    "catalog_fields",
    "code",
    "datasets",
    "environment",
    "json_object",
    "metrics",
    "seconds",
    "text",
]

DatasetLike = Dataset | str | os.PathLike[str]


@dataclass(frozen=True)
class Stamp:
    """When and who, for a record."""

    created_at: str
    created_by: str
    today: date

    @classmethod
    def of(cls, clock: Clock, actor: str) -> "Stamp":
        """Return the stamp of this moment."""
        now = clock.now()
        return cls(format_time(now), actor, now.date())


def code() -> CodeState | None:
    """Return the Git state of the working directory, or None outside a repository."""
    from objreg.local.git import code_state

    found = code_state()
    return None if found is None else CodeState(**asdict(found))


@cache
def environment() -> Environment:
    """Return what this interpreter is and what is installed for it."""
    from objreg.local.environment import dependency_versions, platform_name, python_version

    return Environment(python=python_version(), platform=platform_name(), dependencies=dependency_versions())


def json_object(value: Mapping[str, Any] | None, what: str) -> dict[str, Any]:
    """Return a caller's mapping as a plain JSON object without secrets.

    Raises:
        InvalidInput: JSON cannot hold it, or something in it looks like a secret.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InvalidInput(f"{what} must be a mapping of names to values; got a {type(value).__name__}")
    found: dict[str, Any] = json_value(dict(value), what)
    refuse_secrets(found, what)
    return found


def metrics(value: Mapping[str, Any] | None) -> dict[str, float]:
    """Return metrics as finite numbers by name.

    Raises:
        InvalidInput: one is not a number, or not finite.
    """
    found = json_object(value, "metrics")
    for name, number in found.items():
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise InvalidInput(
                f"metrics.{name} is a {type(number).__name__}: a metric is a number; parameters hold anything else"
            )
    return {name: float(number) for name, number in found.items()}


def text(value: str, what: str) -> str:
    """Return a caller's text, if it is one and holds no secret."""
    if not isinstance(value, str):
        raise InvalidInput(f"{what} must be text; got a {type(value).__name__}")
    return refuse_secret_text(value, what)


def seconds(value: float | timedelta | None) -> float | None:
    """Return a duration in seconds.

    Raises:
        InvalidInput: it is not a finite number, or negative.
    """
    if value is None:
        return None
    found = json_value(value.total_seconds() if isinstance(value, timedelta) else value, "duration")
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise InvalidInput(f"duration is a {type(found).__name__}: it is a number of seconds, or a timedelta")
    if found < 0:
        raise InvalidInput(f"a duration cannot be negative; got {found} seconds")
    return float(found)


def datasets(value: Mapping[str, DatasetLike] | Iterable[Dataset] | None) -> tuple[Dataset, ...]:
    """Return data sets as they stand in a record.

    Args:
        value: ``Dataset`` values; or names with a digest (``sha256:…``), or with a local file or folder, which is then
            hashed.

    Raises:
        InvalidInput: a name is not allowed, or a path is not there.
    """
    if value is None:
        return ()
    named = value.items() if isinstance(value, Mapping) else ((found.name, found) for found in value)
    return tuple(_dataset(name, found) for name, found in named)


def _dataset(name: str, value: DatasetLike) -> Dataset:
    check_part(name, "data set name")
    if isinstance(value, Dataset):
        for field in ("url", "description"):
            text(getattr(value, field), f"{field} of data set {name}")
        return value
    if isinstance(value, str) and value.startswith("sha256:"):
        return Dataset(name=name, digest=check_digest(value))
    (artifact,) = artifact_sources(Path(value))
    digests = [file_digest(source) for source in artifact.files]
    alone = len(digests) == 1 and not Path(value).is_dir()
    return Dataset(name=name, digest=digests[0] if alone else combined_digest(digests))


def catalog_fields(
    description: str,
    owner: str,
    url: str,
    data_sources: Iterable[DataSource | Mapping[str, Any]],
    inference: Inference | Mapping[str, Any] | None,
    tags: Iterable[str],
) -> dict[str, Any]:
    """Return the fields of a catalog, checked.

    Raises:
        InvalidInput: a field is not of its type, an inference schema is no JSON Schema object, or something looks like
            a secret.
    """
    sources = tuple(
        _converted(source, DataSource, f"data_sources[{index}]") for index, source in enumerate(data_sources)
    )
    for source in sources:
        refuse_secrets(msgspec.to_builtins(source), f"data source {source.name}")
    names = [source.name for source in sources]
    if len(set(names)) != len(names):
        raise InvalidInput(f"data sources need different names; got {', '.join(names)}")
    if isinstance(tags, str):
        raise InvalidInput("tags must be a list of words; got one text")
    return {
        "description": text(description, "description"),
        "owner": text(owner, "owner"),
        "url": text(url, "url"),
        "data_sources": sources,
        "inference": Inference() if inference is None else _converted(inference, Inference, "inference"),
        "tags": tuple(sorted({text(tag, "tag") for tag in tags})),
    }


def _converted(value: Any, kind: type[Any], what: str) -> Any:
    plain = json_value(msgspec.to_builtins(value) if isinstance(value, msgspec.Struct) else value, what)
    unknown = set(plain) - set(kind.__struct_fields__) if isinstance(plain, dict) else set()
    if unknown:
        raise InvalidInput(
            f"{what} has unknown fields {', '.join(sorted(unknown))}; known are {', '.join(kind.__struct_fields__)}"
        )
    try:
        return msgspec.convert(plain, kind)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"{what} is not as a catalog needs it: {error}") from error
