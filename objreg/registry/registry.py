"""The registry, as Python code uses it."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from objreg.core.decisions import Decision, View
from objreg.core.keys import namespace_domain
from objreg.core.lock_file import LockFile
from objreg.core.names import check_namespace, check_path
from objreg.core.specs import Spec, parse_spec
from objreg.errors import StoreError
from objreg.local.assets import Assets
from objreg.registry.cached import offline_session
from objreg.registry.changes import Operation
from objreg.registry.committing import commit_to_model
from objreg.registry.pinned import lock_for, pinned_version
from objreg.registry.reading import Reading
from objreg.registry.record_changes import RecordChanges
from objreg.registry.scope_changes import ScopeChanges
from objreg.registry.session import Session
from objreg.registry.transaction import Transaction
from objreg.registry.values import Version
from objreg.registry.version_changes import VersionChanges

__all__ = ["Registry"]


class Registry(VersionChanges, RecordChanges, ScopeChanges, Reading):
    """A registry in a bucket or a folder.

    ``objreg.open`` makes one. It is safe for threads, works after a fork, and can be pickled: a copy opens the same
    registry by itself.

    Args:
        url: for people; without credentials.
        connect: makes the session; called when the first method needs it, and again in a forked process.
        lock_path: the lock file that was found, or None.
        assets: where pulled versions are put, and what stands in for them; None for the cache alone.
    """

    def __init__(
        self,
        url: str,
        connect: Callable[[], Session],
        lock_path: Path | None = None,
        assets: Assets | None = None,
    ) -> None:
        self.url = url
        self.lock_path = lock_path
        self.assets = assets
        self._connect = connect
        self._connected: Session | None = None

    @property
    def _session(self) -> Session:
        session = self._connected
        if session is None or session.pid != os.getpid():
            session = self._connected = self._connect()
        return session

    @property
    def session(self) -> Session:
        """What this process holds of the registry: store, clock, manifests.

        For objreg's own tools, like those of ``objreg.maintenance``; it may change in any release.
        """
        return self._session

    @cached_property
    def lock(self) -> LockFile | None:
        """The lock file that reading follows where a spec is a model's name alone; None where there is none to follow.

        It is the nearest ``objreg.lock`` from the working directory upwards, if it is for this registry; read when it
        is first needed, and then kept. ``lock_path`` is its path.

        Raises:
            InvalidInput: it holds a merge conflict, or is not what objreg writes.
            FormatError: it is of a newer version.
        """
        return lock_for(self.lock_path, self.url)

    def _locked(self, spec: Spec) -> Version | None:
        asset = self.lock.get(spec.path) if spec.bare and self.lock else None
        if asset is None:
            return None
        import logging

        logging.getLogger("objreg").info("%s is %s, by %s", spec, asset.spec, self.lock_path)
        return pinned_version(self._session, asset, str(self.lock_path))

    def _offline(self) -> "Registry":
        session = self._session
        return Registry(self.url, lambda: offline_session(session), self.lock_path, self.assets)

    def _replaced(self, spec: Spec) -> Spec | Path:
        if self.assets is None:
            return spec
        import logging

        log = logging.getLogger("objreg")
        if (found := self.assets.replacement(spec.path)) is not None:
            log.warning("%s is %s, by %s", spec, *found)
            return found[0].joinpath(*spec.file.split("/")) if spec.file else found[0]
        if (other := self.assets.version(spec.path)) is not None:
            changed = parse_spec(f"{spec.path}:{other[0]}" + (f"/{spec.file}" if spec.file else ""))
            log.warning("%s is %s, by %s", spec, changed, other[1])
            return changed
        return spec

    def _placed(self, folder: Path, version: Version, paths: Iterable[str]) -> Path:
        if self.assets is None or self.assets.folder is None:
            return folder
        return self.assets.place(folder, version.model, version.version, paths, self._session.cache.link)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_connected": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def __repr__(self) -> str:
        return f"<objreg.Registry {self.url}>"

    def close(self) -> None:
        """Release the store's connections; the next call opens them again."""
        session, self._connected = self._connected, None
        if session is not None and session.pid == os.getpid():
            session.close()

    # Changes to one model

    def _base(self, model: str) -> View:
        manifest = self._session.model(model)
        if manifest.ensure() is None:
            self._session.check_registry()
        return self._session.view(model, manifest)

    def _apply(self, model: str, operation: Operation, message: str) -> Any:
        return operation.present(self._commit(model, operation.decide, message))

    def _commit(self, model: str, decide: Callable[[View], Decision], message: str) -> Any:
        manifest = self._session.model(model)
        return commit_to_model(self._session, manifest, lambda: decide(self._session.view(model, manifest)), message)

    @contextmanager
    def transaction(self, model: str, *, message: str = "") -> Iterator[Transaction]:
        """Make any number of changes to one model in one commit: all of them or none.

        The methods of the transaction are those of the registry that change a model. What they return (a version, a
        deployment's number) is a promise: if another writer takes it before the commit, the commit is refused and
        nothing was changed.

        Args:
            model: its path.
            message: why, for the history.

        Raises:
            Conflict: at the end of the block, if a promise could not be kept.
            CommitUnknown: at the end of the block, if it is not known whether the commit landed.
        """
        transaction = Transaction(self._session, check_path(model), self._base(model))
        yield transaction
        transaction.finish()
        if transaction.is_empty:
            return
        self._commit(model, transaction.decide, message)

    def accept_history(self, model: str = "", *, namespace: str | None = None) -> None:
        """Forget what this machine has seen of a model, a namespace or (with neither) the registry's own manifest.

        For a registry that was restored or replaced on purpose: what it holds now is taken as it is.

        Raises:
            StoreError: the cache cannot be written.
        """
        session = self._session
        manifest = (
            session.model(model) if model else session.manifest(namespace_domain(check_namespace(namespace or "")))
        )
        seen = session.recall.head(manifest.domain)
        session.recall.forget_head(manifest.domain)
        if seen is not None and session.recall.head(manifest.domain) == seen:
            raise StoreError(
                f"the cache {session.cache_dir} cannot be written, so what was seen of {manifest.domain} is not"
                f" forgotten: do it as the user who owns the cache"
            )
        if model:
            session.recall.forget_versions(model)
        session.drop(manifest.domain)
