"""What each role may do with which keys, asked of each cloud's document by a reader of its language."""

import fnmatch
import json
import re

import pytest

from objreg.core.access.policy import CLOUDS, ROLES, policy
from objreg.errors import InvalidInput

BUCKET, ROOT = "models", "team/registry"
MODEL = "abc/claim/doc.model"
HEX = "0" * 64
KEYS = {
    "marker": "objreg.json",
    "registry": "_registry/log/999999999999.json",
    "probe": "_registry/probe/x/y",
    "above": "abc/_namespace/log/999999999999.json",
    "namespace": "abc/claim/_namespace/records/x.json",
    "below": "abc/claim/eu/_namespace/snapshots/x.json",
    "log": f"{MODEL}/log/999999999999.json",
    "records": f"{MODEL}/records/{HEX}.json",
    "snapshots": f"{MODEL}/snapshots/{HEX}.json",
    "blob": f"{MODEL}/blobs/{HEX}",
    "elsewhere": "fraud/clf.model/log/999999999999.json",
    "elsewhere's blob": f"fraud/clf.model/blobs/{HEX}",
    "planted in a namespace": "abc/claim/_namespace/log/0.model/log/0.json",
    "planted in the registry": "_registry/log/0.model/log/0.json",
    "not objreg's": f"{MODEL}/other/x",
}
MODELS = {"log", "records", "snapshots", "blob"}
ELSEWHERE = {"elsewhere", "elsewhere's blob"}
CREATES = {
    ("reader", True): set(),
    ("reader", False): set(),
    ("writer", True): {*MODELS, "probe"},
    ("writer", False): {*MODELS, *ELSEWHERE, "probe"},
    ("promoter", True): {*MODELS, "probe"} - {"blob"},
    ("promoter", False): {*MODELS, "elsewhere", "probe"} - {"blob"},
    ("admin", True): {*MODELS, "probe", "namespace", "below"},
    ("admin", False): {*MODELS, *ELSEWHERE, "probe", "namespace", "below", "above", "registry", "marker"},
}
DELETES = {
    role: {"reader": set(), "writer": {"probe"}, "promoter": {"probe"}, "admin": {"probe", "blob"}}[role]
    for role in ROLES
}
NOT_READ_BY_A_NAMESPACE = {*ELSEWHERE}


def matches(patterns: list[str], text: str) -> bool:
    return any(re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text) for pattern in patterns)


def s3_allows(document: dict, action: str, key: str, **context: str) -> bool:
    """Evaluate an AWS policy for one action on one key: a denial wins, else it must be allowed."""
    actions = {"read": "s3:GetObject", "create": "s3:PutObject", "delete": "s3:DeleteObject"}
    context = {"s3:if-none-match": "*", "s3:ObjectCreationOperation": "true"} | context
    effects = set()
    for statement in document["Statement"]:
        condition = statement.get("Condition", {})
        held = all(
            (context.get(name) in (None, "")) == (value == "true") for name, value in condition.get("Null", {}).items()
        )
        held = held and all(context.get(name) == value for name, value in condition.get("Bool", {}).items())
        if (
            held
            and actions[action] in statement["Action"]
            and matches(statement["Resource"], f"arn:aws:s3:::{BUCKET}/{key}")
        ):
            effects.add(statement["Effect"])
    return effects == {"Allow"}


def gcs_allows(document: dict, action: str, key: str) -> bool:
    """Evaluate Google's bindings: one whose role has the permission and whose condition holds."""
    permission = {"read": "get", "create": "create", "delete": "delete"}[action]
    roles = {
        f"projects/PROJECT/roles/{role['name']}"
        for role in document["roles"]
        if f"storage.objects.{permission}" in role["includedPermissions"]
    }
    expressions = [
        b.get("condition", {}).get("expression") for b in document["policy"]["bindings"] if b["role"] in roles
    ]
    return any(cel_holds(expression, key) for expression in expressions)


def cel_holds(expression: str, key: str) -> bool:
    class Name(str):
        __slots__ = ()

        def extract(self, template: str) -> str:
            before, _, rest = template.partition("{")
            after = rest.partition("}")[2]
            found = self.partition(before)[2]
            return found.partition(after)[0] if after in found else ""

    assert len(re.findall(r"&&|\|\||!(?!=)", expression)) <= 12, "Google allows twelve logical operators"
    python = expression.replace("&&", " and ").replace("||", " or ").replace(".startsWith(", ".startswith(")
    python = re.sub(r"!(?!=)", " not ", python).replace("resource.name", "name")
    return bool(eval(python, {"name": Name(f"projects/_/buckets/{BUCKET}/objects/{key}")}))


def azure_allows(document: dict, action: str, key: str) -> bool:
    """Evaluate Azure's role and the condition of its assignment."""
    wanted = {"read": "blobs/read", "create": "blobs/add/action", "delete": "blobs/delete"}[action]
    if not any(found.endswith(wanted) for found in document["role"]["DataActions"]):
        return False
    (assignment,) = document["assignments"]
    python = re.sub(
        r"@Resource\[[\w./]+:path\] (\w+) '([^']*)'", lambda m: f"path({m[1]!r}, {m[2]!r})", assignment["condition"]
    )
    python = re.sub(r"ActionMatches\{'([^']+)'\}", lambda m: f"action({m[1]!r})", python)
    python = re.sub(r"SubOperationMatches\{'[^']+'\}", "False", python)
    python = python.replace("!", "not ").replace(" AND ", " and ").replace(" OR ", " or ").replace("NOT ", "not ")

    def path(operator: str, text: str) -> bool:
        return {
            "StringStartsWith": key.startswith(text),
            "StringNotStartsWith": not key.startswith(text),
            "StringLike": fnmatch.fnmatchcase(key, text),
            "StringNotLike": not fnmatch.fnmatchcase(key, text),
            "StringEquals": key == text,
        }[operator]

    return bool(eval(python, {"path": path, "action": lambda name: name.endswith(wanted)}))


ALLOWS = {"s3": s3_allows, "gcs": gcs_allows, "azure": azure_allows}


def allowed(cloud: str, role: str, action: str, *, limited: bool, root: str = ROOT) -> set[str]:
    document = policy(cloud, role, bucket=BUCKET, prefix=root, namespaces=["abc/claim"] if limited else [])
    full = {name: f"{root}/{key}" if root else key for name, key in KEYS.items()}
    return {name for name, key in full.items() if ALLOWS[cloud](document, action, key)}


@pytest.mark.parametrize("root", [ROOT, ""])
@pytest.mark.parametrize("limited", [True, False], ids=["one namespace", "all"])
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_role_creates_where_its_work_is_and_nowhere_else(cloud: str, role: str, limited: bool, root: str):
    """The same keys on every cloud; nothing among the entries of a namespace or of the registry, however it is spelled."""
    found = allowed(cloud, role, "create", limited=limited, root=root)
    if role == "admin":  # may write there anyway
        found -= {"planted in a namespace", "planted in the registry"}
    assert found == CREATES[role, limited]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("cloud", CLOUDS)
def test_only_blobs_are_ever_deleted_and_only_by_an_admin(cloud: str, role: str):
    """Entries, records, snapshots and the marker by nobody; probes by whoever makes them."""
    assert allowed(cloud, role, "delete", limited=True) == DELETES[role]
    extra = {"elsewhere's blob"} if role == "admin" else set()
    assert allowed(cloud, role, "delete", limited=False) == DELETES[role] | extra


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_namespace_is_read_with_what_rules_it(cloud: str, role: str):
    """The marker, the registry's definitions and those of the namespaces above come along; other namespaces do not."""
    assert allowed(cloud, role, "read", limited=True) == set(KEYS) - NOT_READ_BY_A_NAMESPACE
    assert allowed(cloud, role, "read", limited=False) == set(KEYS)


@pytest.mark.parametrize("role", ["writer", "promoter", "admin"])
def test_s3_refuses_a_put_without_the_condition(role: str):
    """The header is required for whatever creates an object, and not of a multipart upload's parts."""
    document = policy("s3", role, bucket=BUCKET, prefix=ROOT)
    key = f"{ROOT}/{KEYS['log']}"
    assert s3_allows(document, "create", key)
    assert not s3_allows(document, "create", key, **{"s3:if-none-match": ""})
    assert s3_allows(document, "create", key, **{"s3:if-none-match": "", "s3:ObjectCreationOperation": "false"})


def test_a_server_that_knows_neither_key_goes_on_working():
    """The condition is in a denial that such a server cannot find fulfilled."""
    document = policy("s3", "writer", bucket=BUCKET, prefix=ROOT)
    unknown = {"s3:if-none-match": "", "s3:ObjectCreationOperation": ""}
    assert s3_allows(document, "create", f"{ROOT}/{KEYS['log']}", **unknown)


def test_listing_on_s3_has_no_condition():
    """With a condition on the prefix, a GET of what is not there would be answered with 403."""
    (listing,) = [
        s for s in policy("s3", "reader", bucket=BUCKET, prefix=ROOT)["Statement"] if "s3:ListBucket" in s["Action"]
    ]
    assert listing["Resource"] == [f"arn:aws:s3:::{BUCKET}"]
    assert "Condition" not in listing


def test_with_principals_the_bucket_guards_itself_against_everybody():
    """A bucket policy: permissions for the principals, denials for the world; without, no principal is named."""
    arn = "arn:aws:iam::111122223333:role/ci"
    document = policy("s3", "writer", bucket=BUCKET, prefix=ROOT, principals=[arn])
    guards = [s for s in document["Statement"] if s["Sid"].startswith("Guard")]
    assert {s["Sid"] for s in guards} == {"GuardCreatesOnly", "GuardKeepsHistory", "GuardKeepsLifecycle"}
    assert all(s["Principal"] == "*" and s["Effect"] == "Deny" for s in guards)
    assert all(s["Principal"] == {"AWS": [arn]} for s in document["Statement"] if s not in guards)
    assert not any("Principal" in s for s in policy("s3", "writer", bucket=BUCKET)["Statement"])


@pytest.mark.parametrize("role", ROLES)
def test_an_aws_policy_fits_into_what_aws_takes(role: str):
    """Statement ids are unique and plain; three namespaces fit into a managed policy of 6,144 characters."""
    document = policy("s3", role, bucket=BUCKET, prefix=ROOT, namespaces=["abc/claim", "abc/health", "fraud"])
    names = [statement["Sid"] for statement in document["Statement"]]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch("[A-Za-z0-9]+", name) for name in names)
    assert len(json.dumps(document, separators=(",", ":"))) <= 6144


def test_a_namespace_that_is_called_like_a_folder_is_one():
    """`logs_namespace` is a namespace like any other: its models are written to, and collected from."""
    document = policy("s3", "admin", bucket=BUCKET, prefix=ROOT, namespaces=["a/logs_namespace"])
    blob = f"{ROOT}/a/logs_namespace/log/m.model/blobs/{HEX}"
    assert s3_allows(document, "create", blob)
    assert s3_allows(document, "delete", blob)
    assert s3_allows(policy("s3", "writer", bucket=BUCKET, prefix=ROOT), "create", blob)


@pytest.mark.parametrize(
    "wrong",
    [
        {"role": "owner"},
        {"cloud": "swift"},
        {"bucket": ""},
        {"bucket": "a*"},
        {"prefix": "a/*"},
        {"prefix": 'a"b'},
        {"prefix": "x.model/y"},
        {"namespaces": ["../x"]},
        {"namespaces": [""]},
        {"namespaces": ["a*"]},
    ],
)
def test_what_a_policy_would_read_as_a_pattern_is_refused(wrong: dict):
    """Nothing from outside reaches a policy unless it is a plain name."""
    call = {"cloud": "s3", "role": "reader", "bucket": BUCKET} | wrong
    with pytest.raises(InvalidInput):
        policy(call.pop("cloud"), call.pop("role"), **call)
