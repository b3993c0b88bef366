/** `neve store`: the list of its commands. */
import type { CommandDescription } from '../command-description.ts';
import { type CommandGroup, describeGroup, runCommandGroup } from '../command-group.ts';
import { catCommand } from './cat.ts';
import { configCommand } from './config.ts';
import { copyCommand } from './copy.ts';
import { daemonCommand } from './daemon.ts';
import { diffCommand } from './diff.ts';
import { exportCommand } from './export.ts';
import { gcCommand } from './gc.ts';
import { importCommand } from './import.ts';
import { infoCommand } from './info.ts';
import { keyCommand } from './key.ts';
import { lsCommand } from './ls.ts';
import { mountCommand } from './mount.ts';
import { rootCommand } from './root.ts';
import { signCommand } from './sign.ts';
import { storeOptions } from './store-options.ts';
import { verifyCommand } from './verify.ts';

const storeGroup: CommandGroup = {
  name: 'store',
  description:
    'Works on a store: blobs and directories by their content, and path infos, which say what a store path is.',
  options: storeOptions,
  commands: [
    importCommand,
    exportCommand,
    lsCommand,
    catCommand,
    infoCommand,
    diffCommand,
    copyCommand,
    mountCommand,
    daemonCommand,
    verifyCommand,
    gcCommand,
    rootCommand,
    signCommand,
    keyCommand,
    configCommand,
  ],
};

/** Runs one command and gives the exit code. */
export function runStoreCommand(argv: readonly string[]): Promise<number> {
  return runCommandGroup(storeGroup, argv);
}

/** For completion. */
export { storePathWords } from './store-path-words.ts';

/** For manuals and completion. */
export function describe(): CommandDescription {
  return describeGroup(storeGroup);
}
