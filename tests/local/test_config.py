"""Where the registry's URL and this machine's settings come from."""

import subprocess
import sys
from pathlib import Path

import platformdirs
import pytest

from objreg.errors import InvalidInput
from objreg.local.config import load_settings


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_the_argument_wins(tmp_path: Path) -> None:
    """The argument is used before the variable and the file, and a file's options do not leak into it."""
    write(tmp_path / "objreg.toml", 'url = "s3://file/r"\nengine = "fsspec"\n[storage_options]\nanon = true\n')

    settings = load_settings("s3://argument/r", start=tmp_path, environ={"OBJREG_URL": "s3://variable/r"})

    assert (settings.url, settings.source) == ("s3://argument/r", "the argument")
    assert (settings.storage_options, settings.engine) == ({}, None)


def test_the_variable_wins_over_the_file(tmp_path: Path) -> None:
    """OBJREG_URL is used before the file; empty, it counts as not set."""
    path = write(tmp_path / "objreg.toml", 'url = "s3://file/r"\n')

    set_ = load_settings(start=tmp_path, environ={"OBJREG_URL": "s3://variable/r"})
    empty = load_settings(start=tmp_path, environ={"OBJREG_URL": ""})

    assert (set_.url, set_.source) == ("s3://variable/r", "OBJREG_URL")
    assert (empty.url, empty.source) == ("s3://file/r", str(path))


def test_the_file_is_found_from_below(tmp_path: Path) -> None:
    """The nearest folder whose file has the key url wins; a file without it is passed over."""
    write(tmp_path / "objreg.toml", 'url = "s3://far/r"\n')
    near = write(tmp_path / "a" / "pyproject.toml", '[tool.objreg]\nurl = "s3://near/r"\n')
    write(tmp_path / "a" / "b" / "objreg.toml", '[assets]\nx = "fraud/clf"\n')
    (tmp_path / "a" / "b" / "c").mkdir()

    settings = load_settings(start=tmp_path / "a" / "b" / "c", environ={})

    assert (settings.url, settings.source) == ("s3://near/r", str(near))


def test_objreg_toml_wins_in_one_folder(tmp_path: Path) -> None:
    """objreg.toml is used before pyproject.toml beside it."""
    write(tmp_path / "objreg.toml", 'url = "s3://own/r"\n')
    write(tmp_path / "pyproject.toml", '[tool.objreg]\nurl = "s3://project/r"\n')

    assert load_settings(start=tmp_path, environ={}).url == "s3://own/r"


def test_a_relative_path_is_relative_to_the_file(tmp_path: Path) -> None:
    """A folder in a file does not depend on where the process runs."""
    write(tmp_path / "objreg.toml", 'url = "../shared/registry"\n')
    (tmp_path / "deep").mkdir()

    assert load_settings(start=tmp_path / "deep", environ={}).url == str(tmp_path.parent / "shared" / "registry")


def test_without_anything_it_is_the_data_folder(tmp_path: Path) -> None:
    """Nobody says a URL: a folder of the user's data."""
    settings = load_settings(start=tmp_path, environ={})

    assert settings.url == str(platformdirs.user_data_path("objreg", appauthor=False) / "registry")
    assert settings.source == "the user's data folder"
    assert settings.cache_dir == platformdirs.user_cache_path("objreg", appauthor=False)
    assert settings.offline is False


def test_options_and_engine_of_the_file(tmp_path: Path) -> None:
    """The file's options come with its URL; single options and the engine of the caller win."""
    write(
        tmp_path / "objreg.toml",
        'url = "s3://b/r"\nengine = "obstore"\n[storage_options]\nanon = false\nendpoint_url = "http://h:1"\n',
    )

    plain = load_settings(start=tmp_path, environ={})
    variable = load_settings(start=tmp_path, environ={"OBJREG_ENGINE": "fsspec"})
    argument = load_settings(
        start=tmp_path, environ={"OBJREG_ENGINE": "obstore"}, engine="fsspec", storage_options={"anon": True}
    )

    assert (plain.engine, plain.storage_options) == ("obstore", {"anon": False, "endpoint_url": "http://h:1"})
    assert variable.engine == "fsspec"
    assert (argument.engine, argument.storage_options) == ("fsspec", {"anon": True, "endpoint_url": "http://h:1"})


@pytest.mark.parametrize(
    "line",
    [
        'key = "hunter2"',
        'secret = "hunter2"',
        'aws_secret_access_key = "hunter2"',
        'sas_token = "hunter2"',
        'sas = "hunter2"',
        'account_key = "hunter2"',
        'connection_string = "hunter2"',
        'client_kwargs = {aws_session_token = "hunter2"}',
        'endpoint_url = "https://user:hunter2@host"',
        'client_kwargs = {endpoint_url = "https://host/?sv=1&sig=hunter2"}',
    ],
)
def test_secrets_in_the_file_are_refused(tmp_path: Path, line: str) -> None:
    """A secret is refused with the remedy, and its value is repeated nowhere."""
    write(tmp_path / "objreg.toml", f'url = "s3://b/r"\n[storage_options]\n{line}\n')

    with pytest.raises(InvalidInput, match="own chain") as caught:
        load_settings(start=tmp_path, environ={})

    assert "hunter2" not in f"{caught.value!r} {caught.value.facts}"


def test_a_secret_in_the_url_is_refused(tmp_path: Path) -> None:
    """The file's URL may not hold a password."""
    write(tmp_path / "objreg.toml", 'url = "s3://user:hunter2@b/r"\n')

    with pytest.raises(InvalidInput, match=r"^url in .* looks like a secret"):
        load_settings(start=tmp_path, environ={})


def test_what_only_looks_like_a_secret_is_taken(tmp_path: Path) -> None:
    """Names of keys in KMS, switches, paths, and gcsfs's ways to authenticate are no secrets."""
    options = {
        "token": "anon",
        "bucket_key_enabled": True,
        "aws_web_identity_token_file": "/run/t",
        "s3_additional_kwargs": {"SSEKMSKeyId": "arn:x"},
    }
    write(
        tmp_path / "objreg.toml",
        'url = "s3://b/r"\n[storage_options]\ntoken = "anon"\nbucket_key_enabled = true\n'
        'aws_web_identity_token_file = "/run/t"\ns3_additional_kwargs = {SSEKMSKeyId = "arn:x"}\n',
    )

    assert load_settings(start=tmp_path, environ={}).storage_options == options


def test_options_are_not_in_the_repr() -> None:
    """A printed Settings shows no secret of the caller."""
    assert "hunter2" not in repr(load_settings("s3://b/r", storage_options={"secret": "hunter2"}, environ={}))


@pytest.mark.parametrize("name", ["objreg.toml", "pyproject.toml"])
def test_unknown_keys_are_refused(tmp_path: Path, name: str) -> None:
    """A mistyped key is refused with the one that was meant, even where the file has no url because of it."""
    table = "[tool.objreg]\n" if name == "pyproject.toml" else ""
    write(tmp_path / name, f'{table}ulr = "s3://b/r"\n')

    with pytest.raises(
        InvalidInput, match=r"unknown key 'ulr'.*did you mean 'url'\?.*engine, groups, storage_options, transfer, url"
    ):
        load_settings(start=tmp_path, environ={})


def test_tables_of_later_releases_are_left_alone(tmp_path: Path) -> None:
    """One file may serve newer releases too."""
    write(tmp_path / "objreg.toml", 'url = "s3://b/r"\n[assets]\na = 1\n[cache]\nb = 2\n[groups]\nc = 3\n')

    assert load_settings(start=tmp_path, environ={}).url == "s3://b/r"


def test_broken_toml_is_named(tmp_path: Path) -> None:
    """The message has the file and the line."""
    path = write(tmp_path / "objreg.toml", 'url = "s3://b/r"\nengine =\n')

    with pytest.raises(InvalidInput, match=r"not valid TOML.*line 2") as caught:
        load_settings(start=tmp_path, environ={})

    assert str(path) in str(caught.value)


def test_text_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    """The message has the file and the line."""
    (tmp_path / "objreg.toml").write_bytes(b'url = "s3://b/r"\n# \xff\n')

    with pytest.raises(InvalidInput, match=r"objreg\.toml is not UTF-8 \(at line 2\)"):
        load_settings(start=tmp_path, environ={})


def test_broken_projects_of_others_are_ignored(tmp_path: Path) -> None:
    """A pyproject.toml that does not speak of objreg is none of its business."""
    write(tmp_path / "pyproject.toml", "[project\n")

    assert load_settings(start=tmp_path, environ={}).source == "the user's data folder"


@pytest.mark.parametrize("text", ["url = 3", 'url = ""', 'url = "s3://b/r"\nengine = 1', "storage_options = 1"])
def test_wrong_types_are_refused(tmp_path: Path, text: str) -> None:
    """Every known key has one type."""
    write(tmp_path / "objreg.toml", text)

    with pytest.raises(InvalidInput, match="must be a"):
        load_settings(start=tmp_path, environ={})


def test_an_empty_argument_is_refused() -> None:
    """An empty URL is a mistake of the caller, not the absence of one."""
    with pytest.raises(InvalidInput, match="is empty"):
        load_settings("", environ={})


def test_unknown_engines_are_refused(tmp_path: Path) -> None:
    """The message says who named the engine, and which there are."""
    with pytest.raises(InvalidInput, match=r"'boto' \(from OBJREG_ENGINE\).*fsspec, obstore"):
        load_settings(start=tmp_path, environ={"OBJREG_ENGINE": "boto"})


@pytest.mark.parametrize(
    ("value", "expected"), [("1", True), ("TRUE", True), ("yes", True), ("on", True), ("0", False), ("", False)]
)
def test_offline(value: str, expected: bool) -> None:
    """The usual words for yes and no are understood."""
    assert load_settings("memory://", environ={"OBJREG_OFFLINE": value}).offline is expected


def test_offline_refuses_other_words() -> None:
    """A word that is neither is not guessed at."""
    with pytest.raises(InvalidInput, match="OBJREG_OFFLINE is 'maybe'"):
        load_settings("memory://", environ={"OBJREG_OFFLINE": "maybe"})


def test_cache_dir_is_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """OBJREG_CACHE_DIR may be relative to the working directory, and does not move with it."""
    monkeypatch.chdir(tmp_path)

    assert load_settings("memory://", environ={"OBJREG_CACHE_DIR": "c"}).cache_dir == tmp_path / "c"


def test_importing_is_cheap() -> None:
    """What only some calls need is imported by those calls."""
    heavy = ("platformdirs", "filelock", "subprocess", "importlib.metadata", "tomllib", "difflib", "socket")
    names = ("config", "git", "identity", "environment", "cache")
    code = "import sys\nbefore = set(sys.modules)\n" + "".join(f"import objreg.local.{name}\n" for name in names)
    code += f"print(sorted((set(sys.modules) - before) & set({heavy!r})))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


# Connections


def test_connections_come_from_the_nearest_word(tmp_path: Path) -> None:
    """The argument, the variable, the file of the URL, 8."""
    write(tmp_path / "objreg.toml", 'url = "s3://b/r"\n[transfer]\nconnections = 3\n')
    variable = {"OBJREG_CONNECTIONS": "5"}
    assert load_settings(start=tmp_path, environ=variable, connections=7).connections == 7
    assert load_settings(start=tmp_path, environ=variable).connections == 5
    assert load_settings(start=tmp_path, environ={}).connections == 3
    assert load_settings("s3://other/r", start=tmp_path, environ={}).connections == 8


@pytest.mark.parametrize("number", ["0", "257", "-1", "many", "1.5", "1" * 5000])
def test_other_numbers_of_connections_are_refused(number: str) -> None:
    """From 1 to 256."""
    with pytest.raises(
        InvalidInput, match=r"connections is .* \(from OBJREG_CONNECTIONS\); use a number from 1 to 256"
    ):
        load_settings("s3://b/r", environ={"OBJREG_CONNECTIONS": number})


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ("transfer = 3", "transfer in .* must be a table, not int"),
        ("[transfer]\nconection = 3", "unknown key 'conection' in .transfer. of"),
        ("[transfer]\nconnections = true", "connections is True"),
    ],
)
def test_a_wrong_transfer_table_is_refused(tmp_path: Path, table: str, reason: str) -> None:
    """With the file that holds it."""
    write(tmp_path / "objreg.toml", f'url = "s3://b/r"\n{table}\n')
    with pytest.raises(InvalidInput, match=reason):
        load_settings(start=tmp_path, environ={})


@pytest.mark.parametrize(
    "text",
    [
        'url = "gs://bucket/models?endpoint_url=http://elsewhere.example"',
        'url = "az://container"\n[storage_options]\nendpoint_url = "https://elsewhere.example"',
        'url = "abfs://container"\n[storage_options]\naccount_host = "elsewhere.example"',
    ],
)
def test_a_file_may_not_say_where_a_token_is_sent(tmp_path: Path, text: str) -> None:
    """A repository that was cloned may name a bucket, but no endpoint that would get a bearer token."""
    (tmp_path / "objreg.toml").write_text(text)
    with pytest.raises(InvalidInput, match="names an endpoint"):
        load_settings(start=tmp_path, environ={})


def test_a_file_may_name_an_endpoint_of_s3(tmp_path: Path) -> None:
    """A request to S3 carries a signature and no key."""
    (tmp_path / "objreg.toml").write_text('url = "s3://b"\n[storage_options]\nendpoint_url = "http://127.0.0.1:1"')
    assert load_settings(start=tmp_path, environ={}).storage_options == {"endpoint_url": "http://127.0.0.1:1"}
