"""``objreg policy``."""

import click

from objreg.cli.completers import complete_namespaces
from objreg.cli.help import Command
from objreg.cli.invocation import Invocation, registry_options
from objreg.cli.output import Output
from objreg.core.access.policy import CLOUDS, ROLES, policy
from objreg.errors import InvalidInput

__all__ = ["command"]

_SCHEMES = {"s3": "s3", "gs": "gcs", "az": "azure"}
_NEXT = {
    "s3": "attach it to a user or role; --principal makes it the bucket's own policy, which holds for everybody",
    "gcs": "make the roles, add the bindings to the bucket's policy; PROJECT and NAME are yours to fill in",
    "azure": "make the role, then the assignment; SUBSCRIPTION, GROUP, ACCOUNT and PRINCIPAL are yours to fill in",
}


@click.command(cls=Command)
@click.argument("cloud", type=click.Choice(CLOUDS))
@click.option("--role", type=click.Choice(ROLES), required=True, help="Who it is for.")
@click.option(
    "--namespace",
    "namespaces",
    multiple=True,
    shell_complete=complete_namespaces,
    help="Only this namespace and all below it; may be repeated.",
)
@click.option(
    "--principal",
    "principals",
    multiple=True,
    metavar="WHO",
    help="Who gets it: an ARN, serviceAccount:…, an object id; may be repeated.",
)
@registry_options
@click.pass_obj
def command(
    invocation: Invocation, cloud: str, role: str, namespaces: tuple[str, ...], principals: tuple[str, ...]
) -> None:
    """Print the least-privilege policy for a role.

    With it the bucket itself keeps what is written as it is. A reader reads. A writer also pushes. A promoter changes
    states and records experiments and deployments, and adds no files. An admin also defines states, describes
    namespaces and collects unused blobs. Nobody overwrites anything, or deletes history. No request is made; what this
    cannot enforce is said in docs/access.md.

    Examples:
      objreg policy s3 --role writer --namespace fraud --registry s3://models/registry
      objreg policy s3 --role reader --principal arn:aws:iam::111122223333:role/serving
      objreg policy gcs --role promoter --principal serviceAccount:ci@acme.iam.gserviceaccount.com
    """
    from objreg.local.config import load_settings
    from objreg.store.urls import parse_location, redact

    url = load_settings(invocation.url, storage_options=invocation.options, engine=invocation.engine).url
    found = parse_location(url)
    if found is None or _SCHEMES[found[0].scheme] != cloud:
        scheme = next(scheme for scheme, name in _SCHEMES.items() if name == cloud)
        raise InvalidInput(
            f"{redact(url)} is not in {cloud}; name a registry there: --registry {scheme}://bucket/prefix"
        )
    location = found[0]
    document = policy(
        cloud, role, bucket=location.bucket, prefix=location.prefix, namespaces=namespaces, principals=principals
    )
    Output(json=True).result(document)  # it is JSON for everybody
    invocation.output.note(_NEXT[cloud])
