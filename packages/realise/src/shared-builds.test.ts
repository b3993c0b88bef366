/** Builds of the test's own, which end when the test says so. */
import { encodeUtf8 } from '@neve/bytes';
import type { PathInfo } from '@neve/store';
import { expect, test } from 'vitest';
import { type BuildTurn, type SharedBuild, SharedBuilds } from './shared-builds.ts';

type Outputs = ReadonlyMap<string, PathInfo>;

const nothing: Outputs = new Map();

/** A build that ends when it is told to, or with its signal. */
class Manual {
  print: (text: string) => void = () => undefined;
  finish: () => void = () => undefined;
  fail: (error: Error) => void = () => undefined;
  aborted = false;
  settled = 0;

  start(turn: BuildTurn): SharedBuild {
    const build = turn.start({
      build: ({ onLog, signal }) =>
        new Promise<Outputs>((fulfil, reject) => {
          this.print = (text) => onLog(encodeUtf8(text));
          this.finish = () => fulfil(nothing);
          this.fail = reject;
          signal.addEventListener('abort', () => {
            this.aborted = true;
            setTimeout(() => reject(signal.reason as Error), 5);
          });
        }),
      settle: async () => void this.settled++,
    });
    turn[Symbol.dispose]();
    return build;
  }
}

class Reader {
  text = '';
  readonly abortion = new AbortController();

  join(build: SharedBuild): Promise<Outputs> {
    const onLog = (bytes: Uint8Array): void => void (this.text += new TextDecoder().decode(bytes));
    const joined = build.join({ onLog, signal: this.abortion.signal });
    joined.catch(() => undefined);
    return joined;
  }
}

async function turnOf(builds: SharedBuilds, key: string): Promise<BuildTurn> {
  const taken = await builds.take(key);
  if (taken.kind === 'build') throw new Error('somebody builds it');
  return taken;
}

async function buildOf(builds: SharedBuilds, key: string): Promise<SharedBuild> {
  const taken = await builds.take(key);
  if (taken.kind === 'turn') throw new Error('nobody builds it');
  return taken;
}

test('who comes later gets the whole log, and all get the result', async () => {
  const [builds, manual, first, second] = [new SharedBuilds(), new Manual(), new Reader(), new Reader()];
  const joined = first.join(manual.start(await turnOf(builds, 'a')));
  manual.print('one ');
  const late = second.join(await buildOf(builds, 'a'));
  manual.print('two');
  manual.finish();
  expect(await Promise.all([joined, late])).toEqual([nothing, nothing]);
  expect([first.text, second.text]).toEqual(['one two', 'one two']);
  expect(manual.settled).toBe(1);
  expect((await builds.take('a')).kind).toBe('turn');
});

test('a failure is the same for all', async () => {
  const [builds, manual] = [new SharedBuilds(), new Manual()];
  const build = manual.start(await turnOf(builds, 'a'));
  const both = [new Reader().join(build), new Reader().join(build)];
  manual.fail(new Error('broken'));
  const settled = await Promise.allSettled(both);
  expect(settled.map((it) => it.status === 'rejected' && it.reason)).toEqual([
    new Error('broken'),
    new Error('broken'),
  ]);
});

test('it goes on while anybody waits, and ends with the last', async () => {
  const [builds, manual, first, second] = [new SharedBuilds(), new Manual(), new Reader(), new Reader()];
  const build = manual.start(await turnOf(builds, 'a'));
  const [one, two] = [first.join(build), second.join(build)];
  first.abortion.abort(new Error('gone'));
  await expect(one).rejects.toThrow('gone');
  expect(manual.aborted).toBe(false);
  manual.print('still here');
  expect([first.text, second.text]).toEqual(['', 'still here']);
  second.abortion.abort(new Error('gone too'));
  await expect(two).rejects.toThrow('gone too');
  expect([manual.aborted, manual.settled]).toEqual([true, 1]);
});

test('what is being ended is not joined: the next one begins anew when it has ended', async () => {
  const [builds, manual, reader] = [new SharedBuilds(), new Manual(), new Reader()];
  const build = manual.start(await turnOf(builds, 'a'));
  const joined = reader.join(build);
  reader.abortion.abort(new Error('gone'));
  await Promise.resolve();
  const next = builds.take('a');
  await expect(joined).rejects.toThrow('gone');
  expect((await next).kind).toBe('turn');
  expect(manual.settled).toBe(1);
});

test('a turn that is given up goes to the next; other keys do not wait', async () => {
  const builds = new SharedBuilds();
  const turn = await turnOf(builds, 'a');
  const [second, third] = [builds.take('a'), builds.take('a')];
  expect((await builds.take('b')).kind).toBe('turn');
  turn[Symbol.dispose]();
  const taken = await second;
  if (taken.kind === 'build') throw new Error('nobody has started it');
  const manual = new Manual();
  manual.start(taken);
  expect((await third).kind).toBe('build');
  manual.finish();
});

test('who waits for a turn can leave', async () => {
  const builds = new SharedBuilds();
  using _turn = await turnOf(builds, 'a');
  const abortion = new AbortController();
  const waiting = builds.take('a', abortion.signal);
  abortion.abort(new Error('gone'));
  await expect(waiting).rejects.toThrow('gone');
});
