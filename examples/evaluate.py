"""Evaluate the version in production on data that it has not seen, and record the result: once, for good.

Run it after train.py:

    python examples/evaluate.py [REGISTRY]
"""

import sys

import joblib
from sklearn.metrics import accuracy_score, roc_auc_score
from train import MODEL, split

import objreg

REQUIRED_AUC = 0.95


def evaluate(registry: objreg.Registry, spec: str) -> objreg.Experiment:
    """Record the experiment ``holdout`` of a version, or return the one that was recorded before."""
    version = registry.resolve(spec)
    classifier = joblib.load(registry.pull(version) / "model.joblib")
    _, features, _, labels = split()
    auc = roc_auc_score(labels, classifier.predict_proba(features)[:, 1])
    try:
        return registry.record_experiment(
            version,
            "holdout",
            metrics={"accuracy": accuracy_score(labels, classifier.predict(features)), "auc": auc},
            parameters={"rows": len(labels), "required_auc": REQUIRED_AUC},
            status="passed" if auc >= REQUIRED_AUC else "failed",
        )
    except objreg.AlreadyExists as error:
        first = error.facts["experiment"]
        assert isinstance(first, objreg.Experiment)
        return first


if __name__ == "__main__":
    found = evaluate(objreg.open(*sys.argv[1:2]), f"{MODEL}@production")
    print(f"{found.version.model}:{found.version.version} {found.status}", *found.metrics.items())
    sys.exit(found.status != "passed")
