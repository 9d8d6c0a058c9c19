"""The command line on a bucket: the main path, with the options of the storage, by both engines."""

from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.conftest import Servers
from tests.servers.server import S3Server


@pytest.mark.parametrize("engine", ["obstore", "fsspec"])
def test_the_main_path_on_s3(
    cli: Cli, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, engine: str
):
    """Create, push, promote, list, and pull on a machine that knows nothing yet: each command finds the bucket by options."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3_server.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3_server.secret_key)
    monkeypatch.setenv("OBJREG_URL", f"{s3_server.new_bucket()}/registry")
    where = ["--engine", engine, "--option", f"endpoint_url={s3_server.origin}", "--option", "region=us-east-1"]
    Path("model.bin").write_bytes(b"weights")

    assert cli("init", *where).out.startswith("s3://")
    cli("state", "define", "production", "--exclusive", *where)
    assert cli("push", "fraud/clf", "model.bin", "--state", "production", *where).out == "fraud/clf:1.0\n"
    monkeypatch.setenv("OBJREG_CACHE_DIR", str(tmp_path / "empty machine"))
    folder = cli("pull", "fraud/clf@production", *where).out.removesuffix("\n")
    assert Path(folder, "model.bin").read_bytes() == b"weights"
    assert cli("ls", "--json", *where).json[-1] == {"type": "model", "path": "fraud/clf"}
    assert cli("log", "fraud/clf", *where).rows[0][3] == "version 1.0; state production: none -> 1.0"


@pytest.mark.parametrize("engine", ["obstore", "fsspec"])
def test_wrong_credentials_are_told(cli: Cli, servers: Servers, monkeypatch: pytest.MonkeyPatch, engine: str):
    """Exit code 12 and one sentence, which repeats no key."""
    s3_server = servers["seaweedfs"]  # one that checks them
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3_server.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-the-secret")
    where = ["--engine", engine, "--option", f"endpoint_url={s3_server.origin}", "--option", "region=us-east-1"]
    result = cli("init", f"{s3_server.new_bucket()}/registry", *where, code=12)
    assert "not-the-secret" not in result.err
    assert result.err.count("\n") == 1


def test_a_bucket_that_is_not_there_is_told(cli: Cli, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch):
    """Exit code 10, with the bucket's name."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3_server.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3_server.secret_key)
    where = ["--engine", "obstore", "--option", f"endpoint_url={s3_server.origin}", "--option", "region=us-east-1"]
    assert "no-such-bucket" in cli("ls", "--registry", "s3://no-such-bucket/x", *where, code=10).err
