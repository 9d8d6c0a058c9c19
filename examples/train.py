"""Train a model, push it, record how it did, and move it to production.

    python examples/train.py [REGISTRY]

Without REGISTRY the one that is configured is used (OBJREG_URL, or ``url`` in objreg.toml), and where none is, one in
the user's data folder. The data set is the breast cancer one that ships with scikit-learn, so nothing is downloaded.
"""

import sys
import tempfile
import time
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import joblib
import sklearn
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import cross_val_score, train_test_split

import objreg

MODEL = "medical/tumor"
SEED = 0
PARAMETERS = {"n_estimators": 100, "max_depth": 8}


def split() -> list[Any]:
    """Return training features, hold-out features, training labels and hold-out labels; always the same split."""
    features, labels = load_breast_cancer(return_X_y=True)
    parts: list[Any] = train_test_split(features, labels, test_size=0.2, stratify=labels, random_state=SEED)
    return parts


def fit() -> tuple[RandomForestClassifier, dict[str, float]]:
    """Return a trained classifier, and its metrics in cross-validation."""
    features, _, labels, _ = split()
    classifier = RandomForestClassifier(**PARAMETERS, random_state=SEED)
    scores = cross_val_score(classifier, features, labels, cv=5)
    return classifier.fit(features, labels), {"accuracy": scores.mean(), "accuracy_std": scores.std()}


def train(registry: objreg.Registry) -> objreg.Version:
    """Train, push and record; returns the new version."""
    started = time.monotonic()
    classifier, metrics = fit()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "model.joblib")
        joblib.dump(classifier, file)
        version = registry.push(
            MODEL,
            file,
            description="Malignant (0) or benign (1), from 30 measurements of cell nuclei",
            metadata={"library_version": sklearn.__version__, "parameters": PARAMETERS},
            framework="scikit-learn",
            message="trained by examples/train.py",
        )
    with as_file(files("sklearn.datasets.data") / "breast_cancer.csv") as data_set:
        registry.record_experiment(
            version,
            "cross-validation",
            metrics=metrics,
            parameters={"folds": 5, **PARAMETERS},
            datasets={"breast_cancer": data_set},  # its digest is recorded, not its bytes
            duration=time.monotonic() - started,
            seed=SEED,
        )
    return version


def promote(registry: objreg.Registry, version: objreg.Version) -> objreg.StateChange:
    """Make a version the one in production; whichever was there before leaves."""
    registry.define_state("production", exclusive=True, description="answers real requests")
    return registry.set_state(version, "production", message="beats the baseline in cross-validation")


if __name__ == "__main__":
    registry = objreg.open(*sys.argv[1:2], create=True)
    version = train(registry)
    promote(registry, version)
    print(version.spec)
