#!/usr/bin/env bash
# Read a registry with jq alone: it is JSON files, and objreg is not needed to read them.
#
#     examples/read_with_jq.sh REGISTRY_FOLDER MODEL
#
# In a bucket, copy the model's folder first (aws s3 sync s3://bucket/prefix/fraud/clf.model clf.model), or pipe single
# objects into jq.
set -euo pipefail
folder="$1/$2.model"

# Entry keys count down, so the first name of a sorted listing is the newest entry. It says where every state leads.
entries=("$folder"/log/*.json)
newest=${entries[0]}
echo "pointers:"
jq -r '.refs | to_entries[] | "  \(.key)\t\(.value.version)\t\(.value.record)"' "$newest"

# The whole state is the snapshot (if the entry names one), the tail and the patch, merged: jq's * does it.
snapshot=$(jq -r '.snapshot.digest // "" | ltrimstr("sha256:")' "$newest")
base=${snapshot:+"$folder/snapshots/$snapshot.json"}
echo "versions:"
jq -rn --slurpfile entry "$newest" --slurpfile base "${base:-/dev/null}" '
  ($base[0].state // {}) * $entry[0].tail * $entry[0].patch
  | .versions | to_entries | sort_by(.value.order)[]
  | "  \(.key)\t\(.value.created_at)\t\(.value.created_by)\t\(.value.states // [] | join(","))"'

echo "who put what into production, and when:"
jq -rs 'sort_by(.seq)[] | . as $entry | .patch.changes[]
  | select(.kind == "state_change" and .name == "production")
  | "  \($entry.time)\t\(.before | join(",") | if . == "" then "nothing" else . end) -> \(.after | join(","))\t\($entry.actor)\t\($entry.message)"' "${entries[@]}"

echo "bytes and digests of the files of the latest version:"
record=$(jq -r '.refs.latest.record | ltrimstr("sha256:")' "$newest")
jq -r '.artifacts[].files[] | "  \(.size)\t\(.digest)\t\(.path)"' "$folder/records/$record.json"

# The log is a chain: each entry names the SHA-256 of the one before it. Any holder of a copy can check that.
expected=
for entry in "${entries[@]}"; do
    found=$(sha256sum <"$entry" | cut -d ' ' -f 1)
    if [[ -n "$expected" && "$found" != "$expected" ]]; then
        echo "the chain is broken at $entry" >&2
        exit 1
    fi
    expected=$(jq -r '.parent // "" | ltrimstr("sha256:")' "$entry")
done
echo "${#entries[@]} entries, and the chain holds"
