// A daemon of every version of the protocol, of which no program exists any more, is played by the other half of the codecs,
// which the golden files of Nix have checked. What a real daemon answers is checked by tests/nix-clients.
import { describe, expect, test } from 'vitest';
import { concatBytes, encodeUtf8 } from '@neve/bytes';
import { nodeHashes } from '@neve/bytes/node';
import { NarWriter, StoreDirectory, type UnkeyedValidPathInfo } from '@neve/nix-compat';
import {
  type LogFrame,
  type WireConnection,
  type WireContext,
  WireReader,
  type WorkerRequest,
  addedPathInfo,
  bytes,
  encodeWire,
  greetClient,
  logFrame,
  requestStream,
  size,
  workerAnswer,
  workerRequest,
} from '@neve/nix-compat/protocols';
import { NixDaemonError } from '../nix-daemon-error.ts';
import type { RemoteConnection } from './remote-connection.ts';
import { WorkerStore } from './worker-store.ts';

const store = new StoreDirectory('/nix/store', nodeHashes);
const path = store.parse('/nix/store/g1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3q-foo');
const other = store.parse('/nix/store/g1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3q-bar');

function archive(contents: Uint8Array): Uint8Array {
  const pieces: Uint8Array[] = [];
  const writer = new NarWriter((piece) => pieces.push(piece.slice()));
  writer.startRegular(contents.length, false);
  writer.contents(contents);
  writer.endRegular();
  writer.end();
  return concatBytes(pieces);
}

const nar = archive(new Uint8Array(100_000).fill(7));

/** Compared in place of long contents. */
const digestOf = (contents: Uint8Array): string => nodeHashes.hash('sha256', contents).format('hex');

const known: UnkeyedValidPathInfo = {
  deriver: undefined,
  narHash: nodeHashes.hash('sha256', nar),
  references: [other],
  registrationTime: 1,
  narSize: nar.length,
  ultimate: false,
  signatures: [],
  contentAddress: undefined,
};

type Pipe = {
  readonly source: AsyncIterable<Uint8Array>;
  send(bytes: Uint8Array): Promise<void>;
  end(): void;
};

function pipe(): Pipe {
  const pieces: Uint8Array[] = [];
  let ended = false;
  let wake = (): void => undefined;
  async function* source(): AsyncGenerator<Uint8Array> {
    while (true) {
      const piece = pieces.shift();
      if (piece !== undefined) yield piece;
      else if (ended) return;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  }
  const send = async (piece: Uint8Array): Promise<void> => {
    pieces.push(piece.slice());
    wake();
  };
  const end = (): void => {
    ended = true;
    wake();
  };
  return { source: source(), send, end };
}

type Play = {
  readonly minor: number;
  /** Instead of an answer. */
  readonly fails?: boolean;
  readonly failsEarly?: boolean;
};

/** What the daemon was asked, and the streams that came. */
type Heard = { readonly requests: WorkerRequest[]; readonly streams: Uint8Array[]; connections: number };

function playedStore(play: Play): { readonly remote: WorkerStore; readonly heard: Heard } {
  const heard: Heard = { requests: [], streams: [], connections: 0 };
  const dial = async (): Promise<RemoteConnection> => {
    heard.connections++;
    const [toClient, toDaemon] = [pipe(), pipe()];
    const daemon = { reader: new WireReader(toDaemon.source), send: (it: Uint8Array) => toClient.send(it) };
    // It ends when the client does.
    void serve(daemon, { play, heard }).catch(() => toClient.end());
    return {
      name: 'the played daemon',
      reader: new WireReader(toClient.source),
      send: (it) => toDaemon.send(it),
      onStderr: () => undefined,
      stderrTail: async () => '',
      [Symbol.asyncDispose]: async () => {
        toDaemon.end();
        toClient.end();
      },
    };
  };
  return { remote: new WorkerStore({ name: 'played', dial, store, maxConnections: 1 }), heard };
}

async function serve(
  connection: WireConnection,
  { play, heard }: { play: Play; heard: Heard },
): Promise<void> {
  const version = { minor: play.minor, features: new Set<string>() };
  const context = await greetClient(connection, {
    store,
    version,
    introduction: { nixVersion: 'played', trust: 'trusted' },
  });
  const say = (frame: LogFrame): Promise<void> => connection.send(encodeWire(logFrame, frame, context));
  await say({ kind: 'next', text: 'a message at the beginning\n' });
  await say({ kind: 'last' });
  while (!(await connection.reader.atEnd())) {
    const request = await connection.reader.read('request', workerRequest, context);
    heard.requests.push(request);
    if (play.failsEarly !== true) await takeStream(connection, { request, context, heard });
    if (play.minor >= 20)
      await say({
        kind: 'startActivity',
        id: 1n,
        level: 3,
        type: 'unknown',
        text: 'x',
        fields: [],
        parent: 0n,
      });
    if (play.fails === true || play.failsEarly === true) {
      await say({
        kind: 'error',
        error: { level: 0, message: '\x1b[31mno\x1b[0m', traces: ['while asked'], exitStatus: 1 },
      });
      continue;
    }
    await say({ kind: 'last' });
    await answer(connection, request, context);
  }
}

async function takeStream(
  connection: WireConnection,
  { request, context, heard }: { request: WorkerRequest; context: WireContext; heard: Heard },
): Promise<void> {
  const { reader } = connection;
  const pieces: Uint8Array[] = [];
  switch (requestStream(request.operation, context)) {
    case 'framed':
      for await (const piece of reader.frames()) pieces.push(piece.slice());
      break;
    case 'nar':
      for await (const piece of reader.nar()) pieces.push(piece.slice());
      break;
    case 'pulled': {
      for (let left = nar.length; left > 0; left -= pieces.at(-1)?.length ?? left) {
        await connection.send(encodeWire(logFrame, { kind: 'read', size: 30_000 }, context));
        pieces.push(await reader.read('piece', bytes, context));
      }
      break;
    }
    default:
      return;
  }
  heard.streams.push(concatBytes(pieces));
}

async function answer(
  connection: WireConnection,
  { operation }: WorkerRequest,
  context: WireContext,
): Promise<void> {
  switch (operation) {
    case 'isValidPath':
      return connection.send(encodeWire(workerAnswer(operation), true, context));
    case 'queryPathInfo':
      return connection.send(encodeWire(workerAnswer(operation), known, context));
    case 'queryValidPaths':
      return connection.send(encodeWire(workerAnswer(operation), [path], context));
    case 'narFromPath':
      return connection.send(nar);
    default:
      return connection.send(new Uint8Array(0));
  }
}

const added = { info: { path, ...known }, nar: () => oneByOne(nar) };
const addOptions = { dontCheckSignatures: true };

async function* oneByOne(whole: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < whole.length; at += 9999) yield whole.subarray(at, at + 9999);
}

describe.each([17, 18, 20, 21, 22, 23, 25, 26, 31, 32, 37, 38])('with a daemon of 1.%d', (minor) => {
  test('path infos and archives come', async () => {
    const { remote } = playedStore({ minor });
    expect(await remote.queryPathInfo(path)).toEqual(known);
    const gather = async (stream: AsyncIterable<Uint8Array>): Promise<string> => {
      const pieces: Uint8Array[] = [];
      for await (const piece of stream) pieces.push(piece.slice());
      return digestOf(concatBytes(pieces));
    };
    expect(await remote.narFromPath(path, gather)).toBe(digestOf(nar));
    expect(await remote.queryValidPaths([path, other], { substitute: false })).toEqual([path]);
    expect(await remote.connect()).toBe(minor >= 35 ? 'trusted' : 'unknown');
    await remote[Symbol.asyncDispose]();
  });

  test('one object is added, and several', async () => {
    const { remote, heard } = playedStore({ minor });
    const seen: string[] = [];
    const options = {
      ...addOptions,
      onAdded: ({ path: its }: { path: typeof path }) => seen.push(its.baseName),
    };
    await remote.add([added], options);
    expect(heard.streams.map(digestOf)).toEqual([digestOf(nar)]);
    const second = { ...added, info: { ...added.info, path: other } };
    await remote.add([added, second], options);
    expect(seen).toEqual([path, path, other].map((it) => it.baseName));
    const context = { store, minor: 16, features: new Set<string>() };
    const together = concatBytes([
      encodeWire(size, 2, context),
      encodeWire(addedPathInfo, added.info, context),
      nar,
      encodeWire(addedPathInfo, second.info, context),
      nar,
    ]);
    const expected = minor >= 32 ? [together] : [nar, nar];
    expect(heard.streams.slice(1).map(digestOf)).toEqual(expected.map(digestOf));
    expect(heard.connections).toBe(1);
    await remote[Symbol.asyncDispose]();
  });

  test('what the daemon says is wrong', async () => {
    const { remote, heard } = playedStore({ minor, fails: true });
    for (let i = 0; i < 2; i++) {
      const error: unknown = await remote
        .queryValidPaths([path], { substitute: false })
        .catch((it: unknown) => it);
      expect(error).toMatchObject({ code: 'remote-failure' });
      expect(String(error)).toContain(minor >= 26 ? '… while asked\nno' : 'no');
    }
    // After an error the connection goes on.
    expect(heard.connections).toBe(1);
    await remote[Symbol.asyncDispose]();
  });
});

describe('a daemon that does not go on', () => {
  test('that fails before it has read a long stream', async () => {
    const { remote } = playedStore({ minor: 38, failsEarly: true });
    await expect(remote.add([added], addOptions)).rejects.toThrow(
      expect.objectContaining({ code: 'remote-failure' }),
    );
    await remote[Symbol.asyncDispose]();
  });

  test('a stream of ours that fails', async () => {
    const { remote, heard } = playedStore({ minor: 38 });
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield nar.subarray(0, 100);
      throw new Error('our disk is gone');
    }
    await expect(remote.add([{ ...added, nar: failing }], addOptions)).rejects.toThrow('our disk is gone');
    // Another connection is made for the next one.
    expect(await remote.queryPathInfo(path)).toEqual(known);
    expect(heard.connections).toBe(2);
    await remote[Symbol.asyncDispose]();
  });

  test('one that ends in the middle, one that speaks no protocol, and one that says nothing', async () => {
    const speaking = (answerBytes: Uint8Array | undefined): WorkerStore => {
      const toClient = pipe();
      if (answerBytes !== undefined) {
        void toClient.send(answerBytes);
        toClient.end();
      }
      const dial = async (): Promise<RemoteConnection> => ({
        name: 'the other side',
        reader: new WireReader(toClient.source),
        send: async () => undefined,
        onStderr: () => undefined,
        stderrTail: async () => 'sh: nix-daemon: not found\n',
        [Symbol.asyncDispose]: async () => toClient.end(),
      });
      return new WorkerStore({ name: 'other', dial, store, maxConnections: 1 });
    };
    const failure = (remote: WorkerStore, signal?: AbortSignal): Promise<unknown> =>
      remote.queryPathInfo(path, signal).catch((it: unknown) => it);
    const ended = await failure(speaking(new Uint8Array(0)));
    expect(ended).toBeInstanceOf(NixDaemonError);
    expect(ended).toMatchObject({ code: 'io' });
    expect(String(ended)).toContain('sh: nix-daemon: not found');
    expect(await failure(speaking(encodeUtf8('Welcome to this host, stranger')))).toMatchObject({
      code: 'protocol',
    });
    const stop = new AbortController();
    const silent = failure(speaking(undefined), stop.signal);
    stop.abort(new Error('enough'));
    await expect(silent).resolves.toMatchObject({ message: 'enough' });
  });
});
