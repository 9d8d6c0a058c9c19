"""The pages agree with the code and with each other."""

import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from objreg import errors
from objreg.store.options import CloudOptions
from tests.contract.backends import CLOUDS
from tests.docs.pages import PAGES, ROOT, blocks, section, table

DECISIONS = sorted((ROOT / "docs/decisions").glob("[0-9]*.md"))
LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
KINDS = "Added|Changed|Deprecated|Removed|Fixed|Security"


def anchors(page: Path) -> set[str]:
    """Return the anchors that a page's headings have on code hosts."""
    headings = re.findall(
        r"^#+ (.+)$", re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL), re.MULTILINE
    )
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path):
    """Every relative link is a file of the repository, and its anchor a heading there."""
    for link in LINK.findall(re.sub(r"```.*?```|`[^`]*`", "", page.read_text("utf-8"), flags=re.DOTALL)):
        if "://" in link or link.startswith("mailto:"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name} links to {link}, which is not there"
        assert not anchor or anchor in anchors(target), f"{page.name} links to {link}, and there is no such heading"


def error_classes() -> dict[str, type[errors.ObjregError]]:
    return {name: getattr(errors, name) for name in errors.__all__}


def test_the_page_of_errors_is_the_tree():
    """Each error is there once, with its exit code and its built-in base, and the drawn tree is the real one."""
    page = ROOT / "docs/errors.md"
    rows = {row[0].strip("`"): row for row in table(page.read_text("utf-8"))}
    assert list(rows)
    assert rows.keys() == error_classes().keys()
    for name, found in error_classes().items():
        _, also, code, *words = rows[name]
        assert int(code) == found.exit_code
        builtin = [base.__name__ for base in found.__bases__ if not issubclass(base, errors.ObjregError)]
        assert also.strip("`") == ("".join(builtin) if name != "ObjregError" else "")
        assert all(words), f"{name} says not when it is raised or what to do"
    drawn: list[str] = []
    for line in blocks(page)[0].text.splitlines():
        indent, name = re.fullmatch(r"([│├└─ ]*)(\w+)", line).groups()
        depth = len(indent) // 4
        drawn = [*drawn[:depth], name]
        parent = next(base for base in error_classes()[name].__mro__[1:] if issubclass(base, Exception))
        assert depth == 0 or parent.__name__ == drawn[depth - 1], f"{name} is drawn below {drawn[depth - 1]}"


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_decisions_follow_the_template(page: Path):
    """Number and title, the context, at least two options each with more than a name, and a choice."""
    text = page.read_text("utf-8")
    assert re.match(rf"# {page.name[:4]} \S.+\n\n## Context\n\n\S", text)
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Options", "Choice"]
    options = re.findall(r"^- \*\*.+?\*\*\s*\S.+", section(page, "Options"), re.MULTILINE)
    assert len(options) >= 2
    assert len(section(page, "Choice").split()) > 20


def test_decisions_are_numbered_without_gaps():
    """0001, 0002, …: a number is never used twice."""
    assert [page.name[:4] for page in DECISIONS] == [f"{number:04d}" for number in range(1, len(DECISIONS) + 1)]


def test_the_changelog_begins_with_this_version():
    """The newest section is the version of pyproject.toml, and each entry says what kind of change it is."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    sections = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    assert sections[0].startswith(f"{version}\n")
    for found in sections:
        entries = re.findall(r"^- (.+)$", found, re.MULTILINE)
        assert entries
        assert all(re.match(rf"({KINDS}): [a-z`]", entry) for entry in entries)


def test_the_architecture_names_files_that_exist():
    """Whoever follows the page of the floors arrives: each module and folder that it names is there."""
    text = (ROOT / "docs/architecture.md").read_text("utf-8")
    named = set(re.findall(r"`((?:core|registry|store|local|cli|catalog|maintenance)/[\w/]*(?:\.py)?)`", text))
    assert len(named) > 10
    assert [name for name in sorted(named) if not (ROOT / "objreg" / name).exists()] == []
    walked = set(re.findall(r"^.{29}(\w+\.py) ", text, re.MULTILINE))  # the steps of a push and of a pull
    assert len(walked) > 5
    assert walked <= {path.name for path in (ROOT / "objreg").rglob("*.py")}


def test_the_page_of_storage_names_every_option():
    """The options that both engines know are those of the code."""
    rows = table(section(ROOT / "docs/storage.md", "Options"))
    neutral = {field.name for field in fields(CloudOptions) if field.name != "native"}
    assert {row[0].strip("`") for row in rows} == neutral


def test_the_page_of_storage_claims_what_the_contract_holds():
    """A tick stands where the contract suite runs that engine on that server, and nowhere else."""
    names = {
        "Ceph RADOS gateway": ("ceph",),
        "SeaweedFS": ("seaweedfs",),
        "moto, ministack": ("moto", "ministack"),
        "Azurite": ("azurite",),
        "fake-gcs-server": ("fake-gcs",),
    }
    held = {(found.server, found.engine) for found in CLOUDS}
    rows = {row[0]: row for row in table(section(ROOT / "docs/storage.md", "What is proven, and what is not"))}
    claimed = {
        (server, engine)
        for name, servers in names.items()
        for server in servers
        for engine, tick in zip(("obstore", "fsspec"), rows[name][1:3], strict=True)
        if tick == "✓"
    }
    assert claimed == held


def test_python_in_the_pages_is_python():
    """Every block of Python compiles."""
    for page in PAGES:
        for block in blocks(page):
            if block.language == "python":
                compile(block.text, str(page), "exec")
