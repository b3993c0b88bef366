/** What a span is called where there is room for more than its kind: `realise.build hello-2.12`. */
import type { Attributes } from './span.ts';

/** What a span is about, the first that it has. */
const subjects = ['path.name', 'fetch.name', 'code.file.path', 'eval.attribute', 'url.full'] as const;

export function spanTitle(name: string, attributes: Attributes): string {
  const subject = subjects.map((it) => attributes[it]).find((it) => typeof it === 'string' && it !== '');
  return subject === undefined ? name : `${name} ${String(subject)}`;
}
