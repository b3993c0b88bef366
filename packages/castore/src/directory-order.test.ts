import { encodeUtf8 } from '@neve/bytes';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hashBlake3 } from './blake3.ts';
import { B3Digest } from './b3-digest.ts';
import { CastoreError } from './castore-error.ts';
import { leavesFirst } from './closure.ts';
import { Directory, emptyDirectory } from './directory.ts';
import { LeavesFirst, RootFirst } from './directory-order.ts';
import { pathComponent } from './path-component.ts';

function parent(...children: readonly (Directory | readonly [Directory, number])[]): Directory {
  return Directory.of(
    children.map((child, index) => {
      const [directory, size] = child instanceof Directory ? [child, child.size] : child;
      return { name: pathComponent(`d${index}`), node: { ...directory.node, size } };
    }),
  );
}

function leaf(name: string): Directory {
  const digest = new B3Digest(hashBlake3(encodeUtf8(name)));
  return Directory.of([
    { name: pathComponent(name), node: { kind: 'file', digest, size: 1, executable: false } },
  ]);
}

const one = leaf('one');
const two = leaf('two');
const inner = parent(one, two);
const root = parent(inner, one);

describe('leaves first', () => {
  function run(...directories: readonly Directory[]): string {
    const order = new LeavesFirst();
    for (const directory of directories) order.add(directory);
    return order.finish().hex;
  }

  test.each([
    [[emptyDirectory], emptyDirectory],
    [[one, two, inner, root], root],
    [[two, one, one, inner, inner, root, one, root], root],
    [[one, parent([one, 1])], parent([one, 1])],
    [[one, parent([one, 1], [one, 2])], parent([one, 1], [one, 2])],
  ])('%#', (directories, expected) => {
    expect(run(...directories)).toBe(expected.digest.hex);
  });

  test.each([
    ['nothing', [], 'at least one'],
    ['a parent before its child', [one, inner, two], 'did not come before'],
    ['two roots', [one, two], 'one root'],
    ['a root and something that is not below it', [one, two, inner, leaf('three')], 'one root'],
    ['a wrong size', [one, parent([one, 3])], 'records the size 3'],
    ['a wrong size beside a right one', [one, parent([one, 2], [one, 0])], 'records the size 0'],
  ])('%s is refused', (_, directories, message) => {
    expectInvalid(() => run(...directories), message);
  });

  test('a directory that is refused changes nothing', () => {
    const order = new LeavesFirst();
    order.add(one);
    expectInvalid(() => order.add(parent(one, two)), 'did not come before');
    expect(order.finish().hex).toBe(one.digest.hex);
  });
});

describe('root first', () => {
  function run(...directories: readonly Directory[]): void {
    const order = new RootFirst(root.digest);
    for (const directory of directories) {
      expect(order.allows(directory.digest)).toBe(isAllowed(order, directory.digest));
      order.add(directory);
    }
    order.finish();
  }

  function isAllowed(order: RootFirst, digest: B3Digest): boolean {
    try {
      order.check(digest);
      return true;
    } catch {
      return false;
    }
  }

  test.each([[[root, inner, one, two]], [[root, one, inner, two]]])('%#', (directories) => {
    run(...directories);
  });

  test.each([
    ['nothing', [], 'incomplete'],
    ['another root', [inner], 'begins with'],
    ['one that nothing referred to', [root, two], 'no directory that came before'],
    ['one that is not in the closure', [root, inner, leaf('three')], 'no directory that came before'],
    ['a missing one', [root, inner, one], 'incomplete'],
    ['two missing ones', [root, inner], 'and 1 more'],
    ['one that comes twice', [root, one, one], 'it came before'],
    ['the root twice', [root, root], 'it came before'],
  ])('%s is refused', (_, directories, message) => {
    expectInvalid(() => run(...directories), message);
  });

  test.each([
    ['of one that comes later', parent([inner, 3]), [inner]],
    ['of one that comes later, beside a right one', parent([one, 2], [one, 1], [one, 0]), [one]],
  ])('a wrong size %s is refused', (_, top, rest) => {
    const order = new RootFirst(top.digest);
    expectInvalid(() => [top, ...rest].forEach((it) => order.add(it)), 'records the size');
  });

  test('a wrong size of one that came before is refused', () => {
    const middle = parent([one, 7]);
    const top = parent(one, middle);
    const order = new RootFirst(top.digest);
    order.add(top);
    order.add(one);
    expectInvalid(() => order.add(middle), 'records the size 7');
  });
});

// Random graphs, against the definition

/** Directories, each of which refers to some of those before it. */
const graphs = fc
  .array(fc.array(fc.record({ child: fc.nat(), plain: fc.boolean() }), { maxLength: 4 }), {
    minLength: 1,
    maxLength: 12,
  })
  .map((recipe) => {
    const made: Directory[] = [];
    for (const [index, children] of recipe.entries()) {
      const entries = children.flatMap(({ child, plain }) => {
        const directory = made[child % Math.max(made.length, 1)];
        return directory === undefined
          ? []
          : [[directory, plain ? directory.plainSize : directory.size] as const];
      });
      made.push(entries.length === 0 ? leaf(`leaf ${index}`) : parent(...entries));
    }
    return made;
  });

const shuffled = graphs.chain((graph) =>
  fc.record({
    graph: fc.constant(graph),
    order: fc.oneof(
      fc.constant(graph),
      fc.constant(graph.toReversed()),
      fc.shuffledSubarray(graph),
      fc.shuffledSubarray(graph, { minLength: graph.length }),
    ),
  }),
);

function childrenOf(directory: Directory): readonly string[] {
  return directory.entries.flatMap(({ node }) => (node.kind === 'directory' ? [node.digest.hex] : []));
}

function succeeds(act: () => void): boolean {
  try {
    act();
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(CastoreError);
    return false;
  }
}

test('leaves first accepts what the definition does', () => {
  fc.assert(
    fc.property(shuffled, ({ order: directories }) => {
      const hexes = directories.map(({ digest }) => digest.hex);
      const inOrder = directories.every((it, index) =>
        childrenOf(it).every((child) => hexes.slice(0, index).includes(child)),
      );
      const referred = new Set(directories.flatMap(childrenOf));
      const roots = new Set(hexes.filter((hex) => !referred.has(hex)));
      const accepted = succeeds(() => {
        const order = new LeavesFirst();
        for (const directory of directories) order.add(directory);
        expect(roots.has(order.finish().hex)).toBe(true);
      });
      expect(accepted).toBe(inOrder && roots.size === 1);
    }),
    { numRuns: 500 },
  );
});

test('root first accepts what the definition does', () => {
  fc.assert(
    fc.property(shuffled, ({ graph, order: directories }) => {
      const top = graph.at(-1) ?? emptyDirectory;
      const hexes = directories.map(({ digest }) => digest.hex);
      const inOrder = directories.every(({ digest }, index) => {
        const before = directories.slice(0, index);
        return index === 0 ? digest.equals(top.digest) : before.flatMap(childrenOf).includes(digest.hex);
      });
      const isComplete =
        hexes.length > 0 && directories.flatMap(childrenOf).every((it) => hexes.includes(it));
      const accepted = succeeds(() => {
        const order = new RootFirst(top.digest);
        for (const directory of directories) order.add(directory);
        order.finish();
      });
      expect(accepted).toBe(inOrder && isComplete && new Set(hexes).size === hexes.length);
    }),
    { numRuns: 500 },
  );
});

test('a closure that is turned round is accepted, whatever its order was', () => {
  fc.assert(
    fc.property(graphs, (graph) => {
      const top = graph.at(-1) ?? emptyDirectory;
      const byHex = new Map(graph.map((it) => [it.digest.hex, it]));
      const closure = [top];
      const seen = new Set([top.digest.hex]);
      for (const directory of closure) {
        for (const child of childrenOf(directory)) {
          const found = byHex.get(child);
          if (seen.has(child) || found === undefined) continue;
          seen.add(child);
          closure.push(found);
        }
      }
      const order = new LeavesFirst();
      for (const directory of leavesFirst(closure)) expect(order.add(directory)).toBe(true);
      expect(order.finish().hex).toBe(top.digest.hex);
    }),
  );
});

function expectInvalid(act: () => unknown, message: string): void {
  expect(act).toThrow(
    expect.objectContaining({ code: 'invalid-directory', message: expect.stringContaining(message) }),
  );
}
