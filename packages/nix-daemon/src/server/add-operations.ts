/** Adding to the store, and reading whole objects from it. */
import type { ValidPathInfo } from '@neve/nix-compat';
import { WireReader, addedPathInfo, size } from '@neve/nix-compat/protocols';
import { renderNar } from '@neve/store';
import { NixDaemonError } from '../nix-daemon-error.ts';
import { type AddNarOptions, type StatedPathInfo, addContents, addNar } from './add-to-store.ts';
import { type Call, type Handlers, publicKeysFor, requireTrust } from './call.ts';
import { describePathInfo } from './query-operations.ts';
import { requirePathInfo } from './valid-paths.ts';

export const addOperations: Handlers<
  | 'addToStore'
  | 'addTextToStore'
  | 'addToStoreNar'
  | 'addMultipleToStore'
  | 'addSignatures'
  | 'addBuildLog'
  | 'narFromPath'
> = {
  async addToStore({ name, method, algorithm, references, repair }, call) {
    const isFile = call.context.minor >= 25 && (method === 'flat' || method === 'text');
    const form = isFile ? 'file' : 'nar';
    const pathInfo = await writing(call, async () =>
      addContents(
        call.source(),
        { name, method, algorithm, references, form },
        { services: call.daemon, repair: mayRepair(repair, call), signal: call.signal },
      ),
    );
    await call.roots.add(pathInfo.storePath);
    return { path: pathInfo.storePath, info: describePathInfo(pathInfo) };
  },
  async addTextToStore({ name, text, references }, call) {
    const source = (async function* () {
      yield text;
    })();
    const wanted = { name, method: 'text', algorithm: 'sha256', references, form: 'file' } as const;
    const { storePath } = await writing(call, () =>
      addContents(source, wanted, { services: call.daemon, signal: call.signal }),
    );
    await call.roots.add(storePath);
    return storePath;
  },
  async addToStoreNar({ info, repair, dontCheckSignatures }, call) {
    await addObject(call.source(), info, howToAdd({ repair, dontCheckSignatures }, call), call);
    return undefined;
  },
  async addMultipleToStore({ repair, dontCheckSignatures }, call) {
    const reader = new WireReader(call.source());
    const how = howToAdd({ repair, dontCheckSignatures }, call);
    const count = await reader.read('number of objects', size, call.context);
    for (let i = 0; i < count; i++) {
      const info = await reader.read(`object ${i}`, addedPathInfo, call.context);
      const nar = reader.bytes(info.narSize);
      await addObject(nar, info, how, call);
      await nar.skip();
    }
    if (!(await reader.atEnd()))
      throw new NixDaemonError('protocol', `something follows the ${count} objects`);
    return undefined;
  },
  async addSignatures({ path, signatures }, { daemon, signal }) {
    const pathInfo = await requirePathInfo(path, daemon, signal);
    // Those that are there stay: who sends others is not asked whether they are right.
    const names = new Set(pathInfo.signatures.map(({ keyName }) => keyName));
    const others = signatures.filter(({ keyName }) => !names.has(keyName));
    const all = [...pathInfo.signatures, ...others];
    if (others.length > 0) await daemon.store.pathInfos.put({ ...pathInfo, signatures: all }, signal);
    return undefined;
  },
  async addBuildLog({ drvPath }, call) {
    requireTrust(call, 'you are not privileged to add logs');
    const writer = await call.daemon.logs.start(drvPath);
    try {
      for await (const piece of call.source()) writer.write(piece);
    } finally {
      await writer.end();
    }
    return undefined;
  },
  async narFromPath({ path }, { daemon, signal, sendAfter }) {
    const { node } = await requirePathInfo(path, daemon, signal);
    sendAfter(renderNar(node, daemon.store, signal));
    return undefined;
  },
};

type HowToAdd = Pick<AddNarOptions, 'checksSignatures' | 'repair'>;

/** Whether a client does not want signatures checked is up to those who are trusted. */
function howToAdd(
  { repair, dontCheckSignatures }: { readonly repair: boolean; readonly dontCheckSignatures: boolean },
  call: Call,
): HowToAdd {
  return {
    checksSignatures: !(call.isTrusted && dontCheckSignatures),
    repair: mayRepair(repair, call),
  };
}

// oxlint-disable-next-line eslint/max-params -- what comes, what is said of it, and how
async function addObject(
  source: AsyncIterable<Uint8Array>,
  info: ValidPathInfo,
  how: HowToAdd,
  call: Call,
): Promise<void> {
  const { daemon, roots, signal } = call;
  await roots.add(info.path);
  await writing(call, () =>
    addNar(source, statedPathInfo(info), {
      services: daemon,
      ...how,
      publicKeys: publicKeysFor(call),
      signal,
    }),
  );
}

function statedPathInfo({ path, narHash, deriver, contentAddress, ...rest }: ValidPathInfo): StatedPathInfo {
  if (narHash === undefined)
    throw new NixDaemonError('protocol', `'${path.baseName}' comes without its NAR hash`);
  const { references, narSize, signatures } = rest;
  return {
    storePath: path,
    ...{ references, narSize, narHash, signatures, deriver, contentAddress },
  };
}

async function writing<T>({ daemon, roots }: Call, work: () => Promise<T>): Promise<T> {
  using _writing = daemon.temporaryRoots.beginWriting();
  await roots.hold();
  return await work();
}

/** Others may add what they like, but replace nothing. */
function mayRepair(repair: boolean, { isTrusted }: Call): boolean {
  return repair && isTrusted;
}
