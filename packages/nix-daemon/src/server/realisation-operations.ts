/**
 * The build trace: which path an output has that follows from its contents. It is kept by the hash of the derivation, as older
 * versions of Nix name it; newer ones name the derivation itself, which has to be in the store then.
 */
import {
  type Signature,
  fingerprintHashedRealisation,
  fingerprintRealisation,
  verifyFingerprint,
} from '@neve/nix-compat';
import type {
  WorkerAnswers,
  WorkerDrvOutput,
  WorkerRealisation,
  WorkerRequests,
} from '@neve/nix-compat/protocols';
import type { Realisation, RealisationId } from '@neve/realise';
import { NixDaemonError } from '../nix-daemon-error.ts';
import { type Call, type Handlers, publicKeysFor } from './call.ts';
import { findPathInfo, requirePathInfo } from './valid-paths.ts';

export const realisationOperations: Handlers<'queryRealisation' | 'registerDrvOutput'> = {
  queryRealisation,
  registerDrvOutput,
};

async function queryRealisation(
  { output }: WorkerRequests['queryRealisation'],
  call: Call,
): Promise<WorkerAnswers['queryRealisation']> {
  const id = await realisationId(output, call);
  const known = id === undefined ? undefined : await knownRealisation(id, call);
  if (output.kind === 'keyed') {
    if (known === undefined) return { kind: 'keyed' };
    return { kind: 'keyed', realisation: { outPath: known.path, signatures: known.signatures } };
  }
  const { derivationHash, outputName } = output;
  const realisations = [known].flatMap((it) =>
    it === undefined
      ? []
      : [
          {
            derivationHash,
            outputName,
            outPath: it.path,
            signatures: it.signatures,
            dependentRealisations: [],
          },
        ],
  );
  return { kind: 'hashed', realisations };
}

async function registerDrvOutput(
  { realisation }: WorkerRequests['registerDrvOutput'],
  call: Call,
): Promise<undefined> {
  const { daemon, signal } = call;
  if (!isTrusted(realisation, call)) {
    throw new NixDaemonError(
      'untrusted',
      `cannot register realisation '${realisation.outPath.baseName}' because it lacks a signature by a trusted key`,
    );
  }
  const id = await realisationId(realisation, call);
  if (id === undefined) {
    throw new NixDaemonError(
      'invalid-request',
      `the derivation of '${realisation.outPath.baseName}' is not there`,
    );
  }
  await requirePathInfo(realisation.outPath, daemon, signal);
  const { outPath: path, signatures } = realisation;
  await daemon.realisations.put([{ id, path, signatures }], signal);
}

/** As long as what it leads to is there. */
async function knownRealisation(
  id: RealisationId,
  { daemon, signal }: Call,
): Promise<Realisation | undefined> {
  const known = await daemon.realisations.get(id, signal);
  if (known === undefined) return undefined;
  return (await findPathInfo(known.path, daemon, signal)) === undefined ? undefined : known;
}

/** `undefined` for an output of a derivation that is not there. */
async function realisationId(
  output: WorkerDrvOutput,
  { daemon, signal }: Call,
): Promise<RealisationId | undefined> {
  if (output.kind === 'hashed') return { derivationHash: output.derivationHash, output: output.outputName };
  if ((await findPathInfo(output.drvPath, daemon, signal)) === undefined) return undefined;
  const derivation = await daemon.derivations.read(output.drvPath, signal);
  const hashes = await daemon.derivations.hashes.hashOfOutputs(derivation);
  const derivationHash = hashes.byOutput.get(output.outputName);
  return derivationHash === undefined ? undefined : { derivationHash, output: output.outputName };
}

function isTrusted(realisation: WorkerRealisation, call: Call): boolean {
  const { daemon } = call;
  if (!daemon.trust.requireSignatures) return true;
  const keys = publicKeysFor(call);
  const fingerprint =
    realisation.kind === 'keyed'
      ? fingerprintRealisation(realisation)
      : fingerprintHashedRealisation(realisation);
  return realisation.signatures.some((signature: Signature) =>
    verifyFingerprint(fingerprint, { signature, keys }, daemon.ed25519),
  );
}
