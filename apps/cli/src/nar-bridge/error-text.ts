/** An error as users see it. What is none of ours is a bug, and is shown with its stack. */
import { NarBridgeError } from '@neve/nar-bridge';
import { isExpected } from '../store/store-errors.ts';
import { UsageError } from '../usage-error.ts';

export function errorText(error: unknown): string {
  if (error instanceof UsageError || error instanceof NarBridgeError || isExpected(error))
    return error.message;
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `this is a bug in Neve, please report it\n${stack}`;
}
