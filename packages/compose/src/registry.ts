/**
 * The types of services that a composition may name. A program makes one registry at its composition root and hands it
 * to the packages that have services to offer; there is no global one.
 */
import type { OptionSchema, OptionValues } from './option.ts';
import type { ServiceKind } from './service-kind.ts';
import type { ServiceUrl } from './service-url.ts';

/** What a service learns about itself when it is started. */
export type BuildContext = {
  /** For spans and logs: the name in the file, or `root.near` for what stands inside of `root`. */
  readonly instanceName: string;
  /** For messages: `blobservices.root.near`. */
  readonly path: string;
  /** Aborts when the composition is disposed of. */
  readonly signal: AbortSignal;
};

export interface ServiceType<S, O extends OptionSchema> {
  readonly kind: ServiceKind<S>;
  /** The `type` of a table and the scheme of a URL: lower case letters, digits, `-` and `.`. */
  readonly type: string;
  /** One line for people. */
  readonly description: string;
  readonly options: O;
  /**
   * Options as they would stand in a file, except that numbers and booleans may be texts; see `optionsFromUrl`. They are
   * checked afterwards like those of a file. Throws `CompositionError`. Absent: there is no URL for this type.
   */
  fromUrl?(url: ServiceUrl): Readonly<Record<string, unknown>>;
  /** References in `options` are started services. The composition disposes of what is returned. */
  build(options: OptionValues<O>, context: BuildContext): NoInfer<S> | Promise<NoInfer<S>>;
}

/** A type whose service and options are not known to the compiler any more. */
export type AnyServiceType = ServiceType<unknown, OptionSchema>;

export class Registry {
  readonly #kinds = new Map<string, ServiceKind<unknown>>();
  readonly #types = new Map<string, Map<string, AnyServiceType>>();

  /** Throws a plain error for a type that is registered twice or has names which no file could spell: a bug. */
  register<S, O extends OptionSchema>(definition: ServiceType<S, O>): this {
    const { kind, type, options } = definition;
    assert(/^[a-z][a-z0-9.-]*$/.test(type), `the type ${type} is no scheme`);
    for (const name of Object.keys(options)) {
      assert(/^[a-z][a-z0-9_]*$/.test(name) && name !== 'type', `${type}: ${name} cannot be an option`);
    }
    const known = this.#kinds.get(kind.table);
    assert(known === undefined || known.name === kind.name, `two kinds have the table ${kind.table}`);
    this.#kinds.set(kind.table, kind);
    const types = this.#types.get(kind.table) ?? new Map<string, AnyServiceType>();
    assert(!types.has(type), `${kind.name} services have two types ${type}`);
    this.#types.set(kind.table, types.set(type, definition));
    return this;
  }

  /** In the order in which they were first registered. */
  get kinds(): readonly ServiceKind<unknown>[] {
    return [...this.#kinds.values()];
  }

  /** In the order in which they were registered. */
  types(kind: ServiceKind<unknown>): readonly AnyServiceType[] {
    return [...(this.#types.get(kind.table)?.values() ?? [])];
  }

  find(kind: ServiceKind<unknown>, type: string): AnyServiceType | undefined {
    return this.#types.get(kind.table)?.get(type);
  }
}

function assert(condition: boolean, why: string): asserts condition {
  if (!condition) throw new Error(`Bug in a registration of services: ${why}`);
}
