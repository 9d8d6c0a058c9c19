"""``objreg pull``."""

from pathlib import Path

import click

from objreg.cli.completers import complete_specs
from objreg.cli.help import Command
from objreg.cli.invocation import Invocation, registry_options
from objreg.cli.progress import progress_bar

__all__ = ["command"]


@click.command(cls=Command)
@click.argument("spec", shell_complete=complete_specs)
@click.argument("destination", required=False, type=click.Path(path_type=Path))
@registry_options
@click.pass_obj
def command(invocation: Invocation, spec: str, destination: Path | None) -> None:
    """Fetch the files of a version.

    Prints the path of a complete, read-only folder in the cache, or of DESTINATION, which must not exist or be empty.
    With a file behind the version, the path of that file.

    Examples:
      objreg pull fraud/clf@production
      objreg pull fraud/clf:1.2 ./model
      objreg pull fraud/clf:1.2/vocab.txt
    """
    from objreg.core.specs import parse_spec

    registry = invocation.registry()
    file = parse_spec(spec).file
    version = registry.resolve(spec)
    pinned = f"{version.spec}/{file}" if file else version.spec
    with progress_bar(f"pull {version.spec}", version.size, quiet=invocation.json) as received:
        path = registry.pull(pinned, destination=destination, progress=received)
    if pinned != spec:
        invocation.output.note(f"{spec} is {pinned}")
    document = {"spec": version.spec, "digest": version.digest, "file": file or None, "path": str(path)}
    invocation.output.result(document, str(path))
