/** Which span is active after whatever may come between. Both kinds are tried on every version of Node. */
import { readFile } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import type { ActiveSpans, Span } from '../span.ts';
import { HookedActiveSpans, StoredActiveSpans } from './async-active-spans.ts';

const ignore = (): void => undefined;

function named(name: string): Span {
  const context = { traceId: name, spanId: name, sampled: true };
  return { context, set: ignore, event: ignore, fail: ignore, end: ignore };
}

/** What lets others run. */
const waits: Readonly<Record<string, () => Promise<unknown>>> = {
  'a value': async () => undefined,
  'a timer': () => sleep(2),
  'a callback': () => new Promise((resolve) => readFile(import.meta.filename, resolve)),
  // oxlint-disable-next-line unicorn/no-thenable -- it is what is tried
  'a thenable': async () => await { then: (resolve: (value: number) => void) => setTimeout(resolve, 1, 1) },
  'a failure': () => Promise.reject(new Error('no')).catch(ignore),
  'all of several': () => Promise.all([sleep(1), sleep(2)]),
  'the first of several': () => Promise.race([sleep(1), sleep(20)]),
  'a stream': async () => {
    for await (const _ of Readable.from(['a', 'b'])) await sleep(1);
  },
};

const kinds: readonly (readonly [string, () => ActiveSpans])[] = [
  ['stored', () => new StoredActiveSpans()],
  ['hooked', () => new HookedActiveSpans()],
];

for (const [kind, make] of kinds) {
  const spans = make();
  const active = (): string | undefined => spans.active()?.context.spanId;

  test.each(Object.entries(waits))(`${kind}: after %s`, async (_, wait) => {
    const one = async (name: string): Promise<void> => {
      await spans.run(named(name), async () => {
        for (let turn = 0; turn < 3; turn++) {
          expect(active()).toBe(name);
          await wait();
        }
        await spans.run(named(`${name} inside`), async () => {
          await wait();
          expect(active()).toBe(`${name} inside`);
        });
        expect(active()).toBe(name);
        await wait().then(() => expect(active()).toBe(name));
      });
    };
    await Promise.all(['a', 'b', 'c'].map(one));
    expect(active()).toBeUndefined();
  });

  test(`${kind}: what throws leaves nothing behind`, async () => {
    const fail = (): never => {
      throw new Error('no');
    };
    expect(() => spans.run(named('a'), fail)).toThrow('no');
    expect(active()).toBeUndefined();
    await expect(spans.run(named('a'), async () => await sleep(1).then(fail))).rejects.toThrow('no');
    expect(active()).toBeUndefined();
  });

  test(`${kind}: a promise goes on for who waits, not for who fulfils it`, async () => {
    let fulfil: () => void = ignore;
    const shared = new Promise<void>((resolve) => (fulfil = resolve));
    const waiting = spans.run(named('waits'), async () => {
      await shared;
      return active();
    });
    await spans.run(named('fulfils'), async () => fulfil());
    expect(await waiting).toBe('waits');
  });
}
