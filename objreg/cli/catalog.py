"""``objreg catalog``."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from objreg.cli.completers import complete_models
from objreg.cli.help import Group
from objreg.cli.invocation import Invocation, json_option, message_option, registry_options
from objreg.cli.output import Fields, Table
from objreg.errors import InvalidInput

if TYPE_CHECKING:  # imported by the commands when they are used
    from objreg.catalog.documents import CatalogDocument, Problem
    from objreg.core.records import Catalog

__all__ = ["command"]

_files = click.argument(
    "files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False)
)


@click.group(cls=Group)
def command() -> None:
    """Say what a model is, by a document in Git.

    Examples:
      objreg catalog validate catalog/*.toml
      objreg catalog apply catalog/*.toml
    """


@command.command("apply")
@_files
@click.option("--expect", metavar="DIGEST", help="The newest entry or catalog that you saw, else refuse.")
@message_option
@registry_options
@click.pass_obj
def apply(invocation: Invocation, files: tuple[Path, ...], expect: str | None, message: str) -> None:
    """Make documents the catalogs of their models.

    A document is TOML, JSON or YAML, with the fields model, description, owner, url, data_sources, inference and tags.
    All are checked before the first is applied. Each catalog is replaced as a whole. Prints the models, and whether the
    catalog changed.

    Examples:
      objreg catalog apply catalog/fraud-clf.toml -m "new owner"
      objreg catalog apply catalog/*.toml
    """
    if expect is not None and len(files) > 1:
        raise click.UsageError("--expect is for one document: a catalog of one model is what you saw")
    documents = _checked(files)
    registry = invocation.changing_registry()
    applied = []
    for document in documents:
        catalog = registry.put_catalog(document.model, **document.fields, expect=expect, message=message)
        applied.append((document, catalog, invocation.commits[-1]))
    rows = [(document.model, "changed" if changed else "unchanged") for document, _, changed in applied]
    report = [
        {"file": document.file, "model": document.model, "changed": changed, "catalog": catalog}
        for document, catalog, changed in applied
    ]
    invocation.output.result(report, Table(("model", "catalog"), rows))


def _checked(files: Sequence[Path]) -> "tuple[CatalogDocument, ...]":
    from objreg.catalog.documents import check_documents

    documents, problems = check_documents(files)
    if problems:
        raise InvalidInput(_sentence(problems), problems=problems)
    return documents


def _sentence(problems: "Sequence[Problem]") -> str:
    first = "; ".join(map(str, problems))
    return f"{len(problems)} {'problem' if len(problems) == 1 else 'problems'}, nothing was applied: {first}"


@command.command("show")
@click.argument("model", shell_complete=complete_models)
@registry_options
@click.pass_obj
def show(invocation: Invocation, model: str) -> None:
    """Show what a model is said to be.

    Examples:
      objreg catalog show fraud/clf
    """
    found = invocation.registry().catalog(model)
    invocation.output.result(found, Fields(_fields(found)))


def _fields(catalog: "Catalog") -> list[tuple[str, str | int | float]]:
    import json

    values = [
        ("model", catalog.model),
        ("description", catalog.description),
        ("owner", catalog.owner),
        ("url", catalog.url),
        ("tags", ",".join(catalog.tags)),
        ("created", catalog.created_at),
        ("by", catalog.created_by),
    ]
    values += [
        (f"data_source.{source.name}", " ".join(filter(None, (source.type, source.description))))
        for source in catalog.data_sources
    ]
    for name, side in (("input", catalog.inference.input), ("output", catalog.inference.output)):
        values += [(f"{name}.description", side.description), (f"{name}.schema", json.dumps(side.schema))]
    return [(name, value) for name, value in values if value not in {"", "{}"}]


@command.command("validate")
@_files
@json_option
@click.pass_context
def validate(ctx: click.Context, files: tuple[Path, ...]) -> None:
    """Check documents without a registry: all that is wrong in all of them, each with its file and field.

    Exits with 2 if anything is wrong.

    Examples:
      objreg catalog validate catalog/*.toml
    """
    from objreg.catalog.documents import check_documents

    documents, problems = check_documents(files)
    output = ctx.obj.output
    rows = [(problem.file, problem.field, problem.message) for problem in problems]
    models = [{"file": document.file, "model": document.model} for document in documents]
    views = [Table(("file", "field", "problem"), rows)] if problems else []
    output.result({"documents": models, "problems": problems}, *views)
    if problems:
        ctx.exit(InvalidInput.exit_code)
    output.note(f"{len(documents)} {'document is' if len(documents) == 1 else 'documents are'} right")
