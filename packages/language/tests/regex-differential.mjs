// Compares the regular expression engine with a real Nix on random patterns and subjects.
//
//   node tests/regex-differential.mjs [--nix <nix-instantiate>] [--seed n] [--cases n] [--garbage n]
//
// The oracle may also be named by NIX_ORACLE. `--cases` counts matches and splits of well-formed patterns, which go to
// the oracle in batches; `--garbage` counts random strings of special characters whose well-formedness is compared,
// those that we refuse in an oracle process each. The seed is printed; mismatches end with exit code 1.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const BATCH = 128;
const ORACLE_TIMEOUT_MS = 2_000;

const packageFolder = join(dirname(fileURLToPath(import.meta.url)), '..');
const scratch = mkdtempSync(join(tmpdir(), 'regex-differential-'));

/** The engine behind an interface of strings; subjects and patterns are Latin-1, a byte a character. */
function createEngine(wasm) {
  const refuse = () => {
    throw new Error('the module called its host');
  };
  const module = new WebAssembly.Module(wasm);
  const imports = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module))
    (imports[from] ??= {})[name] = refuse;
  const { exports } = new WebAssembly.Instance(module, imports);
  const room = 1 << 16;
  const textAt = exports.allocatePermanent(room);
  const groupsAt = exports.allocatePermanent(room);
  const put = (text) => {
    new Uint8Array(exports.memory.buffer, textAt, room).set(Buffer.from(text, 'latin1'));
    return text.length;
  };
  const offsets = (groups) => new Int32Array(exports.memory.buffer, groupsAt, 2 * (groups + 1));
  const captured = (text, groups) => {
    const at = offsets(groups);
    return Array.from({ length: groups }, (_, i) =>
      at[2 * i + 2] < 0 ? null : text.slice(at[2 * i + 2], at[2 * i + 3]),
    );
  };
  return {
    compile: (pattern) => exports.compileRegex(textAt, put(pattern)),
    match(program, text) {
      const groups = exports.regexGroupCount(program);
      const result = exports.matchWhole(program, textAt, put(text), groupsAt);
      return result === 1 ? captured(text, groups) : result === 0 ? null : 'given up';
    },
    split(program, text) {
      const groups = exports.regexGroupCount(program);
      const length = put(text);
      const parts = [];
      let from = 0;
      let result = exports.searchFrom(program, textAt, length, 0, groupsAt);
      for (; result === 1; result = exports.searchNext(program, textAt, length, groupsAt)) {
        const [start, end] = offsets(groups);
        parts.push(text.slice(from, start), captured(text, groups));
        from = end;
      }
      return result < 0 ? 'given up' : [...parts, text.slice(from)];
    },
  };
}

function compileEngine() {
  const asc = createRequire(import.meta.url).resolve('assemblyscript/bin/asc.js');
  const output = join(scratch, 'regex.wasm');
  const options = ['--runtime', 'stub', '--memoryBase', '8192', '--outFile', output, '--debug'];
  const compiled = spawnSync(process.execPath, [asc, 'tests/probes/regex.ts', ...options], {
    cwd: packageFolder,
  });
  if (compiled.status !== 0) throw new Error(`the engine does not compile:\n${compiled.stderr}`);
  return readFileSync(output);
}

/** A small generator of random numbers (mulberry32), so that a seed names a run. */
function createRandom(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const below = (n) => Math.floor(next() * n);
  return { below, pick: (list) => list[below(list.length)] };
}

const bytes = [
  'a',
  'a',
  'b',
  'c',
  '-',
  '.',
  '\\.',
  '[ab]',
  '[^a]',
  '[[:alpha:]]',
  '[a-c]',
  '[^-a]',
  '[]a]',
  '\n',
];
const anchors = ['^', '$'];
const quantifiers = ['*', '*', '+', '?', '{2}', '{1,}', '{0,2}', '{0}', '{1,3}', '{2,}'];

function randomPattern(random, depth) {
  const alternatives = random.below(4) === 0 ? 2 + random.below(2) : 1;
  return Array.from({ length: alternatives }, () => randomSequence(random, depth)).join('|');
}

function randomSequence(random, depth) {
  const length = random.below(4);
  let sequence = '';
  for (let i = 0; i < length; i++) {
    if (random.below(24) === 0) {
      sequence += random.pick(anchors);
      continue;
    }
    const isGroup = depth > 0 && random.below(3) === 0;
    sequence += isGroup ? `(${randomPattern(random, depth - 1)})` : random.pick(bytes);
    if (random.below(2) === 0) sequence += random.pick(quantifiers);
    if (random.below(20) === 0) sequence += random.pick(quantifiers);
  }
  return sequence;
}

function randomText(random) {
  const alphabet = random.pick(['ab', 'a', 'abc', 'abc-\n']);
  return Array.from({ length: random.below(9) }, () => random.pick([...alphabet])).join('');
}

function randomGarbage(random) {
  const pieces =
    '( ) [ ] { } * + ? | ^ $ . \\ - a b 1 2 , : = [: :] [. .] [= =] [:alpha:] [^ {1,2} {2} [a-b] [[.a.]-c]'.split(
      ' ',
    );
  return Array.from({ length: 1 + random.below(7) }, () => random.pick(pieces)).join('');
}

/** What the oracle says about a list of cases; undefined where it says nothing in time. */
function askOracle(nix, cases) {
  const input = join(scratch, 'cases.json');
  writeFileSync(input, JSON.stringify(cases));
  const expression = `map (c: (if c.kind == "match" then builtins.match else builtins.split) c.pattern c.text)
    (builtins.fromJSON (builtins.readFile ${input}))`;
  const args = ['--store', 'dummy://', '--eval', '--strict', '--json', '-E', expression];
  const env = { ...process.env, NIX_STATE_DIR: join(scratch, 'state'), NIX_CONF_DIR: join(scratch, 'conf') };
  const options = {
    env,
    timeout: ORACLE_TIMEOUT_MS,
    killSignal: 'SIGKILL',
    maxBuffer: 1 << 28,
    encoding: 'utf8',
  };
  const { status, stdout, stderr, signal } = spawnSync(nix, args, options);
  if (status === 0) return JSON.parse(stdout);
  if (cases.length === 1) {
    if (/invalid regular expression|memory limit exceeded/.test(stderr ?? '')) return ['refused'];
    if (signal === null) throw new Error(`the oracle failed:\n${stderr}`);
    return [undefined];
  }
  const middle = cases.length >> 1;
  return [...askOracle(nix, cases.slice(0, middle)), ...askOracle(nix, cases.slice(middle))];
}

function main() {
  const { values } = parseArgs({
    options: {
      nix: { type: 'string', default: process.env['NIX_ORACLE'] ?? 'nix-instantiate' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
      cases: { type: 'string', default: '4000' },
      garbage: { type: 'string', default: '100' },
    },
  });
  console.log(`seed ${values.seed}`);
  const random = createRandom(Number(values.seed));
  const engine = createEngine(compileEngine());
  const cases = [];
  const add = (kind, pattern, text) => {
    const program = engine.compile(pattern);
    const ours = program === 0 ? 'refused' : engine[kind](program, text);
    cases.push({ kind, pattern, text, ours });
  };
  for (let i = 0; i < Number(values.cases); i++) {
    add(i % 2 === 0 ? 'match' : 'split', randomPattern(random, 1 + random.below(2)), randomText(random));
  }
  for (let i = 0; i < Number(values.garbage); i++) add('match', randomGarbage(random), randomText(random));
  const refused = cases.filter(({ ours }) => ours === 'refused');
  const batches = refused.map((one) => [one]);
  const accepted = cases.filter(({ ours }) => ours !== 'refused');
  for (let i = 0; i < accepted.length; i += BATCH) batches.push(accepted.slice(i, i + BATCH));
  let mismatches = 0;
  let unanswered = 0;
  for (const batch of batches) {
    const answers = askOracle(
      values.nix,
      batch.map(({ kind, pattern, text }) => ({ kind, pattern, text })),
    );
    batch.forEach(({ kind, pattern, text, ours }, i) => {
      if (answers[i] === undefined) unanswered++;
      else if (JSON.stringify(ours) !== JSON.stringify(answers[i])) {
        mismatches++;
        console.log(JSON.stringify({ kind, pattern, text, ours, oracle: answers[i] }));
      }
    });
  }
  console.log(
    `${cases.length} cases, ${refused.length} refused, ${unanswered} unanswered, ${mismatches} mismatches`,
  );
  process.exitCode = mismatches > 0 ? 1 : 0;
}

try {
  main();
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
