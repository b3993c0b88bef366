/** What clients look for as files: store paths, logs, and the links that are roots. */
import { lstat, mkdtemp, readFile, readdir, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeUtf8 } from '@neve/bytes';
import { nodeHashes } from '@neve/bytes/node';
import { memoryBlobs, memoryDirectories } from '@neve/castore';
import { StoreDirectory } from '@neve/nix-compat';
import { memoryPins, type PathInfo } from '@neve/store';
import { StoreView } from '@neve/store/node';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { linkRoots } from './link-roots.ts';
import { nixLogFiles, severalLogs } from './nix-log-files.ts';
import { viewOfStore } from './view-of-store.ts';

const store = new StoreDirectory('/nix/store', nodeHashes);
const storePath = store.parse('/nix/store/1rz4g4znpzjwh1xymhjpm42vipw92pr7-some.drv');

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'neve-files-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('store paths', () => {
  async function viewed(): Promise<{
    readonly view: ReturnType<typeof viewOfStore>;
    readonly pathInfo: PathInfo;
  }> {
    const castore = { blobs: memoryBlobs(), directories: memoryDirectories() };
    const contents = encodeUtf8('contents');
    const digest = await castore.blobs.put(contents);
    const pathInfo = {
      ...{ storePath, references: [], signatures: [], deriver: undefined, contentAddress: undefined },
      node: { kind: 'file', digest, size: contents.length, executable: false },
      ...{ narSize: 120, narHash: nodeHashes.hash('sha256', contents) },
    } as const;
    return { view: viewOfStore(new StoreView({ folder, castore })), pathInfo };
  }

  test('are there when they are shown, also to several at once, and again when somebody removes them', async () => {
    const { view, pathInfo } = await viewed();
    await Promise.all([view.show(pathInfo), view.show(pathInfo), view.show(pathInfo)]);
    const file = join(folder, storePath.baseName);
    expect(await readFile(file, 'utf8')).toBe('contents');
    await rm(file, { force: true });
    await rm(join(folder, `.${storePath.baseName}.node`));
    await view.show(pathInfo);
    expect(await readFile(file, 'utf8')).toBe('contents');
  });

  test('go when they are forgotten', async () => {
    const { view, pathInfo } = await viewed();
    await view.show(pathInfo);
    await view.forget([storePath]);
    expect(await readdir(folder)).toEqual([]);
  });
});

test('logs lie where a Nix looks for them', async () => {
  const writer = await severalLogs([nixLogFiles(join(folder, 'a')), nixLogFiles(join(folder, 'b'))]).start(
    storePath,
  );
  const line = encodeUtf8('a line\n');
  writer.write(line);
  // The memory is the builder's.
  line.fill(0);
  await writer.end();
  const name = storePath.baseName;
  for (const it of ['a', 'b']) {
    expect(await readFile(join(folder, it, 'drvs', name.slice(0, 2), name.slice(2)), 'utf8')).toBe(
      'a line\n',
    );
  }
});

describe('links', () => {
  const rootsOf = (): ReturnType<typeof linkRoots> =>
    linkRoots({ folder: join(folder, 'gcroots'), store, view: join(folder, 'view'), pins: memoryPins() });

  test('of users are roots for as long as they lead into the store', async () => {
    const roots = rootsOf();
    const link = join(folder, 'result');
    await symlink(store.print(storePath), link);
    await roots.addIndirect(link);
    expect(await roots.list()).toEqual([{ link, storePath }]);
    await rm(link);
    expect(await roots.list()).toEqual([]);
  });

  test('are made, and made anew, but take the place of nothing else', async () => {
    const roots = rootsOf();
    const link = join(folder, 'deep/link');
    await roots.addPermanent(storePath, link);
    await roots.addPermanent(storePath, link);
    expect(await readlink(link)).toBe(store.print(storePath));
    const file = join(folder, 'file');
    await writeFile(file, 'precious');
    await expect(roots.addPermanent(storePath, file)).rejects.toThrow('already exists');
    expect((await lstat(file)).isFile()).toBe(true);
    await expect(roots.addPermanent(storePath, `${store.print(storePath)}/link`)).rejects.toThrow(
      'is forbidden',
    );
  });

  test('pins are roots too', async () => {
    const pins = memoryPins();
    await pins.set({ name: 'mine', root: { kind: 'path', storePath } });
    const roots = linkRoots({ folder: join(folder, 'gcroots'), store, view: folder, pins });
    expect(await roots.list()).toEqual([{ link: '{pin:mine}', storePath }]);
  });
});
