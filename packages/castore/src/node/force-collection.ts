/** A garbage collection now: finalizers of native libraries run after it, and V8's compiler threads need not ask for one. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Collects the garbage of this thread. */
export function forceCollection(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}
