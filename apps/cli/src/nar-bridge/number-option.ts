import type { Arguments } from '../parse-words.ts';
import { UsageError } from '../usage-error.ts';
import { type NarBridgeOptionName, narBridgeOptions } from './nar-bridge-options.ts';

/** A natural number that an option was given, or else the environment. Throws `UsageError`. */
export function numberOf(
  args: Arguments<NarBridgeOptionName>,
  option: NarBridgeOptionName,
  fallback?: string,
): number | undefined {
  const text = args.last(option) ?? fallback;
  if (text === undefined) return undefined;
  if (/^[0-9]{1,9}$/.test(text)) return Number(text);
  throw new UsageError(`${narBridgeOptions[option].names[0]} '${text}' is not a number`);
}
