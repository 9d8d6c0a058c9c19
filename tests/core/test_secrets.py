"""Secrets: what is kept out of records, what passes, and that a refusal never repeats one."""

import pytest

from objreg.core.secrets import refuse_secret_url, refuse_secrets
from objreg.errors import InvalidInput

VALUE = "hunter2-hunter2"


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "PASSWORD",
        "db_password",
        "passwd",
        "passphrase",
        "client_secret",
        "SECRET",
        "token",
        "HF_TOKEN",
        "api_key",
        "apikey",
        "api-key",
        "OPENAI_API_KEY",
        "AWS_SECRET_ACCESS_KEY",
        "access_key",
        "private_key",
        "credential",
        "credentials",
        "db_pwd",
        "pwd",
        "auth_key",
    ],
)
def test_names_of_secrets_are_refused(name: str) -> None:
    """A variable that is called like a secret and holds text; the message names the place and the way out."""
    with pytest.raises(InvalidInput, match=rf"environment\.{name} looks like a secret.*secret store") as caught:
        refuse_secrets({name: VALUE}, "environment")
    assert VALUE not in str(caught.value)
    assert VALUE not in repr(caught.value.facts)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_tokens", "512"),
        ("max_new_tokens", "512"),
        ("num_tokens", 512),
        ("token_count", "7"),
        ("max_token_length", "128"),
        ("tokenizer", "bert-base"),
        ("tokenizer_path", "vocab.txt"),
        ("secret_arn", "arn:aws:secretsmanager:eu-west-1:1:secret:x"),
        ("secret_name", "prod/db"),
        ("password_file", "/run/secrets/db"),
        ("token_url", "https://login.example.com/oauth"),
        ("api_key_id", "k-12"),
        ("password", ""),
        ("password", None),
        ("token", True),
        ("password", "arn:aws:secretsmanager:eu-west-1:1:secret:x"),
        ("password", "arn:aws-cn:ssm:cn-north-1:1:parameter/x"),
        ("password", "${DB_PASSWORD}"),
        ("password", "$DB_PASSWORD"),
        ("token", "vault:secret/data/x#token"),
        ("token", "projects/p/secrets/s/versions/1"),
        ("secret", "secretRef:db"),
        ("author", "ada"),
        ("monkey", "bars"),
        ("keyboard", "us"),
        ("compass", "north"),
        ("url", "https://example.com/a@b"),
        ("url", "postgresql://reader@db/claims"),
        ("digest", "sha256:" + "ab" * 32),
        ("commit", "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567"),
    ],
)
def test_what_only_resembles_a_secret_passes(name: str, value: object) -> None:
    """Numbers of tokens, tokenizers, names and ARNs of secrets, references and empty values are no secrets."""
    refuse_secrets({name: value}, "environment")


@pytest.mark.parametrize(
    "value",
    [
        "AKIAIOSFODNN7EXAMPLE",
        "key=ASIAIOSFODNN7EXAMPLE;",
        "-----BEGIN RSA PRIVATE KEY-----\nMII",
        "-----BEGIN PRIVATE KEY-----",
        "ghp_" + "a" * 36,
        "github_pat_11ABC",
        "xoxb-123-abc",
        "sk-" + "a" * 40,
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.x",
        "DefaultEndpointsProtocol=https;AccountKey=abc==",
        "https://x.blob.core.windows.net/a?sv=1&sig=abc",
        "https://bucket.s3.amazonaws.com/k?X-Amz-Signature=abc",
        "postgresql://user:hunter2@db/claims",
        "https://user:hunter2@example.com",
    ],
)
def test_values_that_are_secrets_are_refused_wherever_they_stand(value: str) -> None:
    """Keys, tokens, signed URLs and URLs with passwords; nested, in lists, under any name; never repeated."""
    with pytest.raises(InvalidInput, match=r"metadata\.a\[1\]\.note ") as caught:
        refuse_secrets({"a": [1, {"note": value}]}, "metadata")
    assert value not in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_url_is_returned_unless_it_has_a_password() -> None:
    """A user's name alone is no secret, and what urllib cannot read is no URL with a password."""
    for url in ("https://example.com/x", "https://user@example.com", "no url", "http://[bad@x"):
        assert refuse_secret_url(url, "url") == url
    with pytest.raises(InvalidInput, match="owner is a URL with a password in it") as caught:
        refuse_secret_url("https://ada:hunter2@example.com", "owner")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("text", ["x" * 65536, "-eyJ" * 16384, "a://" * 16384, "; " * 32768, "a:b@" * 16384])
def test_a_long_text_without_a_secret_passes(text: str) -> None:
    """However a text is made, it is looked through once: a pattern that tries each start anew takes minutes here."""
    refuse_secrets(text, "description")
