// Azurite: Azure Blob Storage, with the account and the key that its documentation names.

import { createHmac } from 'node:crypto';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { objectStoreSuites } from '../object-store-suites.mjs';
import { freePort, startServer } from '../server-process.mjs';

const program = join(
  dirname(fileURLToPath(import.meta.url)),
  '../node_modules/azurite/dist/src/blob/main.js',
);
const account = 'devstoreaccount1';
const key = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';
const container = 'blobs';

/** @type {import('../run.mjs').Server} */
export const server = {
  name: 'azure',
  async start({ folder, library }) {
    const port = await freePort();
    const args = ['--location', folder, '--blobHost', '127.0.0.1', '--blobPort', String(port)];
    const { stop } = await startServer({
      command: process.execPath,
      args: [program, ...args, '--silent', '--skipApiVersionCheck', '--disableTelemetry'],
      port,
      cwd: folder,
    });
    try {
      const endpoint = `http://127.0.0.1:${port}/${account}`;
      await createContainer(endpoint);
      const settings = {
        azure_endpoint: endpoint,
        azure_storage_account_name: account,
        azure_storage_account_key: key,
      };
      return {
        suites: objectStoreSuites({ name: 'Azure', url: `az://${container}/`, settings, library }),
        stop,
      };
    } catch (error) {
      await stop();
      throw error;
    }
  },
};

/**
 * OpenDAL does not make containers, so this request is signed by hand ("Authorize with Shared Key").
 *
 * @param {string} endpoint
 */
async function createContainer(endpoint) {
  const date = new Date().toUTCString();
  const version = '2021-08-06';
  const headers = `x-ms-date:${date}\nx-ms-version:${version}\n`;
  // The account is in the path twice: by the protocol, and since the emulator has it in its URLs.
  const resource = `/${account}/${account}/${container}\nrestype:container`;
  const signed = `PUT${'\n'.repeat(12)}${headers}${resource}`;
  const signature = createHmac('sha256', Buffer.from(key, 'base64')).update(signed).digest('base64');
  const response = await fetch(`${endpoint}/${container}?restype=container`, {
    method: 'PUT',
    headers: {
      'x-ms-date': date,
      'x-ms-version': version,
      authorization: `SharedKey ${account}:${signature}`,
    },
  });
  if (response.status !== 201)
    throw new Error(`the container was not made: ${response.status} ${await response.text()}`);
}
