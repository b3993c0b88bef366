/** Elements of string contexts as the core writes them: a store path, `=` and a derivation, `!output!` and a derivation. */
import type { ContextElement } from './eval-io.ts';

export function parseContextElement(text: string): ContextElement {
  if (text.startsWith('=')) return { kind: 'derivation', drvPath: text.slice(1) };
  if (!text.startsWith('!')) return { kind: 'path', storePath: text };
  const end = text.indexOf('!', 1);
  return { kind: 'output', outputName: text.slice(1, end), drvPath: text.slice(end + 1) };
}

/** The store object that must be there before anything can be made of the element. */
export function basePath(element: ContextElement): string {
  return element.kind === 'path' ? element.storePath : element.drvPath;
}

/** The output that Nix names when several must not be built: the first of the first derivation. */
export function firstOutput(context: readonly ContextElement[]): string | undefined {
  let first: (ContextElement & { kind: 'output' }) | undefined;
  for (const element of context) {
    if (element.kind !== 'output') continue;
    const isEarlier =
      first === undefined ||
      element.drvPath < first.drvPath ||
      (element.drvPath === first.drvPath && element.outputName < first.outputName);
    if (isEarlier) first = element;
  }
  return first && `${first.drvPath}^${first.outputName}`;
}
