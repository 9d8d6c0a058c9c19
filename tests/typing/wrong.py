"""Mistakes that a type checker must find: each line is one. Checked by mypy, never run."""

import objreg

registry = objreg.open("memory://x")
registry.push("fraud/clf")
registry.push("fraud/clf", 5)
registry.push("fraud/clf", "file", metrics={})
registry.record_experiment("fraud/clf", "holdout", status="perhaps")
registry.record_experiment("fraud/clf", "holdout", metrics={"auc": "high"})
registry.record_deployment("fraud/clf")
registry.set_deployment_status("fraud/clf", "1", "ended")
registry.resolve("fraud/clf").version = "2.0"
registry.retire("fraud/clf")
registry.no_such_method()
objreg.no_such_name  # noqa: B018  # that it is a mistake is the point
