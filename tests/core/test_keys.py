"""Keys: where each object stands, both ways, and nothing that leaves its folder."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from objreg.core.keys import (
    REGISTRY_DOMAIN,
    blob_key,
    domain_of,
    log_key,
    log_prefix,
    model_domain,
    namespace_domain,
    record_key,
    seq_of,
    snapshot_key,
)
from objreg.errors import FormatError, InvalidInput

HEX = "ab" * 32
DIGEST = "sha256:" + HEX
LAST = 10**12 - 1
seqs = st.integers(0, LAST)


def test_keys_are_those_of_the_format() -> None:
    """One of each kind, as the format document has them."""
    domain = model_domain("abc_corp/claim/doc")
    assert domain == "abc_corp/claim/doc.model"
    assert log_key(domain, 42) == "abc_corp/claim/doc.model/log/999999999957.json"
    assert record_key(domain, DIGEST) == f"abc_corp/claim/doc.model/records/{HEX}.json"
    assert snapshot_key(domain, DIGEST) == f"abc_corp/claim/doc.model/snapshots/{HEX}.json"
    assert blob_key(domain, DIGEST, 0, "") == f"abc_corp/claim/doc.model/blobs/{HEX}"
    assert blob_key(domain, DIGEST, 0, "zstd") == f"abc_corp/claim/doc.model/blobs/{HEX}.zst"
    assert blob_key(domain, DIGEST, 2, "") == f"abc_corp/claim/doc.model/blobs/{HEX}.2"
    assert blob_key(domain, DIGEST, 2, "zstd") == f"abc_corp/claim/doc.model/blobs/{HEX}.2.zst"
    assert namespace_domain("abc_corp/claim") == "abc_corp/claim/_namespace"
    assert namespace_domain("") == REGISTRY_DOMAIN == "_registry"
    assert domain_of("a", model=True) == "a.model"
    assert domain_of("a", model=False) == "a/_namespace"


@given(seqs)
def test_a_log_key_says_which_entry_it_is(seq: int) -> None:
    """Number and key are two forms of the same thing, of a fixed length."""
    key = log_key("m.model", seq)
    assert seq_of(key) == seq
    assert key.startswith(log_prefix("m.model"))
    assert len(key) == len("m.model/log/") + len("000000000000.json")


@given(seqs, seqs)
def test_newer_entries_are_listed_first(one: int, two: int) -> None:
    """Keys fall as numbers rise, so that the first key of a listing is the newest entry."""
    assert (log_key("m.model", one) < log_key("m.model", two)) == (one > two)


@pytest.mark.parametrize("seq", [-1, LAST + 1])
def test_there_are_no_slots_beyond_the_ends(seq: int) -> None:
    """A number that twelve digits cannot hold is refused."""
    with pytest.raises(InvalidInput, match="numbered from 0 to 999999999999"):
        log_key("m.model", seq)


@pytest.mark.parametrize(
    "name", ["x.json", "99999999999.json", "9999999999999.json", "999999999999", "999999999999.json.bak", ""]
)
def test_what_is_no_entry_is_not_taken_for_one(name: str) -> None:
    """A stray object among the entries is an error, and the message says what to do."""
    with pytest.raises(FormatError, match="remove what put it there"):
        seq_of(f"m.model/log/{name}")


@pytest.mark.parametrize(
    "digest", ["", "sha256:", HEX, "sha256:" + "AB" * 32, "sha256:../../../x", "md5:" + HEX, DIGEST + "0"]
)
def test_only_a_whole_digest_becomes_a_key(digest: str) -> None:
    """Anything else could leave the folder."""
    for key in (record_key, snapshot_key):
        with pytest.raises(InvalidInput, match="64 lower-case hex digits"):
            key("m.model", digest)
    with pytest.raises(InvalidInput, match="64 lower-case hex digits"):
        blob_key("m.model", digest, 0, "")


@pytest.mark.parametrize("path", ["", "../x", "a//b", "a.model", "_registry"])
def test_only_a_path_becomes_a_domain(path: str) -> None:
    """Names pass the grammar before they become folders."""
    with pytest.raises(InvalidInput):
        model_domain(path)
