// The formats for programs. What `--log-format internal-json` says is compared with a real Nix, where there is one: the same
// activities with the same fields, results and messages, up to their numbers and to the order of what runs side by side.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NixMachine } from '../lib/nix-machine.mjs';
import { findBusybox } from '../build/build-programs.mjs';

/** @typedef {Record<string, any>} Message */
/** @typedef {import('./terminal-place.mjs').TerminalPlace} TerminalPlace */

const packages = join(dirname(fileURLToPath(import.meta.url)), 'packages.nix');

/**
 * @param {(name: string) => TerminalPlace} place
 * @param {{ folder: string, nixBin: string | undefined, busybox: string | undefined }} options
 * @returns {readonly import('../lib/run-checks.mjs').Check[]}
 */
export function formatChecks(place, { folder, nixBin, busybox = findBusybox() }) {
  /** @param {string} name @param {(place: TerminalPlace) => Promise<void>} check @returns {import('../lib/run-checks.mjs').Check} */
  const at = (name, check) => [
    name,
    async () => {
      const here = place(name);
      try {
        await check(here);
      } finally {
        here.dispose();
      }
    },
  ];
  const checks = [
    at('json: one object a line', json),
    at('json by the daemon says the same', jsonByDaemon),
    at('internal-json: errors of evaluation are messages', evaluationError),
    at('internal-json: activities are well-formed', wellFormed),
    at('a format that is not known', unknownFormat),
    ...failingCommands.map((words) =>
      at(`for programs: the errors of ${words.join(' ')}`, (it) => errorsForPrograms(it, words)),
    ),
  ];
  if (nixBin === undefined) {
    console.log('the comparisons with a real Nix are left out: see --nix-bin');
    return checks;
  }
  /** @type {readonly (readonly [title: string, args: readonly string[], before?: readonly string[]])[]} */
  const cases = [
    ['a build', ['-A', 'odd']],
    ['phases', ['-A', 'phases']],
    ['a graph', ['-A', 'pair']],
    ['a failure', ['-A', 'fails']],
    ['what depends on a failure', ['-A', 'broken', '--keep-going']],
    ['a build again', ['-A', 'odd', '--check'], ['-A', 'odd']],
    ['what is there', ['-A', 'odd'], ['-A', 'odd']],
  ];
  let number = 0;
  for (const [title, args, before] of cases) {
    checks.push(
      at(`internal-json as nix-build says it: ${title}`, async (it) => {
        const machineFolder = join(folder, `nix-${++number}`);
        mkdirSync(machineFolder);
        const settings = `sandbox-paths = /bin/sh=${busybox}\nsandbox = true\nsubstitute = false\n`;
        const nix = new NixMachine(machineFolder, nixBin, { settings });
        await compare(it, nix, { args, before });
      }),
    );
  }
  return checks;
}

/**
 * @param {TerminalPlace} place
 * @param {NixMachine} nix
 * @param {{ args: readonly string[], before: readonly string[] | undefined }} options
 */
// oxlint-disable-next-line eslint/max-params -- both sides, and what they do
async function compare(place, nix, { args, before }) {
  const words = ['--no-out-link', packages];
  if (before !== undefined) {
    await nix.attempt(['nix-build', '--store', nix.store, ...words, ...before]);
    await place.run(['build', '-f', packages, '--no-link', ...before.slice(1)]);
  }
  const theirs = await nix.attempt([
    ...['nix-build', '--store', nix.store, ...words, ...args],
    ...['--log-format', 'internal-json'],
  ]);
  const rest = args.slice(2);
  const ours = await place.run([
    ...['build', '--no-link', '-f', packages, ...rest, args[1] ?? ''],
    ...['--log-format', 'internal-json'],
  ]);
  assert.equal(ours.code, theirs.code, ours.stderr);
  const [expected, actual] = [summaryOf(theirs.stderr), summaryOf(ours.stderr)];
  assert.deepEqual(actual, expected);
}

/**
 * What must be the same: activities by their order of nesting, with what belongs to them, and messages without colours.
 *
 * @param {string} stderr
 */
function summaryOf(stderr) {
  /** @type {Map<number, Message>} */
  const activities = new Map();
  /** @type {string[]} */
  const messages = [];
  for (const message of messagesOf(stderr)) {
    if (message['action'] === 'msg') messages.push(textOf(message));
    else if (message['action'] === 'start') {
      const { type, level, text, fields = [], parent } = message;
      activities.set(message['id'], {
        type,
        level,
        text,
        fields,
        isChild: parent !== 0,
        results: [],
        stops: 0,
      });
    } else if (message['action'] === 'stop') {
      const activity = activities.get(message['id']);
      assert.ok(activity !== undefined, `stops before it starts: ${message['id']}`);
      activity['stops']++;
    } else {
      const activity = activities.get(message['id']);
      assert.ok(activity !== undefined, `a result before the start: ${message['id']}`);
      // How often counts are said depends on the moment, and so does what Nix expects: it counts goals that are over.
      if (message['type'] === 105) activity['last'] = message['fields'].toSpliced(1, 1);
      else if (message['type'] === 106) activity['expects'] = true;
      else activity['results'].push([message['type'], ...message['fields']]);
    }
  }
  const shown = [...activities.values()].map((it) => JSON.stringify(it));
  return { activities: shown.toSorted(), messages: messages.toSorted() };
}

/** @param {Message} message */
function textOf(message) {
  const { level, msg, raw_msg: raw } = message;
  // oxlint-disable-next-line no-control-regex -- colours
  const plain = (/** @type {string} */ text) => text.replace(/\x1b\[[0-9;]*m/g, '');
  // Neve also shows the end of a log, and how to see all of it.
  const short = (/** @type {string} */ text) =>
    plain(text)
      .replace(/\n *Last \d+ log lines:.*$/s, '')
      .replace(/\n *For full logs, run:.*$/s, '');
  return JSON.stringify([
    level,
    short(msg),
    raw === undefined ? undefined : short(raw),
    Object.keys(message).sort(),
  ]);
}

/** @param {string} stderr @returns {Message[]} */
function messagesOf(stderr) {
  return stderr
    .trimEnd()
    .split('\n')
    .map((line) => {
      assert.match(line, /^@nix \{/);
      // Numbers of activities are too large for JSON.parse, whose last digits do not matter here.
      return JSON.parse(line.slice(5).replace(/"(id|parent)":(\d{16,})/g, '"$1":"$2"'));
    });
}

/** @param {TerminalPlace} place */
async function json(place) {
  const { code, stdout, stderr } = await place.buildWithoutTerminal(
    ['fails', 'odd'],
    [...['--log-format', 'json', '--keep-going']],
  );
  assert.equal(code, 100);
  assert.equal(stdout, '');
  assertJson(stderr);
}

/** @param {string} stderr */
function assertJson(stderr) {
  const events = stderr
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const path = events.find((it) => it.event === 'build-planned' && it.path.endsWith('-fails.drv'))?.path;
  const ofPath = events.filter((it) => it.path === path);
  assert.deepEqual(
    ofPath.map(({ event, line, phase }) => [event, line ?? phase].filter((it) => it !== undefined)),
    [
      ['build-planned'],
      ['build-started'],
      ['build-phase', 'installPhase'],
      ['build-log', 'it will fail'],
      ['build-failed'],
    ],
  );
  const odd = events.filter((it) => it.event === 'build-log' && it.path.endsWith('-odd.drv'));
  assert.deepEqual(odd.map(({ line }) => line).slice(2), ['two', '日本語 e\u0301 🚀']);
  const [failure] = events.filter((it) => it.event === 'message');
  assert.equal(failure?.level, 'error');
  assert.match(failure?.text, /^error: Cannot build '.*-fails\.drv'/);
}

/** @param {TerminalPlace} place */
async function jsonByDaemon(place) {
  const daemon = place.start(['daemon'], { env: { TERM: 'dumb' } });
  await daemon.shows((text) => text.includes('daemon.socket'));
  const words = ['--daemon', '--log-format', 'json', '--keep-going'];
  const { code, stderr } = await place.buildWithoutTerminal(['fails', 'odd'], words);
  daemon.signal('SIGTERM');
  await daemon.ended;
  assert.equal(code, 100);
  assertJson(stderr.replaceAll(/^\{"event":"evaluation-(started|ended)"\}\n/gm, ''));
}

/** @param {TerminalPlace} place */
async function evaluationError(place) {
  const words = ['eval', '--log-format', 'internal-json', '--expr', 'builtins.trace "said" (throw "broken")'];
  const { code, stderr } = await place.run(words);
  assert.equal(code, 1);
  const [trace, error, ...more] = messagesOf(stderr);
  assert.deepEqual(trace, { action: 'msg', level: 0, msg: 'trace: said' });
  assert.equal(error?.['level'], 0);
  assert.match(error?.['msg'], /^error:[^]*error: broken/);
  assert.equal(error?.['line'], null);
  assert.equal(more.length, 0);
}

/** Every command, and errors of every kind: of the command line, of the world, of evaluation, of a worker. */
const failingCommands = /** @type {readonly (readonly string[])[]} */ ([
  ['no-such-command'],
  ...['store', 'cache', 'image', 'daemon', 'nix-daemon', 'nar-bridge', 'eval', 'build', 'repl', 'search'].map(
    (name) => [name, '--no-such-option'],
  ),
  ['store', 'ls', '--no-such-option'],
  ['store', 'ls', '/nix/store/short'],
  ['store', 'import', 'no-such-file'],
  ['store', 'info', `/nix/store/${'0'.repeat(32)}-absent`],
  ['cache', 'push', 'no-such-cache', '/nix/store/short'],
  ['cache', 'serve', '--listen', 'no-address'],
  ['image', 'list', 'more'],
  ['image', 'explain', 'no-such-command'],
  ['daemon', 'status', 'unix:/no-such-socket'],
  ['daemon', '--max-jobs', 'many'],
  ['nar-bridge', '--listen', 'no-address'],
  ['nix-daemon', 'more'],
  ['eval', '--expr', 'throw "broken"'],
  ['instantiate', 'no-such-file'],
  ['build', '--expr', '1'],
  ['log', '/nix/store/short'],
  ['why-depends', 'no-such-file', 'no-such-file'],
  ['eval-jobs', '--expr', 'throw "broken"'],
  ['env', '-qa', '-f', 'no-such-file'],
  ['search', '-f', 'no-such-file', '', 'x'],
]);

/**
 * @param {TerminalPlace} place
 * @param {readonly string[]} words
 */
// oxlint-disable-next-line eslint/max-params -- where, and which
async function errorsForPrograms(place, words) {
  const json = await place.run([...words, '--log-format', 'json']);
  assert.notEqual(json.code, 0);
  const lines = json.stderr.trimEnd().split('\n');
  const events = lines.map((line) => JSON.parse(line));
  assert.ok(
    events.some(({ event, level }) => event === 'message' && level === 'error'),
    json.stderr,
  );
  assert.doesNotMatch(json.stderr, /bug in Neve/);
  const internal = await place.run([...words, '--log-format=internal-json']);
  assert.equal(internal.code, json.code);
  const messages = messagesOf(internal.stderr);
  assert.ok(
    messages.some(({ action, level, msg }) => action === 'msg' && level === 0 && msg.includes('error:')),
    internal.stderr,
  );
}

/** @param {TerminalPlace} place */
async function wellFormed(place) {
  const words = ['--log-format', 'internal-json', '--keep-going', '-j', '4'];
  const { stderr } = await place.buildWithoutTerminal(['all'], words);
  /** @type {Set<string>} */
  const open = new Set();
  const types = new Set([0, 102, 103, 104, 105]);
  for (const message of messagesOf(stderr)) {
    const { action, id, type } = message;
    // In the order that Nix has them.
    assert.deepEqual(Object.keys(message), Object.keys(message).toSorted());
    if (action === 'start') {
      assert.ok(!open.has(id) && types.has(type), JSON.stringify(message));
      open.add(id);
    } else if (action === 'stop') assert.ok(open.delete(id), JSON.stringify(message));
    else if (action === 'result') {
      assert.ok(open.has(id), JSON.stringify(message));
      const lengths = new Map([
        [101, 1],
        [104, 1],
        [105, 4],
        [106, 2],
      ]);
      assert.equal(message['fields'].length, lengths.get(type), JSON.stringify(message));
    } else assert.equal(action, 'msg');
  }
  assert.equal(open.size, 0);
}

/** @param {TerminalPlace} place */
async function unknownFormat(place) {
  const { code, stderr } = await place.buildWithoutTerminal(['odd'], ['--log-format', 'no-such']);
  assert.equal(code, 1);
  assert.match(stderr, /^error: option '--log-format' has an invalid value 'no-such'/);
}
