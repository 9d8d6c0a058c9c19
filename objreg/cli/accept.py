"""``objreg accept``."""

import click

from objreg.cli.completers import complete_models
from objreg.cli.help import Command
from objreg.cli.invocation import Invocation, registry_options
from objreg.cli.output import Table, plain
from objreg.errors import NotFound

__all__ = ["command"]


@click.command(cls=Command)
@click.argument("model", required=False, default="", shell_complete=complete_models)
@registry_options
@click.pass_obj
def command(invocation: Invocation, model: str) -> None:
    """Accept the history of a registry that was restored or replaced on purpose.

    objreg remembers the newest entry that this machine saw of each model, and refuses a registry that is older or holds
    another history. This forgets what was seen: of one model, or without MODEL of everything in the registry. Find out
    first who restored it, and from what: "objreg log" and "objreg fsck" show what is there now.

    Examples:
      objreg accept fraud/clf
      objreg accept --registry s3://models/restored
    """
    registry = invocation.registry()
    models = (model,) if model else registry.models()
    if not model:
        for namespace in ("", *registry.namespaces()):
            registry.accept_history(namespace=namespace)
    for found in models:
        registry.accept_history(found)
    heads = {}
    for found in models:
        try:
            heads[found] = registry.head(found)
        except NotFound:  # its first push is under way, or broke off: there is nothing to accept
            if model:
                raise
    documents = [
        {"model": found, "seq": head.seq, "time": head.time, "digest": head.digest} for found, head in heads.items()
    ]
    rows = ((found, head.seq, plain(head.time), head.digest) for found, head in heads.items())
    invocation.output.result(documents, Table(("model", "seq", "time", "digest"), rows))
