"""Everything that changes a model, as methods that a registry and a transaction share.

A method checks and prepares what the caller gave, sends files if there are any, and hands an ``Operation`` to
``_apply``: the registry commits it at once, a transaction with others.
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

import msgspec

from objreg.core import rules
from objreg.core.decisions import Decision, View
from objreg.core.encoding import json_value
from objreg.core.names import check_part, check_state
from objreg.core.provenance import Dataset, VersionReference
from objreg.core.records import Catalog, DataSource, Deployment, Experiment, Inference, Retirement, VersionRecord
from objreg.core.rules import NewVersion
from objreg.core.specs import Spec, parse_spec
from objreg.core.state import Change
from objreg.errors import InvalidInput, NotFound
from objreg.registry import drafts
from objreg.registry.drafts import DatasetLike, Stamp
from objreg.registry.sending import Progress, Sending
from objreg.registry.session import Session
from objreg.registry.sources import artifact_sources
from objreg.registry.values import StateChange, Version

__all__ = ["Changes", "Operation", "Sources"]

Sources = str | os.PathLike[str] | Mapping[str, str | os.PathLike[str]]
_NO_VERSION = VersionReference(model="-", version="-", record="sha256:" + "0" * 64)


@dataclass(frozen=True)
class Operation:
    """One change to a model.

    Attributes:
        decide: the rule, with what the caller asked for.
        present: makes what the caller gets from the decision's value.
        promise: what of the value the caller may rely on before the commit (a version, a number).
    """

    decide: Callable[[View], Decision]
    present: Callable[[Any], Any]
    promise: Callable[[Any], object] = lambda _: None


class Changes(ABC):
    """The methods that change a model."""

    @property
    @abstractmethod
    def _session(self) -> Session:
        """What this process holds of the registry."""

    @abstractmethod
    def _apply(self, model: str, operation: Operation, message: str) -> Any:
        """Carry out an operation, and return its value."""

    @abstractmethod
    def _base(self, model: str) -> View:
        """Return a model as it is known; read if nothing is known of it."""

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
            progress: is called with the number of bytes dealt with, as they are.

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

    def record_experiment(
        self,
        spec: str | Version,
        name: str,
        *,
        metrics: Mapping[str, float] | None = None,
        parameters: Mapping[str, Any] | None = None,
        datasets: Mapping[str, DatasetLike] | Iterable[Dataset] | None = None,
        artifacts: Sources | None = None,
        duration: float | timedelta | None = None,
        status: Literal["finished", "passed", "failed"] = "finished",
        seed: int | None = None,
        description: str = "",
        message: str = "",
        expect: str | None = None,
        progress: Progress | None = None,
    ) -> Experiment:
        """Record an experiment of a version: once, and never again under that name.

        Args:
            spec: the version that was evaluated.
            name: of the experiment.
            metrics: finite numbers by name.
            parameters: of the evaluation, a JSON object.
            datasets: what it was evaluated on: names with a digest, or with a local file or folder, which is hashed.
            artifacts: files that it made; as for ``push``.
            duration: in seconds.
            status: ``passed`` and ``failed`` judge; ``finished`` only says that it ran.
            seed: of the random numbers.
            description: for people.
            message: why, for the history.
            expect: the version that the spec must name, or the digest of the newest entry.
            progress: as for ``push``.

        Returns:
            The record.

        Raises:
            AlreadyExists: the version has an experiment of that name; ``facts["experiment"]`` is it.
            NotFound: the version does not exist.
            InvalidInput: a metric is not a finite number, a status is not known, …
        """
        found = parse_spec(str(spec))
        stamp = Stamp.of(self._session.clock, self._session.actor)
        if status not in {"finished", "passed", "failed"}:
            raise InvalidInput(f"an experiment's status is finished, passed or failed; got {status!r}")
        draft = Experiment(
            created_at=stamp.created_at,
            created_by=stamp.created_by,
            version=_NO_VERSION,
            name=check_part(name, "experiment name"),
            description=drafts.text(description, "description"),
            status=status,
            parameters=drafts.json_object(parameters, "parameters"),
            metrics=drafts.metrics(metrics),
            datasets=drafts.datasets(datasets),
            duration_seconds=drafts.seconds(duration),
            seed=json_value(seed, "seed"),
            code=drafts.code(),
            environment=drafts.environment(),
        )
        sending = Sending(self._session, found.path, () if artifacts is None else artifact_sources(artifacts), progress)

        def decide(view: View) -> Decision:
            complete = msgspec.structs.replace(draft, artifacts=sending.artifacts(view.state))
            return rules.add_experiment(view, found, complete, expect)

        if artifacts is not None:
            sending.artifacts(self._base(found.path).state)
        result: Experiment = self._apply(found.path, Operation(decide, _same), message)
        return result

    def record_deployment(
        self,
        spec: str | Version,
        *,
        endpoint: str,
        environment: Mapping[str, str] | None = None,
        method: str = "",
        rolling_strategy: str = "",
        status: str = "active",
        description: str = "",
        message: str = "",
        expect: str | None = None,
    ) -> Deployment:
        """Record that a version is put at an endpoint, under the model's next number.

        Args:
            spec: the version.
            endpoint: where it answers.
            environment: variables by name; what looks like a secret is refused.
            method: how it runs, like ``ecs``.
            rolling_strategy: like ``canary``.
            status: ``active``, unless it is not yet.
            description: for people.
            message: why, for the history.
            expect: the number of the last deployment that you saw, as text (``""`` for none), or the digest of the
                newest entry.

        Returns:
            The record; ``number`` is its number.

        Raises:
            NotFound: the version does not exist.
            Conflict: ``expect`` did not hold, or the version is retired.
            InvalidInput: a variable is not text, or looks like a secret.
        """
        found = parse_spec(str(spec))
        stamp = Stamp.of(self._session.clock, self._session.actor)
        variables = drafts.json_object(environment, "environment")
        for variable, value in variables.items():
            if not isinstance(value, str):
                raise InvalidInput(
                    f"environment.{variable} is a {type(value).__name__}: environment variables are text"
                )
        draft = Deployment(
            created_at=stamp.created_at,
            created_by=stamp.created_by,
            version=_NO_VERSION,
            number=1,
            endpoint=drafts.text(endpoint, "endpoint"),
            environment=variables,
            method=drafts.text(method, "method"),
            rolling_strategy=drafts.text(rolling_strategy, "rolling_strategy"),
            status=check_part(status, "deployment status"),
            description=drafts.text(description, "description"),
            code=drafts.code(),
        )

        def decide(view: View) -> Decision:
            return rules.add_deployment(view, found, draft, expect)

        operation = Operation(decide, _same, promise=lambda value: f"deployment {value.number}")
        result: Deployment = self._apply(found.path, operation, message)
        return result

    def set_deployment_status(
        self, model: str, number: int, status: str, *, expect: str | None = None, message: str = ""
    ) -> Deployment:
        """Say what became of a deployment, like ``ended``; its record stays as it is.

        Raises:
            NotFound: the model has no deployment of that number.
            Conflict: ``expect`` (the status that you saw) did not hold.
        """

        def decide(view: View) -> Decision:
            return rules.set_deployment_status(view, number, status, expect)

        result: Deployment = self._apply(model, Operation(decide, _same), message)
        return result

    def put_catalog(
        self,
        model: str,
        *,
        description: str = "",
        owner: str = "",
        url: str = "",
        data_sources: Iterable[DataSource | Mapping[str, Any]] = (),
        inference: Inference | Mapping[str, Any] | None = None,
        tags: Iterable[str] = (),
        message: str = "",
        expect: str | None = None,
    ) -> Catalog:
        """Say what a model is. The whole catalog is replaced; earlier ones stay in the history.

        Args:
            model: its path; it comes into being with its first version or catalog.
            description: for people.
            owner: who answers for it.
            url: of its code or its page.
            data_sources: each with name, type, description, owner and connection (without secrets).
            inference: input and output, each with a description and a JSON Schema under ``schema``.
            tags: words to find it by.
            message: why, for the history.
            expect: the digest of the newest entry, or of the catalog's record, that you saw (``""`` for none).

        Returns:
            The catalog; the earlier one if it says the same.

        Raises:
            InvalidInput: a field is not as it should be, or something looks like a secret.
            Conflict: ``expect`` did not hold.
        """
        stamp = Stamp.of(self._session.clock, self._session.actor)
        fields = drafts.catalog_fields(description, owner, url, data_sources, inference, tags)
        draft = Catalog(
            created_at=stamp.created_at, created_by=stamp.created_by, model=model, code=drafts.code(), **fields
        )

        def decide(view: View) -> Decision:
            return rules.put_catalog(view, draft, expect)

        result: Catalog = self._apply(model, Operation(decide, _same), message)
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
            version=_NO_VERSION,
            reason=drafts.text(reason, "reason"),
        )

        def decide(view: View) -> Decision:
            return rules.retire(view, found, draft, expect)

        result: Retirement = self._apply(found.path, Operation(decide, _same), message or reason)
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


def _same(value: Any) -> Any:
    return value
