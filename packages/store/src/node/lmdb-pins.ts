/**
 * Pins in an LMDB environment.
 *
 *     table 'pins'   name → `p`, base name of a store path
 *                         | `n`, message `Entry` without a name
 */
import { decodeUtf8 } from '@neve/bytes';
import { CastoreError, decodeEntry, encodeEntry } from '@neve/castore';
import { LmdbEnvironment } from '@neve/castore/node';
import type { LmdbTable } from '@neve/castore/node';
import { NixCompatError, parseStorePath } from '@neve/nix-compat';
import type { Pin, Pins, Root } from '../roots.ts';
import { StoreError } from '../store-error.ts';

/** Opens the environment in the folder `path`, which may hold other tables. Throws `CastoreError` (`io`). */
export async function lmdbPins(path: string): Promise<Pins & AsyncDisposable> {
  return new LmdbPins(await LmdbEnvironment.open(path));
}

const maxNameBytes = 500;
const pathTag = 0x70;
const nodeTag = 0x6e;

class LmdbPins implements Pins, AsyncDisposable {
  readonly #environment: LmdbEnvironment;
  readonly #table: LmdbTable;

  constructor(environment: LmdbEnvironment) {
    this.#environment = environment;
    this.#table = environment.table('pins');
  }

  async set({ name, root }: Pin): Promise<void> {
    const key = keyOf(name);
    await this.#environment.write(() => this.#table.put(key, encodeRoot(root)));
  }

  async get(name: string): Promise<Root | undefined> {
    const value = this.#table.get(keyOf(name));
    return value === undefined ? undefined : decodeRoot(name, value);
  }

  async remove(name: string): Promise<boolean> {
    return this.#environment.write(() => this.#table.remove(keyOf(name)));
  }

  async list(): Promise<readonly Pin[]> {
    return this.#table.range().map(({ key, value }) => {
      const name = decodeUtf8(key);
      return { name, root: decodeRoot(name, value) };
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#environment[Symbol.asyncDispose]();
  }
}

function keyOf(name: string): Buffer {
  const key = Buffer.from(name);
  if (key.length >= 1 && key.length <= maxNameBytes) return key;
  throw new StoreError(
    'unsupported',
    `a pin cannot have a name of ${key.length} bytes: 1 to ${maxNameBytes} are allowed`,
  );
}

function encodeRoot(root: Root): Buffer {
  return root.kind === 'path'
    ? Buffer.from(`p${root.storePath.baseName}`)
    : Buffer.concat([Buffer.of(nodeTag), encodeEntry(root.node)]);
}

/** A pin that cannot be read must stop garbage collection, so that it is an error. */
function decodeRoot(name: string, value: Buffer): Root {
  try {
    const rest = value.subarray(1);
    if (value[0] === pathTag) return { kind: 'path', storePath: parseStorePath(rest.toString('latin1')) };
    if (value[0] === nodeTag) return { kind: 'node', node: decodeEntry(new Uint8Array(rest)).node };
  } catch (cause) {
    if (!(cause instanceof CastoreError) && !(cause instanceof NixCompatError)) throw cause;
    throw new StoreError(
      'corrupt',
      `the pin '${name}' is damaged: ${cause.message}; remove it or set it again`,
      { cause },
    );
  }
  throw new StoreError('corrupt', `the pin '${name}' is damaged; remove it or set it again`);
}
