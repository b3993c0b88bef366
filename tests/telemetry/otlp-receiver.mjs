// A collector: takes OTLP over HTTP/protobuf and over gRPC on loopback, and keeps what came as plain data.
//
// Messages are read by tables of the fields that the tests look at; others are passed over. Field numbers are those of
// opentelemetry-proto 1.x (trace.proto, metrics.proto, logs.proto, common.proto, resource.proto).
import { createServer } from 'node:http';
import grpc from '@grpc/grpc-js';

/**
 * @typedef {Record<string, any>} Message
 * @typedef {{ name: string, type: 'text' | 'bytes' | 'int' | 'fixed64' | 'double' | object, many?: boolean }} Field
 */

/** @param {string} name @param {any} type @param {boolean} [many] @returns {Field} */
const field = (name, type, many = false) => ({ name, type, many });

/** @type {Record<number, Field>} */
const anyValue = {};
const keyValue = { 1: field('key', 'text'), 2: field('value', anyValue) };
Object.assign(anyValue, {
  1: field('text', 'text'),
  2: field('bool', 'int'),
  3: field('int', 'int'),
  4: field('double', 'double'),
  5: field('array', { 1: field('values', anyValue, true) }),
});
const attributes = field('attributes', keyValue, true);
const resource = { 1: attributes };
const scope = { 1: field('name', 'text'), 2: field('version', 'text') };
const span = {
  1: field('traceId', 'bytes'),
  2: field('spanId', 'bytes'),
  3: field('traceState', 'text'),
  4: field('parentSpanId', 'bytes'),
  5: field('name', 'text'),
  6: field('kind', 'int'),
  7: field('start', 'fixed64'),
  8: field('end', 'fixed64'),
  9: attributes,
  11: field('events', { 1: field('time', 'fixed64'), 2: field('name', 'text'), 3: attributes }, true),
  15: field('status', { 2: field('message', 'text'), 3: field('code', 'int') }),
};
const numberPoint = { 4: field('double', 'double'), 6: field('int', 'fixed64'), 7: attributes };
const histogramPoint = { 4: field('count', 'fixed64'), 5: field('sum', 'double'), 9: attributes };
const points = (/** @type {object} */ point) => ({ 1: field('points', point, true) });
const metric = {
  1: field('name', 'text'),
  3: field('unit', 'text'),
  5: field('gauge', points(numberPoint)),
  7: field('sum', points(numberPoint)),
  9: field('histogram', points(histogramPoint)),
};
const logRecord = {
  1: field('time', 'fixed64'),
  2: field('severity', 'int'),
  5: field('body', anyValue),
  6: attributes,
  9: field('traceId', 'bytes'),
  10: field('spanId', 'bytes'),
};

/** Requests of the three services: a resource, a scope and the items within each other. @param {object} item */
const request = (item) => ({
  1: field(
    'resources',
    {
      1: field('resource', resource),
      2: field('scopes', { 1: field('scope', scope), 2: field('items', item, true) }, true),
    },
    true,
  ),
});
const requests = { traces: request(span), metrics: request(metric), logs: request(logRecord) };

/** @param {Buffer} bytes @param {any} table @returns {Message} */
function decode(bytes, table) {
  /** @type {Message} */
  const message = {};
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw new Error('a message ends within a number');
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    /** @type {Field | undefined} */
    const known = table[tag >>> 3];
    /** @type {any} */
    let value;
    if ((tag & 7) === 0) value = Number(BigInt.asIntN(64, varint()));
    else if ((tag & 7) === 1) {
      value = known?.type === 'double' ? bytes.readDoubleLE(at) : bytes.readBigUInt64LE(at);
      at += 8;
    } else if ((tag & 7) === 5) {
      value = bytes.readUInt32LE(at);
      at += 4;
    } else if ((tag & 7) === 2) {
      const size = Number(varint());
      if (at + size > bytes.length) throw new Error('a message ends within a field');
      value = bytes.subarray(at, at + size);
      at += size;
      if (known?.type === 'text') value = value.toString();
      else if (known?.type === 'bytes') value = value.toString('hex');
      else if (typeof known?.type === 'object') value = decode(value, known.type);
    } else throw new Error(`no wire type of protobuf: ${tag & 7}`);
    if (known === undefined) continue;
    if (known.many) (message[known.name] ??= []).push(value);
    else message[known.name] = value;
  }
  return message;
}

/** Attributes as one object. @param {Message[]} [all] */
function attributesOf(all = []) {
  return Object.fromEntries(all.map(({ key, value }) => [key, plain(value)]));
}

/** @param {Message} [value] @returns {any} */
function plain(value = {}) {
  if ('bool' in value) return value['bool'] === 1;
  if ('array' in value) return (value['array'].values ?? []).map(plain);
  return value['text'] ?? value['int'] ?? value['double'];
}

export class OtlpReceiver {
  /** @type {Message[]} */
  spans = [];
  /** @type {Message[]} */
  metrics = [];
  /** @type {Message[]} */
  logs = [];
  /** The headers or metadata of each request. @type {Message[]} */
  headers = [];
  #http = createServer((incoming, answer) => this.#answer(incoming, answer));
  #grpc = new grpc.Server();
  #grpcPort = 0;

  static async start() {
    const receiver = new OtlpReceiver();
    await new Promise((resolve) => receiver.#http.listen(0, '127.0.0.1', () => resolve(undefined)));
    receiver.#serveGrpc();
    receiver.#grpcPort = await new Promise((resolve, reject) =>
      receiver.#grpc.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) =>
        error === null ? resolve(port) : reject(error),
      ),
    );
    return receiver;
  }

  get httpUrl() {
    const address = this.#http.address();
    if (address === null || typeof address === 'string') throw new Error('it does not listen');
    return `http://127.0.0.1:${address.port}`;
  }

  get grpcUrl() {
    return `http://127.0.0.1:${this.#grpcPort}`;
  }

  clear() {
    this.spans = [];
    this.metrics = [];
    this.logs = [];
    this.headers = [];
  }

  /** Until there is what is asked for, or the time is over. @template T @param {() => T | undefined | false} ask */
  async until(ask, limitMs = 15_000) {
    for (const start = Date.now(); Date.now() - start < limitMs;) {
      const found = ask();
      if (found) return found;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return undefined;
  }

  stop() {
    this.#http.closeAllConnections();
    this.#http.close();
    this.#grpc.forceShutdown();
  }

  /** @param {import('node:http').IncomingMessage} incoming @param {import('node:http').ServerResponse} answer */
  #answer(incoming, answer) {
    /** @type {Buffer[]} */
    const pieces = [];
    incoming.on('data', (piece) => pieces.push(piece));
    incoming.on('end', () => {
      const signal = /^\/v1\/(traces|metrics|logs)$/.exec(incoming.url ?? '')?.[1];
      const isProtobuf = incoming.headers['content-type'] === 'application/x-protobuf';
      if (incoming.method !== 'POST' || signal === undefined || !isProtobuf) {
        answer.writeHead(400).end();
        return;
      }
      this.headers.push(incoming.headers);
      this.#take(signal, Buffer.concat(pieces));
      answer.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
    });
  }

  #serveGrpc() {
    const same = (/** @type {Buffer} */ bytes) => bytes;
    for (const [signal, name] of [
      ['traces', 'trace.v1.TraceService'],
      ['metrics', 'metrics.v1.MetricsService'],
      ['logs', 'logs.v1.LogsService'],
    ]) {
      const Export = {
        path: `/opentelemetry.proto.collector.${name}/Export`,
        requestStream: false,
        responseStream: false,
        requestSerialize: same,
        requestDeserialize: same,
        responseSerialize: same,
        responseDeserialize: same,
      };
      this.#grpc.addService(
        { Export },
        {
          Export: (/** @type {any} */ call, /** @type {any} */ callback) => {
            this.headers.push(call.metadata.getMap());
            this.#take(signal ?? '', call.request);
            callback(null, Buffer.alloc(0));
          },
        },
      );
    }
  }

  /** @param {string} signal @param {Buffer} bytes */
  #take(signal, bytes) {
    const table = requests[/** @type {keyof typeof requests} */ (signal)];
    for (const { resource: of, scopes = [] } of decode(bytes, table)['resources'] ?? []) {
      const its = attributesOf(of?.attributes);
      for (const { items = [] } of scopes) {
        for (const item of items)
          this.#keep(signal, { ...item, resource: its, service: its['service.name'] });
      }
    }
  }

  /** @param {string} signal @param {Message} item */
  #keep(signal, item) {
    const flat = { ...item, attributes: attributesOf(item['attributes']) };
    if (signal === 'traces') {
      const events = (item['events'] ?? []).map((/** @type {Message} */ it) => ({
        name: it['name'],
        attributes: attributesOf(it['attributes']),
      }));
      this.spans.push({ ...flat, events });
    } else if (signal === 'logs') this.logs.push({ ...flat, body: plain(item['body']) });
    else {
      const kind = ['gauge', 'sum', 'histogram'].find((it) => it in item) ?? 'none';
      for (const point of item[kind]?.points ?? []) {
        this.metrics.push({
          ...{ name: item['name'], unit: item['unit'], kind, service: item['service'] },
          attributes: attributesOf(point.attributes),
          value: point.double ?? Number(BigInt.asIntN(64, point.int ?? 0n)),
          count: Number(point.count ?? 0n),
          sum: point.sum,
        });
      }
    }
  }
}
