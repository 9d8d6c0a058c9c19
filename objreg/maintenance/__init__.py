"""Tools that look after a registry: they plan first, and change nothing that was not shown."""

from objreg.maintenance.collection import Collected, CollectionPlan, Garbage, collect, counted, plan_collection
from objreg.maintenance.retention import (
    RetentionPlan,
    apply_retention,
    plan_retention,
    put_policy,
    read_policy_file,
    retention_policy,
)

__all__ = [
    "Collected",
    "CollectionPlan",
    "Garbage",
    "RetentionPlan",
    "apply_retention",
    "collect",
    "counted",
    "plan_collection",
    "plan_retention",
    "put_policy",
    "read_policy_file",
    "retention_policy",
]
