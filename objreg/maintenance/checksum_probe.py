"""Whether S3 keeps the SHA-256 that is sent with a create, tells it, and refuses a wrong one."""

import secrets

from objreg.core.digest import digest_of
from objreg.errors import AccessDenied, StoreError, StoreUnavailable
from objreg.maintenance.bench import Bench
from objreg.maintenance.checks import Check, ok, unknown, warning
from objreg.store.base import Store
from objreg.store.checksums import recorded_sha256

__all__ = ["checksums"]

_NAME = "checksums"


def checksums(bench: Bench) -> Check:
    """Create an object with its SHA-256 and another with a wrong one, and see what the store makes of them.

    No registry needs it: a store that keeps none is as good. One that repeats a wrong one must not be asked.
    """
    if bench.claiming is None:
        return unknown(_NAME, "not known", bench.why_not)
    data, key = secrets.token_bytes(64), bench.key("checksum")
    honest = bench.claiming(digest_of)
    if not _accepts(honest, key, data):
        return ok(_NAME, "a create with a SHA-256 is refused: leave the option checksum_algorithm out")
    if recorded_sha256(honest, key) != digest_of(data):
        return ok(_NAME, "no SHA-256 is kept: 'objreg fsck --deep' reads every blob")
    wrong, key = digest_of(b""), bench.key("checksum-wrong")
    if _accepts(bench.claiming(lambda _: wrong), key, data) or bench.store.head(key) is not None:
        return warning(
            _NAME,
            "a wrong SHA-256 is taken for true: the store repeats what it is told, unchecked",
            "do not verify with 'objreg fsck --stored-checksums' here",
            "a wrong SHA-256 is refused",
        )
    return ok(_NAME, "a SHA-256 is kept and told, and a wrong one refused: 'fsck --stored-checksums' may rest on it")


def _accepts(store: Store, key: str, data: bytes) -> bool:
    try:
        return store.create(key, data)
    except (AccessDenied, StoreUnavailable):
        raise
    except StoreError:
        return False
