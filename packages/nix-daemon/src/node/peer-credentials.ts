/**
 * Who is at the other end of a Unix socket, as the kernel says (`SO_PEERCRED`, Linux), and which names the machine has for that
 * user and its groups: in `/etc/passwd` and `/etc/group`, or else what `getent` knows.
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { promisify } from 'node:util';
import { NixDaemonError } from '../nix-daemon-error.ts';
import type { Peer } from '../server/user-rules.ts';

export type PeerCredentials = { readonly pid: number; readonly uid: number; readonly gid: number };

const socketLevel = 1;
const peerCredentials = 17;
const credentialsLength = 12;

// oxlint-disable-next-line eslint/max-params -- the C library's
type GetSocketOption = (
  fd: number,
  level: number,
  name: number,
  value: Buffer,
  length: Uint32Array,
) => number;

let getSocketOption: Promise<GetSocketOption> | undefined;

/** Throws `NixDaemonError` (`io`) where it cannot be found out. */
export async function readPeerCredentials(socket: Socket): Promise<PeerCredentials> {
  const fd = descriptorOf(socket);
  const read = await (getSocketOption ??= loadGetSocketOption());
  const value = Buffer.alloc(credentialsLength);
  const length = new Uint32Array([credentialsLength]);
  if (read(fd, socketLevel, peerCredentials, value, length) !== 0 || length[0] !== credentialsLength) {
    throw new NixDaemonError('io', 'the kernel does not say who has connected');
  }
  return { pid: value.readInt32LE(0), uid: value.readUInt32LE(4), gid: value.readUInt32LE(8) };
}

function descriptorOf(socket: Socket): number {
  const { _handle: handle } = socket as Socket & { readonly _handle?: { readonly fd?: number } | null };
  if (handle?.fd !== undefined && handle.fd >= 0) return handle.fd;
  throw new NixDaemonError('io', 'a client has gone before it was known who it is');
}

async function loadGetSocketOption(): Promise<GetSocketOption> {
  if (process.platform !== 'linux') {
    throw new NixDaemonError('io', 'who has connected is only known on Linux; use --allowed-users "*"');
  }
  try {
    const { default: koffi } = await import('koffi');
    const c = koffi.load(null);
    return c.func(
      'int getsockopt(int socket, int level, int name, _Out_ void *value, _Inout_ uint32_t *length)',
    );
  } catch (cause) {
    const problem = "who has connected is not known: 'koffi' does not load on this machine";
    throw new NixDaemonError('io', problem, { cause });
  }
}

/** The names of a user and of all groups that it is in; numbers where there are no names. */
export async function readPeer({ uid, gid }: Pick<PeerCredentials, 'uid' | 'gid'>): Promise<Peer> {
  const user = (await findEntry('passwd', '/etc/passwd', uid))?.name ?? String(uid);
  const groups = parseEntries(await readText('/etc/group'));
  const own = (await findEntry('group', '/etc/group', gid))?.name ?? String(gid);
  const others = groups.filter(({ members }) => members.includes(user)).map(({ name }) => name);
  return { user, groups: [...new Set([own, ...others])] };
}

type Entry = { readonly name: string; readonly id: number; readonly members: readonly string[] };

// oxlint-disable-next-line eslint/max-params -- a database, its file, and what to look for
async function findEntry(database: string, file: string, id: number): Promise<Entry | undefined> {
  const found = parseEntries(await readText(file)).find((it) => it.id === id);
  if (found !== undefined) return found;
  try {
    const { stdout } = await promisify(execFile)('getent', [database, String(id)], { timeout: 5000 });
    return parseEntries(stdout)[0];
  } catch {
    // It is not there, or knows no such user.
    return undefined;
  }
}

/** Lines `name:password:number:…`; in `/etc/group` the members follow. */
export function parseEntries(text: string): readonly Entry[] {
  return text.split('\n').flatMap((line) => {
    const [name, , id, members = ''] = line.split(':');
    if (name === undefined || id === undefined || !/^[0-9]+$/.test(id)) return [];
    return [{ name, id: Number(id), members: members.split(',').filter((it) => it !== '') }];
  });
}

async function readText(file: string): Promise<string> {
  return await readFile(file, 'utf8').catch(() => '');
}
