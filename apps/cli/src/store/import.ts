/** `neve store import`: files, NARs and archives into a store. */
import { createReadStream } from 'node:fs';
import { basename, resolve } from 'node:path';
import type { Node } from '@neve/castore';
import { archiveEntries, ingestEntries, readTar } from '@neve/castore';
import { decompress, fileSystemEntries, gitEntries, readZip } from '@neve/castore/node';
import { nodeHashes } from '@neve/bytes/node';
import { checkStorePathName } from '@neve/nix-compat';
import { type NarCalculation, NarObserver, type PathInfo, StoreError, ingestNar } from '@neve/store';
import { TaskDisplay } from '../progress/task-display.ts';
import { UsageError } from '../usage-error.ts';
import { type OpenStore, openStore, storeDirectory } from './open-store.ts';
import { pathInfoJson } from './path-info-json.ts';
import { type StoreState, openState } from './store-state.ts';
import { storeCommand } from './store-command.ts';
import { isExpected } from '../expected-errors.ts';

type Form = 'files' | 'nar' | 'tar' | 'zip' | 'git';

export const importCommand = storeCommand({
  name: 'import',
  summary: 'add files, a NAR, an archive or a git revision, and print the store paths',
  usage: [
    'import [OPTIONS] PATH…',
    'import [OPTIONS] --nar|--tar|--zip FILE…',
    'import [OPTIONS] --git REPOSITORY [--rev REVISION]',
  ],
  description: `Adds what is given to the store as nix-store --add does, and prints the store path of each. A FILE may be
- for standard input; compressed NARs and tar archives are recognised. Symbolic links are not followed.`,
  options: {
    nar: { names: ['--nar'], parameters: [], help: 'the arguments are NAR files' },
    tar: { names: ['--tar'], parameters: [], help: 'the arguments are tar archives' },
    zip: { names: ['--zip'], parameters: [], help: 'the arguments are zip archives' },
    git: { names: ['--git'], parameters: [], help: 'the arguments are git repositories' },
    rev: { names: ['--rev'], parameters: ['REVISION'], help: 'the revision to import (default: HEAD)' },
    submodules: { names: ['--submodules'], parameters: [], help: 'with the submodules of the revision' },
    exportIgnore: {
      names: ['--export-ignore'],
      parameters: [],
      help: 'without what the attribute export-ignore names',
    },
    strip: {
      names: ['--strip'],
      parameters: [],
      help: 'the only entry at the top of an archive becomes the root',
    },
    name: { names: ['--name'], parameters: ['NAME'], help: 'the name in the store path' },
    noCache: {
      names: ['--no-file-cache'],
      parameters: [],
      help: 'read files again that have not changed since they were imported',
    },
  },
  async run(args, signal) {
    const forms = (['nar', 'tar', 'zip', 'git'] as const).filter((form) => args.has(form));
    if (forms.length > 1) throw new UsageError(`--${forms[0]} and --${forms[1]} exclude each other`);
    const form: Form = forms[0] ?? 'files';
    const sources = args.positional;
    if (sources.length === 0) throw new UsageError('there is nothing to import');
    const name = args.last('name');
    if (name !== undefined && sources.length > 1) throw new UsageError('--name is for one object only');
    for (const source of sources) checkStorePathName(name ?? defaultName(source, form));

    await using store = await openStore(args);
    await using state = await openState(args);
    await using _lease = await state.leases.acquire();
    const calculation = state.narCalculation(store);
    const directory = storeDirectory(args);
    const added: PathInfo[] = [];
    using progress = new TaskDisplay(args);
    const total = sources.length;
    progress.show({ verb: 'imported', done: 0, total, unit: 'objects' });
    for (const source of sources) {
      const { node, nar } = await importNode(source, {
        store,
        state,
        form,
        signal,
        strip: args.has('strip'),
        revision: args.last('rev') ?? 'HEAD',
        submodules: args.has('submodules'),
        exportIgnore: args.has('exportIgnore'),
        useCache: !args.has('noCache'),
        // A thread takes longer to start than a small tree takes to read.
        useThread: sources.length <= 4,
      });
      // One transaction.
      await Promise.all([nar && state.recordNar(node, nar), state.fileCache.save()]);
      const { narSize, narHash } = nar ?? (await calculation.calculateNar(node, signal));
      const storePath = directory.fixedPath({
        name: name ?? defaultName(source, form),
        method: 'nar',
        digest: narHash,
      });
      const pathInfo: PathInfo = {
        storePath,
        node,
        references: [],
        narSize,
        narHash,
        signatures: [],
        deriver: undefined,
        contentAddress: { method: 'nar', digest: narHash },
      };
      added.push(await store.pathInfos.put(pathInfo, signal));
      progress.show({ verb: 'imported', done: added.length, total, unit: 'objects' });
      if (!args.has('json')) progress.write(1, `${directory.print(storePath)}\n`);
    }
    if (!args.has('json')) return;
    progress.write(1, `${JSON.stringify(added.map((it) => pathInfoJson(it, directory)))}\n`);
  },
});

type ImportOptions = {
  readonly store: OpenStore;
  readonly state: StoreState;
  readonly form: Form;
  readonly signal: AbortSignal;
  readonly strip: boolean;
  readonly revision: string;
  readonly submodules: boolean;
  readonly exportIgnore: boolean;
  readonly useCache: boolean;
  readonly useThread: boolean;
};

/** `nar` is what was learned on the way. */
type Imported = { readonly node: Node; readonly nar?: NarCalculation | undefined };

/** Errors name the archive; those of files name the file anyway. */
async function importNode(source: string, options: ImportOptions): Promise<Imported> {
  try {
    return await importForm(source, options);
  } catch (cause) {
    if (options.form === 'files' || options.signal.aborted || !isExpected(cause)) throw cause;
    const title = source === '-' ? 'standard input' : `'${source}'`;
    throw new StoreError('unsupported', `${title} cannot be imported: ${cause.message}`, { cause });
  }
}

async function importForm(source: string, options: ImportOptions): Promise<Imported> {
  const { store, form, signal } = options;
  const { blobs, directories } = store;
  const strip = options.strip ? 'always' : 'never';
  switch (form) {
    case 'files':
      return await importFiles(source, options);
    case 'nar': {
      const stream = decompress(readSource(source), 'auto');
      const { node, ...nar } = await ingestNar(stream, { blobs, directories, hashes: nodeHashes }, signal);
      return { node, nar };
    }
    case 'tar': {
      const members = readTar(decompress(readSource(source), 'auto'));
      const entries = archiveEntries(members, { blobs, strip, signal });
      return { node: await ingestEntries(directories, entries, signal) };
    }
    case 'zip': {
      const entries = archiveEntries(readZip(source), { blobs, strip, signal });
      return { node: await ingestEntries(directories, entries, signal) };
    }
    case 'git': {
      const { revision, submodules, exportIgnore } = options;
      const entries = gitEntries(source, revision, { blobs, submodules, exportIgnore, signal });
      return { node: await ingestEntries(directories, entries, signal) };
    }
  }
}

async function importFiles(source: string, options: ImportOptions): Promise<Imported> {
  const { store, state, signal } = options;
  const observer = new NarObserver(nodeHashes);
  const entries = fileSystemEntries(source, {
    blobs: store.blobs,
    observer,
    signal,
    ...(options.useThread && { readerScript: new URL('./tree-reader-worker.cjs', import.meta.url) }),
    ...(options.useCache && { cache: state.fileCache }),
  });
  const node = await ingestEntries(store.directories, entries, signal);
  return { node, nar: observer.result() };
}

function readSource(source: string): AsyncIterable<Uint8Array> {
  return source === '-' ? process.stdin : createReadStream(source, { highWaterMark: 1 << 20 });
}

/** The last component; of an archive without what says that it is one. */
function defaultName(source: string, form: Form): string {
  if (source === '-') return 'source';
  const name = basename(resolve(source));
  return form === 'files' || form === 'git'
    ? name
    : name.replace(/(\.nar|\.tar|\.zip)?(\.(gz|bz2|xz|zst|br))?$|\.(tgz|tbz2|txz)$/, '');
}
