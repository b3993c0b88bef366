/** An evaluation whose reads are noted down, with what it describes to the store: by region, for what can be kept of it. */
import { hash } from 'node:crypto';
import { encodeHex } from '@neve/bytes';
import type { EvalIO } from '@neve/eval';
import { type HashContents, RecordingIO, type Region, type Signature } from '@neve/eval-images';
import { FileWorld } from '@neve/eval-images/node';
import type { Added, FileSystemIO } from '@neve/eval-store/node';
import { currentLogs, currentTracing } from '@neve/telemetry';
import {
  type SessionSettings,
  type StoreAccess,
  type WorldParts,
  physicalStoreDirOf,
  storeDirOf,
} from '../evaluation-session.ts';
import { imageWishes } from './image-cache.ts';

export class NotedEvaluation {
  /** What was described to the store while something of a region was evaluated. */
  readonly described: Readonly<Record<Region, Added[]>> = { own: [], shared: [] };
  readonly #session: SessionSettings;
  readonly #asksAgain: boolean;
  #recording: RecordingIO | undefined;
  #files: FileSystemIO | undefined;

  /** `asksAgain` as `RecordingOptions` has it. */
  constructor(session: SessionSettings, { asksAgain = false } = {}) {
    this.#session = session;
    this.#asksAgain = asksAgain;
  }

  /** Is told by whoever stands before the store. */
  readonly onAdded = (added: Added): void => {
    this.described[this.#recording?.region ?? 'own'].push(added);
  };

  /** Is told by whoever writes what another evaluation has described. */
  readonly onWritten = (storePath: string): void => this.#recording?.noteWritten(storePath);

  /** Puts what notes down the reads around the world of the evaluation. */
  readonly around = (world: EvalIO, { files, hashes }: WorldParts): EvalIO => {
    this.#files = files;
    const { args, caller, storeAccess } = this.#session;
    const asksAgain = this.#asksAgain;
    this.#recording = recordingOf(world, {
      ...{ storeDir: storeDirOf(args, caller), storeAccess, hashes, asksAgain },
    });
    return this.#recording;
  };

  /** What is read, once the evaluation has begun. */
  get recording(): RecordingIO | undefined {
    return this.#recording;
  }

  /** What the system said of files when they were first looked at. */
  readonly knownSignature = (key: string): Signature | undefined => this.#files?.signatureOf(key);
}

/** Why nothing at all is kept of an evaluation; undefined when something can be. */
export function whyNotNoted({
  args,
  settings,
  caller,
}: Pick<SessionSettings, 'args' | 'settings' | 'caller'>): string | undefined {
  const files = [...args.all('file'), ...args.positional];
  if (files.includes('-') || args.has('argFromStdin')) return 'it reads standard input';
  if (!imageWishes(settings, caller.environment).isOn)
    return 'it is off: --no-image, the setting image, or NEVE_IMAGE';
  if ((settings.text('eval-profiler') ?? 'disabled') !== 'disabled') return 'it is profiled';
  if ((caller.environment['NIX_SHOW_STATS'] ?? '0') !== '0')
    return 'it counts what is evaluated (NIX_SHOW_STATS)';
  return currentTracing() !== undefined || currentLogs() !== undefined ? 'it is traced' : undefined;
}

export function fileWorldOf({ args, caller }: Pick<SessionSettings, 'args' | 'caller'>): FileWorld {
  return new FileWorld({
    storeDir: storeDirOf(args, caller),
    physicalStoreDir: physicalStoreDirOf(args, caller),
  });
}

export function recordingOf(
  world: EvalIO,
  { storeDir, storeAccess, hashes, asksAgain = false }: RecordingPlace,
): RecordingIO {
  return new RecordingIO({
    ...{ world, storeDir, hash: contentsHash(hashes), nowMs: Date.now(), asksAgain },
    writesStore: storeAccess.kind === 'directory',
  });
}

type RecordingPlace = Pick<WorldParts, 'hashes'> & {
  readonly storeDir: string;
  readonly storeAccess: StoreAccess;
  readonly asksAgain?: boolean;
};

/**
 * The language core has hashed already, so that its code for that is there: JavaScript would be compiled for it first. What
 * hashes much takes 6 ms to load.
 */
function contentsHash(hashes: WorldParts['hashes']): HashContents {
  return (contents, amount) =>
    amount === 'much' ? hash('sha256', contents, 'hex') : encodeHex(hashes.hash('sha256', contents).bytes);
}
