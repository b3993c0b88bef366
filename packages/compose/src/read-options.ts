/**
 * Raw options (of TOML, of a URL, of a plain object) → checked ones, by a schema. All mistakes are reported, each with its
 * path; none is thrown. From a URL everything comes as text, so there a text is taken for a number, a boolean or a list.
 */
import { redactUrl } from '@neve/diagnostics';
import type { Problem } from './composition-error.ts';
import { CompositionError } from './composition-error.ts';
import type { CheckedOption, ConfigPath, Reference } from './composition-config.ts';
import { hintFor } from './unknown-name.ts';
import type { Option, OptionSchema, OptionType } from './option.ts';
import type { ServiceKind } from './service-kind.ts';
import { ServiceUrl } from './service-url.ts';

export interface OptionContext {
  readonly path: ConfigPath;
  /** Whether the options come from a URL. */
  readonly fromUrl: boolean;
  report(path: ConfigPath, problem: Omit<Problem, 'path' | 'line'>): void;
  /** Gives nothing if `raw` is no reference at all; what is wrong with its target is reported there. */
  readReference(kind: ServiceKind<unknown>, raw: unknown, path: ConfigPath): Reference | undefined;
}

export function readOptions(
  schema: OptionSchema,
  raw: Readonly<Record<string, unknown>>,
  context: OptionContext,
): ReadonlyMap<string, CheckedOption> {
  for (const name of Object.keys(raw)) {
    if (Object.hasOwn(schema, name)) continue;
    const hint = hintFor(name, Object.keys(schema));
    context.report([...context.path, name], { code: 'unknown-option', message: 'unknown option', hint });
  }
  const options = new Map<string, CheckedOption>();
  for (const [name, it] of Object.entries(schema)) {
    const given = Object.hasOwn(raw, name) ? raw[name] : undefined;
    const path = [...context.path, name];
    if (given === undefined && it.presence === 'required') {
      const message = `this option is missing; it must be ${expectation(it.type)}`;
      context.report(path, { code: 'missing-option', message });
      continue;
    }
    const value = given ?? it.defaultValue;
    if (value === undefined) continue;
    const checked = readOption(it, value, {
      ...context,
      path,
      fromUrl: context.fromUrl && given !== undefined,
    });
    if (checked !== undefined) options.set(name, checked);
  }
  return options;
}

/** A raw value that is a table of TOML or a plain object. */
export function isTable(raw: unknown): raw is Readonly<Record<string, unknown>> {
  return typeof raw === 'object' && raw !== null && !Array.isArray(raw) && !(raw instanceof Date);
}

/** `"nera"`, `3`, `a table`: a wrong value in a message, without a secret if it is a URL. */
export function showRaw(raw: unknown): string {
  if (typeof raw === 'string') return JSON.stringify(redactUrl(raw));
  if (typeof raw === 'number' || typeof raw === 'boolean') return String(raw);
  if (Array.isArray(raw)) return 'a list';
  return raw instanceof Date ? 'a date' : 'a table';
}

function readOption(it: Option<unknown>, raw: unknown, context: OptionContext): CheckedOption | undefined {
  const { type } = it;
  if (type.kind === 'priorities') return readPriorities(type.service, raw, context);
  if (type.kind === 'reference') {
    const reference = context.readReference(type.service, raw, context.path);
    if (reference !== undefined) return { kind: 'reference', reference };
  } else {
    try {
      const value = readValue(type, raw, context.fromUrl);
      if (value !== undefined) return { kind: 'value', value };
    } catch (error) {
      if (!(error instanceof CompositionError)) throw error;
      context.report(context.path, { code: error.code, message: error.message });
      return undefined;
    }
  }
  const isRightShape =
    type.kind === 'text map' ? isTable(raw) : type.kind === 'text list' && Array.isArray(raw);
  const contrast = isRightShape ? '' : `, not ${it.isSecret ? 'this' : showRaw(raw)}`;
  context.report(context.path, { code: 'bad-option', message: `must be ${expectation(type)}${contrast}` });
  return undefined;
}

function readPriorities(
  service: ServiceKind<unknown>,
  raw: unknown,
  context: OptionContext,
): CheckedOption | undefined {
  const expected = expectation({ kind: 'priorities', service });
  const bad = (path: ConfigPath, message: string): void => {
    context.report(path, { code: 'bad-option', message });
  };
  if (!isTable(raw) || Object.keys(raw).length === 0) {
    bad(context.path, `must be ${expected}, not ${isTable(raw) ? 'empty' : showRaw(raw)}`);
    return undefined;
  }
  const entries = new Map<number, Reference>();
  for (const [key, rawReference] of Object.entries(raw)) {
    const path = [...context.path, key];
    const priority = /^[0-9]{1,9}$/.test(key) ? Number(key) : undefined;
    if (priority === undefined) bad(path, 'a priority is a whole number from 0 to 999999999');
    else if (entries.has(priority)) bad(path, `the priority ${priority} is given twice`);
    const reference = context.readReference(service, rawReference, path);
    if (reference === undefined) {
      bad(path, `must be ${expectation({ kind: 'reference', service })}, not ${showRaw(rawReference)}`);
    } else if (priority !== undefined) {
      entries.set(priority, reference);
    }
  }
  const sorted = [...entries].sort(([left], [right]) => left - right);
  return { kind: 'priorities', entries: sorted.map(([priority, reference]) => ({ priority, reference })) };
}

/** The value of an option that is no reference; undefined if `raw` is of a wrong type or out of range. */
function readValue(type: OptionType, raw: unknown, fromUrl: boolean): unknown {
  switch (type.kind) {
    case 'text':
      return typeof raw === 'string' ? raw : undefined;
    case 'path':
      return typeof raw === 'string' && /^[^\0]+$/.test(raw) ? raw : undefined;
    case 'url':
      return typeof raw === 'string' ? ServiceUrl.parse(raw) : undefined;
    case 'boolean':
      return typeof raw === 'boolean' ? raw : fromUrl ? readFlag(raw) : undefined;
    case 'seconds': {
      const seconds = fromUrl ? readNumber(raw) : raw;
      return typeof seconds === 'number' && seconds > 0 && Number.isFinite(seconds) ? seconds : undefined;
    }
    case 'integer':
      return inRange(fromUrl ? readNumber(raw) : raw, type);
    case 'size':
      return inRange(typeof raw === 'string' ? readSize(raw) : raw, type);
    case 'text list':
      return readTextList(raw, fromUrl);
    case 'text map':
      return isTable(raw) && isTexts(Object.values(raw)) ? new Map(Object.entries(raw)) : undefined;
    case 'reference':
    case 'priorities':
      throw new Error(`Bug: ${type.kind} is no plain value`);
  }
}

function inRange(value: unknown, { min, max }: { min: number; max: number }): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max
    ? value
    : undefined;
}

function readNumber(raw: unknown): number | undefined {
  return typeof raw === 'string' && /^-?[0-9]+(\.[0-9]+)?$/.test(raw) ? Number(raw) : undefined;
}

/** `?read-only` and `?read-only=1` are true. */
function readFlag(raw: unknown): boolean | undefined {
  if (raw === '' || raw === '1' || raw === 'true') return true;
  return raw === '0' || raw === 'false' ? false : undefined;
}

/** `K` and `KiB` are 1024, as in Nix; `kB` and `KB` are 1000. */
function readSize(raw: string): number | undefined {
  const match = /^([0-9]+) ?(?:([kKMGT])(iB|B)?|B)?$/.exec(raw);
  if (match === null) return undefined;
  const [, digits, letter = '', suffix] = match;
  return Number(digits) * (suffix === 'B' ? 1000 : 1024) ** ' KMGT'.indexOf(letter.toUpperCase() || ' ');
}

function readTextList(raw: unknown, fromUrl: boolean): readonly string[] | undefined {
  if (!fromUrl) return Array.isArray(raw) && isTexts(raw) ? raw : undefined;
  const texts: readonly unknown[] = Array.isArray(raw) ? raw : [raw];
  return isTexts(texts)
    ? texts.flatMap((text) => text.split(/\s+/)).filter((text) => text !== '')
    : undefined;
}

function isTexts(values: readonly unknown[]): values is readonly string[] {
  return values.every((value) => typeof value === 'string');
}

function expectation(type: OptionType): string {
  switch (type.kind) {
    case 'text':
      return 'a text';
    case 'boolean':
      return 'true or false';
    case 'path':
      return 'a path';
    case 'seconds':
      return 'a number of seconds above 0';
    case 'text list':
      return 'a list of nothing but texts';
    case 'text map':
      return 'a table of nothing but texts';
    case 'url':
      return 'a URL';
    case 'integer':
      return `a whole number${rangeOf(type)}`;
    case 'size':
      return `a number of bytes${rangeOf(type)}, as 65536 or "64 KiB"`;
    case 'reference':
      return `a reference to a ${type.service.name} service, as "&name" or "memory:"`;
    case 'priorities':
      return `a table of priorities and references to ${type.service.name} services, as { 10 = "&name" }`;
  }
}

function rangeOf({ min, max }: { min: number; max: number }): string {
  const low = min > Number.MIN_SAFE_INTEGER ? ` from ${min}` : '';
  return max < Number.MAX_SAFE_INTEGER ? `${low} to ${max}` : low;
}
