/** What the machine has that builds need: systems that it runs, a static shell, certificates. */
import { accessSync, closeSync, constants, existsSync, openSync, readSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { hostMachine } from './sandbox/launcher.ts';

/** Systems that this machine builds for; its own first. */
export function hostSystems(): readonly string[] {
  return hostMachine() === 'x86_64' ? ['x86_64-linux', 'i686-linux'] : ['aarch64-linux'];
}

export function is32Bit(system: string): boolean {
  return system === 'i686-linux';
}

/** Where programs are, on distributions that are known. */
export const programFolders: readonly string[] = [
  ...[
    '/usr/local/bin',
    '/usr/bin',
    '/bin',
    '/usr/local/sbin',
    '/usr/sbin',
    '/sbin',
    '/run/current-system/sw/bin',
  ],
];

/** A program in the first of the folders that has it. */
export function findProgram(name: string, folders: readonly string[] = programFolders): string | undefined {
  return folders.map((folder) => join(folder, name)).find((path) => path.startsWith('/') && canExecute(path));
}

function canExecute(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A shell that needs nothing else: `busybox` if it is linked statically. */
export function findStaticShell(folders?: readonly string[]): string | undefined {
  const path = findProgram('busybox', folders);
  return path !== undefined && isStatic(path) ? realpathSync(path) : undefined;
}

const interpreterSegment = 3;

/** Whether it is an ELF executable of 64 bits that names no interpreter. */
function isStatic(path: string): boolean {
  const header = Buffer.alloc(4096);
  const file = openSync(path, 'r');
  try {
    readSync(file, header, 0, header.length, 0);
  } finally {
    closeSync(file);
  }
  if (header.readUInt32BE(0) !== 0x7f45_4c46 || header[4] !== 2) return false;
  const [start, size, count] = [
    Number(header.readBigUInt64LE(32)),
    header.readUInt16LE(54),
    header.readUInt16LE(56),
  ];
  for (let i = 0; i < count && start + (i + 1) * size <= header.length; i++) {
    if (header.readUInt32LE(start + i * size) === interpreterSegment) return false;
  }
  return true;
}

/** Where distributions keep the certificates of authorities. */
const bundles = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

export function findCaBundle(): string | undefined {
  return bundles.find((it) => existsSync(it));
}
