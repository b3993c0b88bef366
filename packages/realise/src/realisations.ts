/**
 * Build traces: which store path an output has whose path follows from its contents. It is asked for by the derivation's
 * hash modulo (its own outputs left empty) and the name of the output, as in `sha256:<hex>!out`.
 */
import type { Digest } from '@neve/bytes';
import { encodeHex } from '@neve/bytes';
import type { Signature, StorePath } from '@neve/nix-compat';

export type RealisationId = {
  /** SHA-256. */
  readonly derivationHash: Digest;
  readonly output: string;
};

export type Realisation = {
  readonly id: RealisationId;
  readonly path: StorePath;
  readonly signatures: readonly Signature[];
};

/** Methods throw `RealiseError` (`corrupt`) and what the world behind them throws. */
export interface Realisations extends AsyncDisposable {
  get(id: RealisationId, signal?: AbortSignal): Promise<Realisation | undefined>;

  /** Takes the place of what was known before. What the path names was put before. All of them or none. */
  put(realisations: readonly Realisation[], signal?: AbortSignal): Promise<void>;
}

/** `sha256:<hex>!<output>`, as Nix names it. */
export function printRealisationId({ derivationHash, output }: RealisationId): string {
  return `${derivationHash.algorithm}:${encodeHex(derivationHash.bytes)}!${output}`;
}

export function memoryRealisations(): Realisations {
  const stored = new Map<string, Realisation>();
  return {
    get: async (id) => stored.get(printRealisationId(id)),
    put: async (realisations) => {
      for (const it of realisations) stored.set(printRealisationId(it.id), it);
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}
