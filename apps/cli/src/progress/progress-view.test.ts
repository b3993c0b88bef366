/** What is seen of events: screens are written as they should look. */
import { encodeUtf8 } from '@neve/bytes';
import { expect, test } from 'vitest';
import type { ProgressEvent } from './progress-event.ts';
import { ProgressModel } from './progress-model.ts';
import { asciiSymbols, endingLine, progressLines, unicodeSymbols } from './progress-view.ts';

const drv = (name: string): string => `/nix/store/00000000000000000000000000000000-${name}.drv`;
const path = (name: string): string => `/nix/store/11111111111111111111111111111111-${name}`;

const planned = (name: string, inputs: readonly string[] = [], expectedMs?: number): ProgressEvent => ({
  kind: 'build-planned',
  storePath: drv(name),
  inputs: inputs.map(drv),
  ...(expectedMs !== undefined && { expectedMs }),
});
const build = (
  kind: 'build-started' | 'check-started' | 'build-succeeded' | 'build-not-needed',
  name: string,
): ProgressEvent => ({
  kind,
  storePath: drv(name),
});
const failed = (name: string, kind: 'build-failed' | 'build-refused' = 'build-failed'): ProgressEvent => ({
  kind,
  storePath: drv(name),
  detail: 'it is broken',
});
const log = (name: string, text: string): ProgressEvent => ({
  kind: 'build-log',
  storePath: drv(name),
  log: encodeUtf8(text),
});

type Moment = number | ProgressEvent;

/** Numbers are seconds that pass. */
function modelOf(moments: readonly Moment[]): { readonly model: ProgressModel; readonly nowMs: number } {
  const model = new ProgressModel();
  let nowMs = 1000;
  for (const moment of moments) {
    if (typeof moment === 'number') nowMs += moment * 1000;
    else model.take(moment, nowMs);
  }
  return { model, nowMs };
}

function screen(moments: readonly Moment[], rows = 24): string {
  const lines = progressLines(modelOf(moments).model, {
    rows,
    nowMs: modelOf(moments).nowMs,
    symbols: unicodeSymbols,
  });
  return lines
    .map(
      (line) =>
        `${line
          .map(({ text }) => text)
          .join('')
          .trimEnd()}\n`,
    )
    .join('');
}

function ending(moments: readonly Moment[]): string | undefined {
  const { model, nowMs } = modelOf(moments);
  return endingLine(model, { nowMs, symbols: asciiSymbols })
    ?.map(({ text }) => text)
    .join('');
}

test('what waits stands below what it waits for', () => {
  const graph = [planned('top', ['mid']), planned('mid', ['a', 'b']), planned('a'), planned('b', [], 65_000)];
  expect(
    screen([
      ...graph,
      build('build-started', 'a'),
      2,
      build('build-started', 'b'),
      log('a', 'gcc x.c\n'),
      10,
    ]),
  ).toBe(`  ┌ ▸ a  12s  │ gcc x.c
  ├ ▸ b  10s of about 1m05s
┌ ○ mid  waits for 2
○ top
▸ 2 building  ○ 2 waiting  12s
`);
});

test('phases come from messages to Nix, and from what stdenv prints', () => {
  const graph = [planned('a'), planned('b'), build('build-started', 'a'), build('check-started', 'b')];
  const phases = [
    log('a', '@nix {"action":"setPhase","phase":"buildPhase"}\nmake\n'),
    log('b', 'Running phase: checkPhase\nok'),
  ];
  expect(screen([...graph, ...phases])).toBe(`▸ a  buildPhase  0s  │ make
▸ b  checking  checkPhase  0s
▸ 2 building  0s
`);
});

test('what failed stays, with what cannot be built for it', () => {
  const graph = [planned('top', ['x', 'y']), planned('x', ['bad']), planned('bad'), planned('y')];
  const events = [
    build('build-started', 'bad'),
    build('build-started', 'y'),
    3,
    failed('bad'),
    failed('x', 'build-refused'),
  ];
  expect(screen([...graph, ...events])).toBe(`┌ ▸ y  3s
│ ┌ ✗ bad  failed after 3s
├ ✗ x  needs what has failed
✗ top  needs what has failed
▸ 1 building  ✗ 1 failed  ○ 1 waiting  3s
`);
});

test('downloads have bytes, shares and a rate', () => {
  const events: Moment[] = [
    planned('app', ['src']),
    {
      kind: 'substitution-planned',
      storePath: path('src'),
      detail: 'https://cache.example',
      narSize: 9e6,
      totalBytes: 4_194_304,
      derivation: drv('src'),
    },
    { kind: 'substitution-started', storePath: path('src'), detail: 'https://cache.example' },
    { kind: 'substitution-progress', storePath: path('src'), bytes: 1_048_576 },
    1,
    { kind: 'download-started', detail: 'https://host.example/x.tar.gz?key=1' },
    { kind: 'downloaded', detail: 'https://host.example/x.tar.gz?key=1', bytes: 1_048_576 },
  ];
  expect(screen(events)).toBe(`↓ x.tar.gz  1.0 MiB  from host.example  0s
┌ ↓ src  1.0 MiB of 4.0 MiB (25%)  from cache.example  1s
○ app
▸ 0 building  ○ 1 waiting  ↓ 0 of 2 fetched (2.0 MiB, 2.0 MiB/s)  1s
`);
});

test('a small screen shows what goes on before what waits', () => {
  const names = ['a', 'b', 'c', 'd'];
  const events = [
    planned('top', ['mid']),
    planned('mid', names),
    ...names.map((name) => planned(name)),
    ...names.map((name) => build('build-started', name)),
  ];
  expect(screen(events, 14)).toBe(`┌ ▸ a  0s
├ ▸ b  0s
├ ▸ c  0s
├ ▸ d  0s
○ mid  waits for 4
▸ 4 building  ○ 2 waiting  0s
`);
  expect(screen(events, 8)).toBe(`… 2 more
▸ a  0s
▸ b  0s
▸ 4 building  ○ 2 waiting  0s
`);
  expect(screen(events, 5)).toBe('▸ 4 building  ○ 2 waiting  0s\n');
});

test('nothing is seen before anything is planned, and after everything has ended', () => {
  expect(screen([{ kind: 'work-started' }])).toBe('');
  expect(screen([planned('a'), build('build-not-needed', 'a')])).toBe('');
  expect(screen([planned('a'), build('build-started', 'a'), build('build-succeeded', 'a')])).toBe('');
});

test('a task has a bar as far as it is known how much there is', () => {
  const task = { kind: 'task-progress', verb: 'copied', unit: 'paths', done: 1 } as const;
  expect(screen([{ ...task }])).toBe('copied 1 paths  0s\n');
  expect(screen([{ ...task, total: 4, bytes: 2048 }, 2])).toBe(
    '█████░░░░░░░░░░░░░░░ copied 1 of 4 paths, 2.0 KiB  1.0 KiB/s  2s\n',
  );
});

test('what was done is said in the end', () => {
  expect(ending([planned('a'), build('build-not-needed', 'a')])).toBeUndefined();
  expect(
    ending([
      planned('top', ['bad']),
      planned('bad'),
      planned('good'),
      build('build-started', 'good'),
      61,
      build('build-succeeded', 'good'),
      build('build-started', 'bad'),
      failed('bad'),
      failed('top', 'build-refused'),
      { kind: 'fetch-started', storePath: path('src') },
      { kind: 'fetch-ended', storePath: path('src') },
    ]),
  ).toBe('+ 1 built  v 1 fetched  x 1 failed  . 1 not built  1m01s');
});

test('a graph that is wide and deep takes no long time', () => {
  const size = 3000;
  const events: Moment[] = [];
  for (let n = 0; n < size; n++) {
    events.push(planned(`p${n}`, [`p${n + 1}`, `p${n + 2}`]));
    if (n % 10 === 0) events.push(build('build-started', `p${n}`));
  }
  const { model } = modelOf(events);
  const tookMs = Array.from({ length: 20 }, (_, nowMs) => {
    const start = performance.now();
    progressLines(model, { rows: 50, nowMs, symbols: unicodeSymbols });
    return performance.now() - start;
  });
  // Other processes hold up some of them.
  expect(Math.min(...tookMs)).toBeLessThan(40);
});
