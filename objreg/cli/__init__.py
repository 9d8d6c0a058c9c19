"""The command line: the only place that prints, exits, or reads arguments."""

from typing import NoReturn

__all__ = ["main"]


def main() -> NoReturn:
    """Run the command line with this process's arguments, and exit."""
    import sys

    from objreg.cli.interrupts import end_on_interrupt
    from objreg.cli.program import run

    end_on_interrupt()
    sys.exit(run(sys.argv[1:]))
