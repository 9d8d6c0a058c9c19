"""Commit what a plan of maintenance decided, by the same loop as every other change."""

from collections.abc import Callable
from typing import Any

from objreg.core.decisions import Decision
from objreg.core.state import ModelState, Pointer, model_refs, typed_state
from objreg.registry.commit import Commit
from objreg.registry.manifest import Manifest
from objreg.registry.session import Session

__all__ = ["commit_to_model", "commit_to_scope"]

Plan = Callable[[], Decision]


def commit_to_model(session: Session, manifest: Manifest, plan: Plan, message: str) -> Any:
    """Commit to a model's manifest, and return the decision's value.

    Args:
        session: who commits.
        manifest: of the model.
        plan: decides on the manifest's present state; called again after every lost race.
        message: why, for the history.
    """

    def refs(state: dict[str, Any]) -> dict[str, Pointer]:
        return model_refs(typed_state(state, ModelState, manifest.domain))

    return session.told(Commit(manifest, plan, refs, actor=session.actor, message=message).run())


def commit_to_scope(session: Session, manifest: Manifest, plan: Plan, message: str) -> Any:
    """Commit to the manifest of a namespace or of the registry; arguments as for ``commit_to_model``."""

    def checked() -> Decision:
        if manifest.head is None:
            session.check_registry()
        return plan()

    return session.told(Commit(manifest, checked, lambda _: {}, actor=session.actor, message=message).run())
