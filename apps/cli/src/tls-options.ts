/** The options of a server for TLS, and the files that they name. */
import { readFileSync } from 'node:fs';
import type { Arguments, OptionSpec } from './parse-words.ts';
import { UsageError } from './usage-error.ts';

export const tlsOptions = {
  cert: { names: ['--tls-cert'], parameters: ['FILE'], help: 'certificate of the server, PEM' },
  key: { names: ['--tls-key'], parameters: ['FILE'], help: 'its secret key, PEM' },
  ca: {
    names: ['--tls-client-ca'],
    parameters: ['FILE'],
    help: 'only clients with a certificate by this one',
  },
} as const satisfies Record<string, OptionSpec>;

export type TlsFiles = {
  readonly cert: Uint8Array;
  readonly key: Uint8Array;
  /** Clients must have a certificate by this one. */
  readonly ca?: Uint8Array;
};

/** PEM; `undefined` when no certificate is given. Throws `UsageError`, and what Node throws for files. */
export function readTlsFiles(args: Pick<Arguments<keyof typeof tlsOptions>, 'last'>): TlsFiles | undefined {
  const [cert, key, ca] = [args.last('cert'), args.last('key'), args.last('ca')];
  if (cert === undefined && key === undefined && ca === undefined) return undefined;
  if (cert === undefined || key === undefined) {
    throw new UsageError('--tls-cert and --tls-key belong together');
  }
  return {
    cert: readFileSync(cert),
    key: readFileSync(key),
    ...(ca !== undefined && { ca: readFileSync(ca) }),
  };
}
