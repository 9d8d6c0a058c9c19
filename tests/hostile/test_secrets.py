"""No secret is shown, and none is kept: not in errors, reprs, warnings, JSON, records or the cache, at any level."""

import json
import pickle
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import objreg
from objreg.cli.program import run
from objreg.local.config import load_settings
from objreg.store.urls import open_store, redact
from tests.hostile.forged import MODEL, Forger

SECRET = "hunter2/Hunter+2"
PLAIN = "hunter2"

ADDRESSES = [
    f"s3://AKIAIOSFODNN7EXAMPLE:{PLAIN}@bucket/prefix",
    f"s3://key:{SECRET}@bucket/prefix",
    f"S3://key:{PLAIN}@bucket/prefix",
    f"gs://{PLAIN}@bucket/prefix",
    f"az://account:{PLAIN}@container/x",
    f"abfs://container:{PLAIN}@account.dfs.core.windows.net/x",
    f"https://ada:{PLAIN}@host/x",
    f"https://ada:{SECRET}@host/x",
    f"https://{PLAIN}@host/x",
    f"https://host/x?sig={PLAIN}",
    f"https://host/x#token={PLAIN}",
    f"memory://ada:{PLAIN}@x",
    f"file://ada:{PLAIN}@host/x",
    f"file://host/x?password={PLAIN}",
    f"ftp://ada:{PLAIN}@host/x",
    f"http://ada:{PLAIN}@[bad/x",
    f"s3://bucket/x?secret_access_key={PLAIN}",
    f"s3://bucket/x?aws_session_token={PLAIN}",
    f"s3://bucket/x?pwd={PLAIN}",
    f"s3://bucket/x?endpoint_url=http://ada:{PLAIN}@host",
    f"az://container/x?sas_token={PLAIN}",
    f"az://container/x?sv=1&sig={PLAIN}",
]


def said(error: BaseException) -> str:
    """Return all that is told of an error: message, facts, repr, and the traceback with what caused it."""
    facts = repr(getattr(error, "facts", {}))
    lines = [line for line in traceback.format_exception(error) if not line.startswith("  File")]
    return "\n".join([str(error), repr(error), facts, *lines])


@pytest.mark.parametrize("url", ADDRESSES)
@pytest.mark.parametrize("options", [None, {"region": "eu-west-1"}], ids=["plain", "options"])
def test_an_address_with_a_secret_is_refused_and_never_shown(url: str, options: dict[str, str] | None) -> None:
    """By Python, with all that Python shows of an error."""
    with pytest.raises(objreg.InvalidInput) as caught:
        objreg.open(url, storage_options=options)
    assert PLAIN not in said(caught.value)
    with pytest.raises(objreg.InvalidInput) as caught:
        open_store(url, engine="fsspec")
    assert PLAIN not in said(caught.value)


@pytest.mark.parametrize("url", ADDRESSES)
@pytest.mark.parametrize("place", ["option", "environment", "file"])
@pytest.mark.parametrize("form", [(), ("--json",), ("--debug",)], ids=["text", "json", "debug"])
def test_the_command_line_never_repeats_it(
    url: str,
    place: str,
    form: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Wherever it comes from; a log of CI is read by many."""
    monkeypatch.chdir(tmp_path)
    arguments = ["ls"]
    if place == "option":
        arguments += ["--registry", url]
    elif place == "environment":
        monkeypatch.setenv("OBJREG_URL", url)
    else:
        (tmp_path / "objreg.toml").write_text(f"url = {json.dumps(url)}")
    debug = [option for option in form if option == "--debug"]
    assert run([*debug, *arguments, *(option for option in form if option != "--debug")]) == 2
    out, err = capsys.readouterr()
    assert PLAIN not in out + err
    assert out == ""
    assert err.strip()


@pytest.mark.parametrize("url", ADDRESSES)
def test_what_is_shown_of_an_address_has_no_secret(url: str) -> None:
    """``redact`` alone, of whatever it is given."""
    assert PLAIN not in redact(url)


KEYS = {"key": "AKIAIOSFODNN7EXAMPLE", "secret": SECRET, "token": PLAIN}


@pytest.mark.parametrize("engine", ["fsspec", "obstore"])
def test_keys_in_the_options_are_shown_by_nothing(tmp_path: Path, engine: str) -> None:
    """Not by the registry, its settings or its store; not when the server cannot be reached, or an option is unknown."""
    names = {"fsspec": ("key", "secret"), "obstore": ("access_key_id", "secret_access_key")}[engine]
    options = {names[0]: KEYS["key"], names[1]: SECRET, "endpoint_url": "http://127.0.0.1:9"}
    registry = objreg.open("s3://bucket/x", storage_options=options, engine=engine)
    settings = load_settings("s3://bucket/x", storage_options=options, engine=engine, environ={"HOME": str(tmp_path)})
    for shown in (repr(registry), registry.url, repr(registry._connect), repr(settings), str(vars(registry))):
        assert PLAIN not in shown
        assert KEYS["key"] not in shown
    with pytest.raises(objreg.InvalidInput) as caught:
        objreg.open("s3://bucket/x", storage_options={**options, "secert": SECRET}, engine=engine).models()
    assert PLAIN not in said(caught.value)
    with pytest.raises(objreg.InvalidInput) as caught:
        objreg.open("s3://bucket/x", storage_options={**options, "anonymous": SECRET}, engine=engine)
    assert PLAIN not in said(caught.value)
    assert pickle.loads(pickle.dumps(registry)).url == "s3://bucket/x"


def test_an_option_that_is_mistyped_is_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """``--option secret_access_key:…`` has no ``=``, and what follows may be the secret itself."""
    monkeypatch.chdir(tmp_path)
    for text in (f"secret_access_key:{PLAIN}", PLAIN + PLAIN, f"={PLAIN}{PLAIN}"):
        assert run(["ls", "--registry", "s3://b/x", "--option", text]) == 2
        assert PLAIN not in capsys.readouterr().err


@pytest.mark.parametrize(
    "table",
    [
        f'secret = "{PLAIN}"',
        f'aws_secret_access_key = "{PLAIN}"',
        f'connection_string = "AccountKey={PLAIN}"',
        f'client_kwargs = {{ aws_session_token = "{PLAIN}" }}',
        f'endpoint_url = "https://ada:{PLAIN}@host"',
        f'endpoint_url = "https://host?sig={PLAIN}"',
    ],
)
def test_a_project_file_may_not_hold_secrets(tmp_path: Path, table: str) -> None:
    """They would be committed; the advice says where the cloud looks for them."""
    (tmp_path / "objreg.toml").write_text(f'url = "s3://bucket/x"\n[storage_options]\n{table}\n')
    with pytest.raises(objreg.InvalidInput, match=r"looks like a secret.*remove it, and let the cloud's own") as caught:
        load_settings(start=tmp_path, environ={"OBJREG_CACHE_DIR": str(tmp_path)})
    assert PLAIN not in said(caught.value)


# What is kept: records and entries are readable by everybody, for ever

KEPT_NOT: dict[str, str] = {
    "aws key": "AKIAIOSFODNN7EXAMPLE hunter2",
    "url": f"see postgresql://ada:{PLAIN}@db/claims",
    "jdbc": f"jdbc:postgresql://db/claims?user=ada&password={PLAIN}",
    "odbc": f"Server=db;Uid=ada;Pwd={PLAIN};",
    "azure": f"DefaultEndpointsProtocol=https;AccountName=x;AccountKey={PLAIN}",
    "event hub": f"Endpoint=sb://x/;SharedAccessKey={PLAIN}",
    "signed": f"https://x.blob.core.windows.net/a?sv=1&sig={PLAIN}",
    "google signed": f"https://storage.googleapis.com/b/k?X-Goog-Signature={PLAIN}",
    "token in a query": f"https://api/x?access_token={PLAIN}",
    "key file": f"-----BEGIN PRIVATE KEY-----\n{PLAIN}",
    "github": "ghp_" + PLAIN * 6,
}


def places(registry: objreg.Registry, file: Path, text: str) -> dict[str, Callable[[], Any]]:
    """Return every place where a text can be put into a record or an entry."""
    source = {"name": "claims"}
    return {
        "metadata": lambda: registry.push(MODEL, file, metadata={"a": [{"b": text}]}),
        "description": lambda: registry.push(MODEL, file, description=text),
        "framework": lambda: registry.push(MODEL, file, framework=text),
        "message": lambda: registry.push(MODEL, file, message=text),
        "transaction": lambda: _transaction(registry, text),
        "environment": lambda: registry.record_deployment(MODEL, endpoint="x", environment={"NOTE": text}),
        "endpoint": lambda: registry.record_deployment(MODEL, endpoint=text),
        "method": lambda: registry.record_deployment(MODEL, endpoint="x", method=text),
        "strategy": lambda: registry.record_deployment(MODEL, endpoint="x", rolling_strategy=text),
        "parameters": lambda: registry.record_experiment(MODEL, "x", parameters={"a": text}),
        "experiment": lambda: registry.record_experiment(MODEL, "x", description=text),
        "data set": lambda: registry.record_experiment(MODEL, "x", datasets=[objreg.Dataset(name="d", url=text)]),
        "of a data set": lambda: registry.record_experiment(
            MODEL, "x", datasets=[objreg.Dataset(name="d", description=text)]
        ),
        "connection": lambda: registry.put_catalog(MODEL, data_sources=[{**source, "connection": {"dsn": text}}]),
        "data source": lambda: registry.put_catalog(MODEL, data_sources=[{**source, "description": text}]),
        "url": lambda: registry.put_catalog(MODEL, url=text),
        "owner": lambda: registry.put_catalog(MODEL, owner=text),
        "tag": lambda: registry.put_catalog(MODEL, tags=[text]),
        "namespace": lambda: registry.put_namespace("fraud", url=text),
        "settings": lambda: registry.put_settings(description=text),
        "state": lambda: registry.define_state("other", description=text),
        "retirement": lambda: registry.retire(MODEL, reason=text),
    }


def _transaction(registry: objreg.Registry, text: str) -> None:
    with registry.transaction(MODEL, message=text) as transaction:
        transaction.put_catalog(MODEL, owner="bob")


@pytest.mark.parametrize("what", KEPT_NOT)
def test_what_looks_like_a_secret_is_put_into_no_record(forger: Forger, what: str) -> None:
    """Refused in every text that is kept, with advice and without the secret; nothing in the bucket or the cache has it."""
    text = KEPT_NOT[what]
    registry, file = forger.reader(), forger.folder.parent / "model.bin"
    for place, attempt in places(registry, file, text).items():
        with pytest.raises(objreg.InvalidInput, match="keep it in a secret store and record its name") as caught:
            attempt()
        assert PLAIN not in said(caught.value), place
    kept = [forger.store.get(info.key) or b"" for info in forger.store.list("")]
    kept += [path.read_bytes() for path in forger.folder.rglob("*") if path.is_file()]
    assert all(PLAIN.encode() not in data for data in kept)


def test_a_variable_that_is_named_like_a_secret_is_refused(forger: Forger) -> None:
    """Whatever it holds, for nothing else tells a password from a word."""
    for name in ("DB_PASSWORD", "API_KEY", "AWS_SECRET_ACCESS_KEY", "HF_TOKEN", "CREDENTIALS"):
        with pytest.raises(objreg.InvalidInput, match=rf"environment\.{name} looks like a secret.*'\$\{{VARIABLE\}}'"):
            forger.reader().record_deployment(MODEL, endpoint="x", environment={name: PLAIN})
        with pytest.raises(objreg.InvalidInput, match=rf"metadata\.{name} looks like a secret"):
            forger.reader().push(MODEL, forger.folder.parent / "model.bin", metadata={name: PLAIN})


@pytest.mark.parametrize(
    "text",
    [
        "arn:aws:secretsmanager:eu-west-1:1:secret:x",
        "${DB_PASSWORD}",
        "postgresql://reader@db/claims",
        "postgresql://ada:${DB_PASSWORD}@db/claims",
        "jdbc:postgresql://db/claims?user=ada&password=${DB_PASSWORD}",
        "the token count is 512; pwd is a command",
        "https://example.com/a:b@c",
        "ratio 3:4 @ 10",
    ],
)
def test_what_only_names_a_secret_is_kept(forger: Forger, text: str) -> None:
    """References are what the advice asks for, and words are no secrets."""
    registry = forger.reader()
    deployment = registry.record_deployment(MODEL, endpoint="x", environment={"NOTE": text}, description=text)
    assert (deployment.environment["NOTE"], deployment.description) == (text, text)


def test_what_nobody_can_tell_is_kept(forger: Forger) -> None:
    """The check knows names and shapes: a password under a harmless name passes, and docs/threat-model.md says so."""
    deployment = forger.reader().record_deployment(MODEL, endpoint="x", environment={"GREETING": PLAIN})
    assert deployment.environment == {"GREETING": PLAIN}
