"""The main job from end to end: train, push, promote, evaluate, deploy on paper, and predict from an empty machine.

    python examples/main_job.py [REGISTRY]

REGISTRY is a folder or a URL like s3://bucket/prefix; without it, see train.py. The last step runs in another process
whose cache is empty, as on a machine that has never seen the model, and must give the same predictions.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import joblib
from evaluate import evaluate
from train import MODEL, promote, split, train

import objreg


def predict_elsewhere(rows: list[list[float]]) -> dict[str, object]:
    """Return what predict.py says in a process of its own with an empty cache."""
    with tempfile.TemporaryDirectory() as empty:
        answer = subprocess.run(
            [sys.executable, str(Path(__file__).with_name("predict.py")), f"{MODEL}@production", *sys.argv[1:2]],
            input=json.dumps(rows),
            env=os.environ | {"OBJREG_CACHE_DIR": empty, "PYTHONWARNINGS": "ignore"},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    found: dict[str, object] = json.loads(answer.stdout)
    return found


def main() -> None:
    """Run every step, and say what came of it."""
    registry = objreg.open(*sys.argv[1:2], create=True)
    print(f"registry    {registry.url}")
    version = train(registry)
    print(f"pushed      {version.spec}, {version.size} bytes, {version.digest}")
    change = promote(registry, version)
    print(f"production  {', '.join(change.before) or 'nothing'} -> {', '.join(change.after)}")
    experiment = evaluate(registry, f"{MODEL}@production")
    metrics = ", ".join(f"{name} {value:.3f}" for name, value in experiment.metrics.items())
    print(f"evaluated   {experiment.name}: {experiment.status}, {metrics}")
    deployment = registry.record_deployment(
        version, endpoint="http://127.0.0.1:8080/predict", method="serve.py", environment={"LOG_LEVEL": "info"}
    )
    print(f"deployed    number {deployment.number} at {deployment.endpoint}")

    _, rows, _, _ = split()
    here = joblib.load(registry.pull(version) / "model.joblib").predict_proba(rows).tolist()
    there = predict_elsewhere(rows.tolist())
    if (there["digest"], there["probabilities"]) != (version.digest, here):
        sys.exit("the other process gave other predictions")
    print(f"pulled      {there['version']} in another process with an empty cache: {len(here)} equal predictions")


if __name__ == "__main__":
    main()
