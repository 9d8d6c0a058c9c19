"""How long ``objreg --help`` takes beyond the start of a bare interpreter. The budget is 100 ms.

``python benchmarks/startup.py [RUNS]``: both are started in turn, so that a busy machine slows both alike.
"""

import statistics
import subprocess
import sys
import time

BUDGET_MS = 100.0


def milliseconds(*arguments: str) -> float:
    """Return how long one process takes, from its start to its end."""
    began = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - began) * 1000


def main() -> int:
    """Print medians, and tell by the exit code whether the budget is kept."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    pairs = [(milliseconds("-c", "pass"), milliseconds("-m", "objreg", "--help")) for _ in range(runs)]
    bare, help_ = (statistics.median(column) for column in zip(*pairs, strict=True))
    extra = statistics.median(second - first for first, second in pairs)
    print(f"bare interpreter {bare:.0f} ms, objreg --help {help_:.0f} ms: {extra:.0f} ms more ({runs} runs)")
    return int(extra > BUDGET_MS)


if __name__ == "__main__":
    sys.exit(main())
