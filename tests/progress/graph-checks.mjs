// A build of 50 derivations of which two fail, at a terminal: every screen that is drawn keeps the rules, and the last one says
// what has become of it.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { normalised } from './terminal-place.mjs';

/** @typedef {import('./terminal-place.mjs').TerminalPlace} TerminalPlace */

/**
 * @param {(name: string) => TerminalPlace} place
 * @param {string | undefined} recording where the screens are written as text
 * @returns {readonly import('../lib/run-checks.mjs').Check[]}
 */
export function graphChecks(place, recording) {
  return [
    [
      'a build of 50 derivations with failures',
      async () => {
        const here = place('graph');
        try {
          await graphCheck(here, recording);
        } finally {
          here.dispose();
        }
      },
    ],
  ];
}

// Parts 4 and 23 fail. Part n needs part n - 10, so that 14, 24, 34, 44 and 33, 43 are not built, and neither is the whole.
const expectedEnd = '✓ 41 built  ✗ 2 failed  ○ 7 not built  Ns';

/** @param {TerminalPlace} place @param {string | undefined} recording */
async function graphCheck(place, recording) {
  const size = { rows: 24, columns: 80 };
  const session = place.build(['all'], { words: ['--keep-going'], size });
  await session.ended;
  if (recording !== undefined) writeFileSync(recording, recordingText(session.recording, size));
  const { history } = session.screen;
  assert.equal(normalised(history).split('\n').at(-1), expectedEnd);
  const failed = [...normalised(history).matchAll(/^error: Cannot build '.*-(part-\d+|all)\.drv'/gm)].map(
    ([, name]) => name,
  );
  assert.deepEqual(failed.slice(0, 2).sort(), ['part-23', 'part-4']);
  assert.deepEqual(
    failed.slice(2).sort(),
    ['all', 'part-14', 'part-24', 'part-33', 'part-34', 'part-43', 'part-44'],
    'what could not be built',
  );
  assert.equal(history.match(/it is broken/g)?.length, 2);
  assert.equal(history.match(/neve log .*/g)?.length, 2);
  assert.equal(session.exitCode, 100);
  assert.equal(session.screen.isCursorShown, true);
  const drawn = session.recording.map(({ text }) => text).filter((text) => text.includes(' building'));
  assert.ok(drawn.length >= 3, `${drawn.length} screens`);
  for (const text of drawn) assertScreen(text, size);
  // The counts only grow, and everything is in one of them.
  const counts = drawn.map(countsOf);
  for (const [index, count] of counts.entries()) {
    assert.ok(count.running <= 4, JSON.stringify(count));
    const before = counts[index - 1];
    if (before !== undefined) assert.ok(count.built >= before.built && count.failed >= before.failed);
  }
  const last = counts.at(-1);
  assert.ok(last !== undefined && last.built > 20, JSON.stringify(last));
}

/** Half of the screen at most; branches lead to what stands below. @param {string} text @param {{ rows: number, columns: number }} size */
function assertScreen(text, { rows, columns }) {
  const lines = text.split('\n');
  assert.ok(lines.length <= rows / 2, text);
  assert.match(lines.at(-1) ?? '', /^▸ \d building/);
  for (const line of lines) assert.ok(line.length < columns, text);
  for (const [index, line] of lines.slice(0, -1).entries()) {
    if (index === 0 && line.startsWith('…')) continue;
    assert.match(line, /^(?:[│ ] )*(?:[┌├] )?(?:▸ part-|✗ part-|✗ all|○ part-|○ all|▸ all)/, text);
    const depth = depthOf(line);
    const below = lines.slice(index + 1, -1).find((it) => depthOf(it) < depth);
    assert.ok(depth === 0 || (below !== undefined && depthOf(below) === depth - 1), text);
    if (line.includes('needs what has failed')) assert.match(line, /✗/);
  }
}

/** @param {string} line */
function depthOf(line) {
  return (/^[│┌├ ]*/.exec(line)?.[0].length ?? 0) / 2;
}

/** @param {string} text */
function countsOf(text) {
  const last = text.split('\n').at(-1) ?? '';
  const number = (/** @type {RegExp} */ pattern) => Number(pattern.exec(last)?.[1] ?? 0);
  return {
    running: number(/(\d+) building/),
    built: number(/(\d+) built/),
    failed: number(/(\d+) failed/),
    waiting: number(/(\d+) waiting/),
  };
}

/** @param {readonly { ms: number, text: string }[]} frames @param {{ rows: number, columns: number }} size */
function recordingText(frames, { rows, columns }) {
  const rule = '─'.repeat(columns);
  const shown = frames.map(
    ({ ms, text }) => `── after ${(ms / 1000).toFixed(2)} s ${rule}`.slice(0, columns) + `\n${text}\n`,
  );
  return `neve build all --keep-going -j 4, at a terminal of ${rows} rows and ${columns} columns\n\n${shown.join('')}${rule}\n`;
}
