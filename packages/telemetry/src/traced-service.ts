/**
 * A service whose methods are spans. What stands around it is transparent: whatever else a service has, methods that are not
 * named and properties beyond its interface, is that of the service itself. It is put around services in a composition, and
 * only when somebody listens, so that services cost nothing otherwise.
 */
import { counter } from './metrics.ts';
import type { Attributes } from './span.ts';
import { inSpan, streamInSpan } from './tracing.ts';

/** How a method becomes a span. */
export type TracedMethod<Parameters extends readonly unknown[]> = {
  /** A method gives a promise unless it says otherwise. */
  readonly kind?: 'promise' | 'stream';
  readonly attributes?: (...parameters: Parameters) => Attributes;
  /** It looks something up; what is not there is `undefined` or false. Hits and misses are counted. */
  readonly isLookup?: boolean;
};

/** Of methods of a service. */
export type TracedMethods<S> = {
  readonly [M in keyof S & string]?: NonNullable<S[M]> extends (...parameters: infer P) => unknown
    ? TracedMethod<P>
    : never;
};

export type TracedServiceOptions = {
  /** `BlobService`; a span is called `BlobService.has`. */
  readonly service: string;
  /** Which one of them, as a composition calls it. */
  readonly instanceName: string;
};

const lookups = counter('neve.store.lookups', {
  unit: '{lookup}',
  description: 'What services were asked for, by whether they had it',
});

type Method = (...parameters: readonly unknown[]) => unknown;

/** `service` with spans around `methods`; those that it does not have are left out. */
export function tracedService<S extends object>(
  service: S,
  methods: TracedMethods<S>,
  options: TracedServiceOptions,
): S {
  // Whoever calls a method gives it the parameters that it has.
  const tracedMethods = methods as Readonly<Record<string, TracedMethod<readonly unknown[]> | undefined>>;
  const known = new Map<string | symbol, unknown>();
  return new Proxy(service, {
    get(target, property) {
      if (known.has(property)) return known.get(property);
      // Private fields are found on the service itself only.
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== 'function') return value;
      const method = (value as Method).bind(target);
      const traced = typeof property === 'string' ? tracedMethods[property] : undefined;
      const result =
        traced === undefined
          ? method
          : tracedMethod(method, { ...options, ...traced, name: String(property) });
      known.set(property, result);
      return result;
    },
  });
}

type MethodOptions = TracedMethod<readonly unknown[]> & TracedServiceOptions & { readonly name: string };

function tracedMethod(method: Method, options: MethodOptions): Method {
  const { kind = 'promise', attributes, isLookup = false, service, instanceName, name } = options;
  const title = `${service}.${name}`;
  const spanOf = (parameters: readonly unknown[]): { readonly attributes: Attributes } => ({
    attributes: { instance_name: instanceName, ...attributes?.(...parameters) },
  });
  if (kind === 'stream') {
    return (...parameters) =>
      // What a stream gives is what the method says.
      streamInSpan(title, spanOf(parameters), () => method(...parameters) as AsyncIterable<unknown>);
  }
  return (...parameters) =>
    inSpan(title, spanOf(parameters), async (span) => {
      const result = await method(...parameters);
      if (isLookup) {
        const found = result !== undefined && result !== false;
        span?.set({ found });
        lookups.add(1, { instance_name: instanceName, service, found });
      }
      return result;
    });
}
