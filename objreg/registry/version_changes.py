"""Changes to versions: they are pushed, moved into states and out of them, and retired."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from objreg.core import rules
from objreg.core.decisions import Decision, View
from objreg.core.names import check_state
from objreg.core.provenance import VersionReference
from objreg.core.records import Retirement, VersionRecord
from objreg.core.rules import NewVersion
from objreg.core.specs import Spec, parse_spec
from objreg.core.state import Change
from objreg.errors import InvalidInput, NotFound
from objreg.registry import drafts
from objreg.registry.changes import NO_VERSION, Changes, Operation
from objreg.registry.drafts import Stamp
from objreg.registry.sending import Progress, Sending
from objreg.registry.sources import Sources, artifact_sources
from objreg.registry.values import StateChange, Version

__all__ = ["VersionChanges"]


class VersionChanges(Changes):
    """The methods that change versions."""

    def push(
        self,
        spec: str,
        sources: Sources,
        *,
        version: str | None = None,
        bump: str | None = None,
        scheme: str | None = None,
        description: str = "",
        metadata: Mapping[str, Any] | None = None,
        framework: str = "",
        parent: str | Version | None = None,
        message: str = "",
        expect: str | None = None,
        compress: bool | int | None = None,
        progress: Progress | None = None,
    ) -> Version:
        """Add a version to a model; the model comes into being with its first.

        Args:
            spec: the model, ``fraud/clf``; or with the version, ``fraud/clf:1.2``.
            sources: a file, a folder, or a mapping of artifact names to files or folders.
            version: the version to add; left out, the next one.
            bump: which part the next version raises: ``minor`` (the default) or ``major``; ``patch``, ``minor`` or
                ``major`` in ``semver``.
            scheme: of the model's first version: ``major.minor`` (the default), ``semver``, ``integer``, ``date`` or
                ``free``.
            description: for people.
            metadata: a JSON object.
            framework: what made the model, like ``scikit-learn``.
            parent: the version that this one was made from; of any model of this registry.
            message: why, for the history.
            expect: the latest version that you saw (``""`` for none), or the digest of the newest entry; anything else
                is refused.
            compress: how files are stored. None: with zstd where a sample says that it pays. True, or a level of zstd
                from 1 to 22: compressed wherever that saves a byte. False: as they are. What the model already has is
                not stored again.
            progress: is called with the number of bytes dealt with, as they are, by several threads.

        Returns:
            The version. ``created`` is False if it was there already with the same files; then nothing was changed.

        Raises:
            AlreadyExists: the version exists with other files.
            Conflict: ``expect`` did not hold, or the model uses another scheme.
            InvalidInput: a name, a file or a value is not allowed.
            StoreError: the store gave no answer, or refused.
        """
        target = _model_spec(spec)
        if target.version and version and target.version != version:
            raise InvalidInput(f"the spec says version {target.version} and version= says {version}: give one of them")
        stamp = Stamp.of(self._session.clock, self._session.actor)
        found = artifact_sources(sources)
        draft = VersionRecord(
            created_at=stamp.created_at,
            created_by=stamp.created_by,
            model=target.path,
            version="-",
            description=drafts.text(description, "description"),
            metadata=drafts.json_object(metadata, "metadata"),
            artifacts=(),
            framework=drafts.text(framework, "framework"),
            parent=None if parent is None else self._reference(parent),
            code=drafts.code(),
            environment=drafts.environment(),
        )
        sending = Sending(self._session, target.path, found, progress, compress)

        def decide(view: View) -> Decision:
            complete = msgspec.structs.replace(draft, artifacts=sending.artifacts(view.state))
            request = NewVersion(complete, stamp.today, target.version or version or "", bump, scheme, expect)
            return rules.add_version(view, request)

        sending.artifacts(self._base(target.path).state)
        operation = Operation(decide, _version, promise=lambda value: f"version {value[0].version} ({value[1]})")
        result: Version = self._apply(target.path, operation, message)
        return result

    def set_state(
        self, spec: str | Version, state: str, *, expect: str | None = None, message: str = ""
    ) -> StateChange:
        """Move a version into a state. In an exclusive state it takes the place of the version that was in it.

        Args:
            spec: the version.
            state: defined before, for the registry or for a namespace above the model.
            expect: the version that you saw in the state (``""`` for none), or the digest of the newest entry.
            message: why, for the history.

        Raises:
            NotFound: the version does not exist, or nobody defined the state.
            Conflict: ``expect`` did not hold, or the version is retired.
        """
        found = parse_spec(str(spec))
        definition = self._session.definition(found.path, check_state(state))

        def decide(view: View) -> Decision:
            return rules.set_state(view, found, state, definition, expect)

        result: StateChange = self._apply(found.path, Operation(decide, _state_change(found.path)), message)
        return result

    def unset_state(
        self, spec: str | Version, state: str, *, expect: str | None = None, message: str = ""
    ) -> StateChange:
        """Take a version out of a state; arguments and errors as for ``set_state``."""
        found = parse_spec(str(spec))

        def decide(view: View) -> Decision:
            return rules.unset_state(view, found, state, expect)

        result: StateChange = self._apply(found.path, Operation(decide, _state_change(found.path)), message)
        return result

    def retire(self, spec: str | Version, *, reason: str, expect: str | None = None, message: str = "") -> Retirement:
        """Retire a version: it is not the latest any more, and cannot be moved or deployed. Its record stays.

        Args:
            spec: the version.
            reason: why; it stands in the record.
            expect: the version that the spec must name, or the digest of the newest entry.
            message: for the history, where it should say more than the reason.

        Raises:
            Conflict: the version is in a state, or in an active deployment.
            NotFound: the version does not exist.
        """
        found = parse_spec(str(spec))
        if not reason:
            raise InvalidInput("a retirement needs a reason")
        stamp = Stamp.of(self._session.clock, self._session.actor)
        draft = Retirement(
            created_at=stamp.created_at,
            created_by=stamp.created_by,
            version=NO_VERSION,
            reason=drafts.text(reason, "reason"),
        )

        def decide(view: View) -> Decision:
            return rules.retire(view, found, draft, expect)

        result: Retirement = self._apply(found.path, Operation(decide), message or reason)
        return result

    def _reference(self, spec: str | Version) -> VersionReference:
        if isinstance(spec, Version):
            return VersionReference(model=spec.model, version=spec.version, record=spec.digest)
        found = parse_spec(spec)
        view = self._base(found.path)
        if not view.head:
            raise NotFound(f"there is no model {found.path}, so a version of it cannot be the parent", spec=spec)
        return view.reference(rules.resolve(view, found))


def _model_spec(text: str) -> Spec:
    spec = parse_spec(text)
    if spec.state or spec.digest or spec.file:
        raise InvalidInput(f"push to a model, or to the version it shall have, like '{spec.path}:1.2'; got {text!r}")
    return spec


def _version(value: tuple[VersionRecord, str, bool]) -> Version:
    record, digest, created = value
    return Version(record.model, record.version, digest, record, created)


def _state_change(model: str) -> Callable[[Change], StateChange]:
    return lambda change: StateChange(model, change.name, change.version, change.before, change.after)
