/**
 * Runs the builders that are part of Nix. What they give is as if a sandbox had made it: it is scanned for references and
 * registered like every other output. Downloads run as fetches.
 */
import { decodeUtf8, encodeUtf8 } from '@neve/bytes';
import { ReferenceScanner, scanNode } from '@neve/castore';
import type { Node } from '@neve/castore';
import type { FetchEvent, Fetcher } from '@neve/fetch';
import type { StorePath } from '@neve/nix-compat';
import type { NarCalculation, StoreServices } from '@neve/store';
import { buildEnvironment } from './builtin/build-environment.ts';
import { fetchOfDerivation } from './builtin/fetch-of-derivation.ts';
import { unpackChannel } from './builtin/unpack-channel.ts';
import type { UnpackArchive } from './builtin/unpack-channel.ts';
import type { BuiltinContext } from './builtin/builtin-context.ts';
import { RealiseError } from './realise-error.ts';
import type { BuiltDerivation } from './register-outputs.ts';
import type { ResolvedDerivation, StoreContext } from './resolved-derivation.ts';
import { scratchOutputs } from './scratch-outputs.ts';

export type BuiltinServices = StoreContext &
  Pick<StoreServices, 'blobs' | 'directories'> & {
    readonly fetcher: Pick<Fetcher, 'fetch'>;
    readonly unpack: UnpackArchive;
    /** Called with what the builder says, a line each. */
    readonly warn?: (message: string) => void;
    readonly onFetchEvent?: (event: FetchEvent) => void;
  };

type Made = { readonly node: Node; readonly nar?: NarCalculation };

/**
 * What `registerOutputs` takes. Throws `RealiseError` (`builtin-failed`, `unsupported`), and what the services throw:
 * `FetchError` for a download.
 */
export async function runBuiltin(
  resolved: ResolvedDerivation,
  services: BuiltinServices,
  signal?: AbortSignal,
): Promise<BuiltDerivation> {
  const { path, derivation, inputs } = resolved;
  const { store } = services;
  const outputs = scratchOutputs({ path, derivation, store });
  const out = outputs.get('out');
  const [missing] = [...outputs.keys()].filter((it) => it !== 'out');
  if (out === undefined || missing !== undefined) {
    throw new RealiseError(
      'builtin-failed',
      `builder for '${store.print(path)}' failed to produce output path for output '${missing ?? 'out'}'`,
    );
  }
  const { warn = () => undefined } = services;
  const context: BuiltinContext = { ...services, resolved, outputPath: store.print(out), warn };
  const { node, nar } = await make(context, services, signal);
  const needles: readonly StorePath[] = [...Array.from(inputs.values(), ({ storePath }) => storePath), out];
  const scanner = new ReferenceScanner(needles.map(({ hashPart }) => encodeUtf8(hashPart)));
  // What was fixed beforehand cannot mention itself, so a download without inputs need not be read again.
  if (inputs.size > 0 || resolved.type !== 'fixed') {
    await scanNode(node, scanner, { ...services, ...(signal !== undefined && { signal }) });
  }
  const nars = nar === undefined ? undefined : new Map([['out', nar]]);
  return { resolved, outputs, needles, result: { outputs: [{ node, needles: scanner.found }] }, nars };
}

async function make(
  context: BuiltinContext,
  { fetcher, unpack, onFetchEvent }: BuiltinServices,
  signal?: AbortSignal,
): Promise<Made> {
  const builder = decodeUtf8(context.resolved.derivation.builder);
  switch (builder) {
    case 'builtin:buildenv':
      return { node: await buildEnvironment(context, signal) };
    case 'builtin:unpack-channel':
      return { node: await unpackChannel(context, unpack, signal) };
    case 'builtin:fetchurl': {
      const fetch = fetchOfDerivation(context.resolved);
      const fetched = await fetcher.fetch(fetch, {
        ...(onFetchEvent !== undefined && { onEvent: onFetchEvent }),
        signal,
      });
      const { node, narHash, narSize } = fetched;
      return { node, nar: { narHash, narSize } };
    }
    default:
      throw new RealiseError(
        'builtin-failed',
        `unsupported builtin builder '${builder.replace(/^builtin:/, '')}'`,
      );
  }
}
