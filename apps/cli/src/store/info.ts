/** `neve store info`: what is known of store paths. */
import { type PathInfo, readPathClosure, readReferrers } from '@neve/store';
import { type StorePath, printContentAddress, printSignature } from '@neve/nix-compat';
import { write } from '../output.ts';
import { openStore, storeDirectory } from './open-store.ts';
import { nodeJson, pathInfoJson } from './path-info-json.ts';
import { required } from './required.ts';
import { storeCommand } from './store-command.ts';
import { findPathInfo } from './store-object.ts';

export const infoCommand = storeCommand({
  name: 'info',
  summary: 'show what is known of store paths',
  usage: ['info [OPTIONS] PATH…'],
  arguments: ['store-path'],
  description: 'Shows path infos: NAR hash and size, references, signatures, and the castore node.',
  options: {
    closure: {
      names: ['--closure', '-r', '--recursive'],
      parameters: [],
      help: 'with everything that the paths refer to',
    },
    referrers: { names: ['--referrers'], parameters: [], help: 'the paths that refer to these, instead' },
  },
  async run(args, signal) {
    const names = required(args.positional, 'the store path');
    await using store = await openStore(args);
    const directory = storeDirectory(args);
    let found: readonly PathInfo[] = await Promise.all(
      names.map((name) => findPathInfo(store, name, directory.path)),
    );
    const paths = found.map(({ storePath }) => storePath);
    if (args.has('closure')) found = (await readPathClosure(paths, store, signal)).pathInfos;
    if (args.has('referrers')) found = await referrersOf(paths);
    if (args.has('json')) {
      const entries = found.map(
        (it) => [directory.print(it.storePath), pathInfoJson(it, directory)] as const,
      );
      write(1, `${JSON.stringify(Object.fromEntries(entries))}\n`);
      return;
    }
    for (const pathInfo of found) write(1, describe(pathInfo));

    async function referrersOf(targets: readonly StorePath[]): Promise<readonly PathInfo[]> {
      const hashParts = await readReferrers(
        targets,
        { pathInfos: store.pathInfos, recursive: false },
        signal,
      );
      const result = await Promise.all(hashParts.map((it) => store.pathInfos.get(it, signal)));
      return result.filter((it) => it !== undefined);
    }

    function describe(it: PathInfo): string {
      const rows: readonly (readonly [string, string])[] = [
        ['NAR hash', it.narHash.format('sri')],
        ['NAR size', `${it.narSize}`],
        ...it.references.map((reference) => ['reference', directory.print(reference)] as const),
        ...(it.deriver === undefined ? [] : [['deriver', directory.print(it.deriver)] as const]),
        ...(it.contentAddress === undefined
          ? []
          : [['content', printContentAddress(it.contentAddress)] as const]),
        ...it.signatures.map((signature) => ['signature', printSignature(signature)] as const),
        ['node', Object.values(nodeJson(it.node)).join(' ')],
      ];
      const lines = rows.map(([key, value]) => `  ${`${key}:`.padEnd(11)} ${value}\n`);
      return `${directory.print(it.storePath)}\n${lines.join('')}`;
    }
  },
});
