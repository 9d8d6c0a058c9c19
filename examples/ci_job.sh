#!/usr/bin/env bash
# What a CI job does with a registry: check the catalog, train, push, record the evaluation, promote.
#
#     OBJREG_URL=s3://bucket/prefix examples/ci_job.sh
#
# Runs from the repository's root. Any step that fails ends the job, and nothing before the promotion is seen by production.
set -euo pipefail

model=medical/tumor
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT

# Without a registry and without a network: what a pull request is held to.
objreg catalog validate examples/catalog.toml

objreg init
objreg state define production --exclusive --description "answers real requests"

# What is in production before this job trains; exit code 3 means that nothing is. If somebody else promotes meanwhile,
# --expect below refuses.
before=$(objreg resolve "$model@production" --json | jq -r .version) || [[ $? -eq 3 ]]

PYTHONPATH=examples python - "$build" <<'PY'
import json, sys
from pathlib import Path
import joblib
from train import fit
classifier, metrics = fit()
joblib.dump(classifier, Path(sys.argv[1], "model.joblib"))
Path(sys.argv[1], "metrics.json").write_text(json.dumps(metrics))
PY

objreg catalog apply examples/catalog.toml
spec=$(objreg push "$model" "$build/model.joblib" --framework scikit-learn --message "built from ${GITHUB_SHA:-a checkout}")
status=$(jq -r 'if .accuracy >= 0.9 then "passed" else "failed" end' "$build/metrics.json")
objreg experiment record "$spec" cross-validation --metrics-file "$build/metrics.json" --status "$status"
[[ "$status" == passed ]] || { echo "$spec is not good enough for production" >&2; exit 1; }

objreg state set "$spec" production --expect "$before" --message "passed cross-validation"
objreg show "$spec"
