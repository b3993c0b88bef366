/**
 * How stores of Nix are named that are reached through a program of Nix:
 *
 *     daemon                          the daemon of this machine
 *     unix:///socket?root=/folder     a daemon behind a socket
 *     ssh-ng://[user@]host[:port]     a daemon on another machine
 *     ssh://[user@]host[:port]        `nix-store --serve` on another machine
 *
 * Parameters come as the query of a URL. Those that are understood here:
 *
 *     trusted            whether what it has is taken without a signature
 *     max-connections    how many connections there are at most
 *     priority           the lower, the sooner it is asked as a substituter
 *     ssh-key, compress, base64-ssh-public-host-key, remote-program, remote-store     of the two over ssh
 *
 * The others are of no use here (as `root`, which says where the files of the store lie) and do no harm.
 */
import { NixDaemonError } from '../nix-daemon-error.ts';

export type SshHost = {
  readonly user?: string | undefined;
  readonly host: string;
  readonly port?: number | undefined;
};

export type RemoteStoreUrl = {
  /** As it was given. */
  readonly text: string;
  readonly params: ReadonlyMap<string, string>;
} & (
  | { readonly kind: 'unix'; /** The usual one, without. */ readonly socket?: string | undefined }
  | { readonly kind: 'ssh-ng' | 'ssh'; readonly host: SshHost }
);

export function isRemoteStoreUrl(text: string): boolean {
  return /^(daemon(\?.*)?$|daemon:|unix:|ssh-ng:\/\/|ssh:\/\/)/.test(text);
}

/** Throws `NixDaemonError` (`invalid-request`). */
export function parseRemoteStoreUrl(text: string): RemoteStoreUrl {
  const question = text.indexOf('?');
  const bare = question === -1 ? text : text.slice(0, question);
  const params = parseQuery(question === -1 ? '' : text.slice(question + 1));
  if (/^daemon(:(\/\/)?)?$/.test(bare)) return { kind: 'unix', socket: undefined, params, text };
  const socket = /^unix:(?:\/\/)?(.*)$/s.exec(bare)?.[1];
  if (socket !== undefined) {
    if (socket !== '' && !socket.startsWith('/'))
      throw bad(text, `'${socket}' is no absolute path of a socket`);
    const path = decode(text, socket);
    return { kind: 'unix', socket: path === '' ? undefined : path, params, text };
  }
  const [, scheme, authority = ''] = /^(ssh|ssh-ng):\/\/([^/]*)\/?$/.exec(bare) ?? [];
  if (scheme === 'ssh' || scheme === 'ssh-ng')
    return { kind: scheme, host: parseHost(text, authority), params, text };
  throw bad(text, 'it is not daemon, unix:///socket, ssh-ng://host or ssh://host');
}

/** A plus sign is one: keys in base 64 have them. */
function parseQuery(query: string): ReadonlyMap<string, string> {
  return new Map(new URLSearchParams(query.replaceAll('+', '%2B')));
}

/** What begins with a dash would be an option of ssh. */
function parseHost(text: string, authority: string): SshHost {
  const at = authority.lastIndexOf('@');
  const user = at === -1 ? undefined : decode(text, authority.slice(0, at));
  const rest = authority.slice(at + 1);
  const [, bracketed, plain, port] =
    /^(?:\[([^\]]*)\]|([^:]*|[0-9a-fA-F:]*(?:%.*)?))(?::([0-9]+))?$/.exec(rest) ?? [];
  const isAddress = (rest.match(/:/g) ?? []).length > 1 && bracketed === undefined;
  const host = decode(text, isAddress ? rest : (bracketed ?? plain ?? ''));
  if (host === '' || host.startsWith('-')) throw bad(text, `'${host}' is no name of a host`);
  if (user !== undefined && (user === '' || user.startsWith('-')))
    throw bad(text, `'${user}' is no name of a user`);
  return { user, host, port: isAddress || port === undefined ? undefined : Number(port) };
}

function decode(text: string, part: string): string {
  try {
    // A zone may stand behind a bare percent sign.
    return decodeURIComponent(part.replace(/%(?![0-9a-fA-F]{2})/g, '%25'));
  } catch (cause) {
    throw bad(text, 'it has a percent sign that encodes nothing', { cause });
  }
}

function bad(text: string, problem: string, options?: ErrorOptions): NixDaemonError {
  return new NixDaemonError('invalid-request', `'${text}' names no store: ${problem}`, options);
}
