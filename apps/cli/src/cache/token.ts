/** `neve cache token`: makes tokens, shows them, and takes them back. */
import { readFileSync } from 'node:fs';
import { type Scope, type TokenClaims, newTokenClaims, readTokenClaims, scopes } from '@neve/nar-bridge';
import { ServerFolder } from '@neve/nar-bridge/node';
import { write } from '../output.ts';
import { parseAge } from '../quantities.ts';
import { UsageError } from '../usage-error.ts';
import { cacheCommand } from './cache-command.ts';
import { openAdministration, serverFolderPath, serverOptions } from './server-place.ts';

export const tokenCommand = cacheCommand({
  name: 'token',
  summary: 'make a token, show what it says, revoke it',
  usage: [
    'token create [OPTIONS] --subject NAME [--pull PATTERN]… [--push PATTERN]… > FILE',
    'token inspect FILE',
    'token revoke [OPTIONS] FILE|ID',
  ],
  arguments: [['create', 'inspect', 'revoke'], 'file'],
  description: `A token says which caches its holder may pull from, push to, delete from and configure, by patterns of their names
('team-*', '*'). It is signed by the key in the folder of the server. Clients send it as the password of any user (a netrc file),
or as a bearer token. To push with Nix, a token needs pull as well. FILE is - for standard input.`,
  options: {
    ...serverOptions,
    subject: { names: ['--subject'], parameters: ['NAME'], help: 'who will hold it' },
    pull: { names: ['--pull'], parameters: ['PATTERN'], help: 'caches to read (repeatable)' },
    push: {
      names: ['--push'],
      parameters: ['PATTERN'],
      help: 'caches to add paths and pins to (repeatable)',
    },
    delete: {
      names: ['--delete'],
      parameters: ['PATTERN'],
      help: 'caches to remove paths and pins from (repeatable)',
    },
    configure: { names: ['--configure'], parameters: ['PATTERN'], help: 'caches to administer (repeatable)' },
    expires: {
      names: ['--expires'],
      parameters: ['AGE'],
      help: 'how long it counts: 90d, 12h; never unless given',
    },
  },
  async run(args) {
    const [action, argument, more] = args.positional;
    if (more !== undefined) throw new UsageError('wrong number of arguments');
    if (action === 'create' && argument === undefined) {
      const granted = Object.fromEntries(
        scopes.map((scope) => [scope, args.all(scope)] as const).filter(([, globs]) => globs.length > 0),
      );
      const lifetime = args.last('expires');
      const claims = newTokenClaims({
        subject: args.last('subject') ?? missing('--subject'),
        scopes: granted,
        nowMs: Date.now(),
        lifetimeMs: lifetime === undefined ? undefined : parseAge(lifetime),
      });
      if (args.last('server') !== undefined)
        throw new UsageError('tokens are made where the key is: in the folder of the server');
      await using folder = await ServerFolder.open(serverFolderPath(args), { create: false });
      const token = await folder.tokenKey.sign(claims);
      write(1, args.has('json') ? `${JSON.stringify({ token, ...shown(claims) })}\n` : `${token}\n`);
    } else if (action === 'inspect' && argument !== undefined) {
      const claims = readTokenClaims(readToken(argument));
      if (claims === undefined) throw new UsageError(`'${argument}' has no token of a server of caches`);
      write(1, args.has('json') ? `${JSON.stringify(shown(claims))}\n` : `${lines(claims).join('\n')}\n`);
    } else if (action === 'revoke' && argument !== undefined) {
      const { id, expiresAtMs } = tokenToRevoke(argument);
      await using administration = await openAdministration(args, { create: false });
      await administration.revoke({ id, expiresAtMs, revokedAtMs: Date.now() });
    } else throw new UsageError(`'neve cache token' knows 'create', 'inspect' and 'revoke'`);
  },
});

/** The token in a file; `-` is standard input. Throws `UsageError`. */
export function readToken(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8').trim();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`the token in '${file}' cannot be read: ${reason}`);
  }
}

function tokenToRevoke(text: string): Pick<TokenClaims, 'id' | 'expiresAtMs'> {
  if (/^[A-Za-z0-9_-]{22}$/.test(text)) return { id: text, expiresAtMs: undefined };
  const claims = readTokenClaims(readToken(text));
  if (claims === undefined)
    throw new UsageError(`'${text}' is neither the id of a token nor a file with one`);
  return claims;
}

function shown({ subject, id, issuedAtMs, expiresAtMs, scopes: granted }: TokenClaims): object {
  return {
    subject,
    id,
    issuedAt: new Date(issuedAtMs).toISOString(),
    expiresAt: expiresAtMs === undefined ? null : new Date(expiresAtMs).toISOString(),
    scopes: granted,
  };
}

function lines(claims: TokenClaims): readonly string[] {
  const { subject, id, issuedAtMs, expiresAtMs } = claims;
  const line = (name: string, value: string): string => `${`${name}:`.padEnd(12)}${value}`;
  const end = expiresAtMs === undefined ? 'never' : new Date(expiresAtMs).toISOString();
  const isOver = expiresAtMs !== undefined && expiresAtMs <= Date.now();
  return [
    line('subject', subject),
    line('id', id),
    line('issued', new Date(issuedAtMs).toISOString()),
    line('expires', isOver ? `${end} (it has expired)` : end),
    ...scopes.flatMap((scope: Scope) => {
      const globs = claims.scopes[scope];
      return globs === undefined ? [] : [line(scope, globs.join(' '))];
    }),
  ];
}

function missing(option: string): never {
  throw new UsageError(`${option} is missing`);
}
