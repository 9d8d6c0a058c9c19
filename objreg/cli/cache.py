"""``objreg cache``."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from objreg.cli.fsck import FOUND
from objreg.cli.help import Group
from objreg.cli.invocation import Invocation, json_option
from objreg.cli.output import Table
from objreg.cli.progress import progress_bar
from objreg.cli.values import FiniteRange

if TYPE_CHECKING:  # imported by the commands when they are used
    from objreg.local.cache_settings import CacheSettings
    from objreg.local.cache_upkeep import CachedVersion, Removed

__all__ = ["command"]

_COLUMNS = ("version", "size", "used", "files", "record", "registry")
_HOUR = 3600.0


@click.group(cls=Group)
def command() -> None:
    """See what this machine keeps of pulled versions, and make it less.

    No request is made. What is removed is fetched again when it is next wanted.

    Examples:
      objreg cache ls
      objreg cache prune --max-size 20GB
    """


@command.command("dir")
@json_option
@click.pass_obj
def directory(invocation: Invocation) -> None:
    """Print where the cache is.

    OBJREG_CACHE_DIR names another folder, and OBJREG_CACHE_LAYERS read-only caches below it.

    Examples:
      objreg cache dir
      objreg cache dir --json | jq -r '.layers[]'
    """
    settings = _settings()
    document = {
        "path": str(settings.folder),
        "layers": [str(layer) for layer in settings.layers],
        "link": settings.link,
        "max_size": settings.max_size,
    }
    invocation.output.result(document, str(settings.folder))


@command.command("ls")
@json_option
@click.pass_obj
def ls(invocation: Invocation) -> None:
    """List the versions in the cache, the least recently used first.

    The size is of a version's files, and versions may share files: what all take together on the disk is told on
    stderr. A line whose files are fewer than the version's is of a pull of chosen files.

    Examples:
      objreg cache ls
      objreg cache ls --json | jq -r '.versions[].spec'
    """
    from objreg.local.cache_upkeep import cache_size, cached_versions

    cache = _settings().open()
    versions, size = cached_versions(cache), cache_size(cache)
    invocation.output.note(f"{cache.root}: {_counted(versions)}, {_bytes(size)} on the disk")
    document = {"path": str(cache.root), "size": size, "versions": [_plain(version) for version in versions]}
    invocation.output.result(document, Table(_COLUMNS, map(_row, versions)))


@command.command("prune")
@click.option("--max-size", metavar="SIZE", help="Like 20GB or 500MiB; else max_size in [cache] of objreg.toml.")
@click.option(
    "--keep",
    metavar="HOURS",
    type=FiniteRange(min=0),
    default=24.0,
    show_default=True,
    help="Leave what was used within this time.",
)
@json_option
@click.pass_obj
def prune(invocation: Invocation, max_size: str | None, keep: float) -> None:
    """Make the cache fit into a size.

    The least recently used versions go first, and what no version needs goes in any case. What is being fetched is
    left, and what was used a short time ago: a process may still read it. Prints what was removed.

    Examples:
      objreg cache prune --max-size 20GB
      objreg cache prune --max-size 0 --keep 168
    """
    from objreg.local.cache_settings import byte_size
    from objreg.local.cache_upkeep import prune as make_fit

    settings = _settings()
    limit = settings.max_size if max_size is None else byte_size(max_size, "--max-size")
    if limit is None:
        raise click.UsageError("no size is known: give --max-size, or set max_size in [cache] of objreg.toml")
    done = make_fit(settings.open(), limit, keep_seconds=keep * _HOUR)
    if done.size > limit:
        invocation.output.note(f"more than {_bytes(limit)} remain: the rest is being fetched, or was used lately")
    _tell(invocation, done)


@command.command("rm")
@click.argument("specs", nargs=-1, metavar="[SPEC]...")
@click.option("--all", "everything", is_flag=True, help="All that was pulled, and what pulls left unfinished.")
@json_option
@click.pass_obj
def rm(invocation: Invocation, specs: tuple[str, ...], everything: bool) -> None:
    """Remove versions from the cache, whoever may use them.

    A model's name alone means all its versions in the cache; a digest after @ means the version with that record.
    Prints what was removed.

    Examples:
      objreg cache rm fraud/clf:1.2
      objreg cache rm fraud/clf nlp/vocab
      objreg cache rm --all
    """
    from objreg.core.specs import parse_spec
    from objreg.errors import NotFound
    from objreg.local.cache_upkeep import cached_versions, prune, remove_versions

    if everything == bool(specs):
        raise click.UsageError("name versions, or say --all, and not both")
    cache = _settings().open()
    if everything:
        _tell(invocation, prune(cache, 0, keep_seconds=0))
        return
    known = cached_versions(cache)
    paths = set()
    for spec in map(parse_spec, specs):
        found = {
            version.path
            for version in known
            if version.index.model == spec.path
            and version.index.version == (spec.version or version.index.version)
            and version.record.startswith(spec.digest)
            and not spec.state
        }
        if not found:
            names = ", ".join(sorted({version.spec for version in known if version.index.model == spec.path}))
            raise NotFound(f"the cache has no {spec}; of {spec.path} it has {names or 'nothing'}")
        paths |= found
    _tell(invocation, remove_versions(cache, lambda version: version.path in paths))


@command.command("verify")
@json_option
@click.pass_context
def verify(ctx: click.Context) -> None:
    """Hash every file in the cache.

    What holds other bytes than it should is removed, and fetched again when it is next wanted; it is listed, and the
    exit code is 1. Sizes and modification times are compared at each use anyway.

    Examples:
      objreg cache verify
    """
    from objreg.local.cache_upkeep import cache_size, cached_versions
    from objreg.local.cache_upkeep import verify as hash_all

    invocation: Invocation = ctx.obj
    cache = _settings().open()
    versions = cached_versions(cache)
    with progress_bar("verify", cache_size(cache), quiet=invocation.json) as progress:
        damaged = hash_all(cache, progress)
    invocation.output.note(f"{_counted(versions)}, {len(damaged)} damaged files" if damaged else _counted(versions))
    rows = [(damage.spec, str(damage.path)) for damage in damaged]
    document = {
        "ok": not damaged,
        "versions": len(versions),
        "damaged": [{"spec": damage.spec or None, "path": str(damage.path)} for damage in damaged],
    }
    invocation.output.result(document, Table(("version", "path"), rows))
    if damaged:
        ctx.exit(FOUND)


def _settings() -> "CacheSettings":
    from objreg.local.cache_settings import load_cache_settings
    from objreg.local.config import load_settings

    return load_cache_settings(load_settings().cache_dir)


def _tell(invocation: Invocation, done: "Removed") -> None:
    for version in done.busy:
        invocation.output.note(f"{version.spec} is being fetched: left")
    invocation.output.note(
        f"removed {_counted(done.versions)}, {_bytes(done.freed)}; {_bytes(done.size)} are left on the disk"
    )
    document = {
        "freed": done.freed,
        "size": done.size,
        "removed": [_plain(version) for version in done.versions],
        "busy": [_plain(version) for version in done.busy],
    }
    invocation.output.result(document, Table(_COLUMNS, map(_row, done.versions)))


def _row(version: "CachedVersion") -> tuple[str, int, str, str, str, str]:
    files = str(version.files) if version.whole else f"{version.files} chosen"
    return version.spec, version.size, _used(version), files, version.record, version.registry


def _plain(version: "CachedVersion") -> dict[str, Any]:
    return {
        "spec": version.spec,
        "record": version.record,
        "registry": version.registry,
        "whole": version.whole,
        "files": version.files,
        "size": version.size,
        "link": version.link,
        "used_at": _used(version),
        "path": str(version.path),
    }


def _used(version: "CachedVersion") -> str:
    from objreg.core.times import format_time

    return format_time(datetime.fromtimestamp(version.used, UTC))


def _counted(versions: "tuple[CachedVersion, ...]") -> str:
    return "1 version" if len(versions) == 1 else f"{len(versions)} versions"


def _bytes(size: int) -> str:
    from rich.filesize import decimal

    return decimal(size)
