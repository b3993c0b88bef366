/**
 * A configuration for people: what is in effect, defaults included, in the shape in which it could be written in a file,
 * with secrets as `***`. Nothing is started for it.
 */
import { isSecretName, redactUrl } from '@neve/diagnostics';
import { stringify } from 'smol-toml';
import type { CheckedOption, CompositionConfig, Instance, Reference } from './composition-config.ts';
import { ServiceUrl } from './service-url.ts';

/** Ready for JSON. An option that is an instance of its own is one of these again. */
export type InstanceDescription = { readonly type: string; readonly [option: string]: OptionDescription };

export type OptionDescription =
  | string
  | number
  | boolean
  | readonly string[]
  | InstanceDescription
  | { readonly [key: string]: string | InstanceDescription };

/** Tables of kinds, then of names. */
export type CompositionDescription = Readonly<Record<string, Readonly<Record<string, InstanceDescription>>>>;

export function describeComposition(config: CompositionConfig): CompositionDescription {
  const tables = new Map<string, [string, InstanceDescription][]>();
  for (const instance of config.instances) {
    const { table } = instance.kind;
    tables.set(table, [...(tables.get(table) ?? []), [instance.name, describeInstance(instance)]]);
  }
  return Object.fromEntries([...tables].map(([table, it]) => [table, Object.fromEntries(it)]));
}

/** As TOML. It reads back as the same configuration, if nothing in it is secret. */
export function printComposition(config: CompositionConfig): string {
  return stringify(describeComposition(config));
}

function describeInstance({ type, options }: Instance): InstanceDescription {
  const described = [...options].map(([name, it]) => {
    const isSecret = isSecretName(name) || type.options[name]?.isSecret === true;
    return [name, isSecret ? '***' : describeOption(it)] as const;
  });
  return { type: type.type, ...Object.fromEntries(described) };
}

function describeOption(it: CheckedOption): OptionDescription {
  if (it.kind === 'reference') return describeReference(it.reference);
  if (it.kind === 'priorities') {
    return Object.fromEntries(
      it.entries.map(({ priority, reference }) => [priority, describeReference(reference)]),
    );
  }
  const { value } = it;
  if (value instanceof Map) {
    const pairs = [...(value as ReadonlyMap<string, string>)];
    return Object.fromEntries(pairs.map(([key, text]) => [key, isSecretName(key) ? '***' : redactUrl(text)]));
  }
  if (Array.isArray(value)) return (value as readonly string[]).map(redactUrl);
  if (value instanceof ServiceUrl || typeof value === 'string') return redactUrl(urlText(value));
  // What is left of the types of options.
  return value as number | boolean;
}

function describeReference({ target }: Reference): string | InstanceDescription {
  return target.kind === 'named' ? `&${target.name}` : describeInstance(target.instance);
}

function urlText(value: ServiceUrl | string): string {
  return typeof value === 'string' ? value : value.text;
}
