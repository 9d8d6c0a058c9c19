"""A writer in a process of its own: it changes one model again and again, and notes each change that was acknowledged.

Arguments: one JSON object with ``url``, ``options``, ``name``, ``changes``, ``notes`` (a file to add lines to), ``shift`` (seconds that its
clock is off) and ``seed``.
"""

import json
import os
import sys
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import objreg
from objreg.registry.clock import SystemClock

MODEL = "race/clf"


def note(path: Path, line: str) -> None:
    """Add a line that survives a kill."""
    with path.open("a") as file:
        file.write(line + "\n")
        file.flush()
        os.fsync(file.fileno())


def change(registry: objreg.Registry, kind: int, file: Path, token: str) -> bool:
    """Make one change, and tell whether there was anything to do."""
    if kind == 0:
        return registry.push(MODEL, file, message=token).created
    if kind == 1:
        return registry.record_deployment(MODEL, endpoint="https://example.com", message=token).number > 0
    if kind == 2:
        return registry.record_experiment(f"{MODEL}:1.0", token, metrics={"auc": 0.5}, message=token).name == token
    return registry.set_state(MODEL, "production", message=token).changed


def main() -> None:
    """Change the model as often as was asked."""
    asked = json.loads(sys.argv[1])
    if shift := asked["shift"]:
        true_now = SystemClock.now

        def shifted(self: SystemClock) -> datetime:
            return true_now(self) + timedelta(seconds=shift)

        SystemClock.now = shifted  # a machine whose clock is wrong
    registry = objreg.open(
        asked["url"], storage_options=asked["options"] or None, engine=asked.get("engine"), actor=asked["name"]
    )
    random, notes = Random(asked["seed"]), Path(asked["notes"])
    file = notes.with_suffix(".bin")
    for number in range(asked["changes"]):
        token = f"{asked['name']}-{number}"
        note(notes, f"asked {token}")
        file.write_bytes(random.randbytes(2000))
        try:
            changed = change(registry, random.randrange(4), file, token)
        except objreg.CommitUnknown:
            note(notes, f"unknown {token}")
        except objreg.ObjregError as error:
            note(notes, f"refused {token} {type(error).__name__}: {error}")
        else:
            note(notes, f"{'done' if changed else 'unchanged'} {token}")


if __name__ == "__main__":
    main()
