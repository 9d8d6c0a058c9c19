"""Commands and groups that keep the lines of their examples, and a group that imports a command only to run it."""

# ruff: noqa: ARG002  # the methods have the arguments that click gives them

import re
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

__all__ = ["Command", "Group", "LazyGroup"]

_EXAMPLES = re.compile(r"^( *)Examples:$", re.MULTILINE)


def _keep_lines(text: str | None) -> str | None:
    """Mark the examples of a docstring as text whose lines are not joined: click looks for a backspace on a line."""
    return None if text is None else _EXAMPLES.sub("\\1\b\n\\1Examples:", text)


class Command(click.Command):
    """A command whose help is its docstring, examples as they stand."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes | {"help": _keep_lines(attributes.get("help"))})

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Refuse an empty argument: most often a variable that is not set, it must not mean everything."""
        if "" in args and not ctx.resilient_parsing:
            given, _, _ = self.make_parser(ctx).parse_args(list(args))
            for parameter in self.params:
                value = given.get(parameter.name)
                if isinstance(parameter, click.Argument) and ("" in value if isinstance(value, tuple) else value == ""):
                    raise click.BadParameter("it is empty; leave it out if nothing is meant", ctx, parameter)
        return super().parse_args(ctx, args)


class Group(click.Group):
    """A group of such commands."""

    command_class = Command

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes | {"help": _keep_lines(attributes.get("help"))})


class LazyGroup(Group):
    """A group whose commands are named, with their short help, before they are imported.

    Args:
        lazy: short help by name, in the order in which they are listed. The command is the attribute ``command`` of the
            module of its name in this package.
    """

    def __init__(self, *, lazy: Mapping[str, str], **attributes: Any) -> None:
        super().__init__(**attributes)
        self.lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return list(self.lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in self.lazy:
            return None
        found: click.Command = import_module(f"objreg.cli.{cmd_name}").command
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self.lazy.items()))
