"""Predict with a version of the model: rows in, predictions out, as JSON.

    python examples/predict.py medical/tumor@production [REGISTRY] < rows.json

The answer names the version that gave it. A pulled joblib file is a pickle, which runs code when it is loaded: pull
models only from registries whose writers you trust.
"""

import json
import sys

import joblib

import objreg

if __name__ == "__main__":
    spec, *where = sys.argv[1:3]
    registry = objreg.open(*where)
    version = registry.resolve(spec)  # resolved once, so that the name and the files are of one version
    classifier = joblib.load(registry.pull(version) / "model.joblib")
    probabilities = classifier.predict_proba(json.load(sys.stdin))
    json.dump({"version": version.spec, "digest": version.digest, "probabilities": probabilities.tolist()}, sys.stdout)
