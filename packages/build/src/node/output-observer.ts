/** Looks for needles in a tree while it is imported: in contents, names and targets of links. */
import type { ReferenceScanner, ReferenceStream, TreeObserver } from '@neve/castore';

export class NeedleObserver implements TreeObserver {
  readonly #scanner: ReferenceScanner;
  #stream: ReferenceStream | undefined;
  /** Something was not seen, so nothing can be said of what was not found. */
  isIncomplete = false;

  constructor(scanner: ReferenceScanner) {
    this.#scanner = scanner;
  }

  startDirectory(name: Uint8Array): void {
    this.#scanner.scan(name);
  }

  endDirectory(): void {}

  symlink(name: Uint8Array, target: Uint8Array): void {
    this.#scanner.scan(name);
    this.#scanner.scan(target);
  }

  startFile(name: Uint8Array): void {
    this.#scanner.scan(name);
    this.#stream = this.#scanner.begin();
  }

  contents(bytes: Uint8Array): void {
    this.#stream?.scan(bytes);
  }

  endFile(): void {
    this.#stream = undefined;
  }

  incomplete(): void {
    this.isIncomplete = true;
  }
}

/** Several observers as one. */
export function observeAll(observers: readonly TreeObserver[]): TreeObserver {
  return {
    startDirectory: (name) => observers.forEach((it) => it.startDirectory(name)),
    endDirectory: () => observers.forEach((it) => it.endDirectory()),
    symlink: (name, target) => observers.forEach((it) => it.symlink(name, target)),
    startFile: (name, file) => observers.forEach((it) => it.startFile(name, file)),
    contents: (bytes) => observers.forEach((it) => it.contents(bytes)),
    endFile: () => observers.forEach((it) => it.endFile()),
    incomplete: () => observers.forEach((it) => it.incomplete()),
  };
}
