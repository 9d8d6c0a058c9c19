"""Fuzz one decoder, led by what code an input reaches.

``python -m tests.fuzz.run entry`` goes on until it finds something or is stopped; options of libFuzzer may follow, like
``-max_total_time=600`` or ``-runs=100000``. What it finds is written to ``crash-…`` in the working directory: add it to
``tests/fuzz/corpus/<target>/`` with the fix. ``python -m tests.fuzz.run entry crash-…`` runs that one input.
"""

import sys
import tempfile
from pathlib import Path

import atheris

__all__ = ["main"]


def main(arguments: list[str]) -> None:
    """Run the target named first, from its corpus; new inputs are kept in a temporary folder."""
    with atheris.instrument_imports(include=["objreg"]):
        from tests.fuzz.targets import CORPUS, TARGETS, only_ours

    if not arguments or arguments[0] not in TARGETS:
        sys.exit(f"name a target: {', '.join(TARGETS)}")
    target, options = TARGETS[arguments[0]], arguments[1:]
    if not any(Path(option).is_file() for option in options):
        options = [*options, tempfile.mkdtemp(prefix="objreg-fuzz-"), str(CORPUS / arguments[0])]
    atheris.Setup([sys.argv[0], *options], lambda data: only_ours(target, data) and None)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
