"""``objreg resolve``."""

import click

from objreg.cli.completers import complete_specs
from objreg.cli.help import Command
from objreg.cli.invocation import Invocation, offline_option, registry_options
from objreg.cli.output import Table

__all__ = ["command"]


@click.command(cls=Command)
@click.argument("spec", shell_complete=complete_specs)
@offline_option
@registry_options
@click.pass_obj
def command(invocation: Invocation, spec: str) -> None:
    """Print which version a spec names.

    Prints the version's own spec and the digest of its record.

    Examples:
      objreg resolve fraud/clf@production
      objreg resolve fraud/clf:1 | cut -f1
      objreg resolve fraud/clf@production --offline
    """
    version = invocation.registry().resolve(spec)
    document = {
        "spec": version.spec,
        "model": version.model,
        "version": version.version,
        "digest": version.digest,
    }
    invocation.output.result(document, Table(("version", "digest"), [(version.spec, version.digest)]))
