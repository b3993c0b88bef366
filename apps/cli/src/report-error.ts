/** An error on its way to the user: one block on standard error. A bug of Neve shows its stack. */
import { type Diagnostic, renderDiagnostic } from '@neve/diagnostics';
import { EvalIOError, EvaluationError } from '@neve/eval';
import { log } from '@neve/telemetry';
import { bugText } from './bug-text.ts';
import type { Caller } from './caller.ts';
import { isInterruption } from './interruption.ts';
import { UsageError } from './usage-error.ts';

export function reportError(
  error: unknown,
  {
    showTrace,
    command,
    caller,
  }: { readonly showTrace: boolean; readonly command: string; readonly caller: Caller },
): void {
  const report = (diagnostic: Diagnostic): void => {
    log('error', diagnostic.message);
    caller.write(
      2,
      `${renderDiagnostic(diagnostic, { showTrace, colour: caller.wantsColour(), link: caller.sourceLink })}\n`,
    );
  };
  const hintAtHelp = (): void => {
    caller.write(2, `Try 'neve ${command} --help' for more information.\n`);
  };
  // Then the process is ended by the signal (`signal-watch.ts`).
  if (isInterruption(error)) return;
  if (error instanceof EvaluationError) {
    report(error.diagnostic);
    if (error.isUsageError) hintAtHelp();
  } else if (error instanceof EvalIOError) report(plain(error.message));
  else if (error instanceof UsageError) {
    report({ ...plain(error.message), suggestions: error.suggestions });
    hintAtHelp();
  } else if (error instanceof Error && error.name === 'CommandFailure') {
    // It comes from another script, with a class of its own.
    report(plain(error.message));
  } else {
    report(plain(bugText(error)));
  }
}

function plain(message: string): Diagnostic {
  return { kind: 'error', message, traces: [], suggestions: [] };
}
