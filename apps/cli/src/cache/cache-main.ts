/** `neve cache`: the list of its commands. */
import type { CommandDescription } from '../command-description.ts';
import { type CommandGroup, describeGroup, runCommandGroup } from '../command-group.ts';
import { commonOptions } from './cache-command.ts';
import { configureCommand } from './configure.ts';
import { createCommand } from './create.ts';
import { gcCommand } from './gc.ts';
import { listCommand } from './list.ts';
import { loginCommand } from './login.ts';
import { pinCommand } from './pin.ts';
import { pullCommand } from './pull.ts';
import { pushCommand } from './push.ts';
import { removeCommand } from './remove.ts';
import { serveCommand } from './serve.ts';
import { statusCommand } from './status.ts';
import { tokenCommand } from './token.ts';

const cacheGroup: CommandGroup = {
  name: 'cache',
  description:
    'Uses binary caches, and serves them: several in one folder, each with its own keys, tokens and rules.',
  options: commonOptions,
  commands: [
    pushCommand,
    pullCommand,
    loginCommand,
    pinCommand,
    statusCommand,
    serveCommand,
    createCommand,
    configureCommand,
    listCommand,
    removeCommand,
    tokenCommand,
    gcCommand,
  ],
};

/** Runs one command and gives the exit code. */
export function runCacheCommand(argv: readonly string[]): Promise<number> {
  return runCommandGroup(cacheGroup, argv);
}

/** For manuals and completion. */
export function describe(): CommandDescription {
  return describeGroup(cacheGroup);
}
