/**
 * How a connection to a Nix daemon begins.
 *
 *     client                               daemon
 *     0x6e697863, version
 *                                          0x6478696f, version
 *     features (1.38)
 *                                          features (1.38)
 *     CPU affinity (1.14): 0 or 1 cpu
 *     reserve space (1.11)
 *                                          version of Nix (1.33), trust (1.35)
 *                                          log frames up to the one that says it is ready
 *
 * The version of the connection is the lower one. The last line is not read or written here.
 */
import { NixCompatError } from '../nix-compat-error.ts';
import type { StoreDirectory } from '../store-directory.ts';
import { record, since, texts } from '../wire/compound-codecs.ts';
import { oneOf, text, uint32 } from '../wire/primitive-codecs.ts';
import {
  type ProtocolVersion,
  commonFeatures,
  parseVersionNumber,
  versionNumber,
} from '../wire/protocol-version.ts';
import { type WireCodec, type WireContext, encodeWire } from '../wire/wire-codec.ts';
import type { WireConnection } from '../wire/wire-connection.ts';
import { latestWorkerVersion, oldestWorkerMinor } from './worker-version.ts';

const clientMagic = 0x6e697863;
const daemonMagic = 0x6478696f;
const major = 1;
const featuresMinor = 38;

/** Whether the daemon lets the client do what only trusted users may. */
export type Trust = 'unknown' | 'trusted' | 'notTrusted';

export const trust: WireCodec<Trust> = oneOf<Trust>('trust', ['unknown', 'trusted', 'notTrusted']);

/** What the daemon says about itself. */
export type DaemonIntroduction = {
  readonly nixVersion?: string | undefined;
  readonly trust: Trust;
};

export const daemonIntroduction: WireCodec<DaemonIntroduction> = record<DaemonIntroduction>({
  nixVersion: since<string | undefined>(33, optionalText(), undefined),
  trust: since(35, trust, 'unknown'),
});

export type WorkerHandshakeOptions = {
  readonly store: StoreDirectory;
  /** What this end speaks; the newest unless given. */
  readonly version?: ProtocolVersion;
};

/** The client's part. Throws `NixCompatError` (`bad-message`, `message-cut-off`, `unsupported-protocol`). */
export async function greetDaemon(
  connection: WireConnection,
  { store, version = latestWorkerVersion }: WorkerHandshakeOptions,
): Promise<{ readonly context: WireContext; readonly daemon: DaemonIntroduction }> {
  const { reader } = connection;
  const unversioned = { store, minor: 0, features: new Set<string>() };
  await connection.send(numbers([clientMagic, versionNumber(major, version.minor)]));
  if ((await reader.read('greeting of the daemon', uint32, unversioned)) !== daemonMagic) {
    throw new NixCompatError('bad-message', 'what answers does not speak the protocol of a Nix daemon');
  }
  const theirs = parseVersionNumber(await reader.read('version of the daemon', uint32, unversioned));
  if (theirs.major !== major || theirs.minor < oldestWorkerMinor) {
    throw unsupported(`the daemon speaks version ${theirs.major}.${theirs.minor} of the protocol`);
  }
  const minor = Math.min(theirs.minor, version.minor);
  let features: ReadonlySet<string> = new Set();
  if (minor >= featuresMinor) {
    await connection.send(encodeWire(texts, [...version.features].sort(), unversioned));
    features = commonFeatures(
      version.features,
      await reader.read('features of the daemon', texts, unversioned),
    );
  }
  // No CPU affinity and no reserved space: both mean nothing any more.
  await connection.send(numbers([...(minor >= 14 ? [0] : []), ...(minor >= 11 ? [0] : [])]));
  const context = { store, minor, features };
  return { context, daemon: await reader.read('introduction of the daemon', daemonIntroduction, context) };
}

/** The daemon's part. Throws `NixCompatError` (`bad-message`, `message-cut-off`, `unsupported-protocol`). */
export async function greetClient(
  connection: WireConnection,
  {
    store,
    version = latestWorkerVersion,
    introduction,
  }: WorkerHandshakeOptions & { readonly introduction: DaemonIntroduction },
): Promise<WireContext> {
  const { reader } = connection;
  const unversioned = { store, minor: 0, features: new Set<string>() };
  if ((await reader.read('greeting of the client', uint32, unversioned)) !== clientMagic) {
    throw new NixCompatError('bad-message', 'the client does not speak the protocol of a Nix daemon');
  }
  await connection.send(numbers([daemonMagic, versionNumber(major, version.minor)]));
  const theirs = parseVersionNumber(await reader.read('version of the client', uint32, unversioned));
  if (theirs.major < major || (theirs.major === major && theirs.minor < oldestWorkerMinor)) {
    throw unsupported(`the client speaks version ${theirs.major}.${theirs.minor} of the protocol`);
  }
  const minor = theirs.major > major ? version.minor : Math.min(theirs.minor, version.minor);
  let features: ReadonlySet<string> = new Set();
  if (minor >= featuresMinor) {
    features = commonFeatures(
      version.features,
      await reader.read('features of the client', texts, unversioned),
    );
    await connection.send(encodeWire(texts, [...version.features].sort(), unversioned));
  }
  if (minor >= 14 && (await reader.read('CPU affinity', uint32, unversioned)) !== 0) {
    await reader.read('CPU', uint32, unversioned);
  }
  if (minor >= 11) await reader.read('reserved space', uint32, unversioned);
  const context = { store, minor, features };
  await connection.send(encodeWire(daemonIntroduction, introduction, context));
  return context;
}

function numbers(them: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(them.length * 8);
  const view = new DataView(bytes.buffer);
  them.forEach((number, index) => view.setUint32(index * 8, number, true));
  return bytes;
}

function optionalText(): WireCodec<string | undefined> {
  return { read: (from, context) => text.read(from, context), write: (to, value) => to.text(value ?? '') };
}

function unsupported(problem: string): NixCompatError {
  const spoken = `${major}.${oldestWorkerMinor} to ${major}.${latestWorkerVersion.minor}`;
  return new NixCompatError('unsupported-protocol', `${problem}; ${spoken} are understood`);
}
