"""The AWS configuration files: which profile, whose keys, and when boto3 is needed."""

import sys
from pathlib import Path

import pytest

from objreg.errors import InvalidInput, MissingDependency
from objreg.store.aws_profile import read_aws_profile, s3_endpoint
from objreg.store.obstore_settings import settings_for
from objreg.store.options import CloudOptions, Location

CONFIG = """\
[default]
region = eu-west-1

[profile lab]
region = eu-central-1
endpoint_url = http://127.0.0.1:9
s3 =
    addressing_style = path

[profile corporate]
sso_session = acme
sso_account_id = 123456789012
"""
CREDENTIALS = """\
[lab]
aws_access_key_id = AKIALAB
aws_secret_access_key = hunter2
"""
ROOT = Location("s3", "bkt", "pre")


@pytest.fixture
def home(clean_environment: Path) -> Path:
    """A home with both files."""
    folder = clean_environment / ".aws"
    folder.mkdir()
    (folder / "config").write_text(CONFIG)
    (folder / "credentials").write_text(CREDENTIALS)
    return clean_environment


def test_no_files_say_nothing() -> None:
    """Without files there is no profile; one asked for by name is an error that names the files."""
    assert read_aws_profile(None, {}).region is None
    with pytest.raises(InvalidInput, match="'lab' is in neither"):
        read_aws_profile("lab", {})


def test_both_files_are_one_profile(home: Path) -> None:
    """Region and endpoint come from the config, keys from the credentials, and neither shows in a repr."""
    profile = read_aws_profile("lab", {})
    assert (profile.region, profile.endpoint_url) == ("eu-central-1", "http://127.0.0.1:9")
    assert profile.keys == {"aws_access_key_id": "AKIALAB", "aws_secret_access_key": "hunter2"}
    assert not profile.exchanged
    assert "hunter2" not in repr(profile)
    assert read_aws_profile(None, {"AWS_PROFILE": "lab"}) == profile
    assert read_aws_profile(None, {}).region == "eu-west-1"


def test_a_broken_file_is_not_repeated(home: Path) -> None:
    """A file that is no configuration is InvalidInput without its text."""
    (home / ".aws" / "credentials").write_text("aws_secret_access_key = hunter2\n")
    with pytest.raises(InvalidInput) as caught:
        read_aws_profile(None, {})
    assert "hunter2" not in str(caught.value)


def test_the_endpoint_has_an_order() -> None:
    """The option beats the service's variable, which beats the general one and the profile."""
    profile = read_aws_profile(None, {})
    both = {"AWS_ENDPOINT_URL": "http://general", "AWS_ENDPOINT_URL_S3": "http://s3"}
    assert s3_endpoint("http://option", profile, both) == "http://option"
    assert s3_endpoint(None, profile, both) == "http://s3"
    assert s3_endpoint(None, profile, {"AWS_ENDPOINT_URL": "http://general"}) == "http://general"
    assert s3_endpoint(None, profile, {}) is None


def test_keys_of_a_profile_need_no_boto3(home: Path, monkeypatch) -> None:
    """Static keys are taken from the file; keys in the environment come first unless a profile is asked for."""
    monkeypatch.setitem(sys.modules, "boto3", None)
    settings = settings_for(ROOT, CloudOptions(profile="lab"), {"AWS_ACCESS_KEY_ID": "AKIAENV"})
    assert settings.config["access_key_id"] == "AKIALAB"
    assert settings.config["region"] == "eu-central-1"
    assert settings.endpoint == "http://127.0.0.1:9/bkt"
    settings = settings_for(ROOT, CloudOptions(), {"AWS_PROFILE": "lab", "AWS_ACCESS_KEY_ID": "AKIAENV"})
    assert "access_key_id" not in settings.config
    assert "hunter2" not in repr(settings)


def test_sso_needs_boto3(home: Path, monkeypatch) -> None:
    """A profile whose credentials are exchanged names the extra that is missing."""
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(MissingDependency, match=r"objreg\[sso\]"):
        settings_for(ROOT, CloudOptions(profile="corporate"), {})


@pytest.mark.parametrize(
    ("options", "bucket", "expected"),
    [
        (CloudOptions(), "bkt", "https://bkt.s3.us-east-1.amazonaws.com"),
        (CloudOptions(region="cn-north-1"), "bkt", "https://bkt.s3.cn-north-1.amazonaws.com.cn"),
        (CloudOptions(), "b.k.t", "https://s3.us-east-1.amazonaws.com/b.k.t"),
        (CloudOptions(path_style=True), "bkt", "https://s3.us-east-1.amazonaws.com/bkt"),
        (CloudOptions(endpoint_url="http://h:1"), "bkt", "http://h:1/bkt"),
        (CloudOptions(endpoint_url="http://h:1", path_style=False), "bkt", "http://bkt.h:1"),
        (CloudOptions(), "bkt--x-s3", None),
    ],
)
def test_the_address_of_a_bucket(options: CloudOptions, bucket: str, expected: str | None) -> None:
    """In the host name at Amazon, in the path elsewhere, in the path where the name has a dot."""
    assert settings_for(Location("s3", bucket, ""), options, {}).endpoint == expected


def test_encryption_and_anonymity() -> None:
    """A key is asked for on creates; anonymous sends no signature."""
    config = settings_for(ROOT, CloudOptions(kms_key_id="arn:x", anonymous=True), {}).config
    assert config["server_side_encryption"] == "aws:kms"
    assert config["sse_kms_key_id"] == "arn:x"
    assert config["skip_signature"] is True


def test_an_azure_connection_string() -> None:
    """What the environment's connection string says is used."""
    text = "DefaultEndpointsProtocol=https;AccountName=acme;AccountKey=a2V5==;BlobEndpoint=http://127.0.0.1:9/acme"
    settings = settings_for(Location("az", "box", ""), CloudOptions(), {"AZURE_STORAGE_CONNECTION_STRING": text})
    assert settings.config == {"account_name": "acme", "account_key": "a2V5==", "endpoint": "http://127.0.0.1:9/acme"}
    assert settings.identity == "az://box@http://127.0.0.1:9/acme"
