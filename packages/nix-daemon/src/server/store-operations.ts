/** The store as a whole: settings, roots, garbage, verification. */
import { verbosity } from '@neve/nix-compat';
import type { GarbageResult, WorkerAnswers, WorkerRequests } from '@neve/nix-compat/protocols';
import { narCalculationByRendering, verifyStore } from '@neve/store';
import { NixDaemonError } from '../nix-daemon-error.ts';
import { type Call, type Handlers, requireTrust } from './call.ts';
import { applySettings } from './client-settings.ts';
import type { GarbageRequest } from './garbage.ts';
import { repairFindings } from './repair-findings.ts';
import { requirePathInfo } from './valid-paths.ts';

export const storeOperations: Handlers<
  | 'setOptions'
  | 'addTempRoot'
  | 'addIndirectRoot'
  | 'addPermRoot'
  | 'findRoots'
  | 'syncWithGC'
  | 'collectGarbage'
  | 'optimiseStore'
  | 'verifyStore'
> = {
  setOptions,
  async addTempRoot({ path }, { roots }) {
    await roots.add(path);
    return undefined;
  },
  async addIndirectRoot({ link }, { daemon }) {
    await daemon.roots.addIndirect(absolute(link));
    return undefined;
  },
  async addPermRoot({ path, root }, call) {
    requireTrust(
      call,
      'you are not privileged to create perm roots\n\n' +
        'hint: you can just do this client-side without special privileges, and probably want to do that instead.',
    );
    await requirePathInfo(path, call.daemon, call.signal);
    await call.roots.add(path);
    await call.daemon.roots.addPermanent(path, absolute(root));
    return root;
  },
  findRoots,
  syncWithGC: async () => undefined,
  collectGarbage,
  // Equal contents are stored once anyway.
  optimiseStore: async () => undefined,
  verifyStore: verify,
};

async function setOptions(request: WorkerRequests['setOptions'], call: Call): Promise<undefined> {
  const { warnings, ...settings } = applySettings(request, {
    isTrusted: call.isTrusted,
    trustedSubstituters: call.daemon.trustedSubstituters,
  });
  call.setSettings(settings);
  call.log.level = settings.verbosity;
  for (const warning of warnings) call.log.warn(warning);
}

/** What others are doing is nobody's business who is not trusted. */
async function findRoots(_: unknown, { daemon, isTrusted }: Call): Promise<WorkerAnswers['findRoots']> {
  const roots = await daemon.garbage.roots();
  return roots.map(({ link, storePath }) => ({
    link: isTrusted || !link.startsWith('{') ? link : '{censored}',
    target: storePath,
  }));
}

async function collectGarbage(request: WorkerRequests['collectGarbage'], call: Call): Promise<GarbageResult> {
  const { daemon, log, signal } = call;
  if (request.ignoreLiveness) {
    throw new NixDaemonError('not-privileged', 'you are not allowed to ignore liveness');
  }
  const { among, maxFreed } = request;
  const wanted: GarbageRequest = {
    action: garbageActions[request.action],
    only: among === 'all' ? undefined : { paths: among.paths, withReferrers: among.deleteReferrers },
    maxFreedBytes: maxFreed > BigInt(Number.MAX_SAFE_INTEGER) ? undefined : Number(maxFreed),
  };
  const tell = (message: string): void => log.message(verbosity.info, message);
  const { paths, freedBytes } = await daemon.garbage.collect(wanted, { tell, signal });
  const printed = paths.map((it) => daemon.storeDirectory.print(it)).sort();
  return { paths: printed, bytesFreed: BigInt(freedBytes) };
}

const garbageActions = {
  returnLive: 'return-live',
  returnDead: 'return-dead',
  deleteDead: 'delete-dead',
  deleteSpecific: 'delete-specific',
} as const;

/**
 * Whether there are errors that were not repaired. Paths, directories and blobs are looked at in any case; contents as NARs if
 * asked for.
 */
async function verify(
  { checkContents, repair }: WorkerRequests['verifyStore'],
  call: Call,
): Promise<boolean> {
  const { daemon, log, signal } = call;
  if (repair) requireTrust(call, 'you are not privileged to repair paths');
  log.message(verbosity.info, 'checking path existence...');
  if (checkContents) log.message(verbosity.info, 'checking hashes...');
  const { store, storeDirectory, ed25519, hashes } = daemon;
  // What was computed before must not be believed here.
  const deep = checkContents ? narCalculationByRendering({ ...store, hashes }) : undefined;
  const { findings } = await verifyStore(
    { store, storeDirectory, ed25519, ...(deep !== undefined && { deep }) },
    signal,
  );
  for (const { problem, storePaths } of findings) {
    const paths = storePaths.map((it) => `'${storeDirectory.print(it)}'`).join(', ');
    log.error(paths === '' ? problem : `${problem}; needed by ${paths}`);
  }
  return repair ? !(await repairFindings(findings, call)) : findings.length > 0;
}

function absolute(path: string): string {
  const isClean = path.startsWith('/') && !path.split('/').some((it) => it === '.' || it === '..');
  if (isClean && !path.includes('\0')) return path;
  throw new NixDaemonError('invalid-request', `'${path}' is not an absolute path without '.' and '..'`);
}
