"""The test vectors that are written by hand: what is expected stands here, and no code of objreg made it."""

from typing import Any

__all__ = ["CASES"]

Json = dict[str, Any]

_HEX = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
_ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
_MILLION = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"

MERGE: Json = {
    "about": "state, patch and the state after it; a patch in 'refused' breaks the rules of a state",
    "cases": [
        {"state": {}, "patch": {}, "result": {}},
        {"state": {}, "patch": {"a": {"b": 1}}, "result": {"a": {"b": 1}}},
        {"state": {"a": {"b": 1}}, "patch": {"a": {"c": 2}}, "result": {"a": {"b": 1, "c": 2}}},
        {"state": {"a": {"b": 1, "c": [1, 2]}}, "patch": {"a": {"c": []}}, "result": {"a": {"b": 1, "c": []}}},
        {"state": {"a": [{"b": 1}]}, "patch": {"a": [{"c": None}]}, "result": {"a": [{"c": None}]}},
        {"state": {"a": "x"}, "patch": {"a": 1.5}, "result": {"a": 1.5}},
        {"state": {"a": {"b": 1}}, "patch": {"a": {}}, "result": {"a": {"b": 1}}},
        {"state": {}, "patch": {"a": {}}, "result": {"a": {}}},
    ],
    "refused": [
        {"state": {"a": 1}, "patch": {"a": None}, "reason": "removes"},
        {"state": {}, "patch": {"a": {"b": None}}, "reason": "removes"},
        {"state": {"a": {"b": 1}}, "patch": {"a": 1}, "reason": "reshapes"},
        {"state": {"a": {"b": 1}}, "patch": {"a": []}, "reason": "reshapes"},
        {"state": {"a": 1}, "patch": {"a": {"b": 1}}, "reason": "reshapes"},
        {"state": {"a": []}, "patch": {"a": {}}, "reason": "reshapes"},
    ],
}

TAIL: Json = {
    "about": "the patches of entries one after another: 'tails' are the tails of the entries 0, 1, 2 … without a"
    " snapshot, 'states' the states after them; any snapshot in between gives the same states",
    "cases": [
        {
            "patches": [
                {"scheme": "integer", "versions": {"1": {"order": 1}}, "changes": [{"kind": "version"}]},
                {"versions": {"1": {"states": ["staging"]}}, "changes": [{"kind": "state_change"}]},
                {"versions": {"1": {"states": []}, "2": {"order": 2}}, "changes": [{"kind": "x"}, {"kind": "y"}]},
            ],
            "tails": [
                {},
                {"scheme": "integer", "versions": {"1": {"order": 1}}, "changes": [{"kind": "version"}]},
                {
                    "scheme": "integer",
                    "versions": {"1": {"order": 1, "states": ["staging"]}},
                    "changes": [{"kind": "state_change"}],
                },
            ],
            "states": [
                {"scheme": "integer", "versions": {"1": {"order": 1}}, "changes": [{"kind": "version"}]},
                {
                    "scheme": "integer",
                    "versions": {"1": {"order": 1, "states": ["staging"]}},
                    "changes": [{"kind": "state_change"}],
                },
                {
                    "scheme": "integer",
                    "versions": {"1": {"order": 1, "states": []}, "2": {"order": 2}},
                    "changes": [{"kind": "x"}, {"kind": "y"}],
                },
            ],
        }
    ],
}

KEYS: Json = {
    "about": "domains by path, and the keys of their objects",
    "domains": [
        {"model": "fraud", "domain": "fraud.model"},
        {"model": "abc_corp/claim/doc", "domain": "abc_corp/claim/doc.model"},
        {"namespace": "abc_corp/claim", "domain": "abc_corp/claim/_namespace"},
        {"namespace": "", "domain": "_registry"},
    ],
    "entries": [
        {"domain": "fraud/clf.model", "seq": 0, "key": "fraud/clf.model/log/999999999999.json"},
        {"domain": "fraud/clf.model", "seq": 42, "key": "fraud/clf.model/log/999999999957.json"},
        {"domain": "_registry", "seq": 1000000, "key": "_registry/log/999998999999.json"},
        {"domain": "a/_namespace", "seq": 999999999999, "key": "a/_namespace/log/000000000000.json"},
    ],
    "refused_entries": [-1, 1000000000000],
    "records": [{"domain": "a.model", "digest": f"sha256:{_HEX}", "key": f"a.model/records/{_HEX}.json"}],
    "snapshots": [{"domain": "a.model", "digest": f"sha256:{_HEX}", "key": f"a.model/snapshots/{_HEX}.json"}],
    "blobs": [
        {"domain": "a.model", "digest": f"sha256:{_HEX}", "incarnation": incarnation, "encoding": encoding, "key": key}
        for incarnation, encoding, key in (
            (0, "", f"a.model/blobs/{_HEX}"),
            (0, "zstd", f"a.model/blobs/{_HEX}.zst"),
            (2, "", f"a.model/blobs/{_HEX}.2"),
            (2, "zstd", f"a.model/blobs/{_HEX}.2.zst"),
        )
    ],
}


def _spec(spec: str, path: str, **fields: str) -> Json:
    return {"spec": spec, "path": path, "version": "", "state": "", "digest": "", "file": "", "text": spec} | fields


SPECS: Json = {
    "about": "'text' is the spec written in full; 'reason' is what is wrong with a refused one",
    "cases": [
        _spec("clf", "clf"),
        _spec("fraud/clf", "fraud/clf"),
        _spec("fraud/clf:1.2", "fraud/clf", version="1.2"),
        _spec("fraud/clf:1", "fraud/clf", version="1"),
        _spec("fraud/clf:1.0.0-rc.1", "fraud/clf", version="1.0.0-rc.1"),
        _spec("fraud/clf@production", "fraud/clf", state="production"),
        _spec("fraud/clf@latest", "fraud/clf", text="fraud/clf"),
        _spec("fraud/clf@latest/vocab.txt", "fraud/clf", file="vocab.txt"),
        _spec("fraud/clf:1.2/tokenizer/vocab.txt", "fraud/clf", version="1.2", file="tokenizer/vocab.txt"),
        _spec("fraud/clf@production/a b@c.txt", "fraud/clf", state="production", file="a b@c.txt"),
        _spec("fraud/clf@sha256:ab12cd34", "fraud/clf", digest="sha256:ab12cd34"),
        _spec(f"fraud/clf@sha256:{_HEX}/x", "fraud/clf", digest=f"sha256:{_HEX}", file="x"),
    ],
    "refused": [
        {"spec": spec, "reason": reason}
        for spec, reason in (
            ("", "name"),
            ("/fraud", "name"),
            ("fraud//clf", "name"),
            ("fraud/", "name"),
            ("fraud/../clf", "name"),
            (".fraud/clf", "name"),
            ("fraud/_clf", "name"),
            ("fraud/clf.model", "name"),
            ("fraud/cl f", "name"),
            ("fräud/clf", "name"),
            ("fraud/clf:", "incomplete"),
            ("fraud/clf@", "incomplete"),
            ("fraud/clf:latest", "latest"),
            ("fraud/clf:1..2", "version"),
            ("fraud/clf:_1", "version"),
            ("fraud/clf:1@production", "version"),
            ("fraud/clf@1.2", "state"),
            ("fraud/clf@v1", "state"),
            ("fraud/clf@Latest", "state"),
            ("fraud/clf@sha256", "state"),
            ("fraud/clf@_x", "state"),
            ("fraud/clf@sha256:ab12", "digest"),
            ("fraud/clf@sha256:AB12CD34", "digest"),
            ("fraud/clf:1.2/", "file"),
            ("fraud/clf:1.2/../x", "file"),
            ("fraud/clf:1.2//x", "file"),
            ("fraud/clf:1.2/a\\b", "file"),
            ("fraud/clf:1.2/c:x", "file"),
        )
    ],
}

NAMES: Json = {
    "about": "names of each kind that are allowed and refused",
    "part": {
        "allowed": ["a", "0", "Doc_Classification-2.1", "x" * 100],
        "refused": ["", ".a", "_a", "-a", "a/b", "a b", "a:b", "a@b", "a.model", "a.", "é", "a\n", "x" * 101],
    },
    "path": {
        "allowed": ["a", "a/b", "abc_corp/claim/doc_classification"],
        "refused": ["", "/", "a/", "/a", "a//b", "a/./b", "a/../b", "a.model/b", "/".join(["x" * 99] * 5)],
    },
    "state": {
        "allowed": ["production", "Production", "eu-west.canary", "vnext"],
        "refused": ["", "latest", "LATEST", "sha256", "none", "1", "v1", "V2.0", "_x", "-x", "a b", "a/b", "x" * 101],
    },
    "version": {
        "allowed": ["1", "1.2", "2026-03-01", "spring-release", "1.0.0-rc.1"],
        "refused": ["", "latest", "Latest", ".1", "-1", "1..2", "1.", "a b", "1+2", "x" * 101],
    },
    "file": {
        "allowed": ["a", "a/b.txt", "a b", "été/😀.bin", ".hidden", "a..b", "x" * 1000],
        "refused": [
            "", "/a", "a/", "a//b", ".", "..", "a/../b", "a/.", "a\\b", "c:b", "a\u0000", "a\n", "\u0085", "x" * 1001,
            "/".join(["a"] * 65),
        ],
    },
}  # fmt: skip

ENCODING: Json = {
    "about": "'input' is any JSON text, 'stored' the bytes of the same value as they are stored (as UTF-8)."
    " Where 'exact' is false, any JSON number of the same value is as good. 'refused' is not stored JSON",
    "cases": [
        {"input": input_text, "stored": stored, "exact": exact}
        for input_text, stored, exact in (
            (' { "b" : 1 , "a" : [ true , false , null ] } ', '{"a":[true,false,null],"b":1}', True),
            ('{"a":{"z":1,"Z":2,"10":3,"9":4}}', '{"a":{"10":3,"9":4,"Z":2,"z":1}}', True),
            ('{"\U0001f600":1,"\uffee":2,"é":3,"e":4}', '{"e":4,"é":3,"\uffee":2,"\U0001f600":1}', True),
            (r'"\u00e9\ud83d\ude00\/\u2028\u007f"', '"é\U0001f600/\u2028\x7f"', True),
            (r'"\u0000\u001f\u0008\u0009\u000a\u000c\u000d\"\\"', r'"\u0000\u001f\b\t\n\f\r\"\\"', True),
            ("9007199254740991", "9007199254740991", True),
            ("-9007199254740991", "-9007199254740991", True),
            ("1.0", "1.0", False),
            ("-0.0", "-0.0", False),
            ("1e21", "1e21", False),
            ("0.1", "0.1", False),
            ("1E-7", "1e-7", False),
            ("5e-324", "5e-324", False),
            ("123456789012345680.0", "1.2345678901234568e17", False),
            ("{}", "{}", True),
            ("[]", "[]", True),
            ('""', '""', True),
        )
    ],
    "refused": [
        "", "{", '{"a":1', "NaN", "Infinity", "-Infinity", "1e400", r'"\ud800"', "\ufeff{}", "{'a':1}", "[1,]", "01",
        '"\n"',
    ],
}  # fmt: skip

ARTIFACTS: Json = {
    "about": "the digest of an artifact: SHA-256 of its files' raw digests in the order of their paths by code point",
    "cases": [
        {
            "files": {"a.txt": f"sha256:{_ABC}"},
            "digest": "sha256:4f8b42c22dd3729b519ba6f68d2da7cc5b2d606d05daed5ad5128cc03e6c6358",
        },
        {
            "files": {"b": f"sha256:{_HEX}", "a": f"sha256:{_ABC}", "a/b": f"sha256:{_MILLION}"},
            "order": ["a", "a/b", "b"],
            "digest": "sha256:b0aa11ec8afd2231d30a5eb865505fb9e18ff150e34b91612fcad0dcbfa2b0ef",
        },
        {
            "files": {"\U0001f600": f"sha256:{_HEX}", "\uffee": f"sha256:{_ABC}", "Z": f"sha256:{_MILLION}"},
            "order": ["Z", "\uffee", "\U0001f600"],
            "digest": "sha256:9a67f56f2244f12a7ff6ccaf59442b325e3d41af4b46920e9b902f231a76fdfb",
        },
    ],
    "contents": [
        {"text": "", "digest": f"sha256:{_HEX}"},
        {"text": "abc", "digest": f"sha256:{_ABC}"},
    ],
}

TIMES: Json = {
    "about": "milliseconds since 1970-01-01T00:00:00Z and their text; and the time of an entry after its parent's",
    "cases": [
        {"milliseconds": 0, "text": "1970-01-01T00:00:00.000Z"},
        {"milliseconds": 1772366400000, "text": "2026-03-01T12:00:00.000Z"},
        {"milliseconds": 1709210096007, "text": "2024-02-29T12:34:56.007Z"},
    ],
    "after": [
        {"parent": None, "now": "2026-03-01T12:00:00.000Z", "time": "2026-03-01T12:00:00.000Z"},
        {
            "parent": "2026-03-01T12:00:00.000Z",
            "now": "2026-03-01T12:00:00.001Z",
            "time": "2026-03-01T12:00:00.001Z",
        },
        {
            "parent": "2026-03-01T12:00:00.000Z",
            "now": "2026-03-01T12:00:00.000Z",
            "time": "2026-03-01T12:00:00.001Z",
        },
        {
            "parent": "2026-12-31T23:59:59.999Z",
            "now": "2026-03-01T12:00:00.000Z",
            "time": "2027-01-01T00:00:00.000Z",
        },
    ],
}

CASES: dict[str, Json] = {
    "artifacts": ARTIFACTS,
    "encoding": ENCODING,
    "keys": KEYS,
    "merge": MERGE,
    "names": NAMES,
    "specs": SPECS,
    "tail": TAIL,
    "times": TIMES,
}
