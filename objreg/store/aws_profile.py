"""What the environment and the AWS configuration files say, as far as it can be known without an AWS library.

Static keys are read here, because importing boto3 costs more than ten reads of an object. Whatever has to be exchanged
for keys (SSO, roles, programs) is left to boto3.
"""

import os
from collections.abc import Mapping
from configparser import ConfigParser, Error
from dataclasses import dataclass, field
from pathlib import Path

from objreg.errors import InvalidInput

__all__ = ["AwsProfile", "read_aws_profile", "s3_endpoint"]

_EXCHANGED = frozenset(
    {
        "sso_session",
        "sso_start_url",
        "sso_account_id",
        "role_arn",
        "credential_process",
        "source_profile",
        "login_session",
    }
)


@dataclass(frozen=True, slots=True)
class AwsProfile:
    """One profile.

    Attributes:
        name: as it was chosen, or None where the default was not asked for by name.
        region: of the profile.
        endpoint_url: of the profile.
        keys: static credentials, by the names of the file; empty where there are none.
        exchanged: True where the credentials are the result of SSO, a role or a program.
    """

    name: str | None = None
    region: str | None = None
    endpoint_url: str | None = None
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    exchanged: bool = False


def read_aws_profile(name: str | None, environment: Mapping[str, str]) -> AwsProfile:
    """Read a profile from ``~/.aws/config`` and ``~/.aws/credentials``, or from where the environment says they are.

    Args:
        name: of the profile; None takes AWS_PROFILE, then the default profile.
        environment: usually ``os.environ``.

    Raises:
        InvalidInput: the profile was asked for by name and is in neither file, or a file cannot be read.
    """
    chosen = name or environment.get("AWS_PROFILE") or environment.get("AWS_DEFAULT_PROFILE")
    section = chosen or "default"
    config_path = environment.get("AWS_CONFIG_FILE") or "~/.aws/config"
    credentials_path = environment.get("AWS_SHARED_CREDENTIALS_FILE") or "~/.aws/credentials"
    config = _section(config_path, section if section == "default" else f"profile {section}")
    credentials = _section(credentials_path, section)
    if config is None and credentials is None:
        if chosen is None:
            return AwsProfile()
        raise InvalidInput(
            f"the AWS profile {chosen!r} is in neither {config_path} nor {credentials_path}; add it, or name another",
            profile=chosen,
        )
    merged = {**(config or {}), **(credentials or {})}
    keys: dict[str, str] = {
        k: merged[k] for k in ("aws_access_key_id", "aws_secret_access_key", "aws_session_token") if k in merged
    }
    return AwsProfile(
        name=chosen,
        region=merged.get("region"),
        endpoint_url=merged.get("endpoint_url"),
        keys=keys if "aws_secret_access_key" in keys else {},
        exchanged=bool(_EXCHANGED & merged.keys()),
    )


def s3_endpoint(option: str | None, profile: AwsProfile, environment: Mapping[str, str]) -> str | None:
    """Return the address of a server that is not Amazon's: the option's, the environment's or the profile's."""
    named = (environment.get(name) for name in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"))
    return option or next((endpoint for endpoint in named if endpoint), None) or profile.endpoint_url


def _section(path: str, name: str) -> dict[str, str] | None:
    file = Path(os.path.expanduser(path))  # noqa: PTH111  # Path.expanduser raises where there is no home; then there is no file
    parser = ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(file.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError, Error) as error:
        # The parser's own text repeats the line, which may be a secret.
        raise InvalidInput(
            f"{path} cannot be read as an AWS configuration file ({type(error).__name__}); repair it"
        ) from None
    return dict(parser[name]) if parser.has_section(name) else None
