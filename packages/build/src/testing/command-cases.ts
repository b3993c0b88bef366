/** The suite of build services: what a command is given, how it ends, and what of it is seen meanwhile. */
import { encodeUtf8 } from '@neve/bytes';
import { BuildError } from '../build-error.ts';
import { type Trial, expect, same } from './trial.ts';

type Cases = Readonly<Record<string, (trial: Trial) => Promise<void>>>;

export const commandCases: Cases = {
  'a file is made': async (trial) => {
    const { result } = await trial.run('echo hello > $out');
    same(await trial.show(result.outputs[0]?.node), 'hello\n', 'the output');
    same(result.outputs[0]?.needles, [], 'its needles');
  },
  'an exit code is told': async (trial) => {
    for (const code of [1, 2, 42, 127]) {
      const { status, message } = await trial.failure(`echo made > $out; exit ${code}`, 'failed');
      same(status, { code }, 'the status');
      expect(message.includes(`exit code ${code}`), `the message does not tell the exit code: ${message}`);
    }
  },
  'a signal is told': async (trial) => {
    const { status } = await trial.failure(segfault, 'failed');
    same(status, trial.traits.saysSignal ? { signal: 'SIGSEGV' } : { code: 139 }, 'the status');
  },
  'a program that is not there fails': async (trial) => {
    const { message, status } = await trial.failure('', 'failed', { command: ['/bin/nothing', 'x'] });
    expect(message.includes('/bin/nothing') && message.includes('ENOENT'), `it says: ${message}`);
    same(status, { code: 1 }, 'the status');
  },
  'the environment is exactly what was asked for': async (trial) => {
    const values: readonly (readonly [string, Uint8Array])[] = [
      // In order, since a protocol may sort them.
      ['A', encodeUtf8('a b\n"c"')],
      ['BYTES', Uint8Array.of(0xff, 0xfe, 1)],
      ['EMPTY', new Uint8Array()],
      ['HOME', encodeUtf8('/homeless-shelter')],
      ['LARGE', encodeUtf8('x'.repeat(100_000))],
      ['not.a-name', encodeUtf8('x=y')],
    ];
    // As a program of its own, since a shell changes its environment.
    const { result } = await trial.run('', {
      command: ['/bin/sh', 'if=/proc/self/environ', 'of=/nix/store/output', 'bs=1000000'],
      programName: 'dd',
      environment: new Map(values),
    });
    const expected = values.map(([name, value]) => `${name}=${new TextDecoder().decode(value)}\0`).join('');
    same(await trial.show(result.outputs[0]?.node), expected, 'the environment');
  },
  'arguments arrive as they are': async (trial) => {
    const args = ['', 'a b', '$x', "'", '"', '\n', '*', '\\', 'ä', '-n'];
    const { log } = await trial.run('', {
      command: ['/bin/sh', '-c', 'echo made > $out; for i; do echo "<$i>"; done', ...['zero', ...args]],
    });
    same(log, args.map((it) => `<${it}>\n`).join(''), 'the log');
  },
  'a program knows the last part of its path as its name, or what it was told': async (trial) => {
    same(await trial.printed('echo $0'), 'sh\n', 'the name');
    const options = { command: ['/bin/sh', '-c', 'echo $0; echo made > $out'], programName: 'sh' } as const;
    same(await trial.printed('', options), 'sh\n', 'the name');
    const echo = { command: ['/bin/sh', 'one', 'two'], programName: 'echo', outputs: [] } as const;
    same((await trial.run('', echo)).log, 'one two\n', 'what echo printed');
  },
  'files are there and can be written to': async (trial) => {
    const files = new Map([
      ['build/.attrs', encodeUtf8('one\n')],
      ['build/deep/er/file', encodeUtf8('two\n')],
      ['nix/store/other', Uint8Array.of(0, 255)],
    ]);
    const script = `
      cat /build/.attrs /build/deep/er/file
      wc -c < /nix/store/other
      echo more >> /build/.attrs && mv /build/.attrs /build/deep/x && cat /build/deep/x
      stat -c '%a %u %g' /build/deep/x /build/deep/er`;
    same(
      await trial.printed(script, { files }),
      'one\ntwo\n2\none\nmore\n644 1000 100\n755 1000 100\n',
      'the log',
    );
  },
  'it begins in its working directory': async (trial) => {
    same(await trial.printed('pwd', { workingDirectory: 'build' }), '/build\n', 'the directory');
    same(await trial.printed('pwd', { workingDirectory: 'nix/store' }), '/nix/store\n', 'the directory');
    same(await trial.printed('pwd', { workingDirectory: '' }), '/\n', 'the directory');
  },
  'both streams come in one, in order, while it runs': async (trial) => {
    const script = 'i=0; while [ $i -lt 500 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done; printf end';
    const expected = Array.from({ length: 500 }, (_, i) => `out ${i}\nerr ${i}\n`).join('');
    same(await trial.printed(script), `${expected}end`, 'the log');
    const seen: number[] = [];
    const startedMs = performance.now();
    await trial.service.build(trial.request('echo a; sleep 2; echo b; echo made > $out'), {
      onLog: () => seen.push(performance.now() - startedMs),
    });
    const [first = 0] = seen;
    expect((seen.at(-1) ?? 0) - first > 500, 'all of the log came at the end');
  },
  'a large log comes whole': async (trial) => {
    const log = await trial.printed('yes 0123456789abcde | head -n 200000; echo the end');
    expect(log.length === 200_000 * 16 + 8, `${log.length} bytes of the log came`);
    expect(log.endsWith('\nthe end\n'), 'the end is missing');
  },
  'bytes of the log stay as they are': async (trial) => {
    const pieces: number[] = [];
    const request = trial.request(`printf '\\001\\r\\n\\377\\000\\033[1m\\004\\003'; echo made > $out`);
    await trial.service.build(request, { onLog: (bytes) => pieces.push(...bytes) });
    same(pieces, [1, 13, 10, 255, 0, 27, 91, 49, 109, 4, 3], 'the log');
  },
  'the start is told, once': async (trial) => {
    let starts = 0;
    await trial.run('echo made > $out', { onStart: () => starts++ });
    same(starts, 1, 'the number of starts');
  },
  'an abort ends a build': async (trial) => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const startedMs = performance.now();
    const running = trial.run('sleep 100', {
      signal: controller.signal,
      onStart: () => setTimeout(() => controller.abort(reason), 100),
    });
    const error = await running.then(
      () => undefined,
      (cause: unknown) => cause,
    );
    expect(error === reason, `it ended with ${String(error)}`);
    expect(performance.now() - startedMs < 20_000, 'it went on after the abort');
  },
  'a signal that is aborted already runs nothing': async (trial) => {
    let isStarted = false;
    const signal = AbortSignal.abort(new Error('enough'));
    const error: unknown = await trial
      .run('echo made > $out', { signal, onStart: () => (isStarted = true) })
      .catch((cause: unknown) => cause);
    expect(error === signal.reason, `it ended with ${String(error)}`);
    expect(!isStarted, 'it was started');
  },
  'many builds at the same time': async (trial) => {
    const results = await Promise.all(
      Array.from({ length: 12 }, (_, i) =>
        trial.run(`echo ${i} > /build/x; sleep 0.2; cat /build/x; cp /build/x $out`),
      ),
    );
    for (const [i, { log, result }] of results.entries()) {
      same(log, `${i}\n`, 'the log');
      same(await trial.show(result.outputs[0]?.node), `${i}\n`, 'the output');
    }
  },
  'an invalid request is refused': async (trial) => {
    await trial.failure('', 'invalid-request', { outputs: ['../etc/passwd'] });
    await trial.failure('', 'invalid-request', { environment: new Map([['a=b', new Uint8Array()]]) });
  },
  'another system is refused': async (trial) => {
    await trial.failure('', 'unsupported', { constraints: { system: 'vax-netbsd' } });
    const systems = await trial.service.systems();
    expect(systems[0] === trial.traits.system, `it builds for ${systems.join(', ')}`);
  },
  'an input that is not in the castore fails': async (trial) => {
    const { digest } = await trial.directory({ absent: await trial.file('here') });
    // The digest of a directory names no file.
    const inputs = new Map([['x', { kind: 'file', digest, size: 7, executable: false } as const]]);
    const error: unknown = await trial.run('echo made > $out', { inputs }).catch((it: unknown) => it);
    expect(error instanceof BuildError && error.code === 'io', `it ended with ${String(error)}`);
  },
};

/** The first process of a namespace is ended by a signal only when that is its own fault. */
const segfault = 'ulimit -s 64; f() { f; }; f';
