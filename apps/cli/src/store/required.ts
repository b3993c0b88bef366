import { UsageError } from '../usage-error.ts';

/** The arguments of a command that takes at least one. */
export function required(positional: readonly string[], what: string): readonly string[] {
  if (positional.length === 0) throw new UsageError(`${what} is missing`);
  return positional;
}
