/** `neve env --query --available`: the packages of a file as `nix-env -qa` lists them, in columns or as JSON. */
import { decodeUtf8, encodeUtf8 } from '@neve/bytes';
import type { Value } from '@neve/eval';
import type { Arguments } from '../parse-words.ts';
import { summaries } from '../top-level-commands.ts';
import { UsageError } from '../usage-error.ts';
import { parseDrvName } from './drv-name.ts';
import type { FoundPackage } from './find-packages.ts';
import { type Listing, type ListingCommand, type ListingContext, openListing } from './listing.ts';
import { envOptionTable } from './listing-options.ts';
import { posixPattern } from './posix-pattern.ts';

type EnvArguments = Arguments<keyof typeof envOptionTable>;

export const envCommand: ListingCommand<keyof typeof envOptionTable> = {
  table: envOptionTable,
  description: {
    name: 'env',
    summary: summaries.env,
    usage: ['env --query --available [OPTIONS] [NAME…]', 'env -qaP [OPTIONS] [NAME…]'],
    description: `Lists the packages of a file, sorted by name: those that are named, or all. A NAME is a regular expression for the
whole name, perhaps with a version (firefox-100.0). The options are those of nix-env, of which there is only this operation.`,
    options: Object.values(envOptionTable),
    arguments: ['text'],
    takesSettings: true,
  },
  run: listPackages,
};

async function listPackages(args: EnvArguments, context: ListingContext): Promise<number> {
  if (args.has('installed') || !args.has('available') || !args.has('query')) {
    throw new UsageError(
      'profiles are not supported yet; `neve env --query --available` lists what a file has',
    );
  }
  const attribute = args.last('attr') ?? '';
  const listing = await openListing(args, context, {
    ...{ attribute, once: true, plainNames: true },
    enters: () => false,
  });
  const system = args.last('systemFilter') ?? '*';
  const rows: Row[] = [];
  const selectors = args.positional.map((text) => new Selector(text));
  for await (const found of listing.finder.find(listing.root, attribute)) {
    const row = await read(found, { args, listing, system, selectors });
    if (row !== undefined) rows.push(row);
  }
  const unmatched = selectors.find(({ isMatched }) => !isMatched);
  if (unmatched !== undefined) {
    context.caller.write(2, `error: selector '${unmatched.text}' matched no derivations\n`);
    return 1;
  }
  // Where names are the same, the first attribute comes first.
  rows.sort((left, right) => compareBytes(left.key, right.key));
  context.caller.write(
    1,
    args.has('json') ? printJson(rows) : printTable(rows.map(({ columns }) => columns)),
  );
  return listing.failures() === 0 ? 0 : 1;
}

type Row = {
  readonly key: string;
  readonly attrPath: string;
  readonly columns: readonly string[];
  readonly json: unknown;
};

type ReadContext = {
  readonly args: EnvArguments;
  readonly listing: Listing;
  readonly system: string;
  readonly selectors: readonly Selector[];
};

async function read(found: FoundPackage, context: ReadContext): Promise<Row | undefined> {
  const { reader, finder } = context.listing;
  try {
    return await readRow(found, context);
  } catch (error) {
    if (!(await finder.tolerates(error, found.value))) throw error;
    return undefined;
  } finally {
    reader.release();
  }
}

async function readRow(
  { attrPath, value }: FoundPackage,
  { args, listing, system: wanted, selectors }: ReadContext,
): Promise<Row | undefined> {
  const { reader } = listing;
  const fullName = await reader.name(value);
  const system = await reader.system(value);
  if (wanted !== '*' && system !== wanted) return undefined;
  const matching = selectors.filter((it) => it.matches(fullName));
  if (selectors.length > 0 && matching.length === 0) return undefined;
  const key = fullName.toLowerCase();
  if (args.has('json'))
    return { key, attrPath, columns: [], json: await jsonOf(value, { args, listing, attrPath }) };
  const columns: string[] = [];
  if (args.has('attrPath')) columns.push(attrPath);
  if (!args.has('noName')) columns.push(fullName);
  if (args.has('system')) columns.push(system);
  if (args.has('drvPath')) columns.push(await reader.drvPath(value));
  if (args.has('outPath')) {
    const outputs = Object.entries(await reader.outputs(value, attrPath)).sort(byName);
    columns.push(outputs.map(([name, path]) => `${name === 'out' ? '' : `${name}=`}${path ?? ''}`).join(';'));
  }
  if (args.has('description')) columns.push(await description(value, listing));
  return { key, attrPath, columns, json: undefined };
}

/** Empty where it is no text. */
async function description(value: Value, { reader, evaluator }: Listing): Promise<string> {
  const meta = await reader.attribute(value, 'meta');
  const text = meta && (await reader.attribute(meta, 'description'));
  return text !== undefined && evaluator.describe(text).kind === 'string'
    ? decodeUtf8(await evaluator.toRaw(text))
    : '';
}

type JsonContext = {
  readonly args: EnvArguments;
  readonly listing: Listing;
  readonly attrPath: string;
};

/** As far as it can be evaluated. */
async function jsonOf(value: Value, { args, listing, attrPath }: JsonContext): Promise<unknown> {
  const { reader, finder } = listing;
  const { fullName, name, version } = parseDrvName(await reader.name(value));
  const system = await reader.system(value);
  const outputName = (await reader.textAttribute(value, 'outputName')) ?? '';
  const json: Record<string, unknown> = { name: fullName, pname: name, version, system, outputName };
  try {
    const outputs = args.has('outPath')
      ? Object.entries(await reader.outputs(value, attrPath))
      : (await reader.outputNames(value)).map((it) => [it, null] as const);
    json['outputs'] = Object.fromEntries([...outputs].sort(byName));
    if (args.has('drvPath')) json['drvPath'] = await reader.drvPath(value);
    if (args.has('meta')) json['meta'] = await metaOf(value, listing);
  } catch (error) {
    if (!(await finder.tolerates(error, value))) throw error;
  }
  return Object.fromEntries(Object.entries(json).sort(byName));
}

/** What cannot be written down is `null`. */
async function metaOf(value: Value, { evaluator, reader }: Listing): Promise<unknown> {
  const program = await evaluator.parse({ kind: 'string', text: encodeUtf8(plainMeta), directory: '/' });
  const function_ = reader.own(await evaluator.evaluate(program));
  const result = reader.own(await evaluator.autoCall(function_, new Map([['value', value]])));
  return JSON.parse(decodeUtf8(await evaluator.toJSON(result, { strict: true }))) as unknown;
}

const plainMeta = `
  { value }:
  let
    isPlain = it:
      if builtins.isList it then builtins.all isPlain it
      else if builtins.isAttrs it then !(it ? outPath) && builtins.all isPlain (builtins.attrValues it)
      else builtins.isInt it || builtins.isBool it || builtins.isString it || builtins.isFloat it;
  in
  builtins.mapAttrs (_: it: if isPlain it then it else null) (value.meta or { })`;

function printJson(rows: readonly Row[]): string {
  const entries = rows.map(({ attrPath, json }) => [attrPath, json] as const);
  return `${JSON.stringify(Object.fromEntries([...entries].sort(byName)), undefined, 2)}\n`;
}

/** Columns are as wide as their widest text, with two blanks between them. */
export function printTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    rows.reduce((width, row) => Math.max(width, Buffer.byteLength(row[column] ?? '')), 0),
  );
  const lines = rows.map((row) =>
    row
      .map((text, column) => {
        const padding = (widths[column] ?? 0) - Buffer.byteLength(text) + 2;
        return text.replaceAll('\n', ' ') + (column + 1 < row.length ? ' '.repeat(padding) : '');
      })
      .join(''),
  );
  return lines.map((line) => `${line}\n`).join('');
}

/** A regular expression for a name, and perhaps a version. */
class Selector {
  readonly text: string;
  isMatched = false;
  readonly #name: RegExp | undefined;
  readonly #version: string;

  constructor(text: string) {
    const { name, version } = parseDrvName(text);
    this.text = text;
    this.#name = name === '*' ? undefined : posixPattern(`^(?:${name})$`, '');
    this.#version = version;
  }

  matches(fullName: string): boolean {
    const { name, version } = parseDrvName(fullName);
    const isMatch = (this.#name?.test(name) ?? true) && (this.#version === '' || this.#version === version);
    this.isMatched ||= isMatch;
    return isMatch;
  }
}

function byName([left]: readonly [string, unknown], [right]: readonly [string, unknown]): number {
  return compareBytes(left, right);
}

function compareBytes(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}
