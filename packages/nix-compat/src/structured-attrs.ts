/**
 * Structured attributes: a derivation whose attributes are one JSON object, in the variable `__json` of its text, and
 * not variables of the environment. Its builder finds them in two files:
 *
 *     .attrs.json   the object, keys in bytewise order, no white space
 *     .attrs.sh     declarations for bash, a line each, of what bash can hold:
 *
 *         declare NAME='text'              texts, numbers without a fraction, true (1), false (empty), null ('')
 *         declare -a NAME=('item' 2 )      lists of these
 *         declare -A NAME=(['key']=1 )     objects of these
 *
 * In both there is also `outputs`, by name, and for each key of `exportReferencesGraph` what the store knows of the paths.
 * Numbers in the shell file have 32 bits, as Nix computes them: integers lose what is above, what is no integer counts as
 * one when single precision cannot tell, and becomes -2147483648 when 32 bits cannot hold it.
 */
import type { Derivation } from './derivation.ts';
import { isJsonObject, parseJson, printJson, sortedKeys } from './json.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { NixCompatError } from './nix-compat-error.ts';

/** The variable of a derivation's text that holds its attributes. */
export const structuredAttrsVariable = '__json';

/** `undefined` for a derivation without them. Throws `NixCompatError` (`bad-derivation`). */
export function readStructuredAttrs({ name, environment }: Derivation): JsonObject | undefined {
  const bytes = environment.get(structuredAttrsVariable);
  if (bytes === undefined) return undefined;
  const bad = (problem: string, options?: ErrorOptions): NixCompatError =>
    new NixCompatError(
      'bad-derivation',
      `derivation '${name}': cannot process __json attribute: ${problem}`,
      options,
    );
  let value: JsonValue;
  try {
    value = parseJson(bytes);
  } catch (cause) {
    if (!(cause instanceof NixCompatError)) throw cause;
    throw bad(cause.message, { cause });
  }
  if (!isJsonObject(value)) throw bad('it is not an object');
  return value;
}

/** What is added to the attributes for the builder. */
export type AddedAttrs = {
  /** Absolute paths, or what stands for them. */
  readonly outputs: ReadonlyMap<string, string>;
  /** By key of `exportReferencesGraph`. */
  readonly graphs: ReadonlyMap<string, readonly ExportedPathInfo[]>;
};

/** A store path of an exported graph. */
export type ExportedPathInfo = {
  /** Absolute, as `references`. */
  readonly path: string;
  /** As in `sha256:<nixbase32>`. */
  readonly narHash: string;
  readonly narSize: number;
  /** NAR sizes of all that it refers to, itself included. */
  readonly closureSize: number;
  readonly references: readonly string[];
  readonly contentAddress: string | undefined;
};

/** The attributes as the builder sees them. */
export function addToAttrs(attrs: JsonObject, { outputs, graphs }: AddedAttrs): JsonObject {
  const graphValues = Array.from(graphs, ([key, paths]) => [key, paths.map(pathInfoValue)] as const);
  return new Map<string, JsonValue>([...attrs, ['outputs', outputs], ...graphValues]);
}

/** The text of `.attrs.json`. */
export function printAttrsJson(attrs: JsonObject): string {
  return printJson(attrs);
}

/** The text of `.attrs.sh`. */
export function printAttrsShell(attrs: JsonObject): string {
  return sortedKeys(attrs)
    .filter((key) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(key))
    .map((key) => declaration(key, attrs.get(key) ?? null))
    .join('');
}

function pathInfoValue(info: ExportedPathInfo): JsonObject {
  const { path, narHash, narSize, closureSize, references, contentAddress } = info;
  return new Map<string, JsonValue>([
    ['path', path],
    ['narHash', narHash],
    ['narSize', BigInt(narSize)],
    ['closureSize', BigInt(closureSize)],
    ['references', references],
    ['valid', true],
    ...(contentAddress === undefined ? [] : [['ca', contentAddress] as const]),
  ]);
}

/** Empty for what the shell cannot hold. */
function declaration(name: string, value: JsonValue): string {
  const simple = shellWord(value);
  if (simple !== undefined) return `declare ${name}=${simple}\n`;
  if (typeof value !== 'object' || value === null) return '';
  if (!isJsonObject(value)) {
    const words = value.map(shellWord);
    return words.includes(undefined) ? '' : `declare -a ${name}=(${words.map((it) => `${it} `).join('')})\n`;
  }
  const items = sortedKeys(value).map((key) => [key, shellWord(value.get(key) ?? null)] as const);
  if (items.some(([, word]) => word === undefined)) return '';
  return `declare -A ${name}=(${items.map(([key, word]) => `[${quoted(key)}]=${word} `).join('')})\n`;
}

function shellWord(value: JsonValue): string | undefined {
  switch (typeof value) {
    case 'string':
      return quoted(value);
    case 'boolean':
      return value ? '1' : '';
    case 'bigint':
      return String(BigInt.asIntN(32, value));
    case 'number': {
      const single = Math.fround(value);
      if (Math.ceil(single) !== single) return undefined;
      const integer = Math.trunc(value);
      return String(integer === (integer | 0) ? integer | 0 : -(2 ** 31));
    }
    default:
      return value === null ? "''" : undefined;
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
