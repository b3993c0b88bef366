/**
 * Store paths with all that they refer to, from one store to another. Only what is missing is copied.
 *
 * A path whose path info is in the target is complete there and is left out with all that it refers to; this is why path
 * infos are put last, each after those that it refers to. An interrupted copy therefore leaves a valid store, and doing it
 * again goes on where it ended. Contents of several paths are copied at the same time.
 */
import type { StorePath } from '@neve/nix-compat';
import { requirePathClosure } from './closure.ts';
import { NodeCopier } from './copy-node.ts';
import type { CopiedBlob } from './copy-node.ts';
import type { PathInfo } from './path-info.ts';
import type { NarCalculationService } from './path-info-service.ts';
import { StoreError } from './store-error.ts';
import type { StoreServices } from './store-services.ts';

export type CopyOptions = {
  readonly source: StoreServices;
  readonly target: StoreServices;
  /**
   * Compares the contents of each path with its path info, by reading them from the target, before the path is visible
   * there. For sources that are not trusted to say the truth about contents.
   */
  readonly verify?: NarCalculationService;
  /** How many paths are copied at the same time; 4 unless given. */
  readonly maxPaths?: number;
  readonly onEvent?: (event: CopyEvent) => void;
};

export type CopyEvent =
  /** What is missing. Sizes are those of the NARs, in bytes. */
  | { readonly kind: 'plan'; readonly paths: number; readonly narBytes: number }
  | ({ readonly kind: 'blob' } & CopiedBlob)
  /** The path is visible in the target. */
  | { readonly kind: 'path'; readonly storePath: StorePath; readonly narBytes: number };

export type CopyResult = { readonly paths: number; readonly blobs: number; readonly copiedBytes: number };

/** Throws `StoreError`: `not-found` when the source's closure is incomplete, `corrupt` for contents that are not as said. */
export async function copyClosure(
  roots: Iterable<StorePath>,
  options: CopyOptions,
  signal?: AbortSignal,
): Promise<CopyResult> {
  const { source, target, maxPaths = 4, onEvent } = options;
  const leaveOut = (hashPart: string): Promise<boolean> => target.pathInfos.has(hashPart, signal);
  const pathInfos = await requirePathClosure(roots, { pathInfos: source.pathInfos, leaveOut }, signal);
  onEvent?.({
    kind: 'plan',
    paths: pathInfos.length,
    narBytes: sum(pathInfos.map(({ narSize }) => narSize)),
  });
  const result = { paths: 0, blobs: 0, copiedBytes: 0 };
  const copier = new NodeCopier({
    source,
    target,
    onBlob: (blob) => {
      if (blob.copiedBytes > 0) result.blobs++;
      result.copiedBytes += blob.copiedBytes;
      onEvent?.({ kind: 'blob', ...blob });
    },
  });
  const copying: Promise<void>[] = [];
  try {
    for (let index = 0; index < pathInfos.length; index++) {
      signal?.throwIfAborted();
      while (copying.length < Math.min(index + maxPaths, pathInfos.length)) {
        const contents = copyContents(pathInfos[copying.length] as PathInfo, { copier, options }, signal);
        contents.catch(() => undefined);
        copying.push(contents);
      }
      await copying[index];
      const pathInfo = pathInfos[index] as PathInfo;
      await target.pathInfos.put(pathInfo, signal);
      result.paths++;
      onEvent?.({ kind: 'path', storePath: pathInfo.storePath, narBytes: pathInfo.narSize });
    }
  } finally {
    await Promise.allSettled(copying);
  }
  return result;
}

type ContentsOptions = { readonly copier: NodeCopier; readonly options: CopyOptions };

/** Errors name the path whose contents they are about. */
async function copyContents(
  { storePath, node, narHash, narSize }: PathInfo,
  { copier, options: { verify } }: ContentsOptions,
  signal?: AbortSignal,
): Promise<void> {
  try {
    await copier.copy(node, signal);
    if (verify === undefined) return;
    const actual = await verify.calculateNar(node, signal);
    if (actual.narSize === narSize && actual.narHash.equals(narHash)) return;
    const [is, wanted] = [actual.narHash.format('sri'), narHash.format('sri')];
    throw new StoreError(
      'corrupt',
      `the NAR hash is ${is} (${actual.narSize} bytes), not ${wanted} (${narSize})`,
    );
  } catch (cause) {
    if (!(cause instanceof StoreError)) throw cause;
    throw new StoreError(cause.code, `${storePath.baseName} cannot be copied: ${cause.message}`, { cause });
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
