"""Commit what was decided, in a session: to a model's manifest with its pointers, or to one that has none."""

from collections.abc import Callable
from typing import Any

from objreg.core.decisions import Decision
from objreg.core.state import ModelState, Pointer, model_refs, typed_state
from objreg.registry import drafts
from objreg.registry.commit import Commit
from objreg.registry.manifest import Manifest
from objreg.registry.session import Session

__all__ = ["commit_to_model", "commit_to_scope"]

Plan = Callable[[], Decision]
Refs = Callable[[dict[str, Any]], dict[str, Pointer]]


def commit_to_model(session: Session, manifest: Manifest, plan: Plan, message: str) -> Any:
    """Commit to a model's manifest, and return the decision's value.

    Args:
        session: who commits.
        manifest: of the model.
        plan: decides on the manifest's present state; called again after every lost race.
        message: why, for the history.

    Raises:
        NotFound: there is no registry.
        InvalidInput: the message is not text, or holds a secret.
        ObjregError: as ``Commit.run``.
    """

    def refs(state: dict[str, Any]) -> dict[str, Pointer]:
        return model_refs(typed_state(state, ModelState, manifest.domain))

    return _commit(session, manifest, plan, refs, message)


def commit_to_scope(session: Session, manifest: Manifest, plan: Plan, message: str) -> Any:
    """Commit to the manifest of a namespace or of the registry; arguments and errors as for ``commit_to_model``."""
    return _commit(session, manifest, plan, lambda _: {}, message)


def _commit(session: Session, manifest: Manifest, plan: Plan, refs: Refs, message: str) -> Any:
    def checked() -> Decision:
        if manifest.head is None:
            session.check_registry()
        return plan()

    commit = Commit(manifest, checked, refs, actor=session.actor, message=drafts.text(message, "message"))
    return session.told(commit.run())
