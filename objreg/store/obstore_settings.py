"""How obstore is told which bucket, server and credentials: from our options, the environment and profiles."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from objreg.errors import InvalidInput, MissingDependency
from objreg.store.aws_profile import AwsProfile, read_aws_profile, s3_endpoint
from objreg.store.options import CloudOptions, Location

__all__ = ["RETRIES", "ObstoreSettings", "azure_connection", "settings_for"]

# A dead endpoint is told within half a minute; a request that the network lost is repeated at once. Whoever wants to
# wait longer repeats above this layer, where it is known what may be repeated.
RETRIES: dict[str, Any] = {
    "max_retries": 4,
    "retry_timeout": timedelta(seconds=20),
    "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=2), "base": 2},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ObstoreSettings:
    """What a store of obstore is made with.

    Attributes:
        kind: the class in ``obstore.store``.
        config: its configuration; may hold secrets.
        endpoint: where the bucket is, or None where obstore knows it better.
        identity: which storage this is, for what a machine remembers of it.
        provider: of credentials, or None for obstore's own chain.
    """

    kind: str
    identity: str
    config: Mapping[str, Any] = field(repr=False)
    endpoint: str | None = None
    provider: Any = None


def settings_for(location: Location, options: CloudOptions, environment: Mapping[str, str]) -> ObstoreSettings:
    """Return the settings for a location.

    Raises:
        InvalidInput: an option that the cloud does not have.
        MissingDependency: the credentials need boto3.
    """
    return {"s3": _s3, "gs": _gcs, "az": _azure}[location.scheme](location, options, environment)


def _s3(location: Location, options: CloudOptions, environment: Mapping[str, str]) -> ObstoreSettings:
    profile = read_aws_profile(options.profile, environment)
    endpoint = s3_endpoint(options.endpoint_url, profile, environment)
    region = (
        options.region
        or environment.get("AWS_REGION")
        or environment.get("AWS_DEFAULT_REGION")
        or profile.region
        or "us-east-1"
    )
    config: dict[str, Any] = {"region": region, "disable_bulk_delete": True}
    bucket_url = None
    if not location.bucket.endswith("--x-s3"):  # an S3 Express bucket has an address that obstore works out
        bucket_url = _bucket_url(location.bucket, endpoint, region, options.path_style)
        config |= {"aws_endpoint_url_s3": bucket_url, "virtual_hosted_style_request": True}
    else:
        config["s3_express"] = True
    if options.kms_key_id:
        config |= {"server_side_encryption": "aws:kms", "sse_kms_key_id": options.kms_key_id}
    if options.checksum_algorithm:
        config["checksum_algorithm"] = options.checksum_algorithm
    credentials, provider = _s3_credentials(options, profile, environment)
    return ObstoreSettings(
        kind="S3Store",
        identity=location.identity(endpoint),
        config={**config, **credentials, **options.native},
        endpoint=bucket_url,
        provider=provider,
    )


def _bucket_url(bucket: str, endpoint: str | None, region: str, path_style: bool | None) -> str:
    if path_style is None:
        path_style = endpoint is not None or "." in bucket  # a dot in a host name breaks its certificate
    if endpoint is None:
        endpoint = f"https://s3.{region}.amazonaws.com{'.cn' if region.startswith('cn-') else ''}"
    endpoint = endpoint.rstrip("/")
    if path_style:
        return f"{endpoint}/{bucket}"
    parts = urlsplit(endpoint)
    return f"{parts.scheme}://{bucket}.{parts.netloc}{parts.path}"


def _s3_credentials(
    options: CloudOptions, profile: AwsProfile, environment: Mapping[str, str]
) -> tuple[dict[str, Any], Any]:
    """Return configuration and provider; the order is the one of the AWS tools."""
    if options.anonymous:
        return {"skip_signature": True}, None
    given = any("access_key" in name for name in options.native)
    in_environment = "AWS_ACCESS_KEY_ID" in environment and not options.profile
    if given or in_environment:
        return {}, None
    if profile.exchanged:
        return {}, _boto3_provider(profile.name)
    return {name.removeprefix("aws_"): value for name, value in profile.keys.items()}, None


def _boto3_provider(profile: str | None) -> Any:
    try:
        import boto3
        from botocore.exceptions import BotoCoreError
        from obstore.auth.boto3 import Boto3CredentialProvider
    except ImportError as error:
        raise MissingDependency(
            f"the AWS profile {profile or 'default'!r} has its credentials from SSO, a role or a program, which needs "
            "boto3; install objreg[sso]"
        ) from error
    try:
        return Boto3CredentialProvider(boto3.Session(profile_name=profile))
    except (BotoCoreError, ValueError) as error:
        raise InvalidInput(
            f"the AWS profile {profile or 'default'!r} gives no credentials; log in, or correct it"
        ) from error


def _gcs(location: Location, options: CloudOptions, _environment: Mapping[str, str]) -> ObstoreSettings:
    if options.endpoint_url:
        raise InvalidInput("the obstore engine takes no endpoint_url for gs://; leave engine= out")
    config = {"skip_signature": True} if options.anonymous else {}
    return ObstoreSettings(kind="GCSStore", identity=location.identity(None), config={**config, **options.native})


def _azure(location: Location, options: CloudOptions, environment: Mapping[str, str]) -> ObstoreSettings:
    config = azure_connection(environment.get("AZURE_STORAGE_CONNECTION_STRING", ""))
    if options.anonymous:
        config["skip_signature"] = True
    if options.account_name:
        config["account_name"] = options.account_name
    endpoint = options.endpoint_url or config.get("endpoint") or environment.get("AZURE_STORAGE_ENDPOINT")
    if endpoint:
        config["endpoint"] = endpoint
    account = config.get("account_name") or environment.get("AZURE_STORAGE_ACCOUNT_NAME")
    return ObstoreSettings(
        kind="AzureStore",
        identity=location.identity(endpoint or account),
        config={**config, **options.native},
        endpoint=endpoint,
    )


def azure_connection(text: str) -> dict[str, Any]:
    """Return what an Azure connection string says, by obstore's names."""
    names = {
        "AccountName": "account_name",
        "AccountKey": "account_key",
        "BlobEndpoint": "endpoint",
        "SharedAccessSignature": "sas_key",
    }
    pairs = (part.partition("=") for part in text.split(";") if part)
    return {names[name]: value for name, _, value in pairs if name in names}
