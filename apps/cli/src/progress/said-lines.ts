/** What is written to standard error, as whole lines: several are one message when they were written together. */
export class SaidLines {
  readonly #tell: (text: string) => void;
  /** What has not ended its line. */
  #unfinished = '';

  /** `tell` gets text without its last line end. */
  constructor(tell: (text: string) => void) {
    this.#tell = tell;
  }

  write(text: string | Uint8Array): void {
    this.#unfinished += typeof text === 'string' ? text : Buffer.from(text).toString();
    const end = this.#unfinished.lastIndexOf('\n');
    if (end === -1) return;
    const said = this.#unfinished.slice(0, end);
    this.#unfinished = this.#unfinished.slice(end + 1);
    this.#tell(said);
  }

  end(): void {
    if (this.#unfinished !== '') this.#tell(this.#unfinished);
    this.#unfinished = '';
  }
}
