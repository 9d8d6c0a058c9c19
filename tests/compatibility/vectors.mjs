// Replays the test vectors with the reader in reader.mjs: that they can be used where there is no objreg.
//
//   node vectors.mjs FOLDER      FOLDER is schemas/vectors; prints how many cases held

import assert from "node:assert";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Broken, LAST, digestOf, merge, newestOf } from "./reader.mjs";

const folder = process.argv[2];
const vectors = (name) => JSON.parse(readFileSync(join(folder, `${name}.json`), "utf-8"));
let held = 0;

function same(found, expected) {
  assert.deepStrictEqual(found, expected);
  held++;
}

for (const { state, patch, result } of vectors("merge").cases) same(merge(state, patch), result);
for (const { state, patch } of vectors("merge").refused) {
  assert.throws(() => merge(state, patch), Broken);
  held++;
}

for (const { patches, tails, states } of vectors("tail").cases) {
  let tail = {};
  patches.forEach((patch, seq) => {
    same(tail, tails[seq]);
    same(merge(tail, patch), states[seq]);
    tail = merge(tail, patch);
  });
}

for (const { domain, seq, key } of vectors("keys").entries) {
  same(`${domain}/log/${String(LAST - seq).padStart(12, "0")}.json`, key);
}

for (const { file, digest } of vectors("objects").cases) same(digestOf(readFileSync(join(folder, file))), digest);

for (const { text, digest } of vectors("artifacts").contents) same(digestOf(Buffer.from(text)), digest);
for (const { files, order, digest } of vectors("artifacts").cases) {
  // JavaScript sorts by UTF-16 unit, the format by code point: the same order as of the UTF-8 bytes.
  const paths = Object.keys(files).sort((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)));
  if (order) same(paths, order);
  same(digestOf(Buffer.concat(paths.map((path) => Buffer.from(files[path].slice(7), "hex")))), digest);
}

for (const [scheme, { ascending, latest }] of Object.entries(vectors("versions").schemes)) {
  for (let i = 1; i < ascending.length; i++) {
    const pair = [ascending[i], ascending[i - 1]];
    const mixed = scheme === "semver" && pair.some((version) => version.includes("-")) && !pair.every((version) => version.includes("-"));
    if (!mixed) same(newestOf({ scheme }, pair), ascending[i]); // a release is the latest before any pre-release
  }
  for (const { versions, version } of latest) same(newestOf({ scheme }, versions) ?? "", version);
}

for (const { input, stored } of vectors("encoding").cases) same(JSON.parse(input), JSON.parse(stored));

process.stdout.write(`${held}\n`);
