// Each case of `nix-build-cases.mjs`, with `neve build`, and where there is a Nix with its `nix-build` as well.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runCommand } from '../lib/command.mjs';
import { packages, takeLinks } from './build-command.mjs';
import { nixBuildCases } from './nix-build-cases.mjs';

/**
 * @param {{ neve: import('./build-command.mjs').BuildCommand, folder: string,
 *   nix: import('../lib/implementation.mjs').Implementation | undefined, busybox: string | undefined }} context
 * @returns {Iterable<readonly [name: string, check: () => Promise<void>]>}
 */
export function* nixBuildChecks({ neve, folder, nix, busybox }) {
  const nixBuild = nix === undefined ? undefined : new NixBuild(join(folder, 'nix'), nix, busybox);
  for (const { args, code, links } of nixBuildCases) {
    yield [
      `neve build ${args.join(' ')}`,
      async () => {
        takeLinks(neve.workFolder);
        const ended = await neve.inStore('build', [packages, ...args]);
        const made = takeLinks(neve.workFolder);
        assert.deepEqual({ code: ended.code, links: made }, { code, links }, ended.stderr);
        if (code !== 0) assert.equal(ended.stdout, '');
        if (nixBuild === undefined) return;
        const nixEnded = await nixBuild.run([packages, ...args]);
        const nixLinks = takeLinks(nixBuild.workFolder);
        assert.deepEqual(
          { code: ended.code, stdout: ended.stdout, links: made },
          { code: nixEnded.code, stdout: nixEnded.stdout, links: nixLinks },
          `${ended.stderr}\n${nixEnded.stderr}`,
        );
      },
    ];
  }
}

class NixBuild {
  /** @type {string} */
  #program;
  /** @type {string} */
  #folder;

  /**
   * @param {string} folder
   * @param {import('../lib/implementation.mjs').Implementation} nix
   * @param {string | undefined} busybox
   */
  constructor(folder, { program: [instantiate = ''] }, busybox) {
    this.#program = join(dirname(instantiate), 'nix-build');
    this.#folder = folder;
    const shell = busybox ?? ['/bin/busybox', '/usr/bin/busybox'].find((it) => existsSync(it));
    for (const name of ['conf', 'home', 'work']) mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(
      join(folder, 'conf/nix.conf'),
      `substituters =\nbuild-users-group =\nsandbox = true\nsandbox-paths = /bin/sh=${shell}\nbuild-hook =\n`,
    );
  }

  get workFolder() {
    return join(this.#folder, 'work');
  }

  /** @param {readonly string[]} args */
  run(args) {
    const env = {
      PATH: process.env['PATH'],
      HOME: join(this.#folder, 'home'),
      NIX_CONF_DIR: join(this.#folder, 'conf'),
      NIX_STATE_DIR: join(this.#folder, 'state'),
      NIX_USER_CONF_FILES: '',
    };
    return runCommand([this.#program, '--store', join(this.#folder, 'root'), ...args], {
      cwd: this.workFolder,
      env,
    });
  }
}
