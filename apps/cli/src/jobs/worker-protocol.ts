/**
 * What a worker is told, and what it says: lines on its standard input and output. It answers each path of an order with one
 * line, in their order, so that nobody has to say which path a line is about:
 *
 *     input    setup, then one order a line, as JSON
 *     output   s            it has begun, and evaluated what all jobs are in
 *              j<JSON>      a job, or the error in its place, as it is printed
 *              n<JSON>      the names of a set that is to be looked into, or none
 *              d            the order is done
 *              r            it has become too large and ends; what was not answered is for others
 *              w            what was kept of other evaluations does not serve the next path, and it ends
 *              o            it has run out of memory over the next path, perhaps because of what came before, and ends
 *              f<JSON>      nothing can be evaluated, with the exit code; the message was shown
 *
 * Answers may be kept back for a moment. When a worker dies, any path without an answer may have been why.
 */
import type { JobPath } from './job-path.ts';

export type WorkerSetup = {
  /** The arguments of the command. */
  readonly argv: readonly string[];
  /** All of standard input in base64, where the arguments ask for it. */
  readonly standardInput?: string | undefined;
  readonly images: ImageUse;
};

/** Whether a worker goes on from an image if there is one, and if there is none, keeps one for the others. */
export type ImageUse = 'none' | 'use' | 'use-or-keep';

export type WorkerOrder = { readonly paths: readonly JobPath[] };

export type WorkerReport =
  | { readonly kind: 'job'; readonly line: string }
  | { readonly kind: 'names'; readonly names: readonly string[] }
  | { readonly kind: 'started' | 'done' | 'restart' | 'without-image' | 'out-of-memory' }
  | { readonly kind: 'failed'; readonly exitCode: number };

export function printReport(report: WorkerReport): string {
  switch (report.kind) {
    case 'job':
      return `j${report.line}\n`;
    case 'names':
      return `n${JSON.stringify(report.names)}\n`;
    case 'failed':
      return `f${report.exitCode}\n`;
    default:
      return `${report.kind.charAt(0)}\n`;
  }
}

/** Throws `Error` for what no worker says. */
export function parseReport(line: string): WorkerReport {
  const rest = line.slice(1);
  switch (line.charAt(0)) {
    case 'j':
      return { kind: 'job', line: rest };
    case 'n':
      return { kind: 'names', names: JSON.parse(rest) as string[] };
    case 's':
      return { kind: 'started' };
    case 'd':
      return { kind: 'done' };
    case 'r':
      return { kind: 'restart' };
    case 'w':
      return { kind: 'without-image' };
    case 'o':
      return { kind: 'out-of-memory' };
    case 'f':
      return { kind: 'failed', exitCode: Number(rest) };
    default:
      throw new Error(`a worker said '${line.slice(0, 100)}', which means nothing`);
  }
}
