"""``objreg doctor`` and ``objreg policy``: what they print, and how they end."""

import json

import pytest

from objreg.errors import InvalidInput
from tests.cli.conftest import Cli


def test_a_sound_folder_ends_with_zero(cli: Cli):
    """One line for each check, in a pipe with all five columns; no registry need be there."""
    rows = cli("doctor", "--racers", "4").rows
    assert {len(row) for row in rows} == {5}
    assert ["ok", "create never replaces"] in [row[:2] for row in rows]


def test_the_document_has_every_check(cli: Cli):
    """In JSON: the address, the worst outcome, and each check with its five fields."""
    found = cli("doctor", "--racers", "4", "--json").json
    assert found["url"].startswith("file://")
    assert found["outcome"] in {"ok", "warning", "unknown"}
    assert all(list(check) == ["name", "outcome", "found", "expected", "remedy"] for check in found["checks"])


def test_an_unsound_store_ends_with_one(cli: Cli, servers):
    """A server that ignores the condition fails, and the remedy is printed."""
    server = servers["nanio"]
    options = [f"{name}={value}" for name, value in server.options("obstore").items()]
    arguments = [word for option in options for word in ("--option", option)]
    result = cli("doctor", server.new_bucket(), "--engine", "obstore", "--racers", "4", *arguments, code=1)
    assert "failed\tcreate never replaces" in result.out
    assert "do not put a registry here" in result.out
    assert server.secret_key not in result.out + result.err


def test_an_address_that_is_none_ends_with_two(cli: Cli):
    """A wrong address is a wrong call, not a sick store."""
    assert "not known" in cli("doctor", "ftp://x", code=2).err
    assert "give one of them" in cli("doctor", "./a", "--registry", "./b", code=2).err


@pytest.mark.parametrize(
    ("cloud", "url", "fields"),
    [
        ("s3", "s3://models/registry", ["Version", "Statement"]),
        ("gcs", "gs://models/registry", ["roles", "policy"]),
        ("azure", "az://models/registry", ["role", "assignments"]),
        ("azure", "abfs://models@account.dfs.core.windows.net/registry", ["role", "assignments"]),
    ],
)
def test_a_policy_is_json_for_everybody(cli: Cli, cloud: str, url: str, fields: list[str]):
    """With --json and without, stdout is the document alone, ready for the cloud's own tool."""
    arguments = ("policy", cloud, "--role", "writer", "--namespace", "fraud", "--registry", url)
    plain = cli(*arguments)
    assert list(json.loads(plain.out)) == fields
    assert plain.out == cli(*arguments, "--json").out
    assert "models" in plain.out
    assert "registry/fraud/" in plain.out


def test_principals_make_a_bucket_policy(cli: Cli):
    """Each principal that is named gets the permissions."""
    arns = [f"arn:aws:iam::111122223333:role/{name}" for name in ("a", "b")]
    named = [word for arn in arns for word in ("--principal", arn)]
    found = cli("policy", "s3", "--role", "reader", "--registry", "s3://models", *named).json
    assert found["Statement"][0]["Principal"] == {"AWS": arns}


@pytest.mark.parametrize("url", ["./registry", "gs://models/registry", "memory://x"])
def test_a_policy_is_for_the_cloud_that_the_registry_is_in(cli: Cli, url: str):
    """Elsewhere it is refused, with an example of what is right."""
    result = cli("policy", "s3", "--role", "reader", "--registry", url, code=InvalidInput.exit_code)
    assert "--registry s3://bucket/prefix" in result.err
