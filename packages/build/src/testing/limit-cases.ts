/** The suite of build services: limits. None of these builds ends by itself soon. */
import { BuildError } from '../build-error.ts';
import { type Trial, expect } from './trial.ts';

type Cases = Readonly<Record<string, (trial: Trial) => Promise<void>>>;

/** A build that goes on in spite of a limit takes longer than this. */
const patienceMs = 30_000;

async function fast(run: () => Promise<unknown>): Promise<void> {
  const startedMs = performance.now();
  await run();
  expect(performance.now() - startedMs < patienceMs, 'the build went on for long after its limit');
}

export const limitCases: Cases = {
  'a build that runs too long is ended': async (trial) => {
    await fast(() =>
      trial.failure('trap "" TERM INT; while :; do :; done', 'timeout', { limits: { timeMs: 300 } }),
    );
    await fast(() => trial.failure('sleep 1000 & sleep 1000', 'timeout', { limits: { timeMs: 300 } }));
  },
  'a build that is silent too long is ended': async (trial) => {
    await fast(() => trial.failure('echo one; sleep 1000', 'silent', { limits: { silenceMs: 400 } }));
    // What prints now and then may take longer.
    const talks = 'for i in 1 2 3 4 5 6; do echo $i; sleep 0.2; done; echo made > $out';
    await trial.run(talks, { limits: { silenceMs: 1000 } });
  },
  'a build that prints too much is ended': async (trial) => {
    let bytes = 0;
    const request = trial.request('yes', { limits: { logBytes: 100_000 } });
    await fast(async () => {
      const error = await trial.service
        .build(request, { onLog: (piece) => (bytes += piece.length) })
        .catch((it: unknown) => it);
      expect(String(error).includes('100000'), `it ended with ${String(error)}`);
    });
    expect(bytes <= 100_000, `${bytes} bytes of the log came`);
  },
  'a build that takes too much memory is ended': async (trial) => {
    const grow = 'x=0123456789abcdef; while :; do x=$x$x; done';
    await fast(() =>
      trial.failure(grow, 'limit-exceeded', { limits: { memoryBytes: 50 << 20, timeMs: 60_000 } }),
    );
    await trial.run('head -c 1000000 /dev/zero > $out', { limits: { memoryBytes: 50 << 20 } });
  },
  'a build with too many processes is ended': async (trial) => {
    const limits = { processes: 20, timeMs: 60_000 };
    // It ends by itself, for the sake of the machine.
    const bomb = 'i=0; while [ $i -lt 200 ]; do sleep 100 & i=$((i+1)); done; sleep 100';
    await fast(async () => {
      const error: unknown = await trial.run(bomb, { limits }).catch((it: unknown) => it);
      // The kernel may let a call of the build fail before anybody sees how many there are.
      const isEnded = error instanceof BuildError && ['limit-exceeded', 'failed'].includes(error.code);
      expect(isEnded, `it ended with ${String(error)}`);
    });
    await trial.run('for i in 1 2 3 4 5; do sleep 0.3 & done; wait; echo made > $out', { limits });
  },
  'a build that writes too much is ended': async (trial) => {
    const limits = { scratchBytes: 5 << 20, timeMs: 60_000 };
    const many = 'i=0; while :; do head -c 1000000 /dev/zero > /build/$i; i=$((i+1)); done';
    await fast(() => trial.failure(many, 'limit-exceeded', { limits }));
    const soon =
      'for i in 1 2 3 4 5 6 7 8 9; do head -c 1000000 /dev/zero > /build/$i; done; echo made > $out';
    await fast(() => trial.failure(soon, 'limit-exceeded', { limits }));
    const { log } = await trial
      .run('head -c 9000000 /dev/zero > /build/x; ls -l /build/x; echo made > $out', {
        limits: { ...limits, scratchBytes: 6 << 20 },
      })
      .catch((error: unknown) => ({ log: String(error) }));
    expect(!log.includes('9000000'), 'a file became larger than everything may be');
    await trial.run('head -c 1000000 /dev/zero > /build/x; cp /build/x $out', { limits });
  },
};
