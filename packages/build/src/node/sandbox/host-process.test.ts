import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { type HostProgram, startHostProcess } from './host-process.ts';

function shell(script: string, change: Partial<HostProgram> = {}): HostProgram {
  return {
    file: '/bin/sh',
    args: ['-c', script],
    environment: { PATH: '/usr/bin:/bin', WORD: 'a b' },
    descriptors: ['nothing', 'nothing', 'from'],
    runAs: undefined,
    ...change,
  };
}

/** As another user, Node starts the program: root is one for that purpose. */
const ways = process.getuid?.() === 0 ? [undefined, { uid: 0, gid: 0 }] : [undefined];

test.each(ways)('what the program wrote, and how it ended (%o)', async (runAs) => {
  const run = await startHostProcess(shell('echo "$WORD $PWD" >&2; exit 7', { runAs }));
  const said = text(run.readable.get(2) as NodeJS.ReadableStream);
  expect(await run.closed).toEqual({ code: 7 });
  expect(await said).toBe('a b /\n');
});

test.each(ways)('pipes to and from any descriptor (%o)', async (runAs) => {
  const descriptors = ['nothing', 'nothing', 'nothing', 'from', 'to', 'from'] as const;
  const run = await startHostProcess(shell('cat <&4 >&5; echo done >&3', { descriptors, runAs }));
  const [third, fifth] = [3, 5].map((it) => text(run.readable.get(it) as NodeJS.ReadableStream));
  run.writable.get(4)?.end('x'.repeat(1_000_000));
  expect(await run.closed).toEqual({ code: 0 });
  expect([(await fifth)?.length, await third]).toEqual([1_000_000, 'done\n']);
});

test.each(ways)('a session of its own, so that Ctrl-C at the terminal is not for it (%o)', async (runAs) => {
  // The sixth number of stat(5) is the session, after a name in parentheses.
  const run = await startHostProcess(shell('read -r line </proc/$$/stat; echo "$line" >&2', { runAs }));
  const said = text(run.readable.get(2) as NodeJS.ReadableStream);
  await run.closed;
  const [, , , session] = (await said).replace(/^.*\) /, '').split(' ');
  expect(session).toBe(String(run.pid));
});

test('signals that Node ignores end the program', async () => {
  const run = await startHostProcess(shell('kill -PIPE $$'));
  run.readable.get(2)?.resume();
  expect(await run.closed).toEqual({ signal: 'SIGPIPE' });
});

test('killing it, also when it has ended', async () => {
  const run = await startHostProcess(shell('exec sleep 100'));
  run.readable.get(2)?.resume();
  run.kill();
  expect(await run.closed).toEqual({ signal: 'SIGKILL' });
  run.kill();
});

test('many at the same time', async () => {
  const ends = await Promise.all(
    Array.from({ length: 30 }, async (_, code) => {
      const run = await startHostProcess(shell(`exit ${code}`));
      run.readable.get(2)?.resume();
      return await run.closed;
    }),
  );
  expect(ends).toEqual(Array.from({ length: 30 }, (_, code) => ({ code })));
});

test.each(ways)('a program that is not there (%o)', async (runAs) => {
  await expect(startHostProcess(shell('', { file: '/nonexistent/program', runAs }))).rejects.toMatchObject({
    code: 'ENOENT',
  });
});
