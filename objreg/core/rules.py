"""Every rule of a model: (state, request) in, a decision or an error out. No I/O, no clock.

A decision holds a merge patch of the state, the records to write before it, and the changes that the log names. A
decision without a patch means that things already are as asked for. Decisions are made again after every lost race, on
the state that the commit lands on.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec

from objreg.core.artifacts import Artifact
from objreg.core.decisions import Decision, View, encoded
from objreg.core.encoding import of_kind
from objreg.core.names import check_part, check_state
from objreg.core.records import Catalog, Deployment, Experiment, Retirement, VersionRecord
from objreg.core.specs import Spec
from objreg.core.state import Change, ModelState, StateItem, VersionItem
from objreg.core.versions import scheme
from objreg.errors import AlreadyExists, Conflict, InvalidInput, NotFound

__all__ = [
    "NewVersion",
    "add_deployment",
    "add_experiment",
    "add_version",
    "put_catalog",
    "resolve",
    "retire",
    "set_deployment_status",
    "set_state",
    "unset_state",
]


_NAMED = 5
ACTIVE = "active"


def resolve(view: View, spec: Spec) -> str:
    """Return the version that a spec names.

    Raises:
        NotFound: there is none; the message says what there is.
        InvalidInput: a short digest names more than one.
    """
    state = view.state
    if spec.version:
        found = spec.version if spec.version in state.versions else state.continuing(spec.version)
        what = f"version {spec.version} of {view.model}"
    elif spec.digest:
        return _resolve_digest(view, spec.digest)
    elif spec.state:
        found, what = state.newest_in(spec.state), f"version of {view.model} in state {spec.state}"
    else:
        found, what = state.latest(), f"version of {view.model}"
    if not found:
        raise NotFound(f"there is no {what}{_what_there_is(state)}", spec=str(spec))
    return found


def _resolve_digest(view: View, digest: str) -> str:
    found = [version for version, item in view.state.versions.items() if item.record.startswith(digest)]
    if not found:
        raise NotFound(f"no version of {view.model} has a record {digest}…", spec=digest)
    if len(found) > 1:
        raise InvalidInput(
            f"{digest}… names {len(found)} versions of {view.model}: {', '.join(found)}; write more of its digits"
        )
    return found[0]


def _what_there_is(state: ModelState) -> str:
    if not state.versions:
        return ": it has none yet; push one"
    newest = state.newest_first()
    names = ", ".join(newest[:_NAMED]) + (f" and {len(newest) - _NAMED} more" if len(newest) > _NAMED else "")
    states = sorted({name for item in state.versions.values() for name in item.states})
    return f"; its versions are {names}" + (f", its states in use are {', '.join(states)}" if states else "")


def _expect(view: View, expect: str | None, seen: tuple[str, ...], what: str) -> None:
    if not isinstance(expect, str | None):
        raise InvalidInput(f"expect is a {type(expect).__name__}: write it as text, like '1.2'")
    if expect is None or seen == ((expect,) if expect else ()):
        return
    if expect.startswith("sha256:"):
        if expect != view.head:
            raise Conflict(
                f"{view.model} changed since you looked: expected its newest entry to be {expect}, and it is"
                f" {view.head or 'none'};"
                " look at what changed and decide again",
                expected=expect,
                found=view.head,
            )
    else:
        raise Conflict(
            f"expected {what} to be {expect or 'none'}, and it is {', '.join(seen) or 'none'}; look at what changed"
            f" and decide again",
            expected=expect,
            found=seen,
        )


def _usable(view: View, version: str, action: str) -> VersionItem:
    item = view.state.versions[version]
    if item.retired:
        raise Conflict(
            f"version {version} of {view.model} is retired and cannot be {action}; choose another", version=version
        )
    return item


@dataclass(frozen=True)
class NewVersion:
    """A request to add a version.

    Attributes:
        draft: the record, but for its version.
        version: or ``""`` for the next.
        bump: which part to raise, or None for the scheme's default.
        scheme: for the model's first version, or None for the default.
        today: for the scheme ``date``.
        expect: the latest version that the caller saw (``""`` for none), a head's digest, or None.
    """

    draft: VersionRecord
    today: date
    version: str = ""
    bump: str | None = None
    scheme: str | None = None
    expect: str | None = None


def add_version(view: View, request: NewVersion) -> Decision:
    """Add a version. Its value is (record, digest, whether it is new).

    The same bytes under the same version are no change. Raises AlreadyExists for other bytes, Conflict where ``expect``
    does not hold, InvalidInput where the version is not of the scheme.
    """
    state = view.state
    latest = state.latest()
    _expect(view, request.expect, (latest,) if latest else (), f"the latest version of {view.model}")
    versioning = state.versioning if state.versions else scheme(request.scheme or state.scheme)
    if request.scheme and request.scheme != versioning.name:
        raise Conflict(
            f"{view.model} uses the scheme {versioning.name!r}, not {request.scheme!r}: a scheme stays once versions"
            f" exist"
        )
    if request.version:
        version = versioning.check(request.version)
    else:
        highest = versioning.newest(state.versions) if versioning.ordered else ""
        version = versioning.next(highest, request.bump, request.today)
    if version in state.versions:
        return _same_version(view, version, request.draft)
    record = msgspec.structs.replace(request.draft, version=version)
    digest, data = encoded(record)
    item = {
        "record": digest,
        "created_at": record.created_at,
        "created_by": record.created_by,
        "size": sum(artifact.size for artifact in record.artifacts),
        "files": sum(len(artifact.files) for artifact in record.artifacts),
        "order": len(state.versions) + 1,
    }
    return Decision(
        value=(record, digest, True),
        patch={"scheme": versioning.name, "versions": {version: item}},
        changes=(Change(kind="version", version=version, record=digest),),
        records={digest: data},
    )


def _same_version(view: View, version: str, draft: VersionRecord) -> Decision:
    digest = _usable(view, version, "pushed again").record
    existing = of_kind(view.load(digest), VersionRecord, f"the record of version {version} of {view.model}")
    if contents(existing.artifacts) == contents(draft.artifacts):
        return Decision(value=(existing, digest, False))
    raise AlreadyExists(
        f"version {version} of {view.model} exists with other files (pushed {existing.created_at} by"
        f" {existing.created_by},"
        f" {digest[:19]}…); push another version, or leave the version out to take the next",
        version=version,
        record=digest,
        created_at=existing.created_at,
        created_by=existing.created_by,
    )


def contents(artifacts: tuple[Artifact, ...]) -> tuple[tuple[str, str, str, str], ...]:
    """Return what makes artifacts the same: names, folders, paths and digests, not how their bytes are stored."""
    return tuple(
        (artifact.name, artifact.folder, file.path, file.digest) for artifact in artifacts for file in artifact.files
    )


def set_state(view: View, spec: Spec, name: str, definition: StateItem, expect: str | None = None) -> Decision:
    """Move a version into a state. Its value is the Change; without a patch it was there already.

    In an exclusive state it takes the place of the version that was in it. Raises NotFound for an unknown version,
    Conflict for a retired one or where ``expect`` (the version in the state, ``""`` for none, or a head's digest) does
    not hold.
    """
    version = resolve(view, spec)
    before = view.state.in_state(check_state(name))
    _expect(view, expect, before, f"the versions of {view.model} in state {name}")
    item = _usable(view, version, f"moved into state {name}")
    if version in before:
        after = (version,) if definition.exclusive else before
    else:
        after = (version,) if definition.exclusive else (*before, version)
    leaving = [other for other in before if other not in after]
    patch = {
        other: {"states": [state for state in view.state.versions[other].states if state != name]} for other in leaving
    }
    if version not in before:
        patch[version] = {"states": [*item.states, name]}
    return _state_change(name, version, before, after, definition.record, patch)


def unset_state(view: View, spec: Spec, name: str, expect: str | None = None) -> Decision:
    """Take a version out of a state. Its value is the Change; without a patch it was not in it."""
    version = resolve(view, spec)
    before = view.state.in_state(check_state(name))
    _expect(view, expect, before, f"the versions of {view.model} in state {name}")
    after = tuple(other for other in before if other != version)
    patch = {}
    if version in before:
        patch[version] = {"states": [state for state in view.state.versions[version].states if state != name]}
    return _state_change(name, version, before, after, "", patch)


def _state_change(
    name: str, version: str, before: tuple[str, ...], after: tuple[str, ...], definition: str, patch: dict[str, Any]
) -> Decision:
    change = Change(kind="state_change", name=name, version=version, record=definition, before=before, after=after)
    return Decision(value=change, patch={"versions": patch} if patch else {}, changes=(change,) if patch else ())


def add_experiment(view: View, spec: Spec, draft: Experiment, expect: str | None = None) -> Decision:
    """Record an experiment of a version, once. Its value is the record.

    Raises:
        AlreadyExists: the version has an experiment of that name; the message shows it.
    """
    version = resolve(view, spec)
    _expect(view, expect, (version,), "the version")
    item = _usable(view, version, "evaluated")
    name = check_part(draft.name, "experiment name")
    if name in item.experiments:
        what = f"the record of experiment {name} of {view.model}:{version}"
        first = of_kind(view.load(item.experiments[name]), Experiment, what)
        metrics = ", ".join(f"{metric}={value:g}" for metric, value in sorted(first.metrics.items())) or "no metrics"
        raise AlreadyExists(
            f"experiment {name!r} of {view.model}:{version} was recorded {first.created_at} by {first.created_by}:"
            f" {first.status},"
            f" {metrics}; an experiment is recorded once: use another name, or push a new version",
            experiment=first,
        )
    record = msgspec.structs.replace(draft, version=view.reference(version))
    digest, data = encoded(record)
    return Decision(
        value=record,
        patch={"versions": {version: {"experiments": {name: digest}}}},
        changes=(Change(kind="experiment", name=name, version=version, record=digest),),
        records={digest: data},
    )


def add_deployment(view: View, spec: Spec, draft: Deployment, expect: str | None = None) -> Decision:
    """Record a deployment under the next number. Its value is the record."""
    count = len(view.state.deployments)
    _expect(view, expect, (str(count),) if count else (), f"the last deployment of {view.model}")
    version = resolve(view, spec)
    _usable(view, version, "deployed")
    number = count + 1
    record = msgspec.structs.replace(draft, version=view.reference(version), number=number)
    digest, data = encoded(record)
    item = {"record": digest, "version": version, "status": record.status}
    return Decision(
        value=record,
        patch={"deployments": {str(number): item}},
        changes=(Change(kind="deployment", name=str(number), version=version, record=digest, after=(record.status,)),),
        records={digest: data},
    )


def set_deployment_status(view: View, number: int, status: str, expect: str | None = None) -> Decision:
    """Change the status of a deployment. Its value is the record with the new status."""
    item = view.state.deployments.get(str(number))
    if item is None:
        raise NotFound(f"{view.model} has no deployment {number}; it has {len(view.state.deployments)}", number=number)
    check_part(status, "deployment status")
    if status == ACTIVE:
        _usable(view, item.version, "deployed")
    _expect(view, expect, (item.status,), f"the status of deployment {number} of {view.model}")
    record = of_kind(view.load(item.record), Deployment, f"the record of deployment {number} of {view.model}")
    value = msgspec.structs.replace(record, status=status)
    if item.status == status:
        return Decision(value=value)
    change = Change(
        kind="deployment_status", name=str(number), version=item.version, before=(item.status,), after=(status,)
    )
    return Decision(value=value, patch={"deployments": {str(number): {"status": status}}}, changes=(change,))


def put_catalog(view: View, draft: Catalog, expect: str | None = None) -> Decision:
    """Make a catalog the current one. Its value is the record; without a patch it says the same as the current one."""
    current = view.state.catalog
    _expect(view, expect, (current,) if current else (), f"the catalog of {view.model}")
    if current:
        record = of_kind(view.load(current), Catalog, f"the catalog of {view.model}")
        if record == msgspec.structs.replace(
            draft, created_at=record.created_at, created_by=record.created_by, code=record.code
        ):
            return Decision(value=record)
    digest, data = encoded(draft)
    change = Change(kind="catalog", record=digest, before=(current,) if current else (), after=(digest,))
    return Decision(value=draft, patch={"catalog": digest}, changes=(change,), records={digest: data})


def retire(view: View, spec: Spec, draft: Retirement, expect: str | None = None) -> Decision:
    """Retire a version that nothing uses. Its value is the record; without a patch it was retired before.

    Raises:
        Conflict: the version is in a state or in an active deployment.
    """
    version = resolve(view, spec)
    _expect(view, expect, (version,), "the version")
    item = view.state.versions[version]
    if item.retired:
        return Decision(value=of_kind(view.load(item.retired), Retirement, f"the retirement of {view.model}:{version}"))
    if item.states:
        raise Conflict(
            f"version {version} of {view.model} is in state {', '.join(item.states)}; unset it before retiring it"
        )
    active = [
        number for number, found in view.state.deployments.items() if (found.version, found.status) == (version, ACTIVE)
    ]
    if active:
        raise Conflict(
            f"version {version} of {view.model} is in deployment {', '.join(active)}, which is active; end it first"
        )
    record = msgspec.structs.replace(draft, version=view.reference(version))
    digest, data = encoded(record)
    return Decision(
        value=record,
        patch={"versions": {version: {"retired": digest}}},
        changes=(Change(kind="retirement", version=version, record=digest),),
        records={digest: data},
    )
