/** What a command of `neve store` is. `store-main.ts` lists them. */
import type { GroupCommand } from '../command-group.ts';
import type { StoreOptionName } from './store-options.ts';

/** Keeps the names of the options known to `run`. */
export function storeCommand<Name extends string>(
  command: GroupCommand<Name, StoreOptionName>,
): GroupCommand {
  // A command only asks for its own options and those of all, and it is given no others.
  return command;
}
