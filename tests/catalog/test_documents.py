"""Catalog documents: what is read, and everything that is wrong at once."""

import json
from pathlib import Path

import pytest

from objreg.catalog.documents import check_documents
from objreg.catalog.files import read_document
from objreg.errors import InvalidInput, MissingDependency

FULL = {
    "model": "abc_corp/claim/doc_classification",
    "description": "designed for claims",
    "owner": "alice@example.com",
    "url": "https://example.com/implementation",
    "data_sources": [
        {"name": "claim history", "type": "snowflake", "owner": "alice", "connection": {"account": "x", "port": 1}},
        {"name": "more data"},
    ],
    "inference": {
        "input": {"description": "a scan", "schema": {"type": "object", "properties": {"token": {"type": "string"}}}},
        "output": {"description": "a class", "schema": {}},
    },
    "tags": ["claims", "text"],
}


def problems(document: object, tmp_path: Path) -> list[tuple[str, str]]:
    path = tmp_path / "document.json"
    path.write_text(json.dumps(document))
    return [(problem.field, problem.message) for problem in check_documents([path])[1]]


def test_a_full_document_is_right(tmp_path: Path):
    """All fields of a catalog, and a schema that describes a field called token, are taken as they are."""
    path = tmp_path / "full.json"
    path.write_text(json.dumps(FULL))
    (document,), wrong = check_documents([path])
    assert wrong == ()
    assert document.model == FULL["model"]
    assert document.fields == {name: value for name, value in FULL.items() if name != "model"}


@pytest.mark.parametrize("namespace", ["/abc_corp/claim", "abc_corp/claim", "abc_corp/claim/"])
def test_namespace_and_model_name_name_the_model(tmp_path: Path, namespace: str):
    """The shape with two names is taken, whether or not its namespace begins with a slash."""
    path = tmp_path / "document.json"
    path.write_text(json.dumps({"namespace": namespace, "model_name": "doc", "owner": "alice"}))
    ((document,), _) = check_documents([path])
    assert (document.model, document.fields) == ("abc_corp/claim/doc", {"owner": "alice"})


def test_toml_json_and_yaml_say_the_same(tmp_path: Path):
    """One document in three spellings is one value."""
    (tmp_path / "a.toml").write_text('model = "m"\n[[data_sources]]\nname = "x"\n')
    (tmp_path / "a.json").write_text('{"model": "m", "data_sources": [{"name": "x"}]}')
    (tmp_path / "a.yaml").write_text("model: m\ndata_sources:\n  - name: x\n")
    found = [read_document(tmp_path / f"a.{ending}") for ending in ("toml", "json", "yaml")]
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"model": "a//b"}, "model", "empty part"),
        ({"model": 3}, "model", "must be text, not a int"),
        ({"model": None}, "model", "must be text, not null"),
        ({"model_name": "x"}, "model", "give either"),
        ({"ownr": "x"}, "ownr", "did you mean owner?"),
        ({"zzz": "x"}, "zzz", "known are model"),
        ({"owner": ["x"]}, "owner", "must be text, not a list"),
        ({"description": "x" * 70000}, "description", "70000 characters"),
        ({"url": "https://u:pw@example.com/"}, "url", "password"),
        ({"tags": "x"}, "tags", "must be a list, not text"),
        ({"tags": ["a", 1]}, "tags[1]", "must be text"),
        ({"data_sources": {"name": "x"}}, "data_sources", "must be a list, not an object"),
        ({"data_sources": ["x"]}, "data_sources[0]", "must be an object"),
        ({"data_sources": [{"type": "x"}]}, "data_sources[0].name", "missing"),
        ({"data_sources": [{"name": "x"}, {"name": "x"}]}, "data_sources[1].name", "used twice"),
        ({"data_sources": [{"name": "x", "kind": "y"}]}, "data_sources[0].kind", "unknown field"),
        ({"data_sources": [{"name": "x", "connection": "y"}]}, "data_sources[0].connection", "must be an object"),
        (
            {"data_sources": [{"name": "x", "connection": {"password": "hunter2"}}]},
            "data_sources[0].connection",
            "secret",
        ),
        ({"inference": []}, "inference", "must be an object"),
        ({"inference": {"inputs": {}}}, "inference.inputs", "did you mean input?"),
        ({"inference": {"input": "x"}}, "inference.input", "must be an object"),
        ({"inference": {"input": {"schema": []}}}, "inference.input.schema", "must be an object, not a list"),
        ({"inference": {"output": {"schema": {"maximum": float("inf")}}}}, "inference.output.schema", "Infinity"),
    ],
)
def test_each_mistake_is_told_with_its_field(tmp_path: Path, change: dict, field: str, message: str):
    """The field is named as it stands in the document, and a secret is not repeated."""
    ((where, said),) = problems(FULL | change, tmp_path)
    assert where == field
    assert message in said
    assert "hunter2" not in said


def test_all_mistakes_of_all_documents_are_told_at_once(tmp_path: Path):
    """Nobody has to mend them one by one."""
    (tmp_path / "a.json").write_text('{"owner": 1, "tags": 2, "inference": {"input": 3}}')
    (tmp_path / "b.toml").write_text("model = ")
    (tmp_path / "c.json").write_text('{"model": "m"}')
    documents, wrong = check_documents([tmp_path / name for name in ("a.json", "b.toml", "c.json", "d.json", "e.txt")])
    assert [document.model for document in documents] == ["m"]
    assert [(Path(problem.file).name, problem.field) for problem in wrong] == [
        ("a.json", "model"),
        ("a.json", "owner"),
        ("a.json", "tags"),
        ("a.json", "inference.input"),
        ("b.toml", ""),
        ("d.json", ""),
        ("e.txt", ""),
    ]
    assert str(wrong[1]).endswith("a.json: owner: must be text, not a int")
    assert "not valid TOML" in str(wrong[4])
    assert "No such file" in str(wrong[5])


def test_two_documents_of_one_model_are_a_mistake(tmp_path: Path):
    """Which of them would win could not be seen."""
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_text('{"model": "m"}')
    documents, (problem,) = check_documents([tmp_path / "a.json", tmp_path / "b.json"])
    assert len(documents) == 1
    assert "is described by" in problem.message


def test_what_is_right_here_is_taken_by_the_registry(tmp_path: Path):
    """A document without a problem is a catalog without a problem."""
    import objreg

    path = tmp_path / "full.json"
    path.write_text(json.dumps(FULL))
    ((document,), _) = check_documents([path])
    registry = objreg.open(tmp_path / "registry", create=True)
    catalog = registry.put_catalog(document.model, **document.fields)
    assert catalog.data_sources[0].connection == {"account": "x", "port": 1}
    assert catalog.inference.input.schema["properties"] == {"token": {"type": "string"}}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", b'{"a": 1, "a": 2}', "has the field 'a' twice"),
        ("a.json", b"[1]", "must hold an object"),
        ("a.json", b"\xff", "is not UTF-8"),
        ("a.json", b"[" * 100_000, "not valid JSON"),
        ("a.yaml", b"a: [", "not valid YAML"),
        ("a.yaml", b"!!python/object/apply:os.system ['true']", "not valid YAML"),
        ("a.toml", b"a = 1\na = 2", "not valid TOML"),
        ("a.ini", b"", "must end in .toml, .json, .yaml, .yml"),
        ("a.json", b" " * (5 << 20), "no document needs"),
    ],
)
def test_a_file_that_is_no_document_is_refused(tmp_path: Path, name: str, content: bytes, message: str):
    """Broken, hostile and huge files each get one sentence that names the file."""
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match=message) as raised:
        read_document(path)
    assert raised.value.message.startswith(str(path))


def test_yaml_needs_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Without PyYAML the message names it, and the other spellings still work."""

    def without(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr("objreg.catalog.files.import_module", without)
    (tmp_path / "a.yaml").write_text("a: 1")
    with pytest.raises(MissingDependency, match="pip install pyyaml"):
        read_document(tmp_path / "a.yaml")
