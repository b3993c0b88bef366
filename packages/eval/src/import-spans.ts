/**
 * Spans of the files that an evaluation imports, each from being read to having a value: what is asked of the world meanwhile
 * is within them. A file that fails tells nobody: its span ends with the file that has imported it, or with the evaluation.
 */
import { decodeUtf8 } from '@neve/bytes';
import { type Span, startSpan, withActiveSpan } from '@neve/telemetry';

type OpenImport = { readonly path: string; readonly span: Span };

export class ImportSpans {
  /** The innermost last. Those of evaluations that run beside one another are among one another. */
  #open: OpenImport[] = [];

  /** The source of a file is wanted. */
  begin(path: Uint8Array): void {
    const text = decodeUtf8(path);
    const outer = this.#open.at(-1)?.span.context;
    const span = startSpan('eval.import', {
      attributes: { 'code.file.path': text },
      ...(outer !== undefined && { parent: outer }),
    });
    if (span !== undefined) this.#open.push({ path: text, span });
  }

  /** A file has a value. Those within it that are still open have failed. */
  end(path: Uint8Array): void {
    const text = decodeUtf8(path);
    const at = this.#open.findLastIndex((it) => it.path === text);
    if (at !== -1) this.#endFrom(at);
  }

  /** The evaluation has failed. */
  endAll(): void {
    this.#endFrom(0);
  }

  /** Does what the innermost file asks for. */
  within<T>(work: () => T): T {
    return withActiveSpan(this.#open.at(-1)?.span, work);
  }

  #endFrom(index: number): void {
    for (const { span } of this.#open.splice(index).toReversed()) span.end();
  }
}
