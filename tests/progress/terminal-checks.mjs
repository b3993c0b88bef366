// What is on the screen while builds run, whatever is done to the terminal, and how it is left.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { normalised } from './terminal-place.mjs';

/** @typedef {import('../lib/run-checks.mjs').Check} Check */
/** @typedef {import('./terminal-place.mjs').TerminalPlace} TerminalPlace */

/** @param {(name: string) => TerminalPlace} place @returns {readonly Check[]} */
export function terminalChecks(place) {
  /** @param {string} name @param {(place: TerminalPlace) => Promise<void>} check @returns {Check} */
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
  return [
    at('the tree of what goes on, and what waits for it', treeCheck),
    at('the same by the daemon', daemonCheck),
    at('expected times are those of earlier builds', expectedTimes),
    at('failures stay in the tree, and are told at the end', failures),
    at('the screen becomes narrower, wider and lower', resizes),
    at('a narrow and low terminal', narrow),
    at('wide and combining characters', wideCharacters),
    at('nothing is drawn while nothing changes', quietFrames),
    at('a storm of log lines above the tree', storm),
    at('control characters of logs are harmless', oddLogs),
    at('what evaluation says stands above the tree', traces),
    at('Ctrl-C leaves the terminal as it was', (it) => interrupted(it, (session) => session.type(3), 130)),
    at('so does SIGTERM', (it) => interrupted(it, (session) => session.signal('SIGTERM'), 143)),
    at('so does SIGHUP', (it) => interrupted(it, (session) => session.signal('SIGHUP'), 129)),
    at('so does a crash', crash),
    at('a stop and a return', stopped),
    at('no colours with NO_COLOR', noColour),
    at('nothing is drawn with TERM=dumb', (it) => plainLines(it, { env: { TERM: 'dumb' } })),
    at('nothing is drawn with --log-format raw', (it) => plainLines(it, { words: ['--log-format', 'raw'] })),
    at('nothing is said with --quiet', quiet),
    at('other characters where the locale has no Unicode', ascii),
    at('a verbose build says what is begun above the tree', verbose),
  ];
}

const tree = `┌ ▸ first-1.0  unpackPhase  Ns  │ it begins
├ ▸ second-2.0  checkPhase  Ns
○ third  waits for 2
▸ 2 building  ○ 1 waiting  Ns`;

/** @param {string} text */
const bothRun = (text) =>
  text.includes('it begins') && text.includes('checkPhase') && text.includes('2 building');

/** @param {TerminalPlace} place */
async function treeCheck(place) {
  const session = place.build(['third']);
  assert.equal(normalised(await session.shows(bothRun)), tree);
  assert.equal(session.screen.isCursorShown, false);
  assert.deepEqual(session.screen.cursor.row, 3);
  place.open('first');
  const second = await session.shows((text) => text.includes('1 built'));
  assert.equal(
    normalised(second),
    '┌ ▸ second-2.0  checkPhase  Ns\n○ third\n▸ 1 building  ✓ 1 built  ○ 1 waiting  Ns',
  );
  place.open('second');
  assert.equal(
    normalised(await session.shows((text) => text.includes('2 built'))),
    '▸ third  Ns\n▸ 1 building  ✓ 2 built  Ns',
  );
  place.open('third');
  await session.ended;
  assert.equal(normalised(session.screen.history), '✓ 3 built  Ns\n/nix/store/…-third');
  assertLeft(session, 0);
}

/** @param {TerminalPlace} place */
async function daemonCheck(place) {
  const daemon = place.start(['daemon'], { env: { TERM: 'dumb' } });
  await daemon.shows((text) => text.includes('daemon.socket'));
  const words = ['--daemon', '-L'];
  const session = place.build(['third'], { words });
  const screen = normalised(await session.shows(bothRun));
  const log = ['first-1.0> it begins', 'second-2.0> Running phase: checkPhase'];
  assert.deepEqual(screen.split('\n').slice(0, 2).sort(), log);
  assert.equal(screen.split('\n').slice(2).join('\n'), tree);
  place.open('first', 'second', 'third');
  await session.ended;
  assert.deepEqual(normalised(session.screen.history).split('\n').slice(2), [
    '✓ 3 built  Ns',
    '/nix/store/…-third',
  ]);
  assertLeft(session, 0);
  const failing = place.build(['fails'], { words: ['--daemon'] });
  await failing.ended;
  assert.match(failing.screen.history, /^error: Cannot build .*neve log.*✗ 1 failed {2}\d+s$/s);
  assertLeft(failing, 100);
  const stopped = place.build(['first'], { words: ['--daemon', '--rebuild'] });
  await stopped.shows((text) => text.includes('checking'));
  stopped.type(3);
  await stopped.ended;
  assertLeft(stopped, 130);
  daemon.type(3);
  await daemon.ended;
}

/** @param {TerminalPlace} place */
async function expectedTimes(place) {
  place.remember({ 'second-2.0': [1000, 65_000, 70_000], 'first-0.9': [3000] });
  const session = place.build(['third']);
  const screen = await session.shows(bothRun);
  assert.match(screen, /second-2\.0 {2}checkPhase {2}\d+s of about 1m05s/);
  assert.match(screen, /first-1\.0 {2}unpackPhase {2}\d+s of about 3s/);
  place.open('first', 'second', 'third');
  await session.ended;
  const { times } = JSON.parse(readFileSync(join(place.store, 'build-times.json'), 'utf8'));
  assert.deepEqual(Object.keys(times).sort(), ['first-0.9', 'first-1.0', 'second-2.0', 'third']);
  assert.equal(times['second-2.0'].length, 4);
}

/** @param {TerminalPlace} place */
async function failures(place) {
  const session = place.build(['blocked', 'third'], { words: ['--keep-going'] });
  const screen = await session.shows((text) => bothRun(text) && text.includes('1 failed'));
  assert.equal(
    normalised(screen),
    `┌ ▸ first-1.0  unpackPhase  Ns  │ it begins
├ ▸ second-2.0  checkPhase  Ns
○ third  waits for 2
┌ ✗ fails  failed in installPhase after Ns
✗ blocked  needs what has failed
▸ 2 building  ✗ 1 failed  ○ 2 waiting  Ns`,
  );
  place.open('first', 'second', 'third');
  await session.ended;
  const { history } = session.screen;
  assert.match(
    normalised(history).replaceAll(/\n(?! |error|✓)/g, ''),
    /^error: Cannot build '.*-fails\.drv'.*Last 1 log lines:\n {7}> it will fail\n {7}For full logs, run:\n {9}neve log .*-fails\.drv\nerror: Cannot build '.*-blocked\.drv'.*dependency failed.*\n✓ 3 built {2}✗ 1 failed {2}○ 1 not built {2}Ns$/s,
  );
  assertLeft(session, 100);
}

/** @param {TerminalPlace} place */
async function resizes(place) {
  const session = place.build(['third'], { words: ['-L'] });
  await session.shows(bothRun);
  const log = ['first-1.0> it begins', 'second-2.0> Running phase: checkPhase'];
  /** @param {string} text @param {number} columns */
  const linesOf = (text, columns) => {
    const lines = text.split('\n');
    assert.ok(
      lines.every((line) => line.length <= columns),
      text,
    );
    return lines;
  };
  for (const [rows, columns] of [
    [24, 26],
    [24, 100],
    [24, 40],
    [9, 40],
    [24, 25],
    [30, 120],
  ]) {
    if (rows === undefined || columns === undefined) continue;
    session.resize({ rows, columns });
    const maxRows = Math.floor(rows / 2) - 2;
    const isDrawn = (/** @type {string} */ text) => {
      const last = text.split('\n').at(-1) ?? '';
      return last.startsWith('▸ 2 building') && last.length <= columns - 1;
    };
    // Some frames later, nothing of the old size is there.
    await new Promise((fulfil) => setTimeout(fulfil, 300));
    const countDrawn = (/** @type {string} */ text) =>
      text.split('\n').filter((line) => /[▸○]/.test(line)).length;
    const isAllDrawn = (/** @type {string} */ text) =>
      isDrawn(text) && countDrawn(text) === Math.min(3, maxRows) + 1;
    linesOf(await session.shows(isAllDrawn), columns);
    const history = session.screen.history.replaceAll('\n', '');
    assert.equal(
      history.split('it begins').length - 1,
      columns > 50 ? 2 : history.split('it begins').length - 1,
    );
    assert.equal(session.screen.history.match(/building/g)?.length, 1, session.screen.history);
  }
  place.open('first', 'second', 'third');
  await session.ended;
  const lines = session.screen.history.split('\n');
  assert.deepEqual(lines.slice(0, 2).sort(), log);
  assert.deepEqual(normalised(lines.slice(2).join('\n')), '✓ 3 built  Ns\n/nix/store/…-third');
  assertLeft(session, 0);
}

/** @param {TerminalPlace} place */
async function narrow(place) {
  const session = place.build(['third'], { size: { rows: 6, columns: 20 } });
  const screen = await session.shows((text) => text.includes('2 building'));
  assert.equal(normalised(screen).split('\n').at(-1), '▸ 2 building  ○ 1 …');
  assert.equal(screen.split('\n').length, 3, screen);
  session.resize({ rows: 3, columns: 12 });
  assert.equal(await session.shows((text) => text === '▸ 2 buildi…'), '▸ 2 buildi…');
  place.open('first', 'second', 'third');
  await session.ended;
  assertLeft(session, 0);
}

/** @param {TerminalPlace} place */
async function wideCharacters(place) {
  const isShown = (/** @type {string} */ text) => text.includes('日本');
  const session = place.build(['wide'], { size: { rows: 12, columns: 60 }, words: ['-L'] });
  const whole = normalised(await session.shows(isShown));
  const line = '日本語日本語日本語 e\u0301e\u0301 🚀🚀🚀 and so on';
  assert.equal(whole, `wide> ${line}\n▸ wide  Ns  │ ${line}\n▸ 1 building  Ns`);
  session.resize({ rows: 12, columns: 34 });
  await new Promise((fulfil) => setTimeout(fulfil, 300));
  const cut = normalised(await session.shows((text) => isShown(text) && text.includes('…')));
  // The line has 33 columns at most.
  assert.deepEqual(cut.split('\n').slice(-2), [`▸ wide  Ns  │ 日本語日本語日本語…`, '▸ 1 building  Ns']);
  place.open('wide');
  await session.ended;
  assertLeft(session, 0);
}

/** @param {TerminalPlace} place */
async function quietFrames(place) {
  const session = place.build(['third']);
  await session.shows(bothRun);
  const { frames } = session.screen;
  const start = performance.now();
  await new Promise((fulfil) => setTimeout(fulfil, 2500));
  const seconds = (performance.now() - start) / 1000;
  // The seconds of two builds and of all of it change, at moments of their own.
  const drawn = session.screen.frames - frames;
  assert.ok(drawn >= 2 && drawn <= 3 * seconds + 1.5, `${drawn} frames in ${seconds} s`);
  place.open('first', 'second', 'third');
  await session.ended;
}

/** @param {TerminalPlace} place */
async function storm(place) {
  const start = performance.now();
  const session = place.build(['storm', 'first'], { words: ['-L'], size: { rows: 12, columns: 70 } });
  const screen = normalised(
    await session.shows(
      (text) => text.includes('line 3000') && text.includes('1 built') && text.includes('it begins'),
    ),
  );
  assert.deepEqual(screen.split('\n').slice(-2), [
    '▸ first-1.0  unpackPhase  Ns  │ it begins',
    '▸ 1 building  ✓ 1 built  Ns',
  ]);
  const seconds = (performance.now() - start) / 1000;
  place.open('first');
  await session.ended;
  const lines = session.screen.history.split('\n').filter((line) => line.startsWith('storm>'));
  assert.deepEqual(
    lines,
    Array.from({ length: 3000 }, (_, index) => `storm> line ${index + 1} of the storm`),
  );
  assert.equal(session.screen.history.match(/building/g), null);
  // More than a frame each 80 ms only when very much is said at once.
  assert.ok(session.screen.frames < seconds * 14 + 10, `${session.screen.frames} frames in ${seconds} s`);
  assertLeft(session, 0);
}

/** @param {TerminalPlace} place */
async function oddLogs(place) {
  const session = place.build(['odd'], { words: ['-L'] });
  // The screen refuses what it does not know.
  await session.ended;
  const lines = session.screen.history.split('\n');
  assert.deepEqual(lines.slice(0, 4), [
    'odd> red text',
    'odd> upclear title bell',
    'odd> two',
    'odd> 日本語 e\u0301 🚀',
  ]);
  assertLeft(session, 0);
}

/** @param {TerminalPlace} place */
async function traces(place) {
  const session = place.build(['imported']);
  assert.equal(
    normalised(await session.shows((text) => text.includes('1 building'))),
    'trace: before the build\n▸ imported  Ns\n▸ 1 building  Ns',
  );
  place.open('imported');
  await session.ended;
  assert.equal(
    normalised(session.screen.history),
    'trace: before the build\ntrace: after the build\n✓ 2 built  Ns\n/nix/store/…-traced',
  );
  assertLeft(session, 0);
}

/**
 * @param {TerminalPlace} place
 * @param {(session: import('./terminal-session.mjs').TerminalSession) => void} interrupt
 * @param {number} exitCode
 */
// oxlint-disable-next-line eslint/max-params -- where, what is done, and what comes of it
async function interrupted(place, interrupt, exitCode) {
  const session = place.build(['third']);
  await session.shows(bothRun);
  interrupt(session);
  await session.ended;
  const { history } = session.screen;
  // The terminal itself shows what is typed.
  assert.match(history.replace(/^\^C/, ''), /^○ 3 not built {2}\d+s\nerror: interrupted by SIG[A-Z]+$/);
  assert.equal(history.includes('building'), false, history);
  assertLeft(session, exitCode);
}

/** @param {TerminalPlace} place */
async function crash(place) {
  const crashing = "process.on('SIGUSR2', () => { throw new Error('a crash of the test'); })";
  const preload = `data:text/javascript,${encodeURIComponent(crashing)}`;
  const session = place.build(['third'], { env: { NODE_OPTIONS: `--import=${preload}` } });
  await session.shows(bothRun);
  session.signal('SIGUSR2');
  await session.ended;
  assert.match(session.screen.history, /Error: a crash of the test/);
  assert.equal(session.screen.history.includes('building'), false, session.screen.history);
  assert.equal(session.screen.isCursorShown, true);
  assert.notEqual(session.exitCode, 0);
}

/** @param {TerminalPlace} place */
async function stopped(place) {
  const session = place.build(['third']);
  await session.shows(bothRun);
  session.signal('SIGTSTP');
  await session.shows((text) => text === '');
  assert.equal(session.screen.isCursorShown, true);
  session.signal('SIGCONT');
  assert.equal(normalised(await session.shows(bothRun)), tree);
  place.open('first', 'second', 'third');
  await session.ended;
  assertLeft(session, 0);
}

/** @param {TerminalPlace} place */
async function noColour(place) {
  const session = place.build(['fails', 'odd'], { words: ['-L', '--keep-going'], env: { NO_COLOR: '1' } });
  await session.ended;
  assert.equal(session.colours, 0);
  const coloured = place.build(['fails']);
  await coloured.ended;
  assert.ok(coloured.colours > 0);
}

/** @param {TerminalPlace} place @param {{ env?: Readonly<Record<string, string>>, words?: readonly string[] }} options */
async function plainLines(place, { env = {}, words = [] }) {
  const session = place.build(['storm'], {
    env: { ...env, NO_COLOR: '1' },
    words,
    size: { rows: 24, columns: 100 },
  });
  await session.ended;
  assert.equal(
    normalised(session.screen.history),
    "building '/nix/store/…-storm.drv'...\n/nix/store/…-storm",
  );
  assert.equal(session.screen.frames, 0);
  assertLeft(session, 0);
}

/** @param {TerminalPlace} place */
async function quiet(place) {
  const session = place.build(['storm'], { words: ['--quiet'] });
  await session.ended;
  assert.equal(normalised(session.screen.history), '/nix/store/…-storm');
  assertLeft(session, 0);
}

/** @param {TerminalPlace} place */
async function ascii(place) {
  const session = place.build(['third'], { env: { LC_ALL: 'C' } });
  const screen = normalised(
    await session.shows((text) => text.includes('it begins') && text.includes('checkPhase')),
  );
  assert.equal(
    screen,
    `, > first-1.0  unpackPhase  Ns  | it begins
|-> second-2.0  checkPhase  Ns
. third  waits for 2
> 2 building  . 1 waiting  Ns`,
  );
  place.open('first', 'second', 'third');
  await session.ended;
  assertLeft(session, 0);
}

/** @param {TerminalPlace} place */
async function verbose(place) {
  const session = place.build(['first'], { words: ['-v'], size: { rows: 24, columns: 100 } });
  assert.equal(
    normalised(await session.shows((text) => text.includes('it begins'))),
    "building '/nix/store/…-first-1.0.drv'...\n▸ first-1.0  unpackPhase  Ns  │ it begins\n▸ 1 building  Ns",
  );
  place.open('first');
  await session.ended;
  assertLeft(session, 0);
}

/** @param {import('./terminal-session.mjs').TerminalSession} session @param {number} exitCode */
function assertLeft(session, exitCode) {
  assert.equal(session.screen.isCursorShown, true);
  assert.equal(session.screen.isInFrame, false);
  assert.equal(session.exitCode, exitCode, session.screen.history);
}
