"""What is recorded of a model beside its versions: experiments, deployments, and the catalog that says what it is."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Literal

import msgspec

from objreg.core import rules
from objreg.core.decisions import Decision, View
from objreg.core.encoding import json_value
from objreg.core.names import check_part
from objreg.core.provenance import Dataset
from objreg.core.records import Catalog, DataSource, Deployment, Experiment, Inference
from objreg.core.specs import parse_spec
from objreg.errors import InvalidInput
from objreg.registry import drafts
from objreg.registry.changes import NO_VERSION, Changes, Operation
from objreg.registry.drafts import DatasetLike, Stamp
from objreg.registry.sending import Progress, Sending
from objreg.registry.sources import Sources, artifact_sources
from objreg.registry.values import Version

__all__ = ["RecordChanges"]


class RecordChanges(Changes):
    """The methods that record an experiment, a deployment or a catalog."""

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
            version=NO_VERSION,
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
        result: Experiment = self._apply(found.path, Operation(decide), message)
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
            version=NO_VERSION,
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

        operation = Operation(decide, promise=lambda value: f"deployment {value.number}")
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

        result: Deployment = self._apply(model, Operation(decide), message)
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

        result: Catalog = self._apply(model, Operation(decide), message)
        return result
