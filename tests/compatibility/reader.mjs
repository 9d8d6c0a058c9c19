// Reads a registry in a folder without objreg: docs/format.md, and what every Node has (JSON.parse, SHA-256).
//
//   node reader.mjs state ROOT DOMAIN               verifies a manifest from entry 0, prints what it says as JSON
//   node reader.mjs cat ROOT DOMAIN VERSION PATH    verifies a file of a version, writes its bytes to standard output
//
// Exit codes: 0, 1 for anything that is not as the format promises, 3 for zstd where this Node has none (before 22.15).

import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import * as zlib from "node:zlib";

export const LAST = 10 ** 12 - 1;
const EMPTY = { versions: {}, deployments: {}, states: {}, catalog: "", record: "", retention: "", scheme: "major.minor" };

export const digestOf = (bytes) => "sha256:" + createHash("sha256").update(bytes).digest("hex");
const parse = (bytes) => JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

export class Broken extends Error {}

function check(holds, message) {
  if (!holds) throw new Broken(message);
}

/** RFC 7386, held to what a state allows. */
export function merge(target, patch) {
  const result = { ...target };
  for (const [key, value] of Object.entries(patch)) {
    const old = result[key];
    check(value !== null && (old === undefined || isObject(old) === isObject(value)), `a patch removes or reshapes ${key}`);
    result[key] = isObject(value) ? merge(old ?? {}, value) : value;
  }
  return result;
}

/** One object that is named by the digest of its bytes. */
function named(folder, digest) {
  check(/^sha256:[0-9a-f]{64}$/.test(digest), `${digest} is no digest`);
  const bytes = readFileSync(join(folder, digest.slice(7) + ".json"));
  check(digestOf(bytes) === digest, `${digest} in ${folder} holds other bytes`);
  const value = parse(bytes);
  check(value.format === 1, `${digest} is of format ${value.format}`);
  return value;
}

/** The number of the newest entry: names count down, so it is the first in order. */
function newest(folder) {
  const names = readdirSync(join(folder, "log")).filter((name) => /^[0-9]{12}\.json$/.test(name)).sort();
  check(names.length > 0, `${folder} has no entries`);
  const seq = LAST - Number(names[0].slice(0, 12));
  check(names.length === seq + 1, `${folder} has ${names.length} entries and the newest is ${seq}`);
  return seq;
}

function readEntry(folder, domain, seq, previous) {
  const bytes = readFileSync(join(folder, "log", String(LAST - seq).padStart(12, "0") + ".json"));
  const entry = parse(bytes);
  check(entry.format === 1 && entry.domain === domain && entry.seq === seq, `entry ${seq} is of another place or format`);
  check(entry.parent === (previous ? previous.digest : null), `entry ${seq} does not follow entry ${seq - 1}`);
  check(!previous || entry.time > previous.entry.time, `entry ${seq} is not later than its parent`);
  check(entry.snapshot === null || entry.snapshot.seq < seq, `entry ${seq} names a snapshot of its future`);
  return { entry, digest: digestOf(bytes) };
}

/** Replay a manifest from nothing; at every entry its snapshot, tail and patch must give the same state. */
function replay(root, domain) {
  const folder = join(root, domain);
  const last = newest(folder);
  const states = [];
  const snapshots = new Map();
  let head = null;
  let state = {};
  for (let seq = 0; seq <= last; seq++) {
    head = readEntry(folder, domain, seq, head);
    const { snapshot, tail, patch, refs } = head.entry;
    if (snapshot && !snapshots.has(snapshot.digest)) {
      const found = named(join(folder, "snapshots"), snapshot.digest);
      check(found.domain === domain && found.seq === snapshot.seq, `${snapshot.digest} is a snapshot of another place`);
      check(isDeepStrictEqual(found.state, states[snapshot.seq]), `snapshot ${snapshot.seq} is not the state of its entry`);
      snapshots.set(snapshot.digest, found.state);
    }
    const base = snapshot ? snapshots.get(snapshot.digest) : {};
    check(isDeepStrictEqual(merge(base, tail), state), `the tail of entry ${seq} does not lead to its parent's state`);
    state = merge(state, patch);
    states.push(state);
    check(isDeepStrictEqual(merge(merge(base, tail), patch), state), `entry ${seq} folds to two states`);
    check(isDeepStrictEqual(refs, domain.endsWith(".model") ? pointers(state) : {}), `refs of entry ${seq} are wrong`);
  }
  return { folder, head, state: { ...EMPTY, ...state }, plain: state, snapshots: snapshots.size };
}

// Versions: what "latest" and a state's pointer lead to

const numbers = (text) => text.split(/[.-]/).map(Number);

function compareLists(left, right, compare) {
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const found = compare(left[i], right[i]);
    if (found) return found;
  }
  return left.length - right.length;
}

function compareWords(left, right) {
  const [a, b] = [left, right].map((word) => /^[0-9]+$/.test(word));
  if (a && b) return Number(left) - Number(right);
  return a !== b ? (a ? -1 : 1) : left < right ? -1 : Number(left > right);
}

function compareSemver(left, right) {
  const [a, b] = [left, right].map((text) => [text.split("-")[0], text.includes("-") ? text.slice(text.indexOf("-") + 1) : ""]);
  const release = compareLists(numbers(a[0]), numbers(b[0]), (x, y) => x - y);
  if (release || a[1] === b[1]) return release;
  return !a[1] ? 1 : !b[1] ? -1 : compareLists(a[1].split("."), b[1].split("."), compareWords);
}

export function newestOf(state, versions) {
  const scheme = state.scheme ?? "major.minor";
  if (scheme === "semver" && versions.some((version) => !version.includes("-"))) {
    versions = versions.filter((version) => !version.includes("-"));
  }
  const compare = {
    semver: compareSemver,
    free: (left, right) => state.versions[left].order - state.versions[right].order,
  }[scheme] ?? ((left, right) => compareLists(numbers(left), numbers(right), (x, y) => x - y));
  return [...versions].sort(compare).at(-1);
}

function pointers(state) {
  const groups = {};
  for (const [version, item] of Object.entries(state.versions ?? {})) {
    for (const name of item.states ?? []) (groups[name] ??= []).push(version);
    if (!item.retired) (groups.latest ??= []).push(version);
  }
  const lead = (versions) => {
    const version = newestOf(state, versions);
    return { version, record: state.versions[version].record };
  };
  return Object.fromEntries(Object.entries(groups).map(([name, versions]) => [name, lead(versions)]));
}

// Records

function* recordsOf(state) {
  yield [state.catalog, "catalog"];
  yield [state.retention, "retention_policy"];
  yield [state.record, null];
  for (const item of Object.values(state.states)) yield [item.record, "state_definition"];
  for (const item of Object.values(state.deployments)) yield [item.record, "deployment"];
  for (const item of Object.values(state.versions)) {
    yield [item.record, "version"];
    yield [item.retired ?? "", "retirement"];
    for (const digest of Object.values(item.experiments ?? {})) yield [digest, "experiment"];
  }
}

function readRecords({ folder, state }) {
  const found = {};
  for (const [digest, kind] of recordsOf(state)) {
    if (!digest) continue;
    const record = named(join(folder, "records"), digest);
    check(kind === null || record.kind === kind, `${digest} is a ${record.kind} and should be a ${kind}`);
    found[digest] = record.kind;
  }
  return found;
}

// Files

function readPart(folder, part) {
  const middle = part.incarnation ? `.${part.incarnation}` : "";
  const name = part.blob.slice(7) + middle + (part.encoding === "zstd" ? ".zst" : "");
  const stored = readFileSync(join(folder, "blobs", name));
  check(stored.length === part.stored_size && digestOf(stored) === part.stored_digest, `${name} holds other bytes`);
  let plain = stored;
  if (part.encoding === "zstd") {
    if (!zlib.zstdDecompressSync) {
      process.stderr.write("this Node has no zstd\n");
      process.exit(3);
    }
    plain = zlib.zstdDecompressSync(stored, { maxOutputLength: part.blob_size });
  } else check(part.encoding === "", `${name} is encoded as ${part.encoding}`);
  check(plain.length === part.blob_size && digestOf(plain) === part.blob, `${name} holds other plain bytes`);
  check(part.offset + part.length <= plain.length, `${name} is shorter than a part of it`);
  return plain.subarray(part.offset, part.offset + part.length);
}

function readFile({ folder, state }, version, path) {
  const record = named(join(folder, "records"), state.versions[version].record);
  for (const artifact of record.artifacts) {
    const digests = artifact.files.map((file) => Buffer.from(file.digest.slice(7), "hex"));
    check(digestOf(Buffer.concat(digests)) === artifact.digest, `the digest of artifact ${artifact.name} is wrong`);
    for (const file of artifact.files) {
      if ((artifact.folder ? `${artifact.folder}/` : "") + file.path !== path) continue;
      const bytes = Buffer.concat(file.parts.map((part) => readPart(folder, part)));
      check(bytes.length === file.size && digestOf(bytes) === file.digest, `${path} holds other bytes`);
      return bytes;
    }
  }
  throw new Broken(`version ${version} has no file ${path}`);
}

function main([command, root, domain, version, path]) {
  const marker = parse(readFileSync(join(root, "objreg.json")));
  check(marker.format === 1, `the registry is of format ${marker.format}`);
  const found = replay(root, domain);
  if (command === "cat") return process.stdout.write(readFile(found, version, path));
  const { head, plain, snapshots } = found;
  const summary = { seq: head.entry.seq, digest: head.digest, refs: head.entry.refs, state: plain, snapshots };
  process.stdout.write(JSON.stringify({ ...summary, records: readRecords(found) }));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    main(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
