/** The options of `neve nar-bridge`: those of Snix's program of that name, and Neve's own. */
import type { OptionSpec } from '../parse-words.ts';
import { storeOptions } from '../store/store-options.ts';
import { tlsOptions } from '../tls-options.ts';

const {
  store,
  composition,
  blobs,
  directories,
  pathInfos,
  storeDir,
  otlp,
  traceFile,
  tracer,
  quiet,
  logFormat,
  help,
} = storeOptions;

export const narBridgeOptions = {
  listen: {
    names: ['-l', '--listen-address', '--listen'],
    parameters: ['ADDRESS'],
    help: 'host:port, [::]:port, unix:/path or sd-listen; may be given again (default: [::]:9000)',
  },
  priority: {
    names: ['--priority'],
    parameters: ['N'],
    help: 'of several caches Nix asks that with the lowest number first (default: 39)',
  },
  capacity: {
    names: ['--root-nodes-cache-capacity'],
    parameters: ['N'],
    help: 'taken for the sake of Snix: uploads that wait for their narinfo are on disk here',
  },
  readOnly: { names: ['--read-only'], parameters: [], help: 'take no uploads' },
  signingKey: {
    names: ['--signing-key'],
    parameters: ['FILE'],
    help: 'sign what is served by this secret key; may be given again',
  },
  trustedKey: {
    names: ['--trusted-public-key'],
    parameters: ['KEY'],
    help: 'whose signatures count for uploads; may be given again',
  },
  requireSignatures: {
    names: ['--require-signatures'],
    parameters: [],
    help: 'take only what a trusted key has signed, or what its own path proves',
  },
  compressedFolder: {
    names: ['--compressed-nars'],
    parameters: ['FOLDER'],
    help: 'keep compressed NARs in this folder, and serve them',
  },
  compressedSize: {
    names: ['--compressed-nars-size'],
    parameters: ['GIB'],
    help: 'how much of it may be used (default: 16)',
  },
  maxUploads: {
    names: ['--max-uploads'],
    parameters: ['N'],
    help: 'how many NARs are taken at the same time (default: 16)',
  },
  maxConnections: {
    names: ['--max-connections'],
    parameters: ['N'],
    help: 'more are closed at once (default: 4096)',
  },
  idleTimeout: {
    names: ['--idle-timeout'],
    parameters: ['SECONDS'],
    help: 'a client that stalls for so long is left (default: 60)',
  },
  graceTime: {
    names: ['--grace-time'],
    parameters: ['SECONDS'],
    help: 'how long what is under way may take to end (default: 30)',
  },
  socketMode: {
    names: ['--socket-mode', '--unix-listen-chmod'],
    parameters: ['MODE'],
    help: 'of a Unix socket, as 660 (the default)',
  },
  ...tlsOptions,
  store,
  composition,
  blobs,
  directories,
  pathInfos,
  storeDir,
  json: { names: ['--json'], parameters: [], help: 'write the log of requests as JSON' },
  otlp,
  traceFile,
  tracer,
  quiet: { ...quiet, help: 'write no log of requests' },
  logFormat,
  help,
} as const satisfies Record<string, OptionSpec>;

export type NarBridgeOptionName = keyof typeof narBridgeOptions;
