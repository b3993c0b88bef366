/**
 * Build traces in an LMDB environment, which may be that of a store's other tables.
 *
 *     table 'realisations'   `sha256:<hex>!<output>` → base name of the store path { LF signature }
 */
import { decodeUtf8, encodeUtf8 } from '@neve/bytes';
import { LmdbEnvironment } from '@neve/castore/node';
import type { LmdbTable } from '@neve/castore/node';
import { NixCompatError, parseSignature, parseStorePath, printSignature } from '@neve/nix-compat';
import { RealiseError } from '../realise-error.ts';
import { printRealisationId } from '../realisations.ts';
import type { Realisation, RealisationId, Realisations } from '../realisations.ts';

/** Opens the environment in the folder `path`. Throws `CastoreError` (`io`). */
export async function lmdbRealisations(path: string): Promise<Realisations> {
  return new LmdbRealisations(await LmdbEnvironment.open(path));
}

class LmdbRealisations implements Realisations {
  readonly #environment: LmdbEnvironment;
  readonly #table: LmdbTable;

  constructor(environment: LmdbEnvironment) {
    this.#environment = environment;
    this.#table = environment.table('realisations');
  }

  async get(id: RealisationId): Promise<Realisation | undefined> {
    const value = this.#table.get(keyOf(id));
    return value === undefined ? undefined : decodeRealisation(id, value);
  }

  async put(realisations: readonly Realisation[]): Promise<void> {
    await this.#environment.write(() => {
      for (const it of realisations) this.#table.put(keyOf(it.id), encodeRealisation(it));
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#environment[Symbol.asyncDispose]();
  }
}

function keyOf(id: RealisationId): Buffer {
  return Buffer.from(printRealisationId(id));
}

function encodeRealisation({ path, signatures }: Realisation): Buffer {
  return Buffer.from(encodeUtf8([path.baseName, ...signatures.map(printSignature)].join('\n')));
}

function decodeRealisation(id: RealisationId, value: Uint8Array): Realisation {
  const [baseName = '', ...signatures] = decodeUtf8(value).split('\n');
  try {
    return { id, path: parseStorePath(baseName), signatures: signatures.map(parseSignature) };
  } catch (cause) {
    if (!(cause instanceof NixCompatError)) throw cause;
    const what = `the build trace '${printRealisationId(id)}' is damaged`;
    throw new RealiseError('corrupt', `${what}: ${cause.message}; it is made anew by building again`, {
      cause,
    });
  }
}
