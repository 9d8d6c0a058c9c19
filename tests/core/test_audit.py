"""Replaying a log without any store: each part by itself."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from objreg.core.audit.claims import Effects, check_claims
from objreg.core.audit.findings import MEANINGS, finding
from objreg.core.audit.inventory import digests_among, kind_of, place_of, scopes_of
from objreg.core.audit.model import ModelAudit
from objreg.core.audit.pointers import Pointers
from objreg.core.audit.replay import Objects, Replay
from objreg.core.digest import digest_of
from objreg.core.encoding import encode
from objreg.core.entries import Entry
from objreg.core.state import Change, ModelState, VersionItem, model_refs
from objreg.core.versions import SCHEMES

PAGE = Path(__file__).parents[2] / "docs" / "fsck.md"
DIGEST = digest_of(b"")
TIME = "2026-03-01T12:00:00.000Z"


# The table of findings


def test_the_page_lists_every_finding():
    """docs/fsck.md has each kind once, with its severity and its meaning."""
    rows = re.findall(r"^\| `([a-z-]+)` \| (\w+) \| (.*) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert len(rows) == len(MEANINGS)
    assert {code: (severity, text) for code, severity, text in rows} == {
        code: (meaning.severity, meaning.text) for code, meaning in MEANINGS.items()
    }


def test_every_kind_is_reported_somewhere():
    """No kind is listed that the code cannot find, and none is found that is not listed."""
    root = Path(__file__).parents[2] / "objreg"
    sources = [*(root / "core").rglob("*.py"), *(root / "maintenance").glob("*.py")]
    text = "\n".join(path.read_text("utf-8") for path in sources if path.name != "findings.py")
    unused = {code for code in MEANINGS if f'"{code}"' not in text and not code.startswith("orphan-")}
    assert unused == set()
    with pytest.raises(KeyError):
        finding("unheard-of", "", "", "")


def test_a_meaning_says_what_to_do():
    """Each meaning is at least a sentence, and codes are words with hyphens."""
    for code, meaning in MEANINGS.items():
        assert re.fullmatch(r"[a-z]+(-[a-z]+)+", code)
        assert meaning.text.endswith(".")
        assert "|" not in meaning.text


# Keys


@pytest.mark.parametrize(
    ("key", "place"),
    [
        ("objreg.json", ("", "objreg.json")),
        ("_registry/log/999999999999.json", ("_registry", "log/999999999999.json")),
        ("a/_namespace/records/x", ("a/_namespace", "records/x")),
        ("a/b.model/blobs/x", ("a/b.model", "blobs/x")),
        ("b.model/x", ("b.model", "x")),
        ("_namespace/log/x", None),
        ("a/_registry/log/x", None),
        ("a/../b.model/log/x", None),
        ("README", None),
        (".model/log/x", None),
        ("a.model", None),
    ],
)
def test_the_domain_of_a_key(key: str, place: tuple[str, str] | None):
    """A key is in a model's, a namespace's or the registry's folder, or in none."""
    assert place_of(key) == place


@pytest.mark.parametrize(
    ("rest", "kind"),
    [
        ("log/999999999999.json", "entry"),
        ("log/99.json", "log-foreign"),
        ("log/x/999999999999.json", "log-foreign"),
        ("records/" + "0" * 64 + ".json", "record"),
        ("snapshots/" + "0" * 64 + ".json", "snapshot"),
        ("blobs/" + "0" * 64, "blob"),
        ("blobs/" + "0" * 64 + ".3.zst", "blob"),
        ("blobs/" + "0" * 64 + ".0", "unknown"),
        ("records/" + "0" * 63 + ".json", "unknown"),
        ("records/" + "A" * 64 + ".json", "unknown"),
        ("other/x", "unknown"),
    ],
)
def test_the_kind_of_a_key(rest: str, kind: str):
    """What an object should be is told by its key alone; scopes have no blobs."""
    assert kind_of(rest, has_blobs=True) == kind
    assert kind_of(rest, has_blobs=False) == ("unknown" if kind == "blob" else kind)


def test_scopes_are_the_widest_first():
    """Definitions are looked for in the registry and in each enclosing namespace."""
    assert scopes_of("a/b/c") == ("_registry", "a/_namespace", "a/b/_namespace")
    assert scopes_of("c") == ("_registry",)


def test_only_digests_become_keys():
    """Whatever a damaged entry names, only whole digests are asked for."""
    assert digests_among([DIGEST, "sha256:../x", None, 3, {}, DIGEST + "\n"]) == {DIGEST}


# Pointers


@given(
    st.sampled_from(["major.minor", "semver", "free"]),
    st.lists(st.tuples(st.integers(0, 7), st.integers(0, 3)), max_size=40),
)
def test_pointers_are_those_of_the_whole_state(scheme: str, steps: list[tuple[int, int]]):
    """Kept up to date change by change, pointers are what ``model_refs`` computes from the state."""
    names = {
        "major.minor": ["1.0", "1.1", "1.10", "1.2", "2.0", "0.9", "10.0", "3.1"],
        "semver": ["1.0.0", "1.0.0-rc.1", "1.0.1-a", "0.9.0", "2.0.0-b", "1.10.0", "1.2.0", "2.0.0"],
        "free": list("hgfedcba"),
    }[scheme]
    pointers, versions = Pointers(), dict[str, VersionItem]()
    for which, what in steps:
        name, old = names[which], versions.get(names[which])
        if old is None:
            versions[name] = VersionItem(
                record=digest_of(name.encode()),
                created_at=TIME,
                created_by="x",
                size=0,
                files=0,
                order=len(versions) + 1,
            )
        elif what == 0:
            versions[name] = msgspec.structs.replace(old, states=(), retired=DIGEST)
        elif not old.retired:
            toggled = set(old.states) ^ {f"state{what}"}
            versions[name] = msgspec.structs.replace(old, states=tuple(sorted(toggled)))
        pointers.update(name, old, versions, SCHEMES[scheme])
        expected = model_refs(ModelState(scheme=scheme, versions=versions))
        assert pointers.refs(versions) == expected


# Claims


def claimed(*changes: Change, standing: dict[Any, Any] | None = None, **moved: Any) -> list[str]:
    """Return the problems of changes that say something of ``catalog`` and of nothing else."""
    values = standing or {}
    effects = Effects(lambda kind, name: values.get((kind, name), ()))
    for kind, after in moved.items():
        effects.move(kind, "", after)
    return [code for code, _ in check_claims(effects, changes)]


def test_changes_follow_one_another():
    """Several changes of one thing in a commit lead from what stood there to what stands there."""
    there = Change(kind="catalog", after=("a",))
    on = Change(kind="catalog", before=("a",), after=("b",))
    assert claimed(there, on, catalog=("b",)) == []
    assert claimed(there, catalog=("b",)) == ["change-without-effect"]
    assert claimed(on, catalog=("b",)) == ["change-without-effect"]
    assert claimed(catalog=("b",)) == ["change-unlisted"]
    assert claimed(there) == ["change-without-effect"]
    assert claimed(there, Change(kind="catalog", before=("a",))) == []


def test_what_is_unknown_is_not_judged():
    """A kind of change that this release does not know may explain whatever happened."""
    assert claimed(Change(kind="blessing"), catalog=("b",)) == ["change-unknown"]


# Replay


def entry(seq: int, parent: str | None, **fields: Any) -> bytes:
    """Return an entry that says nothing."""
    base = Entry(
        domain="a.model",
        seq=seq,
        parent=parent,
        time=f"2026-03-01T12:00:00.{seq:03d}Z",
        actor="x",
        message="",
        op=f"{seq:032x}",
        patch={"changes": []},
        snapshot=None,
        tail={"changes": []} if seq else {},
        refs={},
    )
    return encode(msgspec.structs.replace(base, **fields))


def replayed(*entries: bytes | None) -> list[str]:
    """Return the kinds of findings of a log."""
    replay = Replay("a.model", ModelAudit("a.model", {}))
    for seq, data in enumerate(entries):
        if data is None:
            replay.skip(seq, seq)
        else:
            replay.step(seq, data, Objects())
    return [found.code for found in replay.findings]


def chain(count: int) -> list[bytes]:
    """Return a log of entries that say nothing."""
    found: list[bytes] = []
    for seq in range(count):
        found.append(entry(seq, digest_of(found[-1]) if found else None))
    return found


def test_an_empty_history_is_right():
    """Entries that change nothing are allowed."""
    assert replayed(*chain(4)) == []


def test_a_hole_is_one_finding():
    """Behind a hole the replay goes on, with what the next entry says."""
    log = chain(5)
    assert replayed(log[0], None, None, *log[3:]) == ["entry-missing", "entry-missing"]
    assert replayed(None, *log[1:]) == ["entry-missing"]
    assert replayed(log[0], b"{", *log[2:]) == ["entry-unreadable", "chain-broken"]


def test_duplicate_keys_are_seen():
    """Readers disagree on which of two equal keys counts, so they are a warning."""
    first = entry(0, None)
    assert replayed(first.replace(b'"actor":"x"', b'"actor":"y","actor":"x"')) == ["not-canonical"]


@given(st.binary(max_size=200))
def test_any_bytes_in_a_slot(data: bytes):
    """Whatever stands in a slot, the replay says so and does not fail."""
    assert replayed(data)[0] == "entry-unreadable"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "1.0", DIGEST, "x"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["versions", "1.0", "record", "x"]), inner)
    ),
    max_leaves=12,
)
PARTS = ("versions", "deployments", "scheme", "catalog", "condemned", "incarnations", "changes", "other")


@given(st.lists(st.dictionaries(st.sampled_from(PARTS), JSON, max_size=4), min_size=1, max_size=3))
def test_any_patches(patches: list[dict[str, Any]]):
    """Whatever patches hold, of whatever type, the replay ends with findings and not with an error."""
    log: list[bytes] = []
    for seq, patch in enumerate(patches):
        log.append(entry(seq, digest_of(log[-1]) if log else None, patch=patch))
    for code in replayed(*log):
        assert code in MEANINGS
