"""Records: the immutable JSON objects that say what a registry knows, one frozen type a kind.

Declared, not coded: constraints stand in the types, ``encode`` and ``decode`` (``objreg.core.encoding``) hold them, and
the JSON Schemas in ``schemas/`` are generated from here. A record is stored under the digest of its bytes and never
changes. Fields may be added by later releases of the same format; readers pass over what they do not know.
"""

from typing import Annotated, Any, Literal

import msgspec

from objreg.core.digest import DIGEST_PATTERN

__all__ = [
    "RECORD_KINDS",
    "AnyRecord",
    "Artifact",
    "Catalog",
    "CodeState",
    "DataSource",
    "Dataset",
    "Deployment",
    "Environment",
    "Experiment",
    "File",
    "Inference",
    "Interface",
    "Marker",
    "Namespace",
    "Part",
    "Record",
    "RegistrySettings",
    "RetentionPolicy",
    "RetentionRule",
    "Retirement",
    "StateDefinition",
    "VersionRecord",
    "VersionReference",
]

# The lengths say again what the patterns say, because Python's "$" also matches before a newline at the end.
Digest = Annotated[str, msgspec.Meta(pattern=DIGEST_PATTERN, max_length=71)]
OptionalDigest = Annotated[str, msgspec.Meta(pattern=r"^(sha256:[0-9a-f]{64})?$", max_length=71)]
Identifier = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}$", max_length=32)]
Time = Annotated[
    str,
    msgspec.Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$", max_length=24),
]
_MOST = 2**53 - 1  # beyond it, integers change in other JSON readers
Size = Annotated[int, msgspec.Meta(ge=0, le=_MOST)]
Positive = Annotated[int, msgspec.Meta(ge=1, le=_MOST)]
Days = Annotated[int, msgspec.Meta(ge=0, le=36500)]
Text = Annotated[str, msgspec.Meta(max_length=65536)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=400)]


class _Value(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a record."""


class Marker(_Value, frozen=True, kw_only=True):
    """``objreg.json`` at the root: here is a registry. Created once.

    Attributes:
        format: of everything below the root.
        id: 32 random hex digits; a copy of a registry keeps it.
        created_at: UTC.
    """

    format: Positive
    id: Identifier
    created_at: Time


class Part(_Value, frozen=True, kw_only=True):
    """A slice of a blob; a file is its parts one after another.

    Attributes:
        blob: digest of the blob's plain bytes.
        incarnation: 0, or which re-upload of a collected blob this is.
        encoding: how the blob is stored: ``""`` as it is, or ``"zstd"``.
        blob_size: plain bytes in the blob.
        stored_size: bytes of the stored object.
        stored_digest: digest of the stored object.
        offset: where the slice begins in the plain bytes.
        length: bytes of the slice.
    """

    blob: Digest
    incarnation: Size = 0
    encoding: Literal["", "zstd"] = ""
    blob_size: Size
    stored_size: Size
    stored_digest: Digest
    offset: Size = 0
    length: Size


class File(_Value, frozen=True, kw_only=True):
    """One file of an artifact.

    Attributes:
        path: relative to the artifact's folder.
        digest: of the whole file.
        size: in bytes.
        media_type: as in RFC 6838.
        parts: empty for an empty file.
    """

    path: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
    digest: Digest
    size: Size
    media_type: Text
    parts: tuple[Part, ...]


class Artifact(_Value, frozen=True, kw_only=True):
    """A named set of files.

    Attributes:
        name: unique in its version or experiment.
        folder: where the files stand in a pulled version: ``""`` for the top, else the name.
        digest: SHA-256 of the files' raw digests in path order (by code point).
        size: of all files, in bytes.
        description: for people.
        files: in path order.
    """

    name: Name
    folder: Annotated[str, msgspec.Meta(max_length=400)]
    digest: Digest
    size: Size
    description: Text = ""
    files: tuple[File, ...]


class CodeState(_Value, frozen=True, kw_only=True):
    """The Git state that something was made from; a field is ``""`` where it is not known.

    Attributes:
        remote: URL of ``origin``, without credentials.
        commit: full object id.
        branch: or ``""`` on a detached head.
        dirty: whether tracked files were changed.
    """

    remote: Text
    commit: Text
    branch: Text
    dirty: bool


class Environment(_Value, frozen=True, kw_only=True):
    """What a version was pushed from.

    Attributes:
        python: version of the interpreter.
        platform: operating system and processor.
        dependencies: installed distributions and their versions.
    """

    python: Text
    platform: Text
    dependencies: dict[str, str]


class VersionReference(_Value, frozen=True, kw_only=True):
    """Names one version for ever: by its name and by its record's digest."""

    model: Name
    version: Name
    record: Digest


class Dataset(_Value, frozen=True, kw_only=True):
    """A data set that an experiment used.

    Attributes:
        name: for people.
        digest: of its content, or ``""`` where it is not known.
        url: where it is, or ``""``; never with credentials.
        description: for people.
    """

    name: Name
    digest: OptionalDigest = ""
    url: Text = ""
    description: Text = ""


class DataSource(_Value, frozen=True, kw_only=True):
    """Where a model's data comes from, as a catalog says it."""

    name: Name
    type: Text = ""
    description: Text = ""
    owner: Text = ""
    connection: dict[str, Any] = {}


class Interface(_Value, frozen=True, kw_only=True):
    """What goes into a model or comes out: words, and a JSON Schema."""

    description: Text = ""
    schema: dict[str, Any] = {}


class Inference(_Value, frozen=True, kw_only=True):
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


class RetentionRule(_Value, frozen=True, kw_only=True):
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
