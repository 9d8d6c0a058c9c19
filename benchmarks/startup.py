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
    """Print the times, and tell by the exit code whether the budget is kept.

    The shortest of many runs counts: whatever else the machine does can only make a run longer.
    """
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    pairs = [(milliseconds("-c", "pass"), milliseconds("-m", "objreg", "--help")) for _ in range(runs)]
    for name, choose in (("median", statistics.median), ("shortest", min)):
        bare, help_ = (choose(column) for column in zip(*pairs, strict=True))
        print(f"{name} of {runs}: bare interpreter {bare:.0f} ms, objreg --help {help_:.0f} ms")
    print(f"objreg --help takes {help_ - bare:.0f} ms more; the budget is {BUDGET_MS:.0f} ms")
    return int(help_ - bare > BUDGET_MS)


if __name__ == "__main__":
    sys.exit(main())
