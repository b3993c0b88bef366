// One command that goes through four processes, each with a part of its trace:
//
//     neve build  ──gRPC──▶  neve daemon  ──gRPC──▶  neve store daemon  ──HTTP──▶  neve nar-bridge
//     (the client)           (evaluates, builds)     (a store near, the            (a store)
//                                                     cache far)

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Place, waitUntil } from '../daemon/daemon-process.mjs';

/** The trace that a script would give to the command by TRACEPARENT, and the span that is the command's parent. */
export const given = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };

const serverNames = ['nar-bridge', 'store daemon', 'daemon'];

export class FourProcesses {
  /** @type {{ name: string, started: ReturnType<Place['start']> }[]} */
  #servers = [];

  /** @param {string} folder @param {string | undefined} script @param {Readonly<Record<string, string>>} environment */
  constructor(folder, script, environment) {
    this.place = new Place(folder, script);
    this.environment = environment;
    this.substituted = '';
  }

  /** Starts the three that serve. The path in the cache is a file that says 42. */
  async start() {
    const { place } = this;
    const answer = join(place.workFolder, 'answer.nix');
    writeFileSync(answer, '42\n');
    const cached = join(place.folder, 'cached');
    const imported = await place.run(['store', 'import', '--store', cached, answer]);
    if (imported.code !== 0) throw new Error(imported.stderr);
    this.substituted = imported.stdout.trim();
    const bridge = await this.#serve('nar-bridge', [
      'nar-bridge',
      '--store',
      cached,
      '--listen',
      '127.0.0.1:0',
    ]);
    const url = /listening on (\S+)/.exec(bridge.texts.stderr)?.[1];
    const composition = join(place.folder, 'composition.toml');
    writeFileSync(composition, compositionText(join(place.folder, 'near'), url ?? ''));
    const socket = join(place.folder, 'run/store.socket');
    await this.#serve('store daemon', [
      ...['store', 'daemon', '--store-composition', composition, '--listen', `unix:${socket}`],
    ]);
    await this.#serve('daemon', ['daemon', '--store', `grpc+unix:${socket}`]);
  }

  /** @param {readonly string[]} words @param {Readonly<Record<string, string>>} [env] */
  client(words, env = {}) {
    return this.place.client(words, { env: { ...this.environment, ...env } });
  }

  /** By signals, as an operator ends them: what they have measured is sent. */
  async stop() {
    for (const { name, started } of this.#servers.toReversed()) {
      started.child.kill('SIGTERM');
      const timer = setTimeout(() => started.child.kill('SIGKILL'), 30_000);
      const { code, stderr } = await started.ended;
      clearTimeout(timer);
      if (code !== 0 && code !== 143) throw new Error(`neve ${name} ended with ${code}: ${stderr}`);
    }
    this.#servers = [];
  }

  killAll() {
    this.place.killAll();
  }

  /** @param {string} name one of `serverNames` @param {readonly string[]} words */
  async #serve(name, words) {
    if (!serverNames.includes(name)) throw new Error(`no such server: ${name}`);
    const started = this.place.start(words, { env: this.environment });
    this.#servers.push({ name, started });
    await waitUntil(
      () => started.texts.stderr.includes('listening on'),
      async () => {
        if (started.child.exitCode !== null) throw new Error(`neve ${name}: ${started.texts.stderr}`);
      },
    );
    return started;
  }
}

/** @param {string} near a folder @param {string} url of the cache */
function compositionText(near, url) {
  mkdirSync(near, { recursive: true });
  const database = JSON.stringify(join(near, 'db'));
  return `
[blobservices.root]
type = "file"
path = ${JSON.stringify(near)}
database = ${database}

[directoryservices.root]
type = "lmdb"
path = ${database}

[pathinfoservices.near]
type = "lmdb"
path = ${database}

[pathinfoservices.cache]
type = "nix"
base_url = ${JSON.stringify(url)}

[pathinfoservices.root]
type = "cache"
near = "&near"
far = "&cache"
`;
}
