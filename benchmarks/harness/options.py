"""The options that benchmarks have alike."""

import argparse
from collections.abc import Collection

__all__ = ["add_only", "new_parser"]


def new_parser(
    description: str | None, *, quick: str | None = None, rounds: int | None = None
) -> argparse.ArgumentParser:
    """Return a parser that knows ``--write`` and ``--quick``, of which only one may be given.

    Args:
        description: the module's docstring.
        quick: what a quick run is; without it there is no such option.
        rounds: how many there are if ``--rounds`` does not say; without it there is no such option.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    either = parser.add_mutually_exclusive_group()
    write = "put what was measured into docs/performance.md; a quick run is not for the page"
    either.add_argument("--write", action="store_true", help=write)
    if quick is not None:
        either.add_argument("--quick", action="store_true", help=f"{quick}: shows that everything works")
    if rounds is not None:
        parser.add_argument("--rounds", type=int, default=rounds, help="how many, %(default)s if left out")
    return parser


def add_only(parser: argparse.ArgumentParser, choices: Collection[str], metavar: str) -> None:
    """Add ``--only``, which leaves out what it does not name."""
    parser.add_argument(
        "--only", nargs="+", choices=choices, default=tuple(choices), metavar=metavar, help=" ".join(choices)
    )
