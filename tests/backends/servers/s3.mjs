// s3rver: the API of Amazon S3 over a folder.

import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { objectStoreSuites } from '../object-store-suites.mjs';
import { freePort, startServer } from '../server-process.mjs';

const program = join(dirname(fileURLToPath(import.meta.url)), '../node_modules/s3rver/bin/s3rver.js');
const bucket = 'blobs';

/** @type {import('../run.mjs').Server} */
export const server = {
  name: 's3',
  async start({ folder, library }) {
    const port = await freePort();
    const args = ['--directory', folder, '--address', '127.0.0.1', '--port', String(port)];
    const { stop } = await startServer({
      command: process.execPath,
      args: [program, ...args, '--silent', '--configure-bucket', bucket],
      port,
      cwd: folder,
    });
    const settings = {
      aws_endpoint: `http://127.0.0.1:${port}`,
      aws_allow_http: 'true',
      aws_access_key_id: 'S3RVER',
      aws_secret_access_key: 'S3RVER',
      aws_region: 'us-east-1',
    };
    return { suites: objectStoreSuites({ name: 'S3', url: `s3://${bucket}/`, settings, library }), stop };
  },
};
