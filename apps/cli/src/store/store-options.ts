/** The options that every command of `neve store` has: which store it works on, and how it shows what it does. */
import type { Arguments, OptionSpec } from '../parse-words.ts';
import { logFormatOption } from '../progress/log-format-option.ts';
import { otlpOption } from '../telemetry/otlp-option.ts';
import { traceFileOption, tracerOption } from '../telemetry/trace-options.ts';

export const storeOptions = {
  store: {
    names: ['--store'],
    parameters: ['STORE'],
    help: 'a folder, a service URL, or a name in the composition (default: root)',
  },
  composition: {
    names: ['--store-composition'],
    parameters: ['FILE'],
    help: 'the TOML file that says which services make the store',
  },
  blobs: {
    names: ['--blob-service-addr'],
    parameters: ['URL'],
    help: 'the blobs, in place of the composition',
  },
  directories: {
    names: ['--directory-service-addr'],
    parameters: ['URL'],
    help: 'the directories, in place of the composition',
  },
  pathInfos: {
    names: ['--path-info-service-addr'],
    parameters: ['URL'],
    help: 'the path infos, in place of the composition',
  },
  storeDir: {
    names: ['--store-dir'],
    parameters: ['DIR'],
    help: 'the directory that stands in store paths (default: /nix/store)',
  },
  json: { names: ['--json'], parameters: [], help: 'print as JSON' },
  otlp: otlpOption,
  traceFile: traceFileOption,
  tracer: tracerOption,
  quiet: { names: ['--quiet'], parameters: [], help: 'show no progress' },
  logFormat: logFormatOption,
  help: { names: ['--help', '-h'], parameters: [], help: 'show this help' },
} as const satisfies Record<string, OptionSpec>;

export type StoreOptionName = keyof typeof storeOptions;

/** What a command was given for these options, whatever others it has. */
export type StoreArguments = Pick<Arguments<Exclude<StoreOptionName, 'logFormat'>>, 'has' | 'last'>;

/** Arguments of a command that has these options under other names. */
export function storeArguments(values: Partial<Record<StoreOptionName, string>>): StoreArguments {
  return { has: (name) => values[name] !== undefined, last: (name) => values[name] };
}
