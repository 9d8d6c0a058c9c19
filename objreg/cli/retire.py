"""``objreg retire``."""

import click

from objreg.cli.completers import complete_specs
from objreg.cli.help import Command
from objreg.cli.invocation import Invocation, registry_options

__all__ = ["command"]


@click.command(cls=Command)
@click.argument("spec", shell_complete=complete_specs)
@click.option("--reason", required=True, help="Why; it stands in the record.")
@click.option("--expect", metavar="VERSION", help="The version that the spec must name, else refuse.")
@click.option("-m", "--message", default="", help="For the history, where it should say more than the reason.")
@registry_options
@click.pass_obj
def command(invocation: Invocation, spec: str, reason: str, expect: str | None, message: str) -> None:
    """Retire a version: it is not to be used any more.

    It is not the latest any more, and cannot be moved into a state or deployed. Its record and history stay. A version
    that is in a state or in an active deployment is not retired.

    Examples:
      objreg retire fraud/clf:1.0 --reason "trained on leaked labels"
    """
    record = invocation.changing_registry().retire(spec, reason=reason, expect=expect, message=message)
    invocation.changed(record, f"{record.version.model}:{record.version.version}")
