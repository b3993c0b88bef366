/**
 * Makes `src/generated` from `protos`, with `protoc` (Debian: protobuf-compiler) and protoc-gen-es. With `--check`
 * nothing is written: the exit code is 1 when the files there are not those that would be made.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, cpSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('..', import.meta.url));
const protos = join(here, 'protos');
const generated = join(here, 'src/generated');
const plugin = fileURLToPath(new URL('../../../node_modules/.bin/protoc-gen-es', import.meta.url));

const made = mkdtempSync(join(tmpdir(), 'neve-protos-'));
try {
  generate(made);
  if (process.argv.includes('--check')) check(made);
  else replace(made);
} finally {
  rmSync(made, { recursive: true });
}

/** @param {string} folder */
function generate(folder) {
  const options = 'target=ts,import_extension=ts,erasable_syntax=true';
  execFileSync(
    'protoc',
    [
      `--proto_path=${protos}`,
      `--plugin=protoc-gen-es=${plugin}`,
      `--es_out=${folder}`,
      `--es_opt=${options}`,
      ...filesUnder(protos),
    ],
    { stdio: 'inherit' },
  );
}

/** @param {string} folder */
function replace(folder) {
  rmSync(generated, { recursive: true, force: true });
  cpSync(folder, generated, { recursive: true });
}

/** @param {string} folder */
function check(folder) {
  const wanted = filesUnder(folder);
  const there = existsSync(generated) ? filesUnder(generated) : [];
  const differing = [...new Set([...wanted, ...there])].filter(
    (file) =>
      !wanted.includes(file) ||
      !there.includes(file) ||
      readFileSync(join(folder, file), 'utf8') !== readFileSync(join(generated, file), 'utf8'),
  );
  if (differing.length === 0) return;
  console.error(`src/generated is out of date, run scripts/generate.mjs: ${differing.join(', ')}`);
  process.exitCode = 1;
}

/** @param {string} folder */
function filesUnder(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}
