"""Keep secrets out of records: what looks like one is refused, with advice, and never repeated.

A record is immutable and readable by everybody who reads the bucket, so a secret in it would have to be revoked.
"""

import re
from collections.abc import Mapping
from typing import Any

from objreg.errors import InvalidInput

__all__ = ["refuse_secret_text", "refuse_secret_url", "refuse_secrets"]

_NAME = re.compile(
    r"passw(or)?d|passphrase|secret|token|credential|api[_-]?key|access[_-]?key|private[_-]?key|auth[_-]?key|(^|[_-])pwd($|[_-])",
    re.IGNORECASE,
)
_HARMLESS_NAME = re.compile(
    r"(_|-)(arn|name|id|path|file|url|uri|ref|ttl|count|limit|length|size|version)$|^max_tokens$|tokens$|tokenizer",
    re.IGNORECASE,
)
_VALUE = re.compile(
    r"(AKIA|ASIA)[0-9A-Z]{16}|-----BEGIN [A-Z ]*PRIVATE"
    r" KEY|\bgh[pousr]_[A-Za-z0-9]{30,}|\bgithub_pat_|\bxox[abpr]-|\bsk-[A-Za-z0-9_-]{20,}"
    r"|\beyJ[A-Za-z0-9_-]{10,1000}\.eyJ|AccountKey=|SharedAccessKey=|(?i:[?&;]\s*(sig|x-amz-signature|x-goog-signature"
    r"|access_token|token|api_key|apikey|secret|password|passwd|pwd)\s*=\s*[^\s&;$])"
)
_URL_PASSWORD = re.compile(
    r"(?<![a-z0-9+.-])[a-z][a-z0-9+.-]*://[^\s/?#:@]*:(?!\$\{?\w+\}?@)[^\s/?#@]+@", re.IGNORECASE
)
_REFERENCE = re.compile(
    r"^(\$\{?\w+\}?|arn:[\w-]+:(secretsmanager|ssm):.*|vault:.*|projects/[^/]+/secrets/.*|secretRef:.*)$"
)
_ADVICE = (
    "keep it in a secret store and record its name or ARN instead, like 'arn:aws:secretsmanager:…' or '${VARIABLE}'"
)


def refuse_secrets(value: Any, what: str) -> None:
    """Look through a JSON value for what looks like a secret.

    Args:
        value: any nesting of dictionaries and lists.
        what: where it stands, for the message (``environment``).

    Raises:
        InvalidInput: names where the secret stands, never what it is.
    """
    if isinstance(value, Mapping):
        for name, item in value.items():
            where = f"{what}.{name}"
            named = _NAME.search(str(name)) and not _HARMLESS_NAME.search(str(name))
            if named and isinstance(item, str) and item and not _REFERENCE.match(item):
                raise InvalidInput(
                    f"{where} looks like a secret, and a record is readable by all and for ever: {_ADVICE}"
                )
            refuse_secrets(item, where)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            refuse_secrets(item, f"{what}[{index}]")
    elif isinstance(value, str):
        if _VALUE.search(value):
            raise InvalidInput(f"{what} holds what looks like a key or a token: {_ADVICE}")
        refuse_secret_url(value, what)


def refuse_secret_url(text: str, what: str) -> str:
    """Return a text unless there is a URL with a user's password in it; a variable in its place is none.

    Raises:
        InvalidInput: it is; the message does not repeat it.
    """
    if _URL_PASSWORD.search(text):
        raise InvalidInput(f"{what} is a URL with a password in it: {_ADVICE}")
    return text


def refuse_secret_text(text: str, what: str) -> str:
    """Return a text unless it holds what looks like a key, a token or a URL with a password.

    Raises:
        InvalidInput: it does; the message does not repeat it.
    """
    refuse_secrets(text, what)
    return text
