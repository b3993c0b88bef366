/** The suite of build services: what becomes an output, and what is found in it. */
import { encodeUtf8 } from '@neve/bytes';
import type { TreeObserver } from '@neve/castore';
import { type Trial, expect, same } from './trial.ts';

type Cases = Readonly<Record<string, (trial: Trial) => Promise<void>>>;

const needles = ['zy8c3m4w1q', 'b7x9r2k5vd', 'h4p6n0s1fj', 'l3g8a5w2yc', 'm9q7d4x1zk'].map(encodeUtf8);

export const outputCases: Cases = {
  'files, directories and links, without modes, times and owners': async (trial) => {
    const script = `
      mkdir -p $out/a/b $out/empty
      echo plain > $out/a/plain; echo run > $out/a/run; chmod 755 $out/a/run
      echo group > $out/a/group; chmod 0611 $out/a/group
      echo secret > $out/a/b/secret; chmod 0 $out/a/b/secret
      ln -s ../a/plain $out/a/b/link; ln -s /nowhere $out/dangling
      ln $out/a/plain $out/a/b/hard
      echo all > $out/all; chmod 0777 $out/all
      touch -d '2001-02-03 04:05:06' $out/all
      chmod 0 $out/a/b`;
    const { result } = await trial.run(script);
    const expected = {
      a: {
        b: { hard: 'plain\n', link: '-> ../a/plain', secret: 'secret\n' },
        group: 'group\n',
        plain: 'plain\n',
        run: '!run\n',
      },
      all: '!all\n',
      dangling: '-> /nowhere',
      empty: {},
    };
    same(await trial.show(result.outputs[0]?.node), expected, 'the output');
  },
  'an output may be a link': async (trial) => {
    const { result } = await trial.run('ln -s /etc/passwd $out');
    same(await trial.show(result.outputs[0]?.node), '-> /etc/passwd', 'the output');
  },
  'several outputs come in the order of the request': async (trial) => {
    const outputs = ['nix/store/z', 'nix/store/a', 'build/deep/m'];
    const { result } = await trial.run(
      'cd /nix/store; echo z > z; mkdir a; mkdir /build/deep; ln -s z /build/deep/m',
      {
        outputs,
      },
    );
    same(
      await Promise.all(result.outputs.map((it) => trial.show(it.node))),
      ['z\n', {}, '-> z'],
      'the outputs',
    );
  },
  'what else was written is not kept': async (trial) => {
    const first = await trial.run('echo x > /nix/store/other; echo y > /build/y; echo made > $out');
    same(first.result.outputs.length, 1, 'the number of outputs');
    same(
      await trial.printed('ls /nix/store /build'),
      '/build:\n\n/nix/store:\n',
      'what the next build finds',
    );
  },
  'an output that is missing is named': async (trial) => {
    const outputs = ['nix/store/a', 'nix/store/b'];
    const { message } = await trial.failure('echo > /nix/store/a', 'output-missing', { outputs });
    expect(message.includes('nix/store/b'), `it says: ${message}`);
    await trial.failure('true', 'output-missing');
  },
  'an output behind a link is missing': async (trial) => {
    const script = 'ln -s /etc /build/deep; ln -s /proc/1/root/etc /nix/store/x';
    await trial.failure(script, 'output-missing', { outputs: ['build/deep/passwd'] });
    await trial.failure(script, 'output-missing', { outputs: ['nix/store/x/passwd'] });
  },
  'pipes and sockets are no outputs': async (trial) => {
    const { message } = await trial.failure('mkdir $out; mkfifo $out/pipe', 'invalid-output');
    expect(message.includes('pipe'), `it says: ${message}`);
    await trial.failure('mkfifo $out', 'invalid-output');
  },
  'needles are found in contents, names and targets': async (trial) => {
    const script = `
      mkdir -p $out/deep
      (head -c 70000 /dev/zero; printf zy8c3m4w1q; head -c 70000 /dev/zero) > $out/deep/contents
      touch $out/deep/a-b7x9r2k5vd-name
      ln -s /nix/store/l3g8a5w2yc-x $out/link
      printf m9q7d4x1z > $out/nearly`;
    const { result } = await trial.run(script, { needles });
    same(result.outputs[0]?.needles, [0, 1, 3], 'the needles');
  },
  'needles are found in each output by itself': async (trial) => {
    const outputs = ['nix/store/a', 'nix/store/b', 'nix/store/c', 'nix/store/h4p6n0s1fj'];
    const script = `cd /nix/store; echo zy8c3m4w1q m9q7d4x1zk > a; ln -s b7x9r2k5vd b; mkdir -p c/l3g8a5w2yc; echo > h4p6n0s1fj`;
    const { result } = await trial.run(script, { needles, outputs });
    same(
      result.outputs.map((it) => it.needles),
      // The name of an output is not in it.
      [[0, 4], [1], [3], []],
      'the needles',
    );
  },
  'a large output comes whole': async (trial) => {
    const { result } = await trial.run(
      'mkdir $out; yes 012345678901234 | head -c 20000000 > $out/large; echo -n zy8c3m4w1q >> $out/large',
      {
        needles,
      },
    );
    const [output] = result.outputs;
    same(output?.needles, [0], 'the needles');
    const node = output?.node;
    const directory = node?.kind === 'directory' ? await trial.directories.get(node.digest) : undefined;
    const file = directory?.entries[0]?.node;
    expect(file?.kind === 'file' && file.size === 20_000_010, 'the file has not all of its bytes');
    expect(file?.kind === 'file' && (await trial.blobs.has(file.digest)), 'the file is not in the castore');
  },
  'whoever wants to sees an output while it is imported': async (trial) => {
    if (!trial.traits.observes) return;
    const events: string[] = [];
    const observer: TreeObserver = {
      startDirectory: (name) => void events.push(`directory ${new TextDecoder().decode(name)}`),
      endDirectory: () => void events.push('end'),
      symlink: (name) => void events.push(`link ${new TextDecoder().decode(name)}`),
      startFile: (name, { size }) => void events.push(`file ${new TextDecoder().decode(name)} ${size}`),
      contents: (bytes) => void events.push(new TextDecoder().decode(bytes)),
      endFile: () => void events.push('end'),
      incomplete: () => void events.push('incomplete'),
    };
    const names: string[] = [];
    await trial.run('mkdir $out; cd $out; echo b > b; ln -s b a', {
      observe: (output) => {
        names.push(output);
        return observer;
      },
    });
    same(names, ['nix/store/output'], 'the outputs');
    same(events, ['directory ', 'link a', 'file b 2', 'b\n', 'end', 'end'], 'what was seen');
  },
};
