"""One use of the command line: which registry, and how to answer. Options that every command has are declared here."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import click

from objreg.cli.output import Output, View, plain

if TYPE_CHECKING:  # the registry is imported when a command uses it, not when help is shown
    from objreg.registry.registry import Registry

__all__ = [
    "Invocation",
    "description_option",
    "json_option",
    "key_values",
    "message_option",
    "offline_option",
    "registry_options",
    "storage_options",
]

_HARMLESS = 8
"""Characters that may be repeated: anything longer may be a secret without its name, and this may be a log."""

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass
class Invocation:
    """What the options that every command has say.

    Attributes:
        url: of the registry, or None for the configured one.
        options: for the store.
        engine: for the store, or None for objreg's choice.
        json: whether to answer in JSON.
        debug: whether to show tracebacks.
        offline: whether to make no request.
        commits: of each commit that was made, whether it changed anything.
    """

    url: str | None = None
    options: dict[str, str] = field(default_factory=dict, repr=False)
    engine: str | None = None
    json: bool = False
    debug: bool = False
    offline: bool = False
    commits: list[bool] = field(default_factory=list)

    @property
    def output(self) -> Output:
        """Where results go."""
        return Output(self.json)

    def registry(self) -> "Registry":
        """Open the registry; it is closed when the command ends."""
        import objreg

        registry = objreg.open(self.url, storage_options=self.options or None, engine=self.engine, offline=self.offline)
        registry.assets = None  # a command prints what it was asked for, whatever stands in for it in development
        click.get_current_context().call_on_close(registry.close)
        return registry

    def changing_registry(self) -> "Registry":
        """Open the registry to change it: ``commits`` has whether anything was."""
        registry = self.registry()
        registry.session.committed = self.commits.append
        return registry

    def changed(self, record: Any, *views: View) -> None:
        """Print the record that a change left, and whether anything changed by it."""
        if not any(self.commits):
            self.output.note("nothing changed")
        self.output.result(plain(record) | {"changed": any(self.commits)}, *views)


def key_values(_ctx: click.Context | None, param: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """Return repeated ``key=value`` options as a dictionary."""
    found: dict[str, str] = {}
    for text in values:
        key, separator, value = text.partition("=")
        if not key or not separator:
            shown = text if len(text) <= _HARMLESS else text[:3] + "…"
            raise click.BadParameter(f"{shown!r} is not key=value", param=param)
        if key in found:
            raise click.BadParameter(f"{key!r} is given twice", param=param)
        found[key] = value
    return found


def _remember(attribute: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def callback(ctx: click.Context, _param: click.Parameter, value: Any) -> None:
        setattr(ctx.ensure_object(Invocation), attribute, value)

    return callback


def _remember_options(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> None:
    ctx.ensure_object(Invocation).options = key_values(ctx, param, values)


def _remembered(attribute: str, *names: str, **settings: Any) -> Callable[[Command], Command]:
    """Return an option whose value the invocation holds, not the command."""
    return click.option(*names, expose_value=False, callback=_remember(attribute), **settings)


description_option = click.option("-d", "--description", default="", help="For people.")
message_option = click.option("-m", "--message", default="", help="Why, for the history.")
json_option = _remembered(
    "json", "--json", is_flag=True, help="Answer with one JSON document on stdout; errors are JSON on stderr."
)
offline_option = _remembered(
    "offline", "--offline", is_flag=True, help="Make no request: use what this machine has seen and the cache."
)
_engine_option = _remembered(
    "engine", "--engine", type=click.Choice(["obstore", "fsspec"]), help="What speaks to the cloud."
)
_registry_option = _remembered(
    "url", "--registry", "url", metavar="URL", help="The registry; else OBJREG_URL, else objreg.toml."
)
_storage_option = click.option(
    "--option",
    metavar="KEY=VALUE",
    multiple=True,
    expose_value=False,
    callback=_remember_options,
    help="An option of the storage, like endpoint_url=…; may be repeated.",
)


def storage_options(command: Command) -> Command:
    """Add ``--option``, ``--engine`` and ``--json``."""
    return _storage_option(_engine_option(json_option(command)))


def registry_options(command: Command) -> Command:
    """Add what every command that uses a registry has."""
    return _registry_option(storage_options(command))
