// One comparison of a Nix and Neve, with several kinds of sandbox. The Nix builds everything once.

import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mapInPool } from '../lib/pool.mjs';
import { failures } from './failures.mjs';

const casesFile = join(dirname(fileURLToPath(import.meta.url)), 'cases/default.nix');

/** More characters than this hide the other failures. */
const explainedLength = 3000;

/**
 * @typedef {import('../lib/command.mjs').Outcome} Outcome
 * @typedef {{ narHash: string, narSize: number, ca: string | null, deriver: string | null, references: string[] }} Known
 * @typedef {{ name: string, drvPath: string, outputs: Record<string, string> }} BuiltCase
 */

export class BuildComparison {
  /** @type {import('./build-programs.mjs').BuildPrograms} */
  #programs;
  /** @type {import('../lib/tally.mjs').Tally} */
  #tally;
  /** @type {readonly string[]} */
  #arguments;
  /** @type {string} */
  #filter;
  /** @type {string | undefined} */
  #toolchain;
  /** @type {readonly BuiltCase[]} */
  #built = [];
  /** @type {Outcome | undefined} */
  #nixOutcome;
  /** @type {Record<string, Known>} */
  #known = {};
  /** What the Nix said of each run of each failure. @type {Map<string, readonly Outcome[]>} */
  #nixFailures = new Map();

  /**
   * @param {{
   *   programs: import('./build-programs.mjs').BuildPrograms,
   *   server: import('./source-server.mjs').SourceServer,
   *   tally: import('../lib/tally.mjs').Tally,
   *   filter: string,
   *   toolchain: string | undefined,
   * }} options
   */
  constructor({ programs, server, tally, filter, toolchain }) {
    this.#programs = programs;
    this.#tally = tally;
    this.#filter = filter;
    this.#toolchain = toolchain;
    this.#arguments = [
      ...['--arg', 'busybox', programs.busyboxFolder],
      ...['--argstr', 'url', server.url, '--argstr', 'files', server.files],
      ...(toolchain === undefined ? [] : ['--arg', 'toolchain', toolchain]),
    ];
  }

  /** The Nix's part. */
  async prepare() {
    if (this.#toolchain === undefined) console.log('without --toolchain: C programs are left out');
    const derivations = await this.#derivations();
    const names = Object.keys(derivations);
    if (names.some((it) => !isImpure(it))) {
      this.#nixOutcome = await this.#programs.nix('nix-build', [
        '-Q',
        '--no-out-link',
        ...this.#groupArguments(names.filter((it) => !isImpure(it))),
      ]);
      const { code, stderr } = this.#nixOutcome;
      if (code !== 0)
        throw new Error(`what must succeed failed with the Nix:\n${stderr.replace(/^building .*\n/gm, '')}`);
    }
    if (names.length > 0) await this.#readResults(derivations);
    const failing = this.#failureNames();
    const outcomes = await mapInPool(failing, (name) =>
      this.#runsOf(name, (args) => this.#programs.nix('nix-build', ['-Q', '--no-out-link', ...args])),
    );
    this.#nixFailures = new Map(failing.map((name, index) => [name, outcomes[index] ?? []]));
  }

  /**
   * Whether this machine has such a sandbox; says why not.
   *
   * @param {string} builder
   */
  async works(builder) {
    const expression =
      'derivation { name = "trial"; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" "echo > $out" ]; }';
    const store = join(this.#programs.folder, 'trials');
    const words = ['--no-link', '-E', expression];
    const { code, stderr } = await this.#programs.neveBuild(builder, words, store);
    if (code !== 0) console.log(`without ${builder}, which does not work here: ${stderr.trim()}`);
    return code === 0;
  }

  /** @param {string} builder */
  async compare(builder) {
    const startedMs = performance.now();
    await this.#compareBuilt(builder);
    await mapInPool(this.#failureNames(), (name) => this.#compareFailure(builder, name));
    console.log(`${builder}: ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
  }

  /** By the name of the case. @returns {Promise<Record<string, string>>} */
  async #derivations() {
    const expression = `args: builtins.mapAttrs (file: builtins.mapAttrs (_: it: it.drvPath)) (removeAttrs (import ${casesFile} args) [ "failing" ])`;
    const words = ['--eval', '--strict', '--json', '--read-write-mode', '-E', expression, ...this.#arguments];
    // A function of any arguments is not called with `--arg`.
    const call = expression.replace('args:', '{ busybox, url, files, toolchain ? null }@args:');
    const { code, stdout, stderr } = await this.#programs.nix(
      'nix-instantiate',
      words.map((word) => (word === expression ? call : word)),
    );
    if (code !== 0) throw new Error(`the cases cannot be evaluated: ${stderr}`);
    /** @type {Record<string, Record<string, string>>} */
    const byFile = JSON.parse(stdout);
    const all = Object.entries(byFile).flatMap(([file, cases]) =>
      Object.entries(cases).map(([name, drvPath]) => /** @type {const} */ ([`${file}.${name}`, drvPath])),
    );
    return Object.fromEntries(all.filter(([name]) => name.includes(this.#filter)));
  }

  #failureNames() {
    return Object.keys(failures).filter((name) => `failing.${name}`.includes(this.#filter));
  }

  /** @param {readonly string[]} attributes */
  #groupArguments(attributes) {
    const selected = attributes.flatMap((it) => ['-A', it]);
    return [casesFile, ...this.#arguments, '--keep-going', '-j', '2', ...selected];
  }

  /** @param {Record<string, string>} derivations */
  async #readResults(derivations) {
    const drvs = Object.values(derivations).map((it) => `${it}^*`);
    const { code, stdout, stderr } = await this.#programs.nix('nix', [
      'build',
      '--json',
      '--no-link',
      ...drvs,
    ]);
    if (code !== 0) throw new Error(`nix build failed: ${stderr}`);
    /** @type {{ drvPath: string, outputs: Record<string, string> }[]} */
    const results = JSON.parse(stdout);
    const byDrv = new Map(results.map((it) => [it.drvPath, it.outputs]));
    this.#built = Object.entries(derivations).map(([name, drvPath]) => ({
      ...{ name, drvPath },
      outputs: byDrv.get(drvPath) ?? {},
    }));
    const all = await this.#programs.nix('nix', ['path-info', '--all', '--json']);
    this.#known = JSON.parse(all.stdout);
  }

  /** @param {string} builder */
  async #compareBuilt(builder) {
    if (this.#built.length === 0) return;
    const names = this.#built.map(({ name }) => name);
    const outcome = await this.#buildAll(
      builder,
      names.filter((it) => !isImpure(it)),
    );
    if (outcome !== undefined) {
      const [found, wanted] = [outcome.stdout, this.#nixOutcome?.stdout ?? ''].map((it) => it.split('\n'));
      const at = wanted?.findIndex((line, index) => line !== found?.[index]) ?? -1;
      const same = at === -1 && found?.length === wanted?.length;
      this.#check(`${builder}: printed paths`, same, `line ${at} is ${found?.[at]}, not ${wanted?.[at]}`);
    }
    await this.#buildAll(builder, names.filter(isImpure));
    const ours = await this.#knownToNeve(builder);
    for (const { name, drvPath, outputs } of this.#built) {
      const problems = Object.entries(outputs).flatMap(([output, path]) =>
        this.#problems({ output, path, drvPath }, ours),
      );
      this.#check(
        `${builder}: ${name}`,
        problems.length === 0 && Object.keys(outputs).length > 0,
        problems.join('\n  '),
      );
    }
    const others = Object.keys(ours).filter((path) => this.#known[path] === undefined);
    this.#check(`${builder}: nothing else is in the store`, others.length === 0, others.join(' '));
  }

  /**
   * @param {string} builder
   * @param {readonly string[]} names
   */
  async #buildAll(builder, names) {
    if (names.length === 0) return undefined;
    const outcome = await this.#programs.neveBuild(builder, ['--no-link', ...this.#groupArguments(names)]);
    this.#check(
      `${builder}: exit code of all`,
      outcome.code === 0,
      `${outcome.code}: ${outcome.stderr.slice(-6000)}`,
    );
    return outcome;
  }

  /**
   * @param {string} builder
   * @returns {Promise<Record<string, Known>>}
   */
  async #knownToNeve(builder) {
    const store = ['--store', this.#programs.neveStore(builder)];
    const listed = await this.#programs.neve(['store', 'ls', ...store]);
    const paths = listed.stdout.split('\n').filter((it) => it !== '' && !it.endsWith('.drv'));
    if (paths.length === 0) return {};
    const { code, stdout, stderr } = await this.#programs.neve([
      'store',
      'info',
      '--json',
      ...store,
      ...paths,
    ]);
    if (code !== 0) throw new Error(`neve store info failed: ${stderr}`);
    return JSON.parse(stdout);
  }

  /**
   * @param {{ output: string, path: string, drvPath: string }} of
   * @param {Record<string, Known>} ours
   */
  #problems({ output, path, drvPath }, ours) {
    const [found, wanted] = [ours[path], this.#known[path]];
    if (wanted === undefined) return [`the Nix does not know ${path}`];
    if (found === undefined) return [`${output}: ${path} is missing`];
    // With its experimental features, the Nix may name a resolved derivation as the deriver of a fixed output.
    const fields = /** @type {const} */ (['narHash', 'narSize', 'ca', 'references', 'deriver']);
    return fields.slice(0, wanted.ca === null || wanted.deriver === drvPath ? 5 : 4).flatMap((field) => {
      const [is, must] = [found[field], wanted[field]].map((it) =>
        JSON.stringify(Array.isArray(it) ? it.toSorted() : (it ?? null)),
      );
      return is === must ? [] : [`${output} (${path}): ${field} is ${is}, not ${must}`];
    });
  }

  /**
   * @param {string} builder
   * @param {string} name
   */
  async #compareFailure(builder, name) {
    const ours = await this.#runsOf(name, (args) =>
      this.#programs.neveBuild(builder, ['--no-link', ...args]),
    );
    const theirs = this.#nixFailures.get(name) ?? [];
    const codes = ours.map(({ code }) => code).join(' ');
    const wantedCodes = theirs.map(({ code }) => code).join(' ');
    const last = ours.at(-1)?.stderr ?? '';
    this.#check(
      `${builder}: failing.${name}: exit code`,
      codes === wantedCodes,
      `${codes}, not ${wantedCodes}: ${last}`,
    );
    const { essential } = failures[name] ?? {};
    if (essential === undefined) return;
    const [found, wanted] = [last, theirs.at(-1)?.stderr ?? ''].map((it) => essentialText(it, essential));
    const same = found === wanted && found !== undefined;
    this.#check(
      `${builder}: failing.${name}: message`,
      same,
      `${found ?? last}\n  not\n${wanted ?? theirs.at(-1)?.stderr}`,
    );
  }

  /**
   * @param {string} name
   * @param {(args: readonly string[]) => Promise<Outcome>} build
   */
  async #runsOf(name, build) {
    const { attributes = [name], runs = [[]], floating = false } = failures[name] ?? {};
    const features = floating ? [] : ['--option', 'experimental-features', 'nix-command'];
    const selected = attributes.flatMap((it) => ['-A', `failing.${it}`]);
    /** @type {Outcome[]} */
    const outcomes = [];
    for (const options of runs) {
      outcomes.push(await build([casesFile, ...this.#arguments, ...selected, ...features, ...options]));
    }
    return outcomes;
  }

  /**
   * @param {string} name
   * @param {boolean} ok
   * @param {string} explanation
   */
  #check(name, ok, explanation) {
    this.#tally.record(name, ok);
    if (!ok) console.log(`FAIL ${name}: ${explanation.trim().slice(0, explainedLength)}`);
  }
}

/** @param {string} name */
function isImpure(name) {
  return name.startsWith('impure.');
}

/**
 * Blanks between words are a matter of taste.
 *
 * @param {string} text
 * @param {RegExp} essential
 */
function essentialText(text, essential) {
  const found = essential.exec(text);
  return (found?.[1] ?? found?.[0])?.replaceAll(/\s+/g, ' ');
}
