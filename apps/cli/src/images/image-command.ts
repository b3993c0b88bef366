/** What a command of `neve image` is, and what they have in common. `image-main.ts` lists them. */
import { ImageFolder } from '@neve/eval-images/node';
import type { GroupCommand } from '../command-group.ts';
import type { OptionSpec } from '../parse-words.ts';
import { logFormatOption } from '../progress/log-format-option.ts';
import { imageFolderPath } from './image-cache.ts';

export const commonOptions = {
  json: { names: ['--json'], parameters: [], help: 'print as JSON' },
  logFormat: logFormatOption,
  help: { names: ['--help', '-h'], parameters: [], help: 'show this help' },
} as const satisfies Record<string, OptionSpec>;

/** Keeps the names of the options known to `run`. */
export function imageCommand<Name extends string>(
  command: GroupCommand<Name, keyof typeof commonOptions>,
): GroupCommand {
  // A command only asks for its own options and those of all, and it is given no others.
  return command;
}

/** The user's; there may be nothing. */
export function openFolder(): ImageFolder {
  return new ImageFolder({ path: imageFolderPath(process.env) });
}
