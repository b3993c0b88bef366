/**
 * Node can wait for ever at its end: for V8's compiler threads, one of which waits for a collection that only the main thread
 * could run (nodejs/node#54918). Collecting before that leaves them so much room that none has to ask. Only a process that
 * ran long enough for its code to be compiled again is concerned.
 */
const hotSeconds = 0.25;

export function collectBeforeExit(): void {
  if (process.uptime() < hotSeconds) return;
  process.getBuiltinModule('node:v8').setFlagsFromString('--expose-gc');
  const collect = process.getBuiltinModule('node:vm').runInNewContext('gc') as () => void;
  collect();
}
