"""``objreg pull``."""

from pathlib import Path

import click

from objreg.cli.completers import complete_specs
from objreg.cli.help import Command
from objreg.cli.invocation import Invocation, offline_option, registry_options
from objreg.cli.progress import progress_bar

__all__ = ["command"]


@click.command(cls=Command)
@click.argument("spec", shell_complete=complete_specs)
@click.argument("destination", required=False, type=click.Path(path_type=Path))
@click.option("--include", metavar="PATTERN", multiple=True, help="Fetch only files that match; may be repeated.")
@click.option("--exclude", metavar="PATTERN", multiple=True, help="Leave out files that match; may be repeated.")
@offline_option
@registry_options
@click.pass_obj
def command(
    invocation: Invocation, spec: str, destination: Path | None, include: tuple[str, ...], exclude: tuple[str, ...]
) -> None:
    """Fetch the files of a version, or some of them.

    Prints the path of a complete, read-only folder in the cache, or of DESTINATION, which must not exist or be empty.
    With a file or a folder behind the version only that is fetched, and its path is printed.

    A PATTERN is a path inside the version: * and ? stand for characters of one name, ** for any number of folders, and
    a / at the end for all that is below.

    Examples:
      objreg pull fraud/clf@production
      objreg pull fraud/clf:1.2 ./model
      objreg pull fraud/clf:1.2/vocab.txt
      objreg pull fraud/clf:1.2 ./small --include '**/*.json' --exclude 'logs/'
    """
    from objreg.core.selection import select_files
    from objreg.core.specs import parse_spec
    from objreg.registry.download import file_paths

    registry = invocation.registry()
    registry.session.tell = invocation.output.note
    parsed = parse_spec(spec)
    file = parsed.file
    version = registry.resolve(spec)
    pinned = f"{version.spec}/{file}" if file else version.spec
    files = file_paths(version.artifacts)
    size = sum(files[path].size for path in select_files(files, below=file, include=include, exclude=exclude))
    with progress_bar(f"pull {version.spec}", size, quiet=invocation.json) as received:
        wanted = pinned if file else version
        path = registry.pull(wanted, destination=destination, include=include, exclude=exclude, progress=received)
    if pinned != spec:
        locked = parsed.bare and registry.lock is not None and registry.lock.get(parsed.path) is not None
        invocation.output.note(f"{spec} is {pinned}" + (f", by {registry.lock_path}" if locked else ""))
    document = {"spec": version.spec, "digest": version.digest, "file": file or None, "path": str(path)}
    invocation.output.result(document, str(path))
