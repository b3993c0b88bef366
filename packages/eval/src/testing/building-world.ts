/**
 * A world that builds: the output of a derivation named `x` is a file whose contents the test gives for "x". It is not
 * there before it is realised, and how long that takes is the test's business.
 */
import { decodeUtf8, encodeUtf8 } from '@neve/bytes';
import { type Answer, type ContextElement, type EvalIO, EvalIOError } from '../eval-io.ts';
import { emptyWorld } from './empty-world.ts';

export type BuildingWorld = {
  readonly io: EvalIO;
  /** What was asked to be realised, in this order. */
  readonly asked: (readonly ContextElement[])[];
};

export type BuildingWorldOptions = {
  /** The contents of what the derivation of this name makes. */
  readonly contents: (name: string) => string;
  /** Builds the derivation of this name. */
  readonly build?: (name: string) => Answer<void>;
  /** Where the output is, when the derivation's file does not say so. */
  readonly outputOf?: (name: string) => string;
  readonly world?: EvalIO;
};

export function buildingWorld({
  contents,
  build = () => {},
  outputOf = (name) => `/nix/store/${'0'.repeat(32)}-${name}`,
  world = emptyWorld,
}: BuildingWorldOptions): BuildingWorld {
  const built = new Set<string>();
  /** What is being built. */
  const building = new Map<string, Answer<void>>();
  const asked: (readonly ContextElement[])[] = [];

  /** What is at a path of an output that was built. */
  function read(path: Uint8Array): Uint8Array | undefined {
    const name = nameOf(decodeUtf8(path));
    return name !== undefined && built.has(name) ? encodeUtf8(contents(name)) : undefined;
  }

  /** Builds what was not built, and nothing twice. */
  function buildOnce(name: string): Answer<void> {
    if (built.has(name)) return undefined;
    const known = building.get(name);
    if (known !== undefined) return known;
    const done = build(name);
    if (!(done instanceof Promise)) {
      built.add(name);
      return undefined;
    }
    const noted = noteWhenBuilt(name, done);
    building.set(name, noted);
    return noted;
  }

  async function noteWhenBuilt(name: string, done: Promise<void>): Promise<void> {
    await done;
    built.add(name);
  }

  const io: EvalIO = {
    ...world,
    readFile(path) {
      const found = read(path);
      if (found !== undefined) return found;
      throw new EvalIOError('not-found', `path '${decodeUtf8(path)}' does not exist`, { path });
    },
    fileType(path) {
      if (['/', '/nix', '/nix/store'].includes(decodeUtf8(path))) return 'directory';
      return read(path) === undefined ? undefined : 'regular';
    },
    isValidStorePath: () => true,
    realise(context) {
      asked.push(context);
      const names = context.flatMap((element) =>
        element.kind === 'output' ? [nameOf(element.drvPath)?.slice(0, -'.drv'.length) ?? ''] : [],
      );
      const paths = context.map((element) => {
        if (element.kind === 'path') return element.storePath;
        const name = nameOf(element.drvPath)?.slice(0, -'.drv'.length) ?? '';
        return element.kind === 'output' ? outputOf(name) : element.drvPath;
      });
      const waiting = names.map(buildOnce).filter((answer) => answer instanceof Promise);
      if (waiting.length > 0) return Promise.all(waiting).then(() => paths);
      return paths;
    },
  };
  return { io, asked };
}

/** What follows the hash of a store path. */
function nameOf(path: string): string | undefined {
  return /^\/nix\/store\/[^-/]+-([^/]+)$/.exec(path)?.[1];
}

/** A derivation in the language, and `ifd name`: what is in its output. */
export const importingPrelude = `
  drv = name: derivation { inherit name; system = "x"; builder = "/b"; };
  ifd = name: import (drv name);
`;
