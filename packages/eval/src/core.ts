/**
 * The language core as TypeScript sees it: one instance of the WebAssembly module, with its memory.
 *
 * `CoreExports` mirrors `packages/language/assembly/index.ts`, where each function is described. An address is valid
 * until the machine runs again, a handle (`keep`) until it is released.
 */

import { OutOfMemory, memoryShortage } from './out-of-memory.ts';
import type { CoreProfiler } from './profile/core-profiler.ts';
import { longsOf, narrowedExports } from './wide-addresses.ts';

/** A value or another address in the core's memory. */
export type Address = number;
/** A root that keeps a value alive, whatever runs. */
export type Handle = number;

export type CoreExports = {
  readonly memory: WebAssembly.Memory;
  initialize(): void;
  defineBuiltin(nameLength: number, value: Address): void;
  defineCurrentTime(): void;
  finishInitialization(): void;
  configureStore(length: number): void;
  configureSyntax(pipes: boolean, pure: boolean, url: number, shortPath: number, absolutePath: number): void;
  configureHome(length: number): void;
  configureLimits(maximumCallDepth: number, maximumStackSize: number): void;
  configureMemory(heapThreshold: number, limit: number, stress: number): void;
  postponeCollection(bytes: number): void;
  configureEvaluation(pure: boolean, restricted: boolean, writesStore: boolean, traceVerbose: boolean): void;
  configureTraces(calls: boolean): void;
  configureHashing(byHost: boolean): void;
  configureFileReports(wanted: boolean): void;
  configureFailures(kept: boolean): void;
  configureProfiler(): void;
  enableFeature(nameLength: number): void;
  configureImages(wanted: boolean): void;
  shareTree(length: number): void;
  isInSharedRegion(): number;
  isInDoubt(): number;
  dependsOnClock(): number;
  foundCallCount(): number;
  madeCallCount(): number;
  makeImage(): void;
  checksum(address: number, length: number, seed: bigint): bigint;
  sharedBytes(): number;
  chunkCount(): number;
  isChunkKept(chunk: number): number;
  inputBuffer(length: number): Address;
  newString(length: number): Address;
  newStringSpace(length: number): Address;
  newPath(length: number): Address;
  newStorePath(length: number): Address;
  newInt(n: number): Address;
  newBool(value: boolean): Address;
  newList(length: number): Address;
  setItem(list: Address, index: number, item: Address): void;
  beginSet(): number;
  newAttr(nameLength: number, value: Address): void;
  endSet(mark: number): Address;
  nullValue(): Address;
  valueKind(value: Address): number;
  resolved(value: Address): Address;
  stringAddress(value: Address): Address;
  stringSize(value: Address): number;
  contextSize(value: Address): number;
  contextName(value: Address, index: number): Address;
  intValue(value: Address): number;
  boolValue(value: Address): number;
  listSize(value: Address): number;
  itemAt(value: Address, index: number): Address;
  setSize(value: Address): number;
  attrNameAt(value: Address, rank: number): Address;
  attrAt(value: Address, rank: number): Address;
  attrNamed(value: Address, nameLength: number): Address;
  attrPosition(set: Address, nameLength: number): number;
  lambdaPosition(value: Address): number;
  lambdaName(value: Address): Address;
  lambdaDocumentation(value: Address): number;
  keep(value: Address): Handle;
  kept(handle: Handle): Address;
  release(handle: Handle): void;
  loadInput(length: number, origin: number, path: Address, base: Address): Address;
  showInput(length: number, origin: number, path: Address, base: Address): void;
  outlineInput(length: number, origin: number, path: Address, base: Address): void;
  loadInputIn(length: number, origin: number, base: Address, scope: Address, bindings: boolean): Address;
  newThunkIn(code: Address, scope: Address): Address;
  forgetFiles(): void;
  newThunk(code: Address): Address;
  beginForce(value: Address): void;
  beginDeepForce(value: Address): void;
  beginJson(value: Address, lazily: boolean): void;
  beginXml(value: Address, flags: number): void;
  beginRaw(value: Address): void;
  beginAutoCall(argumentSet: Address, value: Address): void;
  beginSelect(value: Address, name: Address, path: Address): void;
  beginFindFile(name: Address): void;
  beginVisit(value: Address): void;
  run(): number;
  runBriefly(looks: number): number;
  gatherFibers(limit: number): number;
  beginGathered(index: number): Address;
  endGathering(): void;
  beginFiber(): Address;
  fiber(): Address;
  enterFiber(fiber: Address): void;
  endFiber(fiber: Address): void;
  isFiberBlocked(fiber: Address): number;
  blockingFiber(): Address;
  handleErrorOfFiber(): number;
  takeResult(): Address;
  requestKind(): number;
  requestArgument(index: number): Address;
  answer(value: Address): void;
  stringToInput(string: Address): Address;
  answerError(kind: number, length: number): void;
  handleError(): number;
  retryAfterCollection(): number;
  abandon(): void;
  isLost(): number;
  errorKind(): number;
  errorMessage(): Address;
  errorPosition(): number;
  errorSuggestions(): Address;
  rewindTraces(): void;
  nextTrace(): number;
  writeTraceMessage(): void;
  tracePosition(): number;
  traceAlways(): number;
  printValue(value: Address, style: number): void;
  printAttrName(set: Address, rank: number): void;
  outputAddress(): Address;
  outputSize(): number;
  clearOutput(): void;
  nextWarning(): number;
  warningPosition(): number;
  warningSecondPosition(): number;
  warningAddress(): Address;
  warningSize(): number;
  sourceCount(): number;
  sourceStart(index: number): number;
  sourceLength(index: number): number;
  sourceOrigin(index: number): number;
  sourcePath(index: number): Address;
  hashInput(algorithm: number, length: number): Address;
  profileSamples(): Address;
  profileSamplesSize(): number;
  dropProfileSamples(): void;
  profileName(kind: number, subject: Address): Address;
  profilePosition(kind: number, subject: Address): number;
  profileFunctions(): Address;
  profileFunctionsEntries(): number;
  profileCountedKind(address: Address): number;
  statistic(index: number): number;
};

/** What the core throws through its own frames when a program failed; `handleError` says whether that was caught. */
export const raised: Error = new Error('an error of the evaluated program is on its way');

export type CoreOptions = {
  readonly profiler?: CoreProfiler | undefined;
  readonly maxHeapBytes?: number | undefined;
  /** Hashes the texts of derivations, where the core is told that the host hashes. */
  readonly sha256?: ((bytes: Uint8Array) => Uint8Array) | undefined;
  /** Whether `run` comes back before it is done, so that others come, and the evaluation can be ended. */
  readonly leavesOff?: boolean;
};

function noHash(): never {
  throw new Error('the language core was not told that the host hashes');
}

/** Why there is no memory: the host said no, rather than a limit. */
const engineRefuses = 1;

/** What `run` says when only samples of the profiler are to be taken. */
const statusYield = 2;
/** Looks at the heap between two chances to interrupt: some milliseconds. */
const looksBetweenTurns = 16;

export class Core {
  readonly exports: CoreExports;
  /** Whether addresses have 64 bits. */
  readonly isWide: boolean;
  readonly profiler: CoreProfiler | undefined;
  readonly #leavesOff: boolean;
  #bytes: Uint8Array;
  /** What the memory was too small for, until `recover` has made the core fit to evaluate again. */
  #shortage: OutOfMemory | undefined;

  constructor(module: WebAssembly.Module, options: CoreOptions = {}) {
    const { profiler, maxHeapBytes, sha256 = noHash, leavesOff = false } = options;
    this.profiler = profiler;
    const longs = longsOf(module);
    this.isWide = longs !== undefined;
    this.#leavesOff = leavesOff;
    const instance = new WebAssembly.Instance(module, {
      env: {
        abort(...[, , line, column]: readonly number[]): never {
          throw new Error(`an assertion of the language core failed at ${line}:${column}`);
        },
      },
      host: {
        raise(): never {
          throw raised;
        },
        outOfMemory: (reason: number): never => {
          this.#shortage = memoryShortage({
            isRefused: reason === engineRefuses,
            isWide: this.isWide,
            maxHeapBytes,
          });
          throw this.#shortage;
        },
        ticks: profiler?.ticks ?? noTicks,
        sha256: (text: Address | bigint, length: number, out: Address | bigint): void => {
          const start = byteOffsetOf(Number(text));
          const bytes = this.bytes.subarray(start, start + (length >>> 0));
          this.bytes.set(sha256(bytes), byteOffsetOf(Number(out)));
        },
      },
    });
    // The module's exports are what `index.ts` of the core says; nothing checks that at run time.
    const exports = longs === undefined ? instance.exports : narrowedExports(instance.exports, longs);
    this.exports = exports as unknown as CoreExports;
    this.#bytes = new Uint8Array(this.exports.memory.buffer);
  }

  /**
   * Whether the current fiber can go on although the memory was used up: the step that failed is tried once more by `run`, after
   * a collection.
   */
  canRetry(): boolean {
    try {
      if (this.exports.retryAfterCollection() === 0) return false;
      this.#shortage = undefined;
      return true;
    } catch (error) {
      if (error instanceof OutOfMemory) return false;
      throw error;
    }
  }

  /** Whether the memory has been used up since `recover`. Throws when the core never will be fit to evaluate again. */
  get isShort(): boolean {
    if (this.#shortage !== undefined && this.exports.isLost() !== 0) throw this.#shortage;
    return this.#shortage !== undefined;
  }

  /**
   * Makes the core fit for an evaluation after one that has used up the memory; the first fiber is the current one, and there is no
   * other. All addresses are void afterwards.
   */
  recover(): void {
    this.#shortage = undefined;
    this.exports.abandon();
  }

  /** Runs the machine until it is done, wants the host or waits for another fiber; or for a while, if it leaves off. */
  run(): number {
    if (this.#leavesOff) return this.runBriefly(looksBetweenTurns);
    while (true) {
      const status = this.exports.run();
      if (status !== statusYield) return status;
      this.profiler?.take(this);
    }
  }

  /** Runs it for a while: it may also be unfinished (2). */
  runBriefly(looks: number): number {
    const status = this.exports.runBriefly(looks);
    this.profiler?.take(this);
    return status;
  }

  /** The memory as it is now: it moves when it grows. */
  get bytes(): Uint8Array {
    if (this.#bytes.buffer !== this.exports.memory.buffer) {
      this.#bytes = new Uint8Array(this.exports.memory.buffer);
    }
    return this.#bytes;
  }

  /** Puts bytes where functions find "the input"; returns their number. */
  write(bytes: Uint8Array): number {
    const address = byteOffsetOf(this.exports.inputBuffer(bytes.length));
    this.bytes.set(bytes, address);
    return bytes.length;
  }

  newString(bytes: Uint8Array): Address {
    const string = this.exports.newStringSpace(bytes.length);
    this.bytes.set(bytes, byteOffsetOf(this.exports.stringAddress(string)));
    return string;
  }

  newPath(bytes: Uint8Array): Address {
    return this.exports.newPath(this.write(bytes));
  }

  /** A copy of the bytes of a string or path. */
  read(value: Address): Uint8Array {
    return this.slice(this.exports.stringAddress(value), this.exports.stringSize(value));
  }

  /** The bytes of a string where they are: valid until the machine runs again or a value is made. */
  view(string: Address): Uint8Array {
    const start = byteOffsetOf(this.exports.stringAddress(string));
    return this.bytes.subarray(start, start + this.exports.stringSize(string));
  }

  /** Takes what a function has written to the output. */
  takeOutput(): Uint8Array {
    const output = this.slice(this.exports.outputAddress(), this.exports.outputSize());
    this.exports.clearOutput();
    return output;
  }

  slice(address: Address, length: number): Uint8Array {
    const start = byteOffsetOf(address);
    return this.bytes.slice(start, start + length);
  }
}

/** Where in the memory an address is: a function of a 32-bit core returns those above 2 GiB as negative numbers. */
export function byteOffsetOf(address: Address): number {
  return address < 0 ? address + 2 ** 32 : address;
}

/** Nobody looks at the clock while there is no profiler. */
function noTicks(): number {
  return 0;
}
