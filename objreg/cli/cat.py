"""``objreg cat``."""

import click

from objreg.cli.completers import complete_specs
from objreg.cli.help import Command
from objreg.cli.invocation import Invocation, offline_option, registry_options

__all__ = ["command"]


@click.command(cls=Command)
@click.argument("name", metavar="OBJECT", shell_complete=complete_specs)
@offline_option
@registry_options
@click.pass_obj
def command(invocation: Invocation, name: str) -> None:
    """Print an object as it is stored.

    OBJECT is a version (its record), a version with a file behind it (that file), or a digest: sha256:… is looked for
    everywhere, fraud/clf@sha256:… in one model. The bytes are verified, and printed as they are. A file of a version
    that was pulled is read from the cache.

    Examples:
      objreg cat fraud/clf:1.2 | jq .metadata
      objreg cat fraud/clf@production/vocab.txt | head
      objreg cat sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae
    """
    from objreg.core.specs import parse_spec

    registry = invocation.registry()
    is_file = not name.startswith("sha256:") and bool(parse_spec(name).file)
    chunks = registry.read(name) if is_file else iter((registry.object(name),))
    if invocation.json:
        invocation.output.result(_document(name, b"".join(chunks)))
    else:
        invocation.output.raw(chunks)


def _document(name: str, data: bytes) -> dict[str, object]:
    import base64

    from objreg.core.digest import digest_of

    return {
        "object": name,
        "digest": digest_of(data),
        "size": len(data),
        "base64": base64.b64encode(data).decode("ascii"),
    }
