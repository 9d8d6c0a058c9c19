"""Records: the immutable JSON objects that say what a registry knows, one frozen type a kind.

Declared, not coded: constraints stand in the types, ``encode`` and ``decode`` (``objreg.core.encoding``) hold them, and
the JSON Schemas in ``schemas/`` are generated from here. A record is stored under the digest of its bytes and never
changes. Fields may be added by later releases of the same format; readers pass over what they do not know.
"""

from typing import Annotated, Any, Literal

import msgspec

from objreg.core.artifacts import Artifact
from objreg.core.fields import Days, Identifier, Name, Positive, Size, Text, Time
from objreg.core.provenance import CodeState, Dataset, Environment, VersionReference

__all__ = [
    "RECORD_KINDS",
    "AnyRecord",
    "Catalog",
    "DataSource",
    "Deployment",
    "Experiment",
    "Inference",
    "Interface",
    "Marker",
    "Namespace",
    "Record",
    "RegistrySettings",
    "RetentionPolicy",
    "RetentionRule",
    "Retirement",
    "StateDefinition",
    "VersionRecord",
]


class Marker(msgspec.Struct, frozen=True, kw_only=True):
    """``objreg.json`` at the root: here is a registry. Created once.

    Attributes:
        format: of everything below the root.
        id: 32 random hex digits; a copy of a registry keeps it.
        created_at: UTC.
    """

    format: Positive
    id: Identifier
    created_at: Time


class DataSource(msgspec.Struct, frozen=True, kw_only=True):
    """Where a model's data comes from, as a catalog says it."""

    name: Name
    type: Text = ""
    description: Text = ""
    owner: Text = ""
    connection: dict[str, Any] = {}


class Interface(msgspec.Struct, frozen=True, kw_only=True):
    """What goes into a model or comes out: words, and a JSON Schema."""

    description: Text = ""
    schema: dict[str, Any] = {}


class Inference(msgspec.Struct, frozen=True, kw_only=True):
    """What a model takes and gives."""

    input: Interface = Interface()
    output: Interface = Interface()


class Record(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """What every record says of itself.

    Attributes:
        format: 1.
        created_at: UTC, by the writer's clock; order comes from the manifest, never from here.
        created_by: who.
    """

    format: Literal[1] = 1
    created_at: Time
    created_by: Name


class RegistrySettings(Record, frozen=True, kw_only=True, tag="registry_settings"):
    """What a registry says of itself."""

    description: Text = ""
    owner: Text = ""
    url: Text = ""


class Namespace(Record, frozen=True, kw_only=True, tag="namespace"):
    """What a namespace says of itself."""

    namespace: Name
    description: Text = ""
    owner: Text = ""
    url: Text = ""


class Catalog(Record, frozen=True, kw_only=True, tag="catalog"):
    """What a model is: written as a document in Git and applied from there.

    Attributes:
        model: its path.
        description: for people.
        owner: who answers for it.
        url: of its code or its page.
        data_sources: what it is trained on.
        inference: what it takes and gives.
        tags: words to find it by.
        code: the commit that the document came from.
    """

    model: Name
    description: Text = ""
    owner: Text = ""
    url: Text = ""
    data_sources: tuple[DataSource, ...] = ()
    inference: Inference = Inference()
    tags: tuple[str, ...] = ()
    code: CodeState | None = None


class VersionRecord(Record, frozen=True, kw_only=True, tag="version"):
    """An immutable release of a model.

    Attributes:
        model: its path.
        version: in the model's scheme.
        description: for people.
        metadata: whatever the caller says of it.
        artifacts: in the order of their names.
        framework: what made it, like ``scikit-learn``, or ``""``.
        parent: the version that this one was made from, or None.
        code: the Git state of the working directory at the push, or None outside a repository.
        environment: what it was pushed from.
    """

    model: Name
    version: Name
    description: Text = ""
    metadata: dict[str, Any] = {}
    artifacts: tuple[Artifact, ...]
    framework: Text = ""
    parent: VersionReference | None = None
    code: CodeState | None = None
    environment: Environment


class Experiment(Record, frozen=True, kw_only=True, tag="experiment"):
    """A named evaluation of one version, recorded once and never again.

    Attributes:
        version: what was evaluated.
        name: unique for the version.
        description: for people.
        status: ``passed`` and ``failed`` judge; ``finished`` only says that it ran.
        parameters: of the evaluation.
        metrics: finite numbers by name.
        datasets: what it was evaluated on.
        artifacts: files that the evaluation made.
        duration_seconds: how long it ran, or None.
        seed: of the random numbers, or None.
        code: the commit that it ran from.
        environment: where it ran.
    """

    version: VersionReference
    name: Name
    description: Text = ""
    status: Literal["finished", "passed", "failed"] = "finished"
    parameters: dict[str, Any] = {}
    metrics: dict[str, float] = {}
    datasets: tuple[Dataset, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    duration_seconds: Annotated[float, msgspec.Meta(ge=0)] | None = None
    seed: int | None = None
    code: CodeState | None = None
    environment: Environment


class StateDefinition(Record, frozen=True, kw_only=True, tag="state_definition"):
    """A lifecycle position that versions may be moved into.

    Attributes:
        namespace: where it holds, with everything below, or ``""`` for the whole registry.
        name: of the state.
        exclusive: whether at most one version of a model is in it; setting it then moves it.
        description: for people.
    """

    namespace: Annotated[str, msgspec.Meta(max_length=400)] = ""
    name: Name
    exclusive: bool = False
    description: Text = ""


class Deployment(Record, frozen=True, kw_only=True, tag="deployment"):
    """A version put at an endpoint.

    Attributes:
        version: what was deployed.
        number: counts up per model from 1, without gaps or repeats.
        endpoint: where it answers.
        environment: variables, never secret.
        method: how it runs, like ``ecs`` or ``sagemaker``.
        rolling_strategy: like ``canary`` or ``blue-green``.
        status: at the time of recording; later ones stand in the manifest.
        description: for people.
        code: the commit that it was deployed from.
    """

    version: VersionReference
    number: Positive
    endpoint: Text
    environment: dict[str, str] = {}
    method: Text = ""
    rolling_strategy: Text = ""
    status: Name = "active"
    description: Text = ""
    code: CodeState | None = None


class Retirement(Record, frozen=True, kw_only=True, tag="retirement"):
    """A version is not to be used any more; its record stays."""

    version: VersionReference
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=65536)]


class RetentionRule(msgspec.Struct, frozen=True, kw_only=True):
    """How long what is in one state is kept; see ``objreg.core.retention``.

    Attributes:
        models: days until a version is retired, or None for ever.
        runs: days until the artifacts of an experiment may be collected, or None for ever.
        keep_last: so many of the newest versions are never retired.
    """

    models: Days | None = None
    runs: Days | None = None
    keep_last: Size = 1


class RetentionPolicy(Record, frozen=True, kw_only=True, tag="retention_policy"):
    """How long versions and experiments' artifacts are kept.

    Attributes:
        namespace: where it holds, with everything below that has no policy of its own; ``""`` for the whole registry.
        rules: by state; ``none`` is for versions that are in no state. A state without a rule is kept.
    """

    namespace: Annotated[str, msgspec.Meta(max_length=400)] = ""
    rules: dict[str, RetentionRule] = {}


AnyRecord = (
    RegistrySettings
    | Namespace
    | Catalog
    | VersionRecord
    | Experiment
    | StateDefinition
    | Deployment
    | Retirement
    | RetentionPolicy
)

RECORD_KINDS: dict[str, type[Record]] = {
    "registry_settings": RegistrySettings,
    "namespace": Namespace,
    "catalog": Catalog,
    "version": VersionRecord,
    "experiment": Experiment,
    "state_definition": StateDefinition,
    "deployment": Deployment,
    "retirement": Retirement,
    "retention_policy": RetentionPolicy,
}
