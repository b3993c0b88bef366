/**
 * How a connection to `nix-store --serve` begins: each side sends a number that says what it is, and its version; the lower
 * one counts. Nobody sends anything else.
 */
import { NixCompatError } from '../nix-compat-error.ts';
import type { StoreDirectory } from '../store-directory.ts';
import { uint32 } from '../wire/primitive-codecs.ts';
import { parseVersionNumber, versionNumber } from '../wire/protocol-version.ts';
import type { WireContext } from '../wire/wire-codec.ts';
import type { WireConnection } from '../wire/wire-connection.ts';
import { WireWriter } from '../wire/wire-writer.ts';

const clientMagic = 0x390c9deb;
const serverMagic = 0x5452eecb;
const major = 2;

/** What the newest Nix speaks, since 2.35. */
export const latestServeMinor = 8;

/** Since then objects are added one by one with what is known of them. Nix 2.4 and newer have it. */
export const oldestServeMinor = 5;

export type ServeHandshakeOptions = {
  readonly store: StoreDirectory;
  /** What this end speaks; the newest unless given. */
  readonly minor?: number;
};

/** The client's part. Throws `NixCompatError` (`bad-message`, `message-cut-off`, `unsupported-protocol`). */
export async function greetServer(
  connection: WireConnection,
  { store, minor = latestServeMinor }: ServeHandshakeOptions,
): Promise<WireContext> {
  const unversioned = { store, minor: 0, features: new Set<string>() };
  await connection.send(greeting(clientMagic, minor));
  if ((await connection.reader.read('greeting of the server', uint32, unversioned)) !== serverMagic) {
    throw new NixCompatError(
      'bad-message',
      `what answers does not speak the protocol of 'nix-store --serve'`,
    );
  }
  const number = await connection.reader.read('version of the server', uint32, unversioned);
  const theirs = parseVersionNumber(number);
  if (theirs.major !== major || theirs.minor < oldestServeMinor) {
    throw unsupported(`the server speaks version ${theirs.major}.${theirs.minor}`);
  }
  return { ...unversioned, minor: Math.min(theirs.minor, minor) };
}

/** The server's part. Throws `NixCompatError` (`bad-message`, `message-cut-off`, `unsupported-protocol`). */
export async function greetServeClient(
  connection: WireConnection,
  { store, minor = latestServeMinor }: ServeHandshakeOptions,
): Promise<WireContext> {
  const unversioned = { store, minor: 0, features: new Set<string>() };
  if ((await connection.reader.read('greeting of the client', uint32, unversioned)) !== clientMagic) {
    throw new NixCompatError('bad-message', `the client does not speak the protocol of 'nix-store --serve'`);
  }
  await connection.send(greeting(serverMagic, minor));
  const number = await connection.reader.read('version of the client', uint32, unversioned);
  const theirs = parseVersionNumber(number);
  if (theirs.major < major) throw unsupported(`the client speaks version ${theirs.major}.${theirs.minor}`);
  return { ...unversioned, minor: theirs.major > major ? minor : Math.min(theirs.minor, minor) };
}

function greeting(magic: number, minor: number): Uint8Array {
  const writer = new WireWriter();
  writer.number(magic);
  writer.number(versionNumber(major, minor));
  return writer.finish();
}

function unsupported(problem: string): NixCompatError {
  return new NixCompatError(
    'unsupported-protocol',
    `${problem} of the serve protocol; ${major}.${oldestServeMinor} to ${major}.${latestServeMinor} are understood`,
  );
}
