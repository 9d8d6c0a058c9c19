"""Options of a cloud in one neutral spelling, checked once and translated by each engine."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace

from objreg.errors import InvalidInput

__all__ = ["CloudOptions", "Location", "is_secret_name", "parse_options"]

_BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_SECRET_WORDS = ("key", "secret", "token", "sas", "passw", "passphrase", "pwd", "auth", "sig", "credential")


@dataclass(frozen=True, slots=True)
class Location:
    """Where in a cloud a registry is.

    Attributes:
        scheme: ``s3``, ``gs`` or ``az``.
        bucket: the bucket, or Azure's container.
        prefix: the root within it, without slashes at its ends; may be empty.
    """

    scheme: str
    bucket: str
    prefix: str

    @property
    def url(self) -> str:
        """The address for people, without options."""
        return f"{self.scheme}://{self.bucket}{'/' if self.prefix else ''}{self.prefix}"

    def identity(self, endpoint: str | None) -> str:
        """Return which storage this is: the address, and the server where it is not the cloud's own."""
        return f"{self.url}@{endpoint}" if endpoint else self.url

    def full(self, key: str) -> str:
        """Return a key, or a listing's prefix, as the bucket knows it."""
        return f"{self.prefix}/{key}" if self.prefix else key

    def relative(self, full: str) -> str:
        """Return a bucket's key as the registry knows it."""
        return full[len(self.prefix) + 1 :] if self.prefix else full


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudOptions:
    """What both engines understand, and what only the chosen one does.

    Attributes:
        endpoint_url: of a server that is not the cloud's own.
        region: of the bucket.
        anonymous: send no credentials.
        path_style: the bucket in the path (True) or in the host name; None: in the path where there is an endpoint.
        profile: of the AWS configuration files.
        kms_key_id: encrypt creates with this key (SSE-KMS).
        account_name: of Azure.
        checksum_algorithm: ``SHA256`` sends a checksum with each create, for S3 to keep.
        native: the engine's own options, which may be secrets.
    """

    endpoint_url: str | None = None
    region: str | None = None
    anonymous: bool = False
    path_style: bool | None = None
    profile: str | None = None
    kms_key_id: str | None = None
    account_name: str | None = None
    checksum_algorithm: str | None = None
    native: Mapping[str, object] = field(default_factory=dict, repr=False)

    def with_account(self, account_name: str) -> "CloudOptions":
        """Return the same options for an account that the address names."""
        return replace(self, account_name=account_name)

    def refuse(self, known: Iterable[str], *, engine: str) -> None:
        """Raise InvalidInput if there is a native option that ``engine`` does not know."""
        known = set(known)
        for name in self.native:
            if name not in known:
                options = ", ".join(sorted({*_NEUTRAL, *known}))
                raise InvalidInput(f"{name!r} is no option of the {engine} engine; it knows {options}", option=name)


_NEUTRAL = tuple(f.name for f in fields(CloudOptions) if f.name != "native")


def is_secret_name(name: str) -> bool:
    """Tell whether an option's name says that its value is a secret."""
    return name not in _NEUTRAL and any(word in name.lower() for word in _SECRET_WORDS)


def parse_options(query: Mapping[str, str], storage_options: Mapping[str, object] | None) -> CloudOptions:
    """Merge the options of a URL's query with those of a call; the call wins.

    Raises:
        InvalidInput: the query has an unknown name or a secret, or a value is not of its option's kind.
    """
    for name in query:
        if name in _NEUTRAL:
            continue
        if is_secret_name(name):
            raise InvalidInput(
                f"a registry's address must not hold credentials ({name!r}); set them in the environment, "
                "in a profile, or in storage_options",
                option=name,
            )
        raise InvalidInput(
            f"{name!r} is no option of a registry's address; it knows {', '.join(_NEUTRAL)}", option=name
        )
    given: dict[str, object] = {**query, **(storage_options or {})}
    neutral = {name: _checked(name, given[name]) for name in _NEUTRAL if given.get(name) is not None}
    native = {name: value for name, value in given.items() if name not in _NEUTRAL}
    return CloudOptions(**neutral, native=native)  # type: ignore[arg-type]  # _checked gives each name its kind


def _checked(name: str, value: object) -> object:
    if name in {"anonymous", "path_style"}:
        found = value if isinstance(value, bool) else _BOOLEANS.get(str(value).lower())
        if found is None:
            raise InvalidInput(f"option {name!r} is neither true nor false; write {name}=true", option=name)
        return found
    if not isinstance(value, str) or not value:
        raise InvalidInput(f"option {name!r} must be a text that is not empty", option=name)
    if name == "endpoint_url":
        scheme, _, rest = value.partition("://")
        if scheme not in {"http", "https"} or not rest or "@" in rest:
            raise InvalidInput("option 'endpoint_url' must be http:// or https:// with a host, without credentials")
        return value.rstrip("/")
    if name == "checksum_algorithm" and value != "SHA256":
        raise InvalidInput(f"option 'checksum_algorithm' is {value!r}; the one that is known is SHA256", option=name)
    return value
