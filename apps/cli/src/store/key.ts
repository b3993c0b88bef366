/** `neve store key`: keys for signatures. */
import { generateSecretKey, printPublicKey, printSecretKey, publicKeyOf } from '@neve/nix-compat';
import { nodeEd25519 } from '@neve/nix-compat/node';
import { write } from '../output.ts';
import { UsageError } from '../usage-error.ts';
import { readSecretKey } from './read-secret-key.ts';
import { storeCommand } from './store-command.ts';

export const keyCommand = storeCommand({
  name: 'key',
  summary: 'make a key for signatures, or print the public one of a secret key',
  usage: ['key generate NAME > SECRET-KEY-FILE', 'key public SECRET-KEY-FILE'],
  arguments: [['generate', 'public'], 'file'],
  description: 'Keys are those of Nix: `NAME:` and base 64.',
  options: {},
  run(args) {
    const [action, argument, more] = args.positional;
    if (argument === undefined || more !== undefined) throw new UsageError('wrong number of arguments');
    if (action === 'generate') {
      write(1, `${printSecretKey(generateSecretKey(argument, nodeEd25519))}\n`);
    } else if (action === 'public') {
      write(1, `${printPublicKey(publicKeyOf(readSecretKey(argument)))}\n`);
    } else throw new UsageError(`'neve store key' knows 'generate' and 'public'`);
    return Promise.resolve();
  },
});
