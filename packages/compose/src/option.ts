/**
 * What a type of service takes as options, as data. One schema reads TOML, URLs and plain objects, and gives `build` its
 * types:
 *
 *     const options = {
 *       path: option.path(),
 *       map_size: option.size().default('1 GiB'),
 *       near: option.reference(blobs),
 *       region: option.text().optional(),
 *     };
 *
 * An option is required unless it says otherwise. Names are those of the file, in snake case. `type` is taken.
 */
import type { ServiceKind } from './service-kind.ts';
import type { ServiceUrl } from './service-url.ts';

/** How the value of an option is written and checked; `read-options.ts` has the rules. */
export type OptionType =
  | { readonly kind: 'text' | 'boolean' | 'path' | 'seconds' | 'text list' | 'text map' | 'url' }
  | { readonly kind: 'integer' | 'size'; readonly min: number; readonly max: number }
  | { readonly kind: 'reference' | 'priorities'; readonly service: ServiceKind<unknown> };

declare const optionValue: unique symbol;

export interface Option<T> {
  readonly type: OptionType;
  readonly presence: 'required' | 'optional' | 'default';
  /** As it would be written in a file. */
  readonly defaultValue: unknown;
  readonly isSecret: boolean;
  optional(): Option<T | undefined>;
  /** A value as it would be written in a file: `'1 GiB'`, `'&root'`. */
  default(value: unknown): Option<T>;
  /** The value is shown as `***`. */
  secret(): Option<T>;
  /** Only for the compiler. */
  readonly [optionValue]?: () => T;
}

export type OptionSchema = Readonly<Record<string, Option<unknown>>>;

/** What `build` gets for a schema. */
export type OptionValues<O extends OptionSchema> = {
  readonly [Name in keyof O]: O[Name] extends Option<infer T> ? T : never;
};

/** One of several services, asked in ascending order of `priority`. */
export type Prioritised<S> = { readonly priority: number; readonly service: S };

type Range = { readonly min?: number; readonly max?: number };

export const option = {
  text: (): Option<string> => create({ kind: 'text' }),
  boolean: (): Option<boolean> => create({ kind: 'boolean' }),
  /** A path of the machine that the program runs on; not empty, without NUL. Nothing in it is expanded. */
  path: (): Option<string> => create({ kind: 'path' }),
  /** A whole number in a range with both ends; any that a double holds exactly if there is none. */
  integer: (range: Range = {}): Option<number> =>
    create({ kind: 'integer', min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER, ...range }),
  /** Bytes, written as a number or as a text with a unit: `65536`, `'64 KiB'`, `'2G'` (1024³), `'5 MB'` (1000²). */
  size: (range: Range = {}): Option<number> =>
    create({ kind: 'size', min: 0, max: Number.MAX_SAFE_INTEGER, ...range }),
  /** A duration in seconds, above 0, with a fraction if wanted. */
  seconds: (): Option<number> => create({ kind: 'seconds' }),
  /** A list; one text with blanks between its elements in a URL. */
  textList: (): Option<readonly string[]> => create({ kind: 'text list' }),
  textMap: (): Option<ReadonlyMap<string, string>> => create({ kind: 'text map' }),
  /** Any URL in the syntax of `ServiceUrl`, `https://cache.nixos.org` as well. */
  url: (): Option<ServiceUrl> => create({ kind: 'url' }),
  /** Another service, which is started first: `'&name'`, a URL, a table with a `type`, or (as Snix had it) a bare name. */
  reference: <S>(service: ServiceKind<S>): Option<S> => create({ kind: 'reference', service }),
  /** Services by priority, `{ 10 = "&a", 20 = "&b" }`: at least one, in ascending order, no priority twice. */
  priorities: <S>(service: ServiceKind<S>): Option<readonly Prioritised<S>[]> =>
    create({ kind: 'priorities', service }),
} as const;

type Details = Pick<Option<unknown>, 'presence' | 'defaultValue' | 'isSecret'>;

function create<T>(
  type: OptionType,
  details: Details = { presence: 'required', defaultValue: undefined, isSecret: false },
): Option<T> {
  return {
    type,
    ...details,
    optional: () => create(type, { ...details, presence: 'optional' }),
    default: (defaultValue) => create(type, { ...details, presence: 'default', defaultValue }),
    secret: () => create(type, { ...details, isSecret: true }),
  };
}
