/**
 * Where a server listens:
 *
 *     host:port  [address]:port  :port   TCP; port 0 is any free one, without a host it is all of them
 *     unix:/path  /path                  a Unix socket; `unix:///path` as well
 *     sd-listen                          what systemd has opened (LISTEN_FDS); `sd-listen:name` those with a name
 */
import { NarBridgeError } from '../nar-bridge-error.ts';

export type ListenAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'systemd'; readonly name: string | undefined };

/** Throws `NarBridgeError` (`bad-option`). */
export function parseListenAddress(text: string): ListenAddress {
  const [, name] = /^sd[-_]listen(?::(.+))?$/.exec(text) ?? [];
  if (/^sd[-_]listen(:|$)/.test(text)) return { kind: 'systemd', name };
  const path = text.startsWith('unix:') ? text.slice('unix:'.length).replace(/^\/\/(?=\/)/, '') : text;
  if (path.startsWith('/')) return { kind: 'unix', path };
  const [, bracketed, plain = '', digits = ''] = /^(?:\[([^\]]+)\]|([^:]*)):([0-9]{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits !== '' && port <= 65535)
    return { kind: 'tcp', host: bracketed ?? (plain === '' ? '::' : plain), port };
  throw new NarBridgeError(
    'bad-option',
    `'${text}' is nowhere to listen: give host:port, [::]:port, unix:/path or sd-listen`,
  );
}

/** `host:port` with brackets where there are colons. */
export function printTcpAddress(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** What systemd says of the sockets that it has opened for a process. */
export type Activation = {
  readonly LISTEN_PID?: string | undefined;
  readonly LISTEN_FDS?: string | undefined;
  readonly LISTEN_FDNAMES?: string | undefined;
};

const firstDescriptor = 3;

/** The descriptors for this process; with a name only those that have it. Throws `NarBridgeError` (`cannot-listen`). */
export function activatedDescriptors(
  { LISTEN_PID: pid, LISTEN_FDS: count, LISTEN_FDNAMES: names }: Activation,
  { ownPid, name }: { readonly ownPid: number; readonly name: string | undefined },
): readonly number[] {
  const number = pid === String(ownPid) && /^[0-9]{1,4}$/.test(count ?? '') ? Number(count) : 0;
  const nameOf = (names ?? '').split(':');
  const descriptors = Array.from({ length: number }, (_, index) => firstDescriptor + index).filter(
    (_, index) => name === undefined || nameOf[index] === name,
  );
  if (descriptors.length > 0) return descriptors;
  const what = name === undefined ? 'no socket' : `no socket named '${name}'`;
  throw new NarBridgeError(
    'cannot-listen',
    `systemd has passed ${what} to this process: start it by a .socket unit, or give an address`,
  );
}
