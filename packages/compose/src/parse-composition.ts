/**
 * The two ways in which people write a composition: a TOML file, and one URL for each kind of service. The parser of TOML
 * gives no positions of values, so the line of a mistake is found afterwards, by reading the file again statement by
 * statement.
 */
import { TomlError, parse } from 'smol-toml';
import type { CompositionConfig, ConfigPath } from './composition-config.ts';
import { CompositionError } from './composition-error.ts';
import { hintFor } from './unknown-name.ts';
import { isTable } from './read-options.ts';
import { readComposition } from './read-composition.ts';
import type { Registry } from './registry.ts';

/** Throws `CompositionError` with all mistakes; `source` is the name of the file. */
export function parseComposition(text: string, source: string, registry: Registry): CompositionConfig {
  const raw = parseToml(text, source);
  let statements: readonly Statement[] | undefined;
  const lineOf = (path: ConfigPath): number | undefined => {
    statements ??= readStatements(text);
    return findLine(statements, path);
  };
  return readComposition(raw, registry, { source, lineOf });
}

/**
 * One service for each kind, by the kind's name: `{ blob: 'memory:', directory: 'lmdb:/var/lib/neve/directories' }`. Each
 * is the `root` of its kind, and may refer to the others as `&root`.
 */
export function composeFromUrls(
  urls: Readonly<Record<string, string>>,
  registry: Registry,
  source?: string,
): CompositionConfig {
  const { kinds } = registry;
  const tables = Object.entries(urls).map(([name, url]) => {
    const kind = kinds.find((it) => it.name === name);
    if (kind !== undefined) return [kind.table, { root: url }] as const;
    const names = kinds.map((it) => it.name);
    const message = 'there is no such kind of service';
    throw new CompositionError({ code: 'unknown-kind', path: name, message, hint: hintFor(name, names) });
  });
  return readComposition(Object.fromEntries(tables), registry, source === undefined ? {} : { source });
}

function parseToml(text: string, source: string): Readonly<Record<string, unknown>> {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // Only the first line, and no cause: the rest quotes the file, where passwords may be.
    const message = error.message.split('\n', 1)[0] ?? '';
    throw new CompositionError({ code: 'bad-toml', path: '', line: error.line, message }, { source });
  }
}

/** What a file says up to the end of a statement, and the line where that statement starts. */
type Statement = { readonly line: number; readonly soFar: Readonly<Record<string, unknown>> };

/** Above this, mistakes have no lines: reading every beginning of a file takes quadratic time. */
const maxLines = 1000;

/** A beginning of a TOML file is valid TOML exactly if it ends between two statements. */
function readStatements(text: string): readonly Statement[] {
  const lines = text.split('\n');
  if (lines.length > maxLines) return [];
  const statements: Statement[] = [];
  let start = 1;
  for (let count = 1; count <= lines.length; count += 1) {
    try {
      statements.push({ line: start, soFar: parse(lines.slice(0, count).join('\n')) });
      start = count + 1;
    } catch (error) {
      if (!(error instanceof TomlError)) throw error;
    }
  }
  return statements;
}

/** The first line after which `path` is there; that of its table, if it is not there at all. */
function findLine(statements: readonly Statement[], path: ConfigPath): number | undefined {
  for (let length = path.length; length > 0; length -= 1) {
    const part = path.slice(0, length);
    const statement = statements.find(({ soFar }) => has(soFar, part));
    if (statement !== undefined) return statement.line;
  }
  return undefined;
}

function has(raw: unknown, path: ConfigPath): boolean {
  const [name, ...rest] = path;
  if (name === undefined) return true;
  return isTable(raw) && Object.hasOwn(raw, name) && has(raw[name], rest);
}
