/**
 * Tests parts of the language core from outside. A probe is a small AssemblyScript entry, `probes/<name>.ts`,
 * which re-exports what a test wants to call; `compileProbe` compiles and instantiates it.
 *
 * Tests run on both modes: `release` is what is shipped, `debug` is not optimised and keeps assertions, a
 * failed one being thrown as an `Error` with its message and place.
 *
 * Modules are cached in `build/probes` under a hash of all sources, the compiler's version and its options;
 * a stale one is never used, and the folder may be deleted at any time.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { threadId } from 'node:worker_threads';
import asc from 'assemblyscript/asc';

export type ProbeMode = 'debug' | 'release';

/** Functions that the probe imports from the module `host`, by name. */
export type ProbeHost = Readonly<Record<string, WebAssembly.ExportValue>>;

const packageFolder = fileURLToPath(new URL('..', import.meta.url));
const cacheFolder = join(packageFolder, 'build', 'probes');

/** As in the build of the core: data begins at 8192, so that small addresses are free for other meanings. */
const sharedOptions = ['--runtime', 'stub', '--memoryBase', '8192'];
const modeOptions: Readonly<Record<ProbeMode, readonly string[]>> = {
  debug: ['--debug'],
  release: ['-O3', '--noAssert'],
};

/** Modules of this thread by cache file, and the end of the queue of compilations: asc runs one at a time. */
const modules = new Map<string, Promise<WebAssembly.Module>>();
let lastCompilation: Promise<unknown> = Promise.resolve();

/**
 * A new instance of `probes/<name>.ts`, with a memory of its own.
 *
 * `abort` is provided. Host functions come from `host`; those it lacks throw an `Error` when they are called,
 * which says that they were: so does `raise`, with its arguments. Throws with the compiler's messages if the
 * probe does not compile.
 */
export async function compileProbe(
  name: string,
  mode: ProbeMode,
  host: ProbeHost = {},
): Promise<WebAssembly.Instance> {
  const file = join(cacheFolder, `${name}.${mode}.${await fingerprint(mode)}.wasm`);
  let module = modules.get(file);
  if (module === undefined) {
    module = loadModule(name, mode, file);
    modules.set(file, module);
  }
  return instantiate(await module, host);
}

async function instantiate(module: WebAssembly.Module, host: ProbeHost): Promise<WebAssembly.Instance> {
  const provided: Record<string, WebAssembly.ExportValue> = { ...host };
  for (const wanted of WebAssembly.Module.imports(module)) {
    if (wanted.module === 'host' && wanted.kind === 'function') provided[wanted.name] ??= refuse(wanted.name);
  }
  const abort = (message: number, source: number, line: number, column: number): never => {
    const memory = instance.exports['memory'] as WebAssembly.Memory;
    const place = `${readLiteral(memory, source)}:${line}:${column}`;
    throw new Error(`assertion failed: ${readLiteral(memory, message)} (${place})`);
  };
  const instance = await WebAssembly.instantiate(module, { env: { abort }, host: provided });
  return instance;
}

function refuse(name: string): (...values: unknown[]) => never {
  return (...values) => {
    throw new Error(`the probe called host.${name}(${values.join(', ')})`);
  };
}

/** A string literal of AssemblyScript: UTF-16, its size in bytes in the word before it. */
function readLiteral(memory: WebAssembly.Memory, address: number): string {
  if (address === 0) return '';
  const size = new DataView(memory.buffer).getUint32(address - 4, true);
  return new TextDecoder('utf-16le').decode(new Uint8Array(memory.buffer, address, size));
}

async function loadModule(name: string, mode: ProbeMode, file: string): Promise<WebAssembly.Module> {
  const cached = await readFile(file).catch(() => undefined);
  if (cached !== undefined) return WebAssembly.compile(cached);
  const compilation = lastCompilation.then(() => compile(name, mode));
  lastCompilation = compilation.catch(() => undefined);
  const binary = await compilation;
  // Written under another name first: test threads and processes share the folder.
  const temporary = `${file}.${process.pid}.${threadId}`;
  await mkdir(cacheFolder, { recursive: true });
  await writeFile(temporary, binary);
  await rename(temporary, file);
  return WebAssembly.compile(binary);
}

/** Runs the compiler in this process; it reads files of the package only. */
async function compile(name: string, mode: ProbeMode): Promise<Uint8Array<ArrayBuffer>> {
  const entry = `tests/probes/${name}.ts`;
  const options = [...sharedOptions, ...modeOptions[mode], '--baseDir', packageFolder];
  let binary: Uint8Array<ArrayBuffer> | undefined;
  let messages = '';
  const { error } = await asc.main([entry, '--outFile', 'probe.wasm', ...options], {
    stderr: {
      write(chunk) {
        messages += typeof chunk === 'string' ? chunk : new TextDecoder().decode(chunk);
      },
    },
    writeFile(_path, contents) {
      if (typeof contents !== 'string') binary = new Uint8Array(contents);
    },
  });
  if (error !== null || binary === undefined) {
    throw new Error(`${entry} does not compile (${mode}):\n${messages}`, { cause: error });
  }
  return binary;
}

/** Everything a module depends on, as one hash. */
async function fingerprint(mode: ProbeMode): Promise<string> {
  const hash = createHash('sha256');
  hash.update(JSON.stringify([asc.version, sharedOptions, modeOptions[mode]]));
  for (const folder of ['assembly', 'tests/probes']) {
    for (const file of await sourcesUnder(join(packageFolder, folder))) {
      hash.update(`\0${file.slice(packageFolder.length)}\0`).update(await readFile(file));
    }
  }
  return hash.digest('hex').slice(0, 32);
}

async function sourcesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true });
  return entries
    .filter((entry) => entry.endsWith('.ts'))
    .map((entry) => join(folder, entry))
    .sort();
}
