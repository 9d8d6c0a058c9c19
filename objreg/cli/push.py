"""``objreg push``."""

from pathlib import Path
from typing import Any

import click

from objreg.cli.completers import complete_specs, complete_states
from objreg.cli.help import Command
from objreg.cli.invocation import Invocation, description_option, key_values, message_option, registry_options
from objreg.cli.progress import progress_bar
from objreg.cli.values import merged, sources

__all__ = ["command"]


@click.command(cls=Command)
@click.argument("model", shell_complete=complete_specs)
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path())
@click.option("-v", "--version", help="The version to add; left out, the next one.")
@click.option("--bump", help="Which part the next version raises: minor (default), major; patch in semver.")
@click.option("--scheme", help="Of a new model: major.minor (default), semver, integer, date, free.")
@description_option
@click.option("--metadata", metavar="KEY=VALUE", multiple=True, callback=key_values, help="A JSON value, or text.")
@click.option("--metadata-file", type=click.Path(path_type=Path), help="A TOML, JSON or YAML file of metadata.")
@click.option("--framework", default="", help="What made the model, like scikit-learn.")
@click.option("--parent", metavar="SPEC", shell_complete=complete_specs, help="The version this one was made from.")
@click.option("--state", shell_complete=complete_states, help="Move it into this state, in the same commit.")
@click.option("--expect", metavar="VERSION", help='The latest version that you saw ("" for none), else refuse.')
@click.option("--compress/--no-compress", default=None, help="Compress all files, or none; else what is worth it.")
@message_option
@registry_options
@click.pass_obj
def command(
    invocation: Invocation,
    /,
    model: str,
    paths: tuple[str, ...],
    metadata: dict[str, str],
    metadata_file: Path | None,
    state: str | None,
    message: str,
    **given: Any,
) -> None:
    """Add a version to a model.

    MODEL is like fraud/clf, or fraud/clf:1.2 to say the version. One PATH, a file or a folder, is pulled again as it
    is. Several, or NAME=PATH, are artifacts of their own, each pulled into a folder of its name. Prints the new
    version's spec. The same files under the same version are no change.

    Examples:
      objreg push fraud/clf model.joblib -m "more data"
      objreg push fraud/clf weights=out/model.safetensors tokenizer=out/tokenizer --bump major
      objreg push fraud/clf out/ --metadata epochs=3 --metadata optimizer=adam --state staging
    """
    registry = invocation.registry()
    what = sources(paths)
    given["metadata"] = merged("metadata", metadata_file, metadata)
    with progress_bar(f"push {model}", _size(what), quiet=invocation.json) as sent:
        if state is None:
            version = registry.push(model, what, message=message, progress=sent, **given)
        else:
            with registry.transaction(model.partition(":")[0], message=message) as transaction:
                version = transaction.push(model, what, progress=sent, **given)
                transaction.set_state(version, state)
    if not version.created:
        invocation.output.note(f"{version.spec} was there already with the same files")
    document = {
        "spec": version.spec,
        "model": version.model,
        "version": version.version,
        "digest": version.digest,
        "created": version.created,
        "size": version.size,
        "state": state,
    }
    invocation.output.result(document, version.spec)


def _size(what: str | dict[str, str]) -> int:
    from objreg.registry.sources import artifact_sources
    from objreg.registry.upload import total_size

    return total_size(artifact_sources(what))
