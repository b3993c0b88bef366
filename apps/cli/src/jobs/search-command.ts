/** `neve search`: packages whose attribute path, name or description match, as `nix search` prints them. */
import { isTerminal } from '../output.ts';
import type { Arguments } from '../parse-words.ts';
import { wantsColour } from '../terminal-wishes.ts';
import { summaries } from '../top-level-commands.ts';
import { UsageError } from '../usage-error.ts';
import { parseDrvName } from './drv-name.ts';
import type { FoundPackage } from './find-packages.ts';
import { type Listing, type ListingCommand, type ListingContext, openListing } from './listing.ts';
import { searchOptionTable } from './listing-options.ts';
import { posixPattern } from './posix-pattern.ts';

type SearchArguments = Arguments<keyof typeof searchOptionTable>;

export const searchCommand: ListingCommand<keyof typeof searchOptionTable> = {
  table: searchOptionTable,
  description: {
    name: 'search',
    summary: summaries.search,
    usage: ['search [OPTIONS] --file FILE ATTRIBUTE PATH REGEX…', "search [OPTIONS] '' REGEX…"],
    description: `Prints the packages of a file whose attribute path, name or description match all of the regular expressions. The
attribute path says where to begin; '' is everything. Sets in sets are looked into where they say recurseForDerivations = true.`,
    options: Object.values(searchOptionTable),
    arguments: ['attribute', 'text'],
    takesSettings: true,
  },
  run: search,
};

async function search(args: SearchArguments, context: ListingContext): Promise<number> {
  const [attribute, ...regexes] = args.positional;
  if (attribute?.includes('#') === true) {
    throw new UsageError(`'${attribute}' is part of a flake, and flakes are not supported yet; use --file`);
  }
  if (attribute === undefined || regexes.length === 0) {
    throw new UsageError(
      "give an attribute path ('' is everything) and a regular expression ('^' is every package)",
    );
  }
  const wanted = regexes.map((it) => posixPattern(it, 'gi'));
  const unwanted = args.all('exclude').map((it) => posixPattern(it, 'i'));
  const listing = await openListing(args, context, {
    ...{ attribute, once: false, plainNames: false },
    // As in the outputs of a flake, a set for each system.
    enters: (attrPath) => /^(?:legacyPackages|packages)(?:\.[^.]*)?$/.test(attrPath),
  });
  const { caller } = context;
  const json: Record<string, unknown> = {};
  const colour = wantsColour(caller.environment, () => isTerminal(1));
  let count = 0;
  for await (const found of listing.finder.find(listing.root, attribute)) {
    const entry = await describe(found, listing);
    const matches = entry && matchesOf(entry, { wanted, unwanted });
    if (entry === undefined || matches === undefined) continue;
    count += 1;
    const { attrPath, name, version, description } = entry;
    if (args.has('json')) json[attrPath] = { description, pname: name, version };
    else caller.write(1, `${count > 1 ? '\n' : ''}${entryText(entry, { matches, colour })}`);
  }
  if (args.has('json')) {
    const sorted = Object.entries(json).sort(([left], [right]) => (left < right ? -1 : 1));
    caller.write(1, `${JSON.stringify(Object.fromEntries(sorted))}\n`);
  } else if (count === 0) {
    caller.write(2, 'error: no results for the given search term(s)!\n');
    return 1;
  }
  return listing.failures() === 0 ? 0 : 1;
}

export type Entry = {
  readonly attrPath: string;
  readonly name: string;
  readonly version: string;
  readonly description: string;
};

async function describe(
  { attrPath, value }: FoundPackage,
  { reader, finder }: Listing,
): Promise<Entry | undefined> {
  try {
    const { name, version } = parseDrvName(await reader.name(value));
    const meta = await reader.attribute(value, 'meta');
    const description = meta && (await reader.textAttribute(meta, 'description'));
    return { attrPath, name, version, description: (description ?? '').replaceAll('\n', ' ') };
  } catch (error) {
    if (!(await finder.tolerates(error, value))) throw error;
    return undefined;
  } finally {
    reader.release();
  }
}

type Span = { readonly start: number; readonly end: number };

export type Matches = { readonly attrPath: readonly Span[]; readonly description: readonly Span[] };

/** Where an entry matches; nothing when it is not wanted. */
export function matchesOf(
  { attrPath, name, description }: Entry,
  { wanted, unwanted }: { readonly wanted: readonly RegExp[]; readonly unwanted: readonly RegExp[] },
): Matches | undefined {
  if (unwanted.some((it) => it.test(attrPath) || it.test(name) || it.test(description))) return undefined;
  const spans = { attrPath: [] as Span[], description: [] as Span[] };
  for (const pattern of wanted) {
    const [inPath, inName, inDescription] = [attrPath, name, description].map((it) => spansOf(it, pattern));
    if ([inPath, inName, inDescription].every((it) => it?.length === 0)) return undefined;
    spans.attrPath.push(...(inPath ?? []));
    spans.description.push(...(inDescription ?? []));
  }
  return spans;
}

function spansOf(text: string, pattern: RegExp): readonly Span[] {
  return Array.from(text.matchAll(pattern), ({ index, 0: all }) => ({
    start: index,
    end: index + all.length,
  }));
}

const [normal, bold, green] = ['\u001B[0m', '\u001B[0;1m', '\u001B[32;1m'];

/** Two lines, or one without a description. */
export function entryText(
  { attrPath, version, description }: Entry,
  { matches, colour }: { readonly matches: Matches; readonly colour: boolean },
): string {
  const path = colour ? `${bold}${highlighted(attrPath, matches.attrPath, bold)}${normal}` : attrPath;
  const title = `* ${path}${version === '' ? '' : ` (${version})`}\n`;
  if (description === '') return title;
  return `${title}  ${colour ? highlighted(description, matches.description, normal) : description}\n`;
}

/** Matches in green; those that touch are one. */
function highlighted(text: string, spans: readonly Span[], after: string): string {
  let [result, done] = ['', 0];
  const sorted = spans.toSorted((left, right) => left.start - right.start);
  for (let index = 0; index < sorted.length;) {
    const start = sorted[index]?.start ?? 0;
    let end = sorted[index]?.end ?? 0;
    for (index += 1; index < sorted.length && (sorted[index]?.start ?? 0) <= end; index += 1) {
      end = Math.max(end, sorted[index]?.end ?? 0);
    }
    result += `${text.slice(done, start)}${green}${text.slice(start, end)}${after}`;
    done = end;
  }
  return result + text.slice(done);
}
