/** A word as a shell would read it: without its quotes, which may not be closed yet. Nothing in it is expanded. */
export function unquoted(word: string): string {
  const parts = word.matchAll(/'([^']*)'?|"((?:[^"\\]|\\.)*)"?|\\(.?)|([^'"\\]+)/gs);
  return Array.from(parts, ([, single, double, escaped, plain]) =>
    double === undefined ? (single ?? escaped ?? plain ?? '') : double.replace(/\\(["$\\`])/g, '$1'),
  ).join('');
}
