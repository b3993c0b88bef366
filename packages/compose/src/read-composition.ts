/**
 * Raw data → a checked configuration. The data are tables of kinds, of names, of options, as TOML gives them:
 *
 *     { blobservices: { root: { type: 'cache', near: '&disk', far: 'grpc+unix:/run/neve.sock' }, disk: 'file:/var/blobs' } }
 *
 * An instance is a table with a `type`, or a service URL. A reference is `&name`, a URL or a table (an anonymous instance,
 * one for each place where it stands), or a bare name as older files of Snix have it; a name has no colon and a URL always
 * has one, so they cannot be confused. Everything is checked before anything is started, and every mistake is reported.
 */
import { CompositionConfig, findCycles, printPath } from './composition-config.ts';
import type { ConfigPath, Instance, Reference } from './composition-config.ts';
import { CompositionError } from './composition-error.ts';
import type { Problem } from './composition-error.ts';
import { hintFor } from './unknown-name.ts';
import { isTable, readOptions, showRaw } from './read-options.ts';
import type { AnyServiceType, Registry } from './registry.ts';
import type { ServiceKind } from './service-kind.ts';
import { ServiceUrl } from './service-url.ts';

export type ReadCompositionOptions = {
  /** What is read, for messages: the name of a file. */
  readonly source?: string;
  /** Where a path was written, counted from 1. */
  lineOf?(path: ConfigPath): number | undefined;
};

/** Throws `CompositionError` with all mistakes. */
export function readComposition(
  raw: Readonly<Record<string, unknown>>,
  registry: Registry,
  options: ReadCompositionOptions = {},
): CompositionConfig {
  return new CompositionReader(raw, registry, options).read();
}

const namePattern = /^[\p{L}\p{N}_.-]+$/u;

class CompositionReader {
  readonly #raw: Readonly<Record<string, unknown>>;
  readonly #registry: Registry;
  readonly #options: ReadCompositionOptions;
  readonly #problems: Problem[] = [];

  constructor(raw: Readonly<Record<string, unknown>>, registry: Registry, options: ReadCompositionOptions) {
    this.#raw = raw;
    this.#registry = registry;
    this.#options = options;
  }

  read(): CompositionConfig {
    const instances = Object.entries(this.#raw).flatMap(([table, raw]) => this.#readTable(table, raw));
    const { source } = this.#options;
    const config = new CompositionConfig({ registry: this.#registry, source, instances });
    for (const cycle of findCycles(config)) {
      const [start] = cycle;
      const paths = [...cycle, start].map(({ path }, i) =>
        printPath(i < cycle.length ? path : path.slice(0, 2)),
      );
      this.#report(start.path, {
        code: 'cycle',
        message: `a service cannot need itself: ${paths.join(' → ')}`,
        hint: 'take one of these references away',
      });
    }
    const [first, ...more] = this.#problems;
    if (first !== undefined) throw new CompositionError(first, { more, ...(source && { source }) });
    return config;
  }

  #readTable(table: string, raw: unknown): readonly Instance[] {
    const { kinds } = this.#registry;
    const kind = kinds.find((it) => it.table === table);
    if (kind === undefined) {
      const tables = kinds.map((it) => it.table);
      const message = 'there is no kind of service with this table';
      this.#report([table], { code: 'unknown-kind', message, hint: hintFor(table, tables) });
      return [];
    }
    if (!isTable(raw)) {
      const message = `must be a table of ${kind.name} services by name, not ${showRaw(raw)}`;
      this.#report([table], { code: 'bad-option', message });
      return [];
    }
    return Object.entries(raw).flatMap(([name, it]) => {
      const path = [table, name];
      if (!namePattern.test(name)) {
        const message = 'a name consists of letters, digits, "_", "." and "-"';
        this.#report(path, { code: 'bad-name', message });
      }
      return this.#readInstance(kind, it, path) ?? [];
    });
  }

  #readInstance(kind: ServiceKind<unknown>, raw: unknown, path: ConfigPath): Instance | undefined {
    const found = typeof raw === 'string' ? this.#readUrl(kind, raw, path) : this.#readType(kind, raw, path);
    if (found === undefined) return undefined;
    const options = readOptions(found.type.options, found.options, {
      path,
      fromUrl: typeof raw === 'string',
      report: (at, problem) => this.#report(at, problem),
      readReference: (to, it, at) => this.#readReference(to, it, at),
    });
    return { kind, name: path.slice(1).join('.'), path, type: found.type, options };
  }

  #readType(kind: ServiceKind<unknown>, raw: unknown, path: ConfigPath): RawInstance | undefined {
    if (!isTable(raw)) {
      const message = `must be a table with a type, or a service URL, not ${showRaw(raw)}`;
      this.#report(path, { code: 'bad-option', message });
      return undefined;
    }
    const { type: name, ...options } = raw;
    if (typeof name !== 'string') {
      const code = name === undefined ? 'missing-option' : 'bad-option';
      const known = this.#typeNames(kind).join(', ');
      this.#report([...path, 'type'], {
        code,
        message: `must name the type of the service: one of ${known}`,
      });
      return undefined;
    }
    const type = this.#findType(kind, name, [...path, 'type']);
    return type && { type, options };
  }

  #readUrl(kind: ServiceKind<unknown>, text: string, path: ConfigPath): RawInstance | undefined {
    try {
      const url = ServiceUrl.parse(text);
      const type = this.#findType(kind, url.type, path);
      if (type === undefined) return undefined;
      if (type.fromUrl !== undefined) return { type, options: type.fromUrl(url) };
      const message = `a ${kind.name} service of type ${JSON.stringify(type.type)} has no URL`;
      this.#report(path, { code: 'bad-url', message, hint: 'write a table with its options' });
    } catch (error) {
      if (!(error instanceof CompositionError)) throw error;
      this.#report(path, { code: error.code, message: error.message });
    }
    return undefined;
  }

  #findType(kind: ServiceKind<unknown>, name: string, path: ConfigPath): AnyServiceType | undefined {
    const type = this.#registry.find(kind, name);
    if (type === undefined) {
      this.#report(path, {
        code: 'unknown-type',
        message: `there is no ${kind.name} service of type ${JSON.stringify(name)}`,
        hint: hintFor(name, this.#typeNames(kind)),
      });
    }
    return type;
  }

  #typeNames(kind: ServiceKind<unknown>): readonly string[] {
    return this.#registry.types(kind).map(({ type }) => type);
  }

  #readReference(kind: ServiceKind<unknown>, raw: unknown, path: ConfigPath): Reference | undefined {
    const name = typeof raw === 'string' && !raw.includes(':') ? raw.replace(/^&/, '') : undefined;
    if (name !== undefined) {
      if (!namePattern.test(name)) return undefined;
      this.#checkName(kind, name, path);
      return { path, target: { kind: 'named', service: kind, name } };
    }
    if (typeof raw !== 'string' && !isTable(raw)) return undefined;
    // What is wrong with the instance has been reported; the reference itself is well-formed.
    const instance = this.#readInstance(kind, raw, path) ?? brokenInstance(kind, path);
    return { path, target: { kind: 'anonymous', instance } };
  }

  #checkName(kind: ServiceKind<unknown>, name: string, path: ConfigPath): void {
    const table = Object.hasOwn(this.#raw, kind.table) ? this.#raw[kind.table] : undefined;
    const names = isTable(table) ? Object.keys(table) : [];
    if (names.includes(name)) return;
    this.#report(path, {
      code: 'unknown-instance',
      message: `there is no ${kind.name} service named ${JSON.stringify(name)}`,
      hint: hintFor(name, names),
    });
  }

  #report(path: ConfigPath, problem: Omit<Problem, 'path' | 'line'>): void {
    const line = this.#options.lineOf?.(path);
    this.#problems.push({ ...problem, path: printPath(path), ...(line === undefined ? {} : { line }) });
  }
}

type RawInstance = { readonly type: AnyServiceType; readonly options: Readonly<Record<string, unknown>> };

/** Stands for what could not be read, in a configuration that will be refused. */
function brokenInstance(kind: ServiceKind<unknown>, path: ConfigPath): Instance {
  const type = { kind, type: 'broken', description: '', options: {}, build: () => undefined };
  return { kind, name: '', path, type, options: new Map() };
}
