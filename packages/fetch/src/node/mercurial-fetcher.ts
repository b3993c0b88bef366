/**
 * Fetches from Mercurial repositories by the program `hg`, as Nix does: a local work tree with changes gives its tracked files
 * as they are; everything else is pulled into a clone in the cache folder, and the revision is written out from there.
 */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ingestFiles } from '@neve/castore/node';
import { redactUrl } from '@neve/diagnostics';
import type { MercurialFetch } from '../fetch.ts';
import { FetchError } from '../fetch-error.ts';
import { parseNixUrl, pathOfUrl, printNixUrl } from '../nix-url.ts';
import type { FetchCall, FetchContext, FetchedNode } from './fetch-context.ts';
import { runProgram } from './run-program.ts';

/** Throws `FetchError` (`unsupported` when hg is not installed), `CastoreError`, and the reason of the signal. */
export async function fetchMercurial(
  fetch: MercurialFetch,
  context: FetchContext,
  call: FetchCall,
): Promise<FetchedNode> {
  const url = parseNixUrl(fetch.url);
  if (!['file', 'http', 'https', 'ssh'].includes(url.scheme)) {
    throw new FetchError(
      'invalid-fetch',
      `Mercurial repositories cannot be fetched from '${redactUrl(fetch.url)}'; use file, https or ssh`,
    );
  }
  const hg = new Mercurial(context, call);
  const path = url.scheme === 'file' ? pathOfUrl(url) : undefined;
  if (path !== undefined && fetch.ref === undefined && fetch.revision === undefined) {
    const dirty = await hg.fetchDirty(path);
    if (dirty !== undefined) return dirty;
  }
  return await hg.fetchRevision(fetch, path ?? printNixUrl(url));
}

class Mercurial {
  readonly #given: FetchContext & FetchCall;

  constructor(context: FetchContext, call: FetchCall) {
    this.#given = { ...context, ...call };
  }

  /** `undefined` unless there is a work tree with changes. */
  async fetchDirty(path: string): Promise<FetchedNode | undefined> {
    if (!(await exists(join(path, '.hg')))) return undefined;
    const { blobs, directories, allowDirty, tell, signal } = this.#given;
    const status = ['status', '-R', path];
    if ((await this.#run([...status, '--modified', '--added', '--removed'])) === '') return undefined;
    const problem = `Mercurial tree '${path}' is unclean`;
    if (!allowDirty) throw new FetchError('invalid-fetch', problem);
    tell({ kind: 'warning', message: problem });
    const listing = await this.#run([
      ...status,
      '--clean',
      '--modified',
      '--added',
      '--no-status',
      '--print0',
    ]);
    const taken = new Set<string>();
    for (const file of listing.split('\0')) {
      for (let end = file.length; end > 0; end = file.lastIndexOf('/', end - 1))
        taken.add(file.slice(0, end));
    }
    const node = await ingestFiles(path, {
      blobs,
      directories,
      filter: (entry) => entry.length === 0 || taken.has(entry.map((it) => latin1(it.bytes)).join('/')),
      ...(signal === undefined ? {} : { signal }),
    });
    const ref = (await this.#run(['branch', '-R', path])).trim();
    return { node, source: path, git: { ...noRevision, ref } };
  }

  async fetchRevision({ ref, revision }: MercurialFetch, source: string): Promise<FetchedNode> {
    const { blobs, directories, cacheFolder, signal } = this.#given;
    const clone = await this.#pull(source, revision);
    const log = await this.#run([
      ...['log', '-R', clone, `--rev=${revision ?? ref ?? 'default'}`],
      ...['--template', '{node} {rev} {branch}'],
    ]);
    const [, node = '', count = '', branch = ''] = /^([0-9a-f]{40}) ([0-9]+) (.*)$/.exec(log) ?? [];
    if (node === '')
      throw new FetchError('corrupt', `hg says '${log}' about a revision of '${redactUrl(source)}'`);
    const folder = await mkdtemp(join(cacheFolder, 'hg-'));
    try {
      const tree = join(folder, 'tree');
      await this.#run(['archive', '-R', clone, `--rev=${node}`, '--', tree]);
      await rm(join(tree, '.hg_archival.txt'), { force: true });
      const root = await ingestFiles(tree, {
        blobs,
        directories,
        ...(signal === undefined ? {} : { signal }),
      });
      const git = { ...noRevision, revision: node, revisionCount: Number(count), ref: branch };
      return { node: root, source: redactUrl(source), git };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** A clone that has the revision, or everything that is new. */
  async #pull(source: string, revision: string | undefined): Promise<string> {
    const { cache, cacheFolder, signal } = this.#given;
    const folder = join(cacheFolder, 'hg');
    const clone = join(folder, createHash('sha256').update(source).digest('hex'));
    await using _lock = await cache.lock(`hg ${source}`, signal);
    if (!(await exists(clone))) {
      await mkdir(folder, { recursive: true });
      const fresh = await mkdtemp(`${clone}.new-`);
      try {
        await this.#run(['clone', '--noupdate', '--', source, join(fresh, 'clone')]);
        await rename(join(fresh, 'clone'), clone);
      } finally {
        await rm(fresh, { recursive: true, force: true });
      }
      return clone;
    }
    if (revision !== undefined && (await this.#has(clone, revision))) return clone;
    // What an interrupted pull has left behind.
    if (await exists(join(clone, '.hg/store/journal'))) await this.#run(['recover', '-R', clone]);
    await this.#run(['pull', '-R', clone, '--', source]);
    return clone;
  }

  async #has(clone: string, revision: string): Promise<boolean> {
    const { code, stdout } = await this.#call(['log', '-R', clone, `--rev=${revision}`, '--template', '1']);
    return code === 0 && stdout.toString() === '1';
  }

  async #run(args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.#call(args);
    if (code === 0) return stdout.toString('latin1');
    throw new FetchError('not-found', `'hg ${args[0]}' failed: ${stderr}`);
  }

  #call(args: readonly string[]): ReturnType<typeof runProgram> {
    const { environment, signal } = this.#given;
    // Without these the output is in the language and colours of the user.
    const variables = { ...environment, HGPLAIN: '1', LC_ALL: 'C' };
    return runProgram(['hg', '--noninteractive', ...args], { cwd: '/', environment: variables, signal });
  }
}

const noRevision = {
  revision: undefined,
  dirtyRevision: undefined,
  revisionCount: undefined,
  ref: undefined,
} as const;

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
