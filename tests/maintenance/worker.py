"""A machine in a process of its own: it pushes and retires the same few contents, or collects, again and again.

Arguments: one JSON object with ``url``, ``name``, ``rounds`` (how often it pushes; 0 to collect, until
it is killed or the file ``done`` is in the folder), and ``folder`` (with the contents).
"""

import json
import sys
from datetime import timedelta
from pathlib import Path
from random import Random

import objreg
from objreg.errors import StoreUnavailable
from objreg.maintenance import collect, plan_collection

MODEL = "race/clf"
CONTENTS = 6


def push(registry: objreg.Registry, random: Random, folder: Path) -> None:
    """Push one of the contents; then retire what is not the latest, so that most contents are garbage most of the time."""
    registry.push(MODEL, folder / f"content{random.randrange(CONTENTS)}")
    for item in registry.versions(MODEL)[1:]:
        if not item.retired:
            registry.retire(item.spec, reason="old")


def gather(registry: objreg.Registry) -> None:
    """Collect what nothing needs, without any grace."""
    for plan in plan_collection(registry, MODEL, grace=timedelta(0)):
        collect(registry, plan)


def main() -> None:
    """Do it as often as was asked."""
    asked = json.loads(sys.argv[1])
    registry, folder = objreg.open(asked["url"], actor=asked["name"]), Path(asked["folder"])
    random, rounds = Random(asked["name"]), asked["rounds"]
    while rounds or not (asked["rounds"] or (folder / "done").exists()):
        try:
            push(registry, random, folder) if asked["rounds"] else gather(registry)
        except StoreUnavailable:
            continue  # too many races in one minute
        rounds -= bool(rounds)


if __name__ == "__main__":
    main()
