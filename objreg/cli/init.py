"""``objreg init``."""

import click

from objreg.cli.help import Command
from objreg.cli.invocation import Invocation, storage_options

__all__ = ["command"]


@click.command(cls=Command)
@click.argument("location", metavar="[URL]", required=False)
@click.option("--registry", "url", metavar="URL", help="The same as the argument.")
@click.option("--description", help="What the registry is for.")
@click.option("--owner", help="Who answers for it.")
@storage_options
@click.pass_obj
def command(
    invocation: Invocation, location: str | None, url: str | None, description: str | None, owner: str | None
) -> None:
    """Create a registry, unless there is one.

    URL is a folder, s3://bucket/prefix, gs://bucket/prefix or az://container/prefix; left out, the configured one. The
    store is first asked to prove that a create never replaces what is there. Prints the registry's URL.

    Examples:
      objreg init ./registry
      objreg init s3://models/registry --description "models of the fraud team" --owner fraud@example.com
      objreg init s3://models/registry --option endpoint_url=http://localhost:9000
    """
    from objreg.registry.opening import create_registry

    if location and url and location != url:
        raise click.UsageError(f"the argument says {location} and --registry says {url}: give one of them")
    options = invocation.options or None
    registry, created = create_registry(location or url, storage_options=options, engine=invocation.engine)
    click.get_current_context().call_on_close(registry.close)
    if description is not None or owner is not None:
        registry.session.committed = invocation.commits.append
        registry.put_settings(description=description, owner=owner, url=None)
    if not created:
        invocation.output.note(f"there is a registry in {registry.url} already")
    changed = created or any(invocation.commits)
    document = {"url": registry.url, "created": created, "settings": registry.settings(), "changed": changed}
    invocation.output.result(document, registry.url)
