import { describe, expect, test } from 'vitest';
import { type Builder, MachineSlots, type Slot } from './machine-slots.ts';
import { type Machine, parseMachines } from './machines.ts';

const machines = (text: string): readonly Machine[] =>
  parseMachines(text, { systems: ['x'], readFile: () => undefined });

const anywhere = { fits: () => true, fitsHere: true, prefersHere: false };

const nameOf = (builder: Builder | undefined): string | undefined =>
  typeof builder === 'object' ? builder.url.text : builder;

describe('who builds next', () => {
  test('the one with the least load for its speed, and this machine when all are busy', async () => {
    const slots = new MachineSlots(machines('a - - 2 1 ; b - - 4 2'), 1);
    const taken: (string | undefined)[] = [];
    for (let i = 0; i < 7; i++) taken.push(nameOf((await slots.take(anywhere))?.builder));
    expect(taken).toEqual(
      ['ssh://b', 'ssh://a', 'ssh://b', 'ssh://b', 'ssh://a', 'ssh://b', 'here'].map((it) => it),
    );
  });

  test('nobody, when nobody ever could', async () => {
    const slots = new MachineSlots(machines('a - - 0'), 0);
    expect(await slots.take(anywhere)).toBeUndefined();
    expect(await new MachineSlots([], 5).take({ ...anywhere, fitsHere: false })).toBeUndefined();
  });

  test('this machine first, for who prefers that', async () => {
    const slots = new MachineSlots(machines('a'), 1);
    const wish = { ...anywhere, prefersHere: true };
    expect(nameOf((await slots.take(wish))?.builder)).toBe('here');
    expect(nameOf((await slots.take(wish))?.builder)).toBe('ssh://a');
  });

  test('who waits is woken when a job ends, and when a machine is given up', async () => {
    const slots = new MachineSlots(machines('a ; b'), 0);
    const first = await slots.take(anywhere);
    const second = await slots.take(anywhere);
    const waiting = [slots.take(anywhere), slots.take(anywhere)];
    first?.release();
    first?.release();
    const third = await Promise.race(waiting);
    expect(nameOf(third?.builder)).toBe(nameOf(first?.builder));
    for (const { builder } of [first, second] as Slot[]) if (builder !== 'here') slots.disable(builder);
    expect((await Promise.all(waiting)).map((it) => nameOf(it?.builder))).toEqual([
      nameOf(first?.builder),
      undefined,
    ]);
  });

  test('who gives up does not keep a job', async () => {
    const slots = new MachineSlots(machines('a'), 0);
    const held = await slots.take(anywhere);
    const stop = new AbortController();
    const waiting = slots.take(anywhere, stop.signal);
    stop.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    held?.release();
    expect(nameOf((await slots.take(anywhere))?.builder)).toBe('ssh://a');
  });
});
