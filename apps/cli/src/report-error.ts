/** An error on its way to the user: one block on standard error. A bug of Neve shows its stack. */
import { type Diagnostic, renderDiagnostic } from '@neve/diagnostics';
import { EvalIOError, EvaluationError } from '@neve/eval';
import { wantsColour, write } from './output.ts';
import { UsageError } from './usage-error.ts';

export function reportError(
  error: unknown,
  { showTrace, command }: { showTrace: boolean; command: string },
): void {
  if (error instanceof EvaluationError) {
    report(error.diagnostic, showTrace);
    if (error.isUsageError) hintAtHelp(command);
  } else if (error instanceof EvalIOError) report(plain(error.message), showTrace);
  else if (error instanceof UsageError) {
    report(plain(error.message), showTrace);
    hintAtHelp(command);
  } else if (error instanceof Error && error.name === 'CommandFailure') {
    // It comes from another script, with a class of its own.
    report(plain(error.message), showTrace);
  } else {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    report(plain(`this is a bug in Neve, please report it\n${stack}`), showTrace);
  }
}

function hintAtHelp(command: string): void {
  write(2, `Try 'neve ${command} --help' for more information.\n`);
}

function report(diagnostic: Diagnostic, showTrace: boolean): void {
  write(2, `${renderDiagnostic(diagnostic, { showTrace, colour: wantsColour() })}\n`);
}

function plain(message: string): Diagnostic {
  return { kind: 'error', message, traces: [], suggestions: [] };
}
