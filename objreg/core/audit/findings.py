"""What a verification can find: every kind of damage, how bad it is, what it means and what to do about it.

The table is the one place that knows a finding's severity and meaning; ``docs/fsck.md`` is held to it by a test.
"""

from dataclasses import dataclass
from typing import Literal

__all__ = ["MEANINGS", "Finding", "Meaning", "Severity", "finding"]

Severity = Literal["error", "warning", "note"]

_REWRITTEN = (
    "The history was rewritten, restored from an older copy, or two histories were mixed. Compare with a backup or"
    " with another machine's cache, and find out who can write the bucket."
)
_DAMAGED = "Do not use what rests on it. Restore the object of that key from a backup: its name says what it must hold."
_BROKEN_RULE = (
    "No release of objreg writes this: another program did, or somebody with access to the bucket. Look at the entry's"
    " actor and time, and at who can write the bucket."
)
_TWO_READINGS = (
    "Readers that start here see another state than the history gives. Whoever wrote the entry made it up or has a"
    " fault; trust the history, and let a correct writer commit next."
)
_LEFT_OVER = "A push or a commit that crashed, or one that is under way. It does no harm."


@dataclass(frozen=True, slots=True)
class Meaning:
    """One kind of finding.

    Attributes:
        severity: ``error`` (a promise is broken), ``warning`` (look at it), ``note`` (good to know).
        text: what it means, and what to do.
    """

    severity: Severity
    text: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as the format promises, or that is worth knowing.

    Attributes:
        code: which kind; a stable word, listed in ``docs/fsck.md``.
        severity: ``error``, ``warning`` or ``note``.
        domain: the model's, the namespace's or the registry's folder; ``""`` for the root.
        key: the object it is about.
        message: what was expected, and what was found.
        meaning: what it means, and what to do.
    """

    code: str
    severity: Severity
    domain: str
    key: str
    message: str
    meaning: str


def finding(code: str, domain: str, key: str, message: str) -> Finding:
    """Return a finding of a known kind."""
    known = MEANINGS[code]
    return Finding(code, known.severity, domain, key, message, known.text)


def _errors(text: str, *codes: str) -> dict[str, Meaning]:
    return {code: Meaning("error", text) for code in codes}


MEANINGS: dict[str, Meaning] = {
    # The root
    **_errors(
        "The root does not say that a registry is here, so tools refuse it. Restore objreg.json from a backup.",
        "marker-missing",
        "marker-unreadable",
    ),
    **_errors(
        "The marker is written once and never again. The registry was made anew here, or replaced by another one: find"
        " out by whom. What this machine remembers is of the registry that was here before.",
        "marker-changed",
    ),
    # The log
    **_errors(
        "Slots have no gaps, so an entry was deleted. Readers may stop before it and see an older state. Restore it.",
        "entry-missing",
    ),
    **_errors(_DAMAGED, "entry-unreadable"),
    **_errors("An entry was copied or moved to another place. Restore the right one from a backup.", "entry-misplaced"),
    **_errors(_REWRITTEN, "chain-broken", "history-replaced", "rolled-back"),
    **_errors(_BROKEN_RULE, "time-not-later", "op-repeated", "patch-not-additive", "state-unreadable"),
    **_errors(_TWO_READINGS, "tail-wrong", "snapshot-wrong", "refs-wrong"),
    **_errors(
        "Readers of later entries cannot fold the state without it. Restore it from a backup, or write it again: it is"
        " the state after the entry that it names.",
        "snapshot-missing",
        "snapshot-damaged",
    ),
    **_errors(
        "Finding the newest entry takes the first key of the log's folder, and this one is no entry. Remove it.",
        "log-foreign-key",
    ),
    "log-absent": Meaning(
        "warning",
        "A first push that crashed or is under way looks so, and so does the deletion of a log. If the model or the"
        " namespace was ever used, restore its log from a backup.",
    ),
    "started-on-trust": Meaning(
        "note",
        "Verification began in the middle of the history, where you said: earlier entries were taken as they are."
        " Leave --since-entry out to verify them too.",
    ),
    # What a commit says that it did
    **_errors(
        "The audit trail and the change do not agree: somebody changed something without saying so, or says what was"
        " not done. " + _BROKEN_RULE,
        "change-unlisted",
        "change-without-effect",
        "changes-unreadable",
    ),
    "change-unknown": Meaning(
        "note", "A newer release of objreg wrote it, and this one cannot judge it. Verify with that release."
    ),
    # The rules
    **_errors(
        _BROKEN_RULE,
        "version-changed",
        "version-not-of-scheme",
        "scheme-changed",
        "order-wrong",
        "experiment-replaced",
        "state-undefined",
        "state-rule-broken",
        "retirement-changed",
        "retired-version-used",
        "deployment-changed",
        "deployment-number-wrong",
        "definition-changed",
        "incarnation-lowered",
        "expiry-undone",
    ),
    "state-defined-twice": Meaning(
        "warning",
        "Two scopes define the state differently; the widest rules. Expect the narrower definition to be ignored.",
    ),
    # Records
    **_errors(_DAMAGED, "record-missing", "record-damaged", "record-unreadable"),
    **_errors(
        "The manifest names a record that speaks of something else. " + _BROKEN_RULE,
        "record-mismatch",
        "artifact-wrong",
    ),
    "not-canonical": Meaning(
        "warning",
        "The bytes mean the right thing and are not written as the format demands (compact, keys sorted, each once)."
        " The writer is another program, or one with a fault.",
    ),
    # Blobs
    **_errors(
        "Files of a version cannot be pulled. Restore the blob from a backup, or push the same files again under"
        " another version.",
        "blob-missing",
        "blob-size-wrong",
        "blob-damaged",
    ),
    **_errors(
        "Two records promise different bytes under one key, so at most one of them can be pulled. " + _BROKEN_RULE,
        "blob-contradiction",
    ),
    **_errors(
        "A collector may delete what is still needed, or has. Push the files again under another version.",
        "condemned-in-use",
    ),
    # What else stands in the folder
    **_errors(
        "Nothing names it yet, but the next push of that content takes it for its own. Delete it.", "orphan-damaged"
    ),
    "orphan-record": Meaning("note", _LEFT_OVER),
    "orphan-snapshot": Meaning("note", _LEFT_OVER),
    "orphan-blob": Meaning("note", _LEFT_OVER + " 'objreg gc' collects it."),
    "condemned-left": Meaning("note", "A collection was not finished. 'objreg gc' finishes it."),
    "unknown-key": Meaning(
        "warning", "objreg did not write it and does not read it. Keep other things out of the registry's folder."
    ),
}
