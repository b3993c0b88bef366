/**
 * A signal while something is evaluated: without telemetry it ends the process at once, since nobody listens. With telemetry
 * what was measured is to be sent first, within a second or so; then the same signal ends the process.
 *
 * Node hears of a signal only between two turns of its loop, so evaluations let that come now and then (`pauseForSignals`), and
 * fail there when a signal has come: so spans that are open end too. What does not get there in time is not waited for. Where
 * somebody else listens, as those who have opened a store do, telemetry ends with the work. A second signal ends the process.
 */
import { type Interruption, watchInterruptions } from '../interruption.ts';
import type { EndTelemetry } from './telemetry-main.ts';

/** Is called every few milliseconds while something is evaluated, which then waits for what is returned. */
export type Pause = () => Promise<void> | undefined;

export type SignalWatch = Disposable & {
  /** Ends telemetry and then the process, if there was a signal. */
  readonly conclude: () => Promise<void>;
};

/** How often the event loop comes. */
const pauseAfterMs = 50;
/** How long an evaluation may take until it pauses. */
const patienceMs = 500;
const limitMs = 1000;

// Each script has a copy of this module; threads of a daemon, which get no signals, have another global object.
const key: unique symbol = Symbol.for('neve.telemetry.pause');

type Holder = { [key]?: Pause | undefined };

/** What evaluations are to call; undefined where signals end the process. */
export function pauseForSignals(): Pause | undefined {
  return (globalThis as Holder)[key];
}

/** From now on until it is disposed of. */
export function watchSignals(end: EndTelemetry): SignalWatch {
  let interruption: Interruption | undefined;
  let timer: NodeJS.Timeout | undefined;
  let ending: Promise<void> | undefined;
  const conclude = async (): Promise<void> => {
    if (interruption === undefined) return;
    clearTimeout(timer);
    ending ??= endAndDie(end, interruption);
    await ending;
  };
  const watch = watchInterruptions((it) => {
    if (process.listenerCount(it.signal) > 0) return;
    interruption = it;
    timer = setTimeout(() => void conclude(), patienceMs);
  });
  (globalThis as Holder)[key] = pauseUnless(() => interruption);
  return {
    conclude,
    [Symbol.dispose]: () => {
      watch[Symbol.dispose]();
      clearTimeout(timer);
      (globalThis as Holder)[key] = undefined;
    },
  };
}

function pauseUnless(interrupted: () => Interruption | undefined): Pause {
  let lastMs = performance.now();
  return () => {
    if (performance.now() - lastMs < pauseAfterMs) return undefined;
    return new Promise((resolve, reject) => {
      setImmediate(() => {
        lastMs = performance.now();
        const interruption = interrupted();
        if (interruption === undefined) resolve();
        else reject(interruption);
      });
    });
  };
}

async function endAndDie(end: EndTelemetry, { signal }: Interruption): Promise<void> {
  const limit = new Promise<void>((resolve) => {
    setTimeout(resolve, limitMs);
  });
  await Promise.race([end(), limit]);
  process.kill(process.pid, signal);
}
