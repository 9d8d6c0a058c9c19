"""``objreg fsck``: what it prints, and how it ends."""

from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.conftest import Servers


@pytest.fixture
def blob(clf: Cli) -> Path:
    """A blob of the registry that ``clf`` uses."""
    return min(Path("registry/fraud/clf.model/blobs").iterdir())


def test_a_clean_registry(clf: Cli):
    """Nothing on stdout, a summary on stderr, and 0."""
    result = clf("fsck")
    assert result.out == ""
    assert result.err == "objreg: 4 entries, 3 records and 3 blobs of 2 logs: nothing wrong\n"
    assert clf("fsck", "fraud/clf", "--deep", "--since").out == ""


def test_an_error(clf: Cli, blob: Path):
    """One line for each finding, what each kind means once, and 1."""
    blob.unlink()
    result = clf("fsck", code=1)
    ((severity, code, key, message),) = result.rows
    assert (severity, code, key) == ("error", "blob-missing", f"fraud/clf.model/blobs/{blob.name}")
    assert "version 1." in message
    assert result.err.count("blob-missing: ") == 1
    assert "1 errors" in result.err


def test_a_warning_is_no_failure(clf: Cli):
    """What does not belong there is told, and ends with 0."""
    Path("registry/README").write_text("hello")
    assert clf("fsck").rows[0][:3] == ["warning", "unknown-key", "README"]


def test_json(clf: Cli, blob: Path):
    """One document: counts, whether all is well, and each finding with its meaning."""
    blob.write_bytes(b"x")
    found = clf("fsck", "--json", code=1).json
    assert (found["ok"], found["domains"], found["entries"]) == (False, 2, 4)
    (finding,) = found["findings"]
    assert set(finding) == {"code", "severity", "domain", "key", "message", "meaning"}


def test_since_entry(clf: Cli):
    """A number of one model's log is taken on trust; without the model it is a mistake."""
    assert clf("fsck", "fraud/clf", "--since-entry", "0").rows[0][:2] == ["note", "started-on-trust"]
    assert "name the model" in clf("fsck", "--since-entry", "0", code=2).err


def test_wrong_names(clf: Cli):
    """What is not there, and what is no name of a model."""
    clf("fsck", "fraud/nothing", code=3)
    assert "write 'fraud/clf'" in clf("fsck", "fraud/clf:1.0", code=2).err


def test_stored_checksums_of_a_folder(clf: Cli):
    """A folder keeps none, and without --deep the option means nothing: told as wrong use."""
    assert "only S3 does" in clf("fsck", "--deep", "--stored-checksums", code=2).err
    assert "add --deep" in clf("fsck", "--stored-checksums", code=2).err


@pytest.mark.parametrize("engine", ["obstore", "fsspec"])
def test_stored_checksums_of_a_bucket(cli: Cli, servers: Servers, monkeypatch: pytest.MonkeyPatch, engine: str):
    """The option is in a registry file, beside its URL; how many blobs were taken at the store's word is told."""
    server = servers["seaweedfs"]
    monkeypatch.delenv("OBJREG_URL")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", server.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", server.secret_key)
    options = f'{{ endpoint_url = "{server.origin}", region = "us-east-1", checksum_algorithm = "SHA256" }}'
    Path("objreg.toml").write_text(
        f'url = "{server.new_bucket()}/registry"\nengine = "{engine}"\nstorage_options = {options}\n'
    )
    Path("model.bin").write_bytes(b"weights")
    cli("init")
    cli("push", "fraud/clf", "model.bin")
    verified = cli("fsck", "--deep", "--stored-checksums")
    assert verified.out == ""
    assert verified.err.splitlines()[0] == "objreg: 1 of 1 blobs were taken at the store's word, and 0 read"
    found = cli("fsck", "--deep", "--stored-checksums", "--json").json
    assert (found["ok"], found["blobs"], found["blobs_vouched"], found["blobs_read"]) == (True, 1, 1, 0)


def test_what_the_bucket_says_is_shown_and_never_obeyed(clf: Cli):
    """A key with an escape in it moves no cursor."""
    Path("registry/fraud/clf.model/log/\x1b[2J").write_text("")
    result = clf("fsck", code=1)
    assert "\x1b" not in result.out
    assert "\\x1b[2J" in result.out
