import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSpoolFile } from '../node/tenants/spool-file.ts';
import { NarSpool, type SpoolFile, memorySpoolFile } from './nar-spool.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'neve-spool-'));
});

afterAll(async () => {
  // Nothing has a name.
  expect(await readdir(folder)).toEqual([]);
  await rm(folder, { recursive: true });
});

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Long enough for more, if there were more to come. */
async function settled(
  readers: readonly { readonly bytes: readonly number[] }[],
  length: number,
): Promise<void> {
  while (readers.some(({ bytes }) => bytes.length < length)) await turn();
  for (let i = 0; i < 50; i++) await turn();
}

/** What a reader has so far, and how it ended. */
function follow(spool: NarSpool, signal?: AbortSignal): { bytes: number[]; end: Promise<unknown> } {
  const bytes: number[] = [];
  const read = async (): Promise<void> => {
    for await (const piece of spool.read(signal)) bytes.push(...piece);
  };
  return {
    bytes,
    end: read().then(
      () => 'whole',
      (error: unknown) => error,
    ),
  };
}

describe.each<[string, () => Promise<SpoolFile>]>([
  ['memory', async () => memorySpoolFile()],
  ['a file', () => openSpoolFile(folder)],
])('in %s', (_, openFile) => {
  const open = async (size: number, onIdle = (): void => undefined): Promise<NarSpool> =>
    new NarSpool(await openFile(), { size, onIdle });

  test('readers of all times get all of it, and the last byte only when it was right', async () => {
    await using spool = await open(6);
    const early = follow(spool);
    await spool.append(Uint8Array.of(1, 2, 3));
    const later = follow(spool);
    await spool.append(Uint8Array.of(4, 5, 6));
    await settled([early, later], 5);
    expect([early.bytes, later.bytes]).toEqual([
      [1, 2, 3, 4, 5],
      [1, 2, 3, 4, 5],
    ]);
    spool.finish();
    expect([await early.end, await later.end]).toEqual(['whole', 'whole']);
    const late = follow(spool);
    expect([await late.end, late.bytes]).toEqual(['whole', [1, 2, 3, 4, 5, 6]]);
  });

  test('a failure reaches everybody, and nobody has all', async () => {
    await using spool = await open(3);
    const early = follow(spool);
    await spool.append(Uint8Array.of(1, 2, 3));
    await settled([early], 2);
    spool.fail(new Error('wrong'));
    const late = follow(spool);
    expect([await early.end, await late.end]).toEqual([new Error('wrong'), new Error('wrong')]);
    expect([early.bytes, late.bytes]).toEqual([
      [1, 2],
      [1, 2],
    ]);
    spool.finish();
    expect(await follow(spool).end).toEqual(new Error('wrong'));
  });

  test('too many bytes and too few are failures', async () => {
    await using long = await open(2);
    await long.append(Uint8Array.of(1));
    await long.append(Uint8Array.of(2, 3));
    expect(await follow(long).end).toMatchObject({ code: 'corrupt' });
    await using short = await open(2);
    await short.append(Uint8Array.of(1));
    short.finish();
    expect(await follow(short).end).toMatchObject({ code: 'corrupt' });
  });

  test('a reader that gives up leaves the others alone, and the last one is told of', async () => {
    let idle = 0;
    await using spool = await open(4, () => idle++);
    const aborter = new AbortController();
    const [one, two] = [follow(spool, aborter.signal), follow(spool)];
    await spool.append(Uint8Array.of(1));
    await settled([one], 1);
    aborter.abort(new Error('gone'));
    expect([await one.end, idle]).toEqual([new Error('gone'), 0]);
    await spool.append(Uint8Array.of(2, 3, 4));
    spool.finish();
    expect([await two.end, two.bytes, idle]).toEqual(['whole', [1, 2, 3, 4], 1]);
  });

  test('any pieces, any readers', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 50 }), { minLength: 1, maxLength: 20 }),
        fc.array(fc.nat(20), { maxLength: 5 }),
        async (pieces, starts) => {
          const all = pieces.flatMap((it) => [...it]);
          await using spool = await open(all.length);
          const readers: ReturnType<typeof follow>[] = [];
          for (const [index, piece] of pieces.entries()) {
            for (const start of starts) if (start === index) readers.push(follow(spool));
            await spool.append(piece);
            // The piece is its owner's again.
            piece.fill(0);
          }
          spool.finish();
          readers.push(follow(spool));
          for (const reader of readers) expect([await reader.end, reader.bytes]).toEqual(['whole', all]);
        },
      ),
      { numRuns: 60 },
    );
  });
});
