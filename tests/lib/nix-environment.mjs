// A throw-away environment for evaluating with Nix or Neve: nothing of the user's settings,
// store or search path shows through, and both sides of a comparison see the same.
//
// The folder has etc/ (NIX_CONF_DIR), var/ (NIX_STATE_DIR) and home/ (HOME), and is removed
// when the environment is disposed of.

import { mkdtempSync, mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class NixEnvironment {
  /** @type {string} */
  folder;
  /** @type {NodeJS.ProcessEnv} */
  variables;

  /** @param {{ settings?: string }} [options] `settings` is the text of nix.conf */
  constructor({ settings = '' } = {}) {
    this.folder = realpathSync(mkdtempSync(join(tmpdir(), 'neve-tests-')));
    for (const name of ['etc', 'var', 'home']) mkdirSync(join(this.folder, name));
    writeFileSync(join(this.folder, 'etc/nix.conf'), settings);
    this.variables = {
      PATH: process.env['PATH'],
      LANG: 'C.UTF-8',
      HOME: join(this.folder, 'home'),
      NIX_CONF_DIR: join(this.folder, 'etc'),
      NIX_STATE_DIR: join(this.folder, 'var'),
      NIX_LOG_DIR: join(this.folder, 'var/log'),
      NIX_STORE_DIR: '/nix/store',
      NIX_USER_CONF_FILES: '',
      NIX_REMOTE: 'dummy://',
      // What was kept of an evaluation would be tested, and not the evaluation.
      NEVE_IMAGE: '0',
      // Keeps warnings about the machine (such as a low stack limit) out of the output.
      _NIX_TEST_NO_ENVIRONMENT_WARNINGS: '1',
    };
  }

  dispose() {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/**
 * Runs a body with an environment and disposes of it in any case.
 *
 * @template Result
 * @param {{ settings?: string }} options
 * @param {(environment: NixEnvironment) => Promise<Result>} body
 */
export async function withNixEnvironment(options, body) {
  const environment = new NixEnvironment(options);
  try {
    return await body(environment);
  } finally {
    environment.dispose();
  }
}
