"""Write the JSON Schemas and the test vectors of the format, or see to it that they are as the code says.

    python schemas/generate.py            writes what differs
    python schemas/generate.py --check    changes nothing; exits with 1 and names what differs

A vector that changes means that the format changed: that is a new format number, or a mistake.
"""

import json
import sys
from pathlib import Path
from typing import Any

from json_schemas import json_schemas
from vector_cases import CASES
from vector_objects import object_vectors
from vector_versions import VERSIONS

FOLDER = Path(__file__).parent


def contents() -> dict[str, bytes]:
    """Return what each file should hold, by its path below this folder."""
    found = {f"{name}.schema.json": _pretty(schema) for name, schema in json_schemas().items()}
    index = []
    for vector in object_vectors():
        found[f"vectors/objects/{vector.name}.json"] = vector.data
        file = f"objects/{vector.name}.json"
        index.append({"file": file, "schema": vector.schema, "key": vector.key, "digest": vector.digest})
    about = "objects as they are stored: the file's bytes, their key in a registry, their digest, and their schema"
    cases = CASES | {"versions": VERSIONS, "objects": {"about": about, "cases": index}}
    return found | {f"vectors/{name}.json": _pretty(case) for name, case in cases.items()}


def _pretty(value: Any) -> bytes:
    # ASCII, so that no editor or transfer changes the characters that the vectors are about.
    return (json.dumps(value, indent=2) + "\n").encode("ascii")


def main(arguments: list[str]) -> int:
    """Write or check; return the exit code."""
    wanted = contents()
    present = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.json")}
    changed = [name for name, data in wanted.items() if name not in present or (FOLDER / name).read_bytes() != data]
    left = sorted(present - set(wanted))
    if "--check" in arguments:
        for name in (*changed, *left):
            print(f"schemas/{name} is not what the code says: run python schemas/generate.py", file=sys.stderr)
        return 1 if changed or left else 0
    for name in changed:
        path = FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(wanted[name])
        print(f"wrote schemas/{name}")
    for name in left:
        print(f"schemas/{name} is nobody's: remove it", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
