"""What a server's answer means: HTTP status and error code to objreg's errors, once for every engine."""

from objreg.errors import AccessDenied, StoreError, StoreUnavailable, UnsafeStore

__all__ = ["MISSING_BUCKET_CODES", "answer_error"]

MISSING_BUCKET_CODES = frozenset({"NoSuchBucket", "ContainerNotFound", "ContainerBeingDeleted", "FilesystemNotFound"})
"""The codes with which S3 and Azure say that the bucket, and not the object, is missing."""

_CLOCK_CODES = frozenset({"RequestTimeTooSkewed", "RequestExpired"})
_REGION_CODES = frozenset({"PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"})


def answer_error(  # noqa: PLR0911  # a table, one return a row
    status: int | None, code: str, *, action: str, url: str
) -> StoreError:
    """Return the error for an answer that is no success.

    Only the status and the code are repeated: a server's own text may hold what was signed.

    Args:
        status: the HTTP status, or None where there was no answer at all.
        code: the store's own word for it (``AccessDenied``), or empty.
        action: what was asked, for people: ``create fraud/clf.model/log/1.json``.
        url: the store's address without secrets.
    """
    facts = {"status": status, "code": code, "url": url}
    said = f"{url} answered {status}{f' ({code})' if code else ''} to {action}"
    if status is None:
        return StoreUnavailable(
            f"{url} gave no answer to {action}; check the address and the network, then retry", **facts
        )
    if code in MISSING_BUCKET_CODES:
        return StoreError(f"the bucket of {url} does not exist ({code}); create it, or correct the address", **facts)
    if code in _CLOCK_CODES:
        return AccessDenied(f"{said}: this machine's clock is wrong; set it, then retry", **facts)
    if code in _REGION_CODES or status in {301, 307, 308}:
        return StoreError(f"{said}: the bucket is in another region; name it with ?region=", **facts)
    if status in {401, 403}:
        return AccessDenied(f"{said}; {_permission_hint(action)}", **facts)
    if status == 404:
        return StoreError(f"{said}: the bucket does not exist; create it, or correct the address", **facts)
    if status == 501:
        return UnsafeStore(f"{said}: it does not implement this request; use a store with conditional create", **facts)
    if status in {408, 409, 412, 423, 425, 429} or status >= 500:
        return StoreUnavailable(f"{said}: no clear outcome; retry later", **facts)
    return StoreError(f"{said}; check the address and the options", **facts)


def _permission_hint(action: str) -> str:
    if action.startswith(("get ", "head ")):
        return (
            "grant the read permission, and the permission to list the bucket (s3:ListBucket), without which a store "
            "answers 403 for an object that does not exist"
        )
    return "check that credentials are set and allow this"
