/** A client of any version of the protocol, for tests: it asks for one thing at a time, and keeps what it is told meanwhile. */
import { concatBytes } from '@neve/bytes';
import type { StoreDirectory } from '@neve/nix-compat';
import {
  type DaemonIntroduction,
  type LogFrame,
  type WireConnection,
  type WireContext,
  type WorkerAnswers,
  type WorkerOperation,
  type WorkerRequests,
  encodeWire,
  encodeWorkerRequest,
  greetDaemon,
  latestWorkerVersion,
  bytes as bytesCodec,
  logFrame,
  requestStream,
  workerAnswer,
  writeFrames,
} from '@neve/nix-compat/protocols';

/** What a daemon has answered a request with. */
export class RequestFailure extends Error {
  override readonly name = 'RequestFailure';
}

export class TestClient {
  readonly context: WireContext;
  readonly daemon: DaemonIntroduction;
  /** Told while requests were under way. */
  readonly frames: LogFrame[] = [];
  readonly #connection: WireConnection;

  private constructor(connection: WireConnection, greeted: Awaited<ReturnType<typeof greetDaemon>>) {
    this.#connection = connection;
    this.context = greeted.context;
    this.daemon = greeted.daemon;
  }

  static async open(
    connection: WireConnection,
    { store, minor = latestWorkerVersion.minor, features = latestWorkerVersion.features }: TestClientOptions,
  ): Promise<TestClient> {
    const greeted = await greetDaemon(connection, { store, version: { minor, features } });
    const client = new TestClient(connection, greeted);
    await client.#untilLast();
    return client;
  }

  /** Throws `RequestFailure`. `stream` is sent with it, in the form that this version has. */
  async ask<Name extends WorkerOperation>(
    operation: Name,
    request: WorkerRequests[Name],
    stream?: Uint8Array,
  ): Promise<WorkerAnswers[Name]> {
    await this.#connection.send(encodeWorkerRequest(operation, request, this.context));
    const form = requestStream(operation, this.context);
    if (stream !== undefined && form === 'framed') await this.#sendFrames(stream);
    if (stream !== undefined && form === 'nar') await this.#connection.send(stream);
    await this.#untilLast(form === 'pulled' ? stream : undefined);
    return await this.#connection.reader.read('answer', workerAnswer(operation), this.context);
  }

  /** What follows the answer of `narFromPath`. */
  async readNar(): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    for await (const piece of this.#connection.reader.nar()) pieces.push(piece.slice());
    return concatBytes(pieces);
  }

  async #sendFrames(stream: Uint8Array): Promise<void> {
    const source = (async function* () {
      yield stream;
    })();
    for await (const piece of writeFrames(source)) await this.#connection.send(piece);
  }

  async #untilLast(pulled?: Uint8Array): Promise<void> {
    let sent = 0;
    while (true) {
      const frame = await this.#connection.reader.read('log frame', logFrame, this.context);
      if (frame.kind === 'last') return;
      if (frame.kind === 'error') throw new RequestFailure(frame.error.message);
      if (frame.kind === 'read') {
        const piece = (pulled ?? new Uint8Array()).subarray(sent, sent + frame.size);
        sent += piece.length;
        await this.#connection.send(encodeWire(bytesCodec, piece, this.context));
      } else this.frames.push(frame);
    }
  }
}

export type TestClientOptions = {
  readonly store: StoreDirectory;
  readonly minor?: number;
  readonly features?: ReadonlySet<string>;
};
