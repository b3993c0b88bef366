/**
 * The scripts of `dist/modules`, which the build made for the commands that need more than `neve.cjs`. They are CommonJS and
 * would work with plain `require`, as they do in threads; here their compiled code is kept in the user's cache, one file a
 * command, written after the first run that succeeds:
 *
 *     <XDG cache>/neve/code/<build>-<version of Node>-<architecture>/<command>
 *
 * Without a cache directory nothing is kept, and with NODE_DISABLE_COMPILE_CACHE neither.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Script } from 'node:vm';
import { cacheFolder, homeFolder } from './cache-folder.ts';
import { readCodeCache, writeCodeCache } from './code-cache.ts';

type Require = ((id: string) => unknown) & { readonly resolve: (id: string) => string };

type ScriptFunction = (
  ...scope: readonly [
    exports: unknown,
    require: Require,
    module: { readonly exports: unknown },
    filename: string,
    dirname: string,
  ]
) => void;

export class CommandScripts {
  readonly #folder: string;
  readonly #cachePath: string | undefined;
  readonly #cachedCode: ReadonlyMap<string, Buffer> | undefined;
  /** What did not come from the cache. */
  readonly #newScripts = new Map<string, Script>();
  readonly #modules = new Map<string, { readonly exports: unknown }>();
  readonly #require: Require;

  /** Nothing is kept without a path for it. */
  constructor(folder: string, cachePath: string | undefined) {
    this.#folder = folder;
    this.#cachePath = cachePath;
    this.#cachedCode = cachePath === undefined ? undefined : readCodeCache(cachePath);
    const requireLibrary = createRequire(join(folder, 'scripts.cjs'));
    this.#require = Object.assign(
      (id: string): unknown => (id.startsWith('./') ? this.load(id.slice(2)) : requireLibrary(id)),
      { resolve: (id: string): string => requireLibrary.resolve(id) },
    );
  }

  /** What the script exports; it runs when it is first asked for. */
  load(name: string): unknown {
    const known = this.#modules.get(name);
    if (known !== undefined) return known.exports;
    const module = { exports: {} };
    this.#modules.set(name, module);
    const path = join(this.#folder, name);
    this.#compile(name, path)(module.exports, this.#require, module, path, dirname(path));
    return module.exports;
  }

  /** Keeps the code of everything that was loaded, as far as it was needed, beside what is kept already. */
  saveCode(): void {
    if (this.#cachePath === undefined || this.#newScripts.size === 0) return;
    const code = new Map(this.#cachedCode);
    for (const [name, script] of this.#newScripts) code.set(name, script.createCachedData());
    try {
      writeCodeCache(this.#cachePath, code);
    } catch {
      // The next run takes as long as this one did.
    }
  }

  #compile(name: string, filename: string): ScriptFunction {
    // The build writes only ASCII, which is fastest to read in this way.
    const source = readFileSync(filename, 'latin1');
    const cachedData = this.#cachedCode?.get(name);
    const script = new Script(`(function(exports,require,module,__filename,__dirname){${source}\n})`, {
      filename,
      ...(cachedData !== undefined && { cachedData }),
    });
    if (script.cachedDataRejected !== false) this.#newScripts.set(name, script);
    return script.runInThisContext() as ScriptFunction;
  }
}

/**
 * Where the code of a command is kept; `build` changes with the scripts, `command` is a file name. Undefined where there is
 * nothing to put it in: a home directory that is missing is not made.
 */
export function codeCachePath(build: string, command: string): string | undefined {
  const { NODE_DISABLE_COMPILE_CACHE: disabled, XDG_CACHE_HOME: cache = '' } = process.env;
  if (disabled !== undefined || (cache === '' && !existsSync(homeFolder()))) return undefined;
  const folder = `${build}-${process.version}-${process.arch}`;
  return join(cacheFolder(), 'code', folder, command);
}
