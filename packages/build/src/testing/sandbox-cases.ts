/** The suite of build services: what a command finds around it. All texts are what Nix 2.34 shows to its builds. */
import { type Node, symlinkTarget } from '@neve/castore';
import { type Trial, expect, same } from './trial.ts';

type Cases = Readonly<Record<string, (trial: Trial) => Promise<void>>>;

export const sandboxCases: Cases = {
  'inputs are there, and nothing else': async (trial) => {
    const inputs = new Map<string, Node>([
      ['a-file', await trial.file('contents\n')],
      ['b-program', await trial.file('#!/bin/sh\necho ran $0\n', true)],
      ['c-folder', await trial.directory({ x: await trial.file('deep\n'), y: await trial.directory({}) })],
      ['d-link', { kind: 'symlink', target: symlinkTarget('c-folder/x') }],
      ['e-dangling', { kind: 'symlink', target: symlinkTarget('/nowhere') }],
    ]);
    const script = `
      cd /nix/store
      ls -1
      cat a-file c-folder/x d-link
      ./b-program
      readlink d-link; readlink e-dangling
      ls -1 c-folder
      stat -c '%a %Y %n' a-file b-program c-folder c-folder/x`;
    const expected = [
      ...['a-file', 'b-program', 'c-folder', 'd-link', 'e-dangling', 'contents', 'deep', 'deep'],
      ...['ran ./b-program', 'c-folder/x', '/nowhere', 'x', 'y'],
      ...['444 1 a-file', '555 1 b-program', '555 1 c-folder', '444 1 c-folder/x'],
    ];
    same((await trial.printed(script, { inputs })).split('\n'), [...expected, ''], 'the log');
  },
  'the same input can have two names, and be another one later': async (trial) => {
    const folder = await trial.directory({ x: await trial.file('one\n') });
    const two = new Map([
      ['p', folder],
      ['q', folder],
    ] as const);
    same(await trial.printed('cat /nix/store/*/x', { inputs: two }), 'one\none\n', 'the log');
    const other = new Map([['p', await trial.directory({ x: await trial.file('two\n') })]]);
    same(await trial.printed('cat /nix/store/*/x', { inputs: other }), 'two\n', 'the log');
    same(await trial.printed('cat /nix/store/*/x', { inputs: two }), 'one\none\n', 'the log');
  },
  'many inputs': async (trial) => {
    const inputs = new Map(
      await Promise.all(
        Array.from({ length: 300 }, async (_, i): Promise<readonly [string, Node]> => {
          const file = await trial.file(`${i}\n`);
          return [`input-${i}`, i % 2 === 0 ? file : await trial.directory({ f: file })];
        }),
      ),
    );
    same(
      await trial.printed('ls /nix/store | wc -l; cat /nix/store/input-299/f', { inputs }),
      '300\n299\n',
      'the log',
    );
  },
  'inputs may be elsewhere than outputs': async (trial) => {
    const inputs = new Map([['in', await trial.file('elsewhere\n')]]);
    const options = {
      inputs,
      inputsDirectory: 'some/inputs',
      scratchPaths: ['build', 'nix/store', 'work/a'],
    };
    same(
      await trial.printed('cat /some/inputs/in; echo x > /work/a/b; cat /work/a/b', options),
      'elsewhere\nx\n',
      'the log',
    );
  },
  'users, host and process': async (trial) => {
    const script = `
      id
      umask
      hostname
      cat /proc/sys/kernel/domainname /proc/self/personality
      echo $$
      sed -n 's/^\\(Groups\\|CapEff\\|CapPrm\\|CapAmb\\|NoNewPrivs\\|Seccomp\\):\\s*/\\1 /p' /proc/self/status
      sed -n 's/^Max core file size *//p' /proc/self/limits | cut -d' ' -f1
      readlink /proc/self/fd/0
      ls /proc/self/fd | wc -l
      tty < /dev/stdout > /build/tty || true
      test -t 1 && test -t 2 && echo terminals`;
    const expected = [
      ...['uid=1000(nixbld) gid=100(nixbld)', '0022', 'localhost', '(none)', '00040000', '1'],
      ...['Groups  ', 'CapPrm 0000000000000000', 'CapEff 0000000000000000', 'CapAmb 0000000000000000'],
      // `ls` opens the folder that it lists.
      ...['NoNewPrivs 1', 'Seccomp 2', '0', '/dev/null', '4', 'terminals', ''],
    ];
    const printed = (await trial.printed(script)).split('\n').map((it) => it.replace(/ groups=.*/u, ''));
    // An ordinary user cannot leave its groups.
    const withoutGroups = (it: string): boolean => !it.startsWith('Groups');
    same(printed.filter(withoutGroups), expected.filter(withoutGroups), 'the log');
  },
  'the files in /etc': async (trial) => {
    const script = 'cd /etc; for f in $(find * -type f | sort); do echo "[$f]"; cat $f; done; stat -c %a .';
    const expected = [
      ...['[group]', 'root:x:0:', 'nixbld:!:100:', 'nogroup:x:65534:'],
      ...['[hosts]', '127.0.0.1 localhost', '::1 localhost'],
      '[passwd]',
      'root:x:0:0:Nix build user:/build:/noshell',
      'nixbld:x:1000:100:Nix build user:/build:/noshell',
      'nobody:x:65534:65534:Nobody:/:/noshell',
      ...['555', ''],
    ];
    same((await trial.printed(script)).split('\n'), expected, 'the log');
  },
  'the root and its folders': async (trial) => {
    const script = `
      ls -1A / /tmp /build /nix /nix/store /dev/shm
      stat -c '%a %u %g %n' / /nix/store /build /tmp /dev/shm`;
    const expected = [
      ...['/:', 'bin', 'build', 'dev', 'etc', 'nix', 'proc', 'tmp', ''],
      ...['/build:', '', '/dev/shm:', '', '/nix:', 'store', '', '/nix/store:', '', '/tmp:'],
      ...['750 1000 100 /', '1775 1000 100 /nix/store', '700 1000 100 /build'],
    ];
    const printed = (await trial.printed(script)).split('\n');
    same(printed.slice(0, expected.length), expected, 'the log');
    for (const name of ['/tmp', '/dev/shm']) {
      expect(
        printed.some((it) => it.startsWith('1777 ') && it.endsWith(` ${name}`)),
        `${name} is not for everybody`,
      );
    }
  },
  devices: async (trial) => {
    const script = `
      cd /dev
      for i in full null random tty urandom zero; do test -c $i && test -r $i && test -w $i && echo $i; done
      head -c 4 zero | wc -c; head -c 9 urandom | wc -c; echo x > null
      echo x > full && echo full does not fail
      for i in fd stdin stdout stderr; do readlink $i; done
      echo to stdout > /dev/stdout; echo to stderr > /dev/stderr
      test -e kvm && echo kvm; ls -1A shm pts; test -c ptmx && echo ptmx
      exec 3<> /dev/ptmx && ls -1 pts`;
    const printed = (await trial.printed(script)).replaceAll(/^sh: .*\n/gmu, '').split('\n');
    const expected = [
      ...['full', 'null', 'random', 'tty', 'urandom', 'zero', '4', '9'],
      ...['/proc/self/fd', '/proc/self/fd/0', '/proc/self/fd/1', '/proc/self/fd/2', 'to stdout', 'to stderr'],
      ...['pts:', 'ptmx', '', 'shm:', 'ptmx', '0', 'ptmx', ''],
    ];
    same(
      printed.filter((it) => !it.startsWith('write error')),
      expected,
      'the log',
    );
  },
  'the loopback interface works, and is the only one': async (trial) => {
    const script = `
      sed 1,2d /proc/net/dev | cut -d: -f1 | tr -d ' '
      (echo hello | nc -l -p 5000 -w 5 > /dev/null) & sleep 0.3
      nc -w 5 127.0.0.1 5000 < /dev/null; wait`;
    same(await trial.printed(script), 'lo\nhello\n', 'the log');
  },
  'with a network there is that of the host': async (trial) => {
    const script = 'cd /etc; cat nsswitch.conf; ls -1; readlink /proc/self/ns/net';
    const printed = (await trial.printed(script, { constraints: { network: true } })).split('\n');
    same(printed.slice(0, 2), ['hosts: files dns', 'services: files'], 'nsswitch.conf');
    expect(printed.includes('hosts') && printed.includes('passwd'), `in /etc there is ${printed.join(' ')}`);
    const other = (await trial.printed('readlink /proc/self/ns/net')).trim();
    expect(!printed.includes(other), 'the network is the same as without one');
  },
  'a shell is there only when it is wanted': async (trial) => {
    const program = await trial.file('#!/bin/sh\necho made > /nix/store/output', true);
    const options = { inputs: new Map([['p', program]]), command: ['/nix/store/p'] } as const;
    await trial.run('', { ...options, constraints: { binSh: true } });
    const { message } = await trial.failure('', 'failed', { ...options, constraints: { binSh: false } });
    expect(message.includes('ENOENT'), `it says: ${message}`);
  },
  'paths of the host are seen where they are wanted': async (trial) => {
    const hostPaths = [
      { target: '/some/release', source: '/proc/version', optional: false },
      { target: '/not/there', source: '/no/such/file/of/the/host', optional: true },
    ];
    const readOnlyPaths = ['/usr/share'];
    const script =
      'grep -q Linux /some/release && echo seen; test -d /usr/share && ls /usr; touch /usr/share/x';
    const printed = await trial.printed(script, { constraints: { hostPaths, readOnlyPaths } });
    expect(printed.startsWith('seen\n') && printed.includes('\nshare\n'), `it printed: ${printed}`);
    expect(printed.includes('Read-only file system'), `a path of the host could be written to: ${printed}`);
    const missing = [{ target: '/x', source: '/no/such/file/of/the/host', optional: false }];
    await trial.failure('', 'unsupported', { constraints: { hostPaths: missing } });
  },
  'a device of the host stands among those that are always there': async (trial) => {
    const hostPaths = [{ target: '/dev/another', source: '/dev/zero', optional: false }];
    const script = 'head -c 3 /dev/another | wc -c; test -c /dev/null && echo null; touch /dev/x';
    const printed = await trial.printed(script, { constraints: { hostPaths } });
    expect(printed.startsWith('3\nnull\n'), `it printed: ${printed}`);
    expect(printed.includes('touch: '), `/dev could be written to: ${printed}`);
  },
  'without isolation the host is seen beside the inputs': async (trial) => {
    const inputs = new Map([['in', await trial.file('input\n')]]);
    const script = 'cat /nix/store/in; ls /usr > /dev/null && test -d /etc && echo host; echo $PWD';
    same(
      await trial.printed(script, { inputs, constraints: { isolation: 'none' } }),
      'input\nhost\n/build\n',
      'the log',
    );
  },
};
