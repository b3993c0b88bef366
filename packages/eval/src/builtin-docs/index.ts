/** What is written about every builtin: one table, in reading order. */
import type { BuiltinDoc } from './builtin-doc.ts';
import { controlDocs } from './control.ts';
import { derivationDocs } from './derivations.ts';
import { fetcherDocs, fileDocs } from './files.ts';
import { formatDocs } from './formats.ts';
import { listDocs } from './lists.ts';
import { numberDocs } from './numbers.ts';
import { setDocs } from './sets.ts';
import { stringDocs } from './strings.ts';
import { valueDocs } from './values.ts';

export { builtinSubjects } from './builtin-doc.ts';
export type { BuiltinDoc, BuiltinExample, BuiltinSubject } from './builtin-doc.ts';

/** Every builtin that an evaluator has with all experimental features, by subject. */
export const builtinDocs: readonly BuiltinDoc[] = [
  ...valueDocs,
  ...numberDocs,
  ...stringDocs,
  ...listDocs,
  ...setDocs,
  ...controlDocs,
  ...formatDocs,
  ...fileDocs,
  ...fetcherDocs,
  ...derivationDocs,
];
